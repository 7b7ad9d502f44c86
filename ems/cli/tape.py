"""`ems tape`: feeds into stored tapes, and what stored tapes hold."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from domain.errors import ConfigError, NumberError
from domain.values import from_e9, to_e9
from ems.cli.tape_quality import show as show_quality
from ems.cli.tape_tables import tables

if TYPE_CHECKING:
    from ems.bootstrap.tape_play import Header, StoredTape

app = typer.Typer(no_args_is_help=True)
app.command()(tables)
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")]
_BAD: Final = 1


@app.command()
def convert(
    sources: Annotated[list[Path], typer.Argument(help="Files of one feed that continue one another.")],
    to: Annotated[Path, typer.Option("--to", help="The new tape, a directory.")],
    feed: Annotated[str, typer.Option(help="itch, pcap, lobster, lean or binance; told by the file's beginning.")] = "",
    date: Annotated[str, typer.Option(help="The trading day of ITCH, such as 2026-11-27, unless the name has it.")] = "",
    symbols: Annotated[str, typer.Option(help="Only these, such as AMZN,MSFT.")] = "",
    tick: Annotated[str, typer.Option(help="A tick, where the source does not tell.")] = "0.01",
    port: Annotated[int | None, typer.Option(help="Of a capture, only what was sent to this UDP port.")] = None,
    json_output: JsonOption = False,
) -> None:
    """Turn recorded feeds into a stored tape. Exit 1 where something was wrong with the source; it is told by kind."""
    from ems.bootstrap import tape

    wanted = tape.Wanted(
        feed=_feed(feed) if feed else tape.feed_of(sources[0]), date=date,
        symbols=tuple(part.strip() for part in symbols.split(",") if part.strip()), tick_size_e9=to_e9(tick), port=port,
    )  # fmt: skip
    with _progress(json_output) as bar:
        task = bar.add_task(f"{wanted.feed}", total=None)
        header = tape.convert(sources, to, wanted, lambda done, of: bar.update(task, completed=done, total=of))
    _tell(_summary(header) | {"tape": str(to)}, json_output)
    raise typer.Exit(_BAD if header.source.faults else 0)


@app.command()
def info(
    path: Annotated[Path, typer.Argument(help="A stored tape.")],
    verify: Annotated[bool, typer.Option("--verify", help="Read all of it and compare its sums.")] = False,
    quality: Annotated[bool, typer.Option("--quality", help="Follow its book: gaps, clocks, crossed share, odd prints.")] = False,
    json_output: JsonOption = False,
) -> None:
    """What a stored tape holds. Exit 1 where --verify finds a column that is not what was sealed."""
    from ems.bootstrap import tape_play

    stored = tape_play.open_tape(path)
    found = _summary(stored.header)
    damaged = stored.verify() if verify else []
    if verify:
        found["damaged_columns"] = damaged
    judged = _quality(stored, json_output) if quality else {}
    _tell(found | ({"quality": judged} if quality and json_output else {}), json_output)
    if quality and not json_output:
        show_quality(judged)
    raise typer.Exit(_BAD if damaged else 0)


@app.command()
def play(
    path: Annotated[Path, typer.Argument(help="A stored tape.")],
    begin: Annotated[str, typer.Option("--from", help="UTC time such as 2012-06-21T13:30:00, or nanoseconds.")] = "",
    end: Annotated[str, typer.Option("--to", help="Likewise; what is received then or later is left out.")] = "",
    speed: Annotated[float, typer.Option(min=0, help="Recorded time per wall time; 0: as fast as can be.")] = 0,
    limit: Annotated[int, typer.Option(min=0, help="At most so many records; 0: all.")] = 0,
    json_output: Annotated[bool, typer.Option("--json", help="One JSON object a record.")] = False,
) -> None:
    """Print a tape's records in the order and, with --speed, at the pace at which they were received."""
    from ems.bootstrap import tape_play

    stored = tape_play.open_tape(path)
    names = {one.number: one for one in stored.header.instruments}
    start = stored.seek(_time_ns(begin)) if begin else 0
    stop = stored.seek(_time_ns(end)) if end else len(stored)
    for record in tape_play.paced(stored, start, min(stop, start + limit) if limit else stop, speed):
        sys.stdout.write((json.dumps(tape_play.plain(record, names)) if json_output else tape_play.line(record, names)) + "\n")


@app.command()
def record(
    to: Annotated[Path, typer.Option("--to", help="The new tape, a directory; or one that was not sealed, with --resume.")],
    port: Annotated[int, typer.Option(help="The UDP port at which MoldUDP64 datagrams of ITCH 5.0 arrive.")],
    host: Annotated[str, typer.Option(help="The address of ours that they come to.")] = "127.0.0.1",
    group: Annotated[str, typer.Option(help="The multicast group to join, if any.")] = "",
    ask: Annotated[str, typer.Option(help="HOST:PORT that answers requests for what is missing; by default their sender.")] = "",
    patience_ms: Annotated[int, typer.Option(min=1, help="How long to wait for what is missing.")] = 500,
    seconds: Annotated[float, typer.Option(min=0, help="Stop after so long; 0: at the session's end, or Ctrl-C.")] = 0,
    date: Annotated[str, typer.Option(help="The trading day, such as 2026-11-27; today in New York.")] = "",
    symbols: Annotated[str, typer.Option(help="Only these, such as AMZN,MSFT.")] = "",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a tape whose recorder died.")] = False,
    json_output: JsonOption = False,
) -> None:
    """Record a live feed. What is missing is asked for, and told in the tape when it does not come. Exit 1 after losses."""
    from ems.bootstrap import tape_record

    wanted = tape_record.Line(
        host=host, port=port, group=group, ask=_address(ask), patience_ns=patience_ms * 1_000_000, seconds=seconds, date=date,
        symbols=tuple(part.strip() for part in symbols.split(",") if part.strip()),
    )  # fmt: skip
    with _progress(json_output) as bar:
        task = bar.add_task("recording", total=None)
        told = tape_record.record(to, wanted, resume=resume, progress=lambda text: bar.update(task, description=text))
    _tell(_summary(told.header) | {"received": told.counts, "tape": str(to)}, json_output)
    raise typer.Exit(_BAD if told.header.source.faults else 0)


@app.command("record-binance")
def record_binance(
    to: Annotated[Path, typer.Option("--to", help="The new tape, a directory.")],
    url: Annotated[str, typer.Option(help="The websocket of the combined stream: depth and trades.")],
    snapshot_url: Annotated[str, typer.Option(help="Where the REST snapshot is, with {symbol} in it.")],
    symbol: Annotated[list[str], typer.Option(help="SYMBOL:TICK:LOT, such as BTCUSDT:0.1:0.001; may be repeated.")],
    capacity: Annotated[int, typer.Option(min=2, help="Records that may wait; a burst beyond is conflated.")] = 1_000_000,
    seconds: Annotated[float, typer.Option(min=0, help="Stop after so long; 0: at Ctrl-C.")] = 0,
    json_output: JsonOption = False,
) -> None:
    """Record Binance's live streams. A lost connection or a gap is told in the tape, and so is the snapshot that mends it."""
    from ems.bootstrap import tape_live

    stream = tape_live.Stream(url, snapshot_url, dict(map(_terms, symbol)), seconds, capacity)
    with _progress(json_output) as bar:
        task = bar.add_task("recording", total=None)
        told = tape_live.record(to, stream, lambda text: bar.update(task, description=text))
    _tell(_summary(told.header) | {"received": told.counts, "tape": str(to)}, json_output)
    raise typer.Exit(_BAD if told.header.source.faults else 0)


@app.command("record-fix")
def record_fix(
    to: Annotated[Path, typer.Option("--to", help="The new tape, a directory.")],
    port: Annotated[int, typer.Option(help="Where the venue's FIX 4.4 acceptor listens.")],
    sender: Annotated[str, typer.Option(help="Our CompID at its market data session.")],
    target: Annotated[str, typer.Option(help="The venue's CompID.")],
    symbol: Annotated[list[str], typer.Option(help="SYMBOL:TICK:LOT, such as AMZN:0.01:1; may be repeated.")],
    host: Annotated[str, typer.Option(help="The venue's host.")] = "127.0.0.1",
    capacity: Annotated[int, typer.Option(min=2, help="Records that may wait; a burst beyond is conflated.")] = 1_000_000,
    seconds: Annotated[float, typer.Option(min=0, help="Stop after so long; 0: at Ctrl-C.")] = 0,
    json_output: JsonOption = False,
) -> None:
    """Record a venue's FIX market data, every level and trade. What is lost is told in the tape, and so is what mends it."""
    from ems.bootstrap import tape_fix

    session = tape_fix.Session(host, port, sender, target, dict(map(_terms, symbol)), seconds, capacity)
    with _progress(json_output) as bar:
        task = bar.add_task("recording", total=None)
        told = tape_fix.record(to, session, lambda text: bar.update(task, description=text))
    _tell(_summary(told.header) | {"received": told.counts, "tape": str(to)}, json_output)
    raise typer.Exit(_BAD if told.header.source.faults else 0)


def _terms(text: str) -> tuple[str, Any]:
    from ems.bootstrap.tape_live import Terms

    parts = text.split(":")
    try:
        symbol, tick_e9, lot_e9 = parts[0], to_e9(parts[1]), to_e9(parts[2])
    except (IndexError, NumberError) as error:
        raise ConfigError(f"{text!r} is no SYMBOL:TICK:LOT such as BTCUSDT:0.1:0.001") from error
    if not symbol or len(parts) != 3 or tick_e9 <= 0 or lot_e9 <= 0:
        raise ConfigError(f"{text!r} is no SYMBOL:TICK:LOT such as BTCUSDT:0.1:0.001")
    return symbol, Terms(tick_e9, lot_e9)


def _address(text: str) -> tuple[str, int] | None:
    host, _, port = text.rpartition(":")
    if text and (not host or not port.isdecimal()):
        raise ConfigError(f"{text!r} is no HOST:PORT")
    return (host, int(port)) if text else None


def _feed(name: str) -> Any:
    from ems.bootstrap.tape import Feed

    try:
        return Feed(name)
    except ValueError as error:
        raise ConfigError(f"{name!r} is no feed; there are {', '.join(Feed)}") from error


def _progress(quiet: bool) -> Progress:
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    return Progress(*columns, console=Console(stderr=True), disable=quiet or not sys.stderr.isatty(), transient=True)


def _quality(stored: StoredTape, quiet: bool) -> dict[str, int | float]:
    from ems.bootstrap import tape_play

    with _progress(quiet) as bar:
        task = bar.add_task("quality", total=max(1, len(stored)))
        return tape_play.quality(stored, lambda done: bar.update(task, completed=done))


def _summary(header: Header) -> dict[str, Any]:
    return {
        "records": header.records,
        "sealed": header.sealed,
        "first": _utc(header.first_ns),
        "last": _utc(header.last_ns),
        "kinds": header.kinds,
        "instruments": {
            one.symbol: {"number": one.number, "tick": str(from_e9(one.tick_size_e9)), "lot": str(from_e9(one.lot_size_e9))}
            for one in header.instruments
        },
        "feed": header.source.feed,
        "source": header.source.name,
        "sha256": header.source.sha256,
        "faults": {kind: {"count": count, "first_at": at} for kind, (count, at) in header.source.faults.items()},
    }


def _tell(found: dict[str, Any], json_output: bool) -> None:
    if json_output:
        typer.echo(json.dumps(found))
        return
    for name, value in found.items():
        if isinstance(value, dict):
            typer.echo(f"{name}: {'' if value else 'none'}")
            for key, part in list(value.items())[:100]:
                plain = ", ".join(f"{k} {v}" for k, v in part.items()) if isinstance(part, dict) else f"{part:,}"
                typer.echo(f"  {key:<18} {plain}")
        else:
            typer.echo(f"{name}: {f'{value:,}' if type(value) is int else value}")


def _utc(time_ns: int) -> str:
    return f"{datetime.fromtimestamp(time_ns // 10**9, UTC):%Y-%m-%dT%H:%M:%S}.{time_ns % 10**9:09d}Z"


def _time_ns(text: str) -> int:
    if text.isdecimal():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"{text!r} is no time such as 2012-06-21T13:30:00") from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()) * 10**9 + moment.microsecond * 1_000

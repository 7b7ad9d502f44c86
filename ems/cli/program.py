"""The program: its commands."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.errors import ConfigError
from ems.cli import (
    alerts,
    algos,
    audit,
    backup,
    basket,
    bench,
    builds,
    care,
    clock,
    day,
    desk,
    drill,
    evaluate,
    fills,
    fix,
    flight,
    kill,
    load,
    metrics,
    models,
    oms,
    plot,
    processes,
    quote,
    reconcile,
    release,
    risk,
    sessions,
    shadow,
    smoke,
    soak,
    tape,
    tca,
    trace,
    train,
    update,
    wheel,
)
from ems.cli.addresses import alone
from ems.cli.running import run_until_signal

REFUSED = 2
ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")]

app = typer.Typer(
    name="ems",
    help="An event-sourced execution management system. Begin with `ems demo`; then `ems init`, `ems up`, `ems oms send`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(oms.app, name="oms", help="A small OMS over real FIX: send, cancel and replace parent orders.")
app.add_typer(desk.app, name="desk", help="At the desk's own door: enter an order, steer a live algorithm.")
app.add_typer(
    care.app, name="care", help="Orders that a trader cares for: take, split, merge, route, fill by telephone, give back."
)
app.add_typer(algos.app, name="algos", help="Algorithms: what ours take, ours as FIXatdl, brokers' FIXatdl checked.")
app.add_typer(fix.app, name="fix", help="The rules of engagement, written from the code; raw messages with their events.")
app.add_typer(flight.app, name="flight")
app.add_typer(metrics.app, name="metrics")
app.add_typer(trace.app, name="trace")
app.add_typer(builds.app, name="build", help="Which builds of this system may run beside each other.")
app.add_typer(audit.app, name="audit", help="Any order explained at any moment; the log folded, verified and computed again.")
app.add_typer(backup.app, name="backup", help="Backups of the log: taken, streamed, verified, restored as of a moment.")
app.add_typer(quote.app, name="quote", help="The quoter's journal: verified against the log, its calls made again.")
app.add_typer(
    models.app, name="models", help="Versions of our models: list, register, promote, roll back, retire, by named people."
)
app.add_typer(risk.app, name="risk", help="Risk limits, overrides, disabled strategies: shown, and changed by named people.")
app.add_typer(kill.app, name="kill", help="The kill switch: soft, hard, panic; status; rearm by two people; drill.")
app.add_typer(sessions.app, name="sessions", help="The FIX sessions of a running system: show, stop, start, add and change.")
app.add_typer(fills.app, name="fills", help="Executions in quarantine: list them, dismiss one, or book it to an order.")
app.add_typer(reconcile.app, name="reconcile", help="Executions against what venues tell of them; breaks and their owners.")
app.add_typer(clock.app, name="clock", help="How right the host's clock is, and the log of what was measured.")
app.add_typer(day.app, name="day", help="The start and the end of a trade date as ordered steps: run, resumed, shown.")
app.add_typer(alerts.app, name="alerts", help="What else a person must look at: list it, and say what came of it.")
app.add_typer(drill.app, name="drill", help="Drills: planted trouble must be found, and quiet days stay quiet.")
app.add_typer(wheel.app, name="wheel", help="Algo wheels: orders given to algorithms by chance, results compared.")
app.add_typer(tape.app, name="tape", help="Market data: convert feeds into stored tapes, look into them, play and record.")
app.add_typer(bench.app, name="bench", help="Measure: each prints its figures, with --json as one object.")
app.add_typer(train.app, name="train", help="Models from recorded tapes.")
app.add_typer(shadow.app, name="shadow", help="What versions that decide nothing would have done beside the champion.")
app.add_typer(update.app, name="update", help="Models that go on learning: run, status; the envelope of two people.")
app.add_typer(evaluate.app, name="evaluate", help="How good models are, on what they have not seen.")
app.add_typer(plot.app, name="plot", help="Pictures: a tape with its book and features over time.")
app.add_typer(release.app, name="release", help="What a release is made of; signed and checked.")
app.add_typer(smoke.app, name="smoke", help="Quick looks at a build before it is let near a market.")
app.command()(load.load)
app.command()(soak.soak)
app.command()(soak.capacity)
app.command()(tca.tca)
app.command()(tca.pretrade)
app.command()(basket.basket)
processes.add(app)


@app.callback()
def root(debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False) -> None:
    """An event-sourced execution management system."""
    if debug:
        os.environ["EMS_DEBUG"] = "1"


@app.command()
def demo(
    headless: Annotated[bool, typer.Option(help="No screen; end by itself.")] = False,
    tape: Annotated[Path | None, typer.Option(help="A recorded day: a LOBSTER zip, or Lean's <date>_quote.zip.")] = None,
    symbol: Annotated[str, typer.Option(help="What to trade.")] = "AMZN",
    side: Annotated[str, typer.Option(help="buy or sell.")] = "buy",
    qty: Annotated[int, typer.Option(min=1, help="Shares.")] = 5000,
    algo: Annotated[str, typer.Option(help="twap, vwap or pov.")] = "vwap",
    minutes: Annotated[float, typer.Option(min=0.5, max=390, help="How long to work, in market time.")] = 20,
    speed: Annotated[float, typer.Option(min=0.1, max=600, help="Market time per wall time.")] = 15,
    seed: Annotated[int, typer.Option(help="Of the generated market.")] = 7,
    json_output: JsonOption = False,
    keep: Annotated[Path | None, typer.Option(help="Keep everything in this new directory.")] = None,
) -> None:
    """Start everything on this machine, work one parent order over FIX, and show it.

    Without a tape the market is generated from the seed. Ctrl-C stops every process, the database included.
    """
    from ems.cli.demo import DemoOptions, run_demo

    options = DemoOptions(
        headless=headless or json_output, tape=tape, symbol=symbol, side=side, quantity=qty, algo=algo, minutes=minutes,
        speed=speed, seed=seed, json_output=json_output, keep=keep,
    )  # fmt: skip
    raise typer.Exit(run_demo(options))


@app.command()
def init(
    path: Annotated[Path, typer.Argument(help="Where to write it.")] = Path("ems.toml"),
    force: Annotated[bool, typer.Option(help="Overwrite.")] = False,
) -> None:
    """Write a commented configuration that runs as it is: PAPER, with a simulated venue."""
    from ems.config_text import TEMPLATE

    if path.exists() and not force:
        raise ConfigError(f"{path} is there already (--force overwrites it)")
    path.write_text(TEMPLATE, "utf-8")
    typer.echo(f"wrote {path}; next: ems up --config {path}")


@app.command()
def up(
    config: ConfigOption = Path("ems.toml"),
    standby: Annotated[
        bool, typer.Option("--standby", help="Be ready behind another host's desk; [failover] names hosts.")
    ] = False,
) -> None:
    """Run the EMS in the foreground against the sessions, instruments and database that the configuration names."""
    from ems.bootstrap.logs import log_plain
    from ems.bootstrap.operations import operated
    from ems.bootstrap.system import started
    from ems.config import load

    settings = load(config)
    if standby and not settings.failover.host:
        raise ConfigError("a standby needs a name of its own, [failover] host, and the other hosts' database_url")
    log_plain()

    async def run() -> int:
        async with started(settings, standby=standby) as system, operated(system, config):
            typer.echo(f"{settings.mode} desk {'stands by' if standby else 'is up'}; stop it with Ctrl-C")
            if settings.console.enabled:
                typer.echo(f"console: {system.console_url}")
            await system.supervisor.watch()
            return 0

    raise typer.Exit(run_until_signal(run(), interrupted=0))


@app.command()
def migrate(config: ConfigOption = Path("ems.toml")) -> None:
    """Bring the database's schema up to date. `ems up` does this too."""
    import structlog

    from ems.bootstrap.database import close_database, open_database
    from ems.bootstrap.runtime import Runtime
    from ems.config import load
    from ems.preflight import state_lock

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    runtime = Runtime(settings=load(config))
    with state_lock(runtime.state):
        open_database(runtime)
        close_database(runtime)
    typer.echo("the database is up to date")


@app.command()
def health(
    config: ConfigOption = Path("ems.toml"),
    need: Annotated[str, typer.Option(help="leading: all is up; standby: but for the lead; any: something answers.")] = "leading",
    wait_s: Annotated[float, typer.Option(min=0, help="Ask again each second, for so long at most, until it is so.")] = 0,
    json_output: JsonOption = False,
) -> None:
    """Ask every process how it is. Exit 1 when something is down."""
    from ems.alerts import Alerts
    from ems.cli.asking import ask_health

    found, well = ask_health(config, need, wait_s)
    if json_output:
        typer.echo(json.dumps(found))
    else:
        if attention := Alerts(*(found["desk"].get(field, 0) for field in Alerts._fields)).sentence():
            typer.secho(f"ATTENTION: {attention}", fg="white", bg="red", bold=True)
        for name, part in found.items():
            if isinstance(part, dict):
                rest = ", ".join(f"{key} {_plain(value)}" for key, value in part.items() if key not in ("up", "why", "do"))
                why = "" if part["up"] else typer.style(f"{part['why']}: {part['do']}. ", fg="red")
                typer.echo(f"{name:<12} {'up' if part['up'] else 'DOWN':<5} {why}{rest}")
    raise typer.Exit(0 if well else 1)


@app.command()
def replay(
    to: Annotated[str | None, typer.Option(help="An event's number, or a time such as 2026-11-27T14:30:00.")] = None,
    config: ConfigOption = Path("ems.toml"),
    json_output: JsonOption = False,
) -> None:
    """Fold the log up to an event or a moment; print the state there and its digest."""
    import asyncio

    from ems.bootstrap.database import log_of
    from ems.bootstrap.replay import state_at
    from ems.config import load

    with log_of(load(config)) as dsn:
        state = asyncio.run(state_at(dsn, to))
    if json_output:
        typer.echo(json.dumps(state))
        return
    typer.echo(f"event {state['seq']}, digest {state['digest']}")
    for parent in state["parents"]:
        parts = (parent[key] for key in ("cl_ord_id", "side", "quantity", "symbol", "algo", "status"))
        typer.echo("  ".join(str(part) for part in parts) + f"  filled {parent['filled']} at {parent['avg_px'] or '-'}")
    typer.echo(f"{len(state['children'])} children, {len(state['fills'])} fills, {state['rejected']} orders rejected")


@app.command()
def venue(
    config: ConfigOption = Path("ems.toml"),
    directory: Annotated[Path | None, typer.Option(help="Its ledger and FIX store.")] = None,
    itch: Annotated[str, typer.Option(help="HOST:PORT to publish ITCH over MoldUDP64 to, in place of the configuration's.")] = "",
    ouch: Annotated[str, typer.Option(help="HOST:PORT to speak OUCH at, in place of the configuration's.")] = "",
    account: Annotated[list[str] | None, typer.Option(help="With --ouch: NAME:PASSWORD that may log on; several.")] = None,
    certify: Annotated[bool, typer.Option("--certify", help="The scripted counterparty in place of the market.")] = False,
    list_scripts: Annotated[bool, typer.Option("--list", help="With --certify: print its table.")] = False,
    session: Annotated[str, typer.Option(help="With --certify: whose other end to play; the first venue session.")] = "",
    client: Annotated[str, typer.Option(help="With --certify: the CompID that logs on, without a configuration.")] = "",
    comp_id: Annotated[str, typer.Option(help="With --client: our CompID.")] = "SIM",
    port: Annotated[int, typer.Option(help="With --client: where to listen.")] = 9880,
    begin_string: Annotated[str, typer.Option(help="With --client: FIX.4.2, FIX.4.4 or FIXT.1.1.")] = "FIX.4.4",
    json_output: JsonOption = False,
) -> None:
    """Run the simulated venue of a configuration alone, for another EMS to trade with; or a scripted counterparty.

    With --certify what is done with an order is chosen by its OrderQty (38), as its table (--list) says.
    """
    from ems.cli.certify import play, show_table

    if list_scripts:
        show_table(json_output=json_output)
    elif certify:
        play(config, session, client, comp_id, port, begin_string, directory)
    else:
        alone(config, directory, itch, ouch, account or [])


def _plain(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict | list) else str(value)

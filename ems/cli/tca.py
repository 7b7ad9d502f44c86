"""`ems tca` and `ems pretrade`: what orders cost, and what one will."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer

from domain.errors import ConfigError, NumberError
from ems.cli.kill import CONFIG, ConfigOption, JsonOption, settings_of


def tca(
    parent: Annotated[str, typer.Argument(help="A parent order: its OrderID, ClOrdID or stream id.")] = "",
    day: Annotated[str, typer.Option("--day", help="Every order of a trade date, 2026-11-27 or today.")] = "",
    as_of: Annotated[str, typer.Option("--as-of", help="Only what was recorded by then: 2026-11-27T14:30:00, UTC.")] = "",
    html: Annotated[Path | None, typer.Option("--html", help="Write the report as one page that stands by itself.")] = None,
    pdf: Annotated[Path | None, typer.Option("--pdf", help="Write it as a PDF.")] = None,
    config: ConfigOption = CONFIG,
    json_output: JsonOption = False,
) -> None:
    """Implementation shortfall from the decision price in parts, benchmarks and markouts, from the log alone.

    A part whose prices were not recorded is said to be missing. Works on a day that goes on: orders that work are valued at the
    last mark. Executions that were busted or corrected after an order's end are told as known then and as true now.
    """
    from ems.bootstrap.database import log_of
    from ems.bootstrap.tca import analyse, write_reports
    from ems.tca import told

    if bool(parent) == bool(day):
        raise ConfigError("name one parent order, or --day with a date")
    settings = settings_of(config)
    with log_of(settings) as dsn:
        found = asyncio.run(analyse(dsn, settings, parent=parent, day=day, as_of=as_of))
    write_reports(found, html, pdf)
    rows = found.rows()
    tables = told.day(found.now[0].order.trade_date, found.now)
    if json_output:
        typer.echo(json.dumps(rows[0] if parent else tables | {"costs": rows}))
        return
    for row in rows:
        _say(row)
    if not parent:
        for by, groups in tables["by"].items():
            for group in groups:
                figure = group.get("bps", group.get("impact_bps"))
                typer.echo(f"by {by:<10} {group.get('name', group.get('venue'))}: {_number(figure)} bps")


def _say(row: dict[str, object]) -> None:
    shortfall, against = row["shortfall"], row["benchmarks"]
    assert isinstance(shortfall, dict) and isinstance(against, dict)
    asked = f"{row['side']} {row['quantity']} {row['instrument']} by {row['strategy']}"
    typer.echo(f"{row['order_id']} ({row['cl_ord_id']}): {asked}; {row['status']}, {row['filled']} at {row['avg_px'] or '-'}")
    for name in ("impact", "timing", "opportunity", "explicit", "total"):
        typer.echo(
            f"  {name:<12} {shortfall[name] or '-':>18} {row['currency'] or ''} {_number(shortfall[f'{name}_bps']):>10} bps"
        )
    told = ", ".join(f"{name} {_number(found['bps'])}" for name, found in against.items())
    typer.echo(f"  against, bps: {told}")
    if row["restated"]:
        typer.echo("  restated since its end: --json and --html have both")
    missing = row["missing"]
    assert isinstance(missing, list)
    for what in missing:
        typer.secho(f"  missing: {what}", fg="yellow")


def pretrade(
    qty: Annotated[str, typer.Option(help="How much.")],
    adv: Annotated[str, typer.Option(help="The average daily volume.")],
    volatility: Annotated[float, typer.Option(help="Of a day, per cent.")],
    spread: Annotated[float, typer.Option(help="The whole spread, basis points.")],
    minutes: Annotated[float, typer.Option(help="How long it is worked.")] = 390.0,
    json_output: JsonOption = False,
) -> None:
    """What an order will cost before it trades: a mean and an interval of 90 %, by the square-root law."""
    from domain.values import E9, to_e9
    from ems.tca.pretrade import DAY_MINUTES, Setting, estimate

    try:
        quantity_e9, adv_e9 = to_e9(qty), to_e9(adv)
    except NumberError as error:
        raise ConfigError(str(error)) from error
    if min(quantity_e9, adv_e9) <= 0 or not 0 < minutes <= 10 * DAY_MINUTES or min(volatility, spread) < 0:
        raise ConfigError(
            "quantity, volume and minutes are above 0, volatility and spread not below, and it takes ten days at most"
        )
    found = estimate(Setting(quantity_e9, int(minutes * 60 * E9), adv_e9, spread, 100 * volatility / DAY_MINUTES**0.5))
    if json_output:
        typer.echo(json.dumps(found._asdict()))
        return
    typer.echo(f"{_number(found.mean_bps)} bps, 90 % between {_number(found.low_bps)} and {_number(found.high_bps)}")
    typer.echo(f"half the spread {_number(found.spread_bps)}, impact {_number(found.impact_bps)}, risk {_number(found.risk_bps)}")


def _number(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else "-"

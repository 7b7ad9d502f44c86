"""`ems bench console`: from the log to the paint of a real browser's grid, while everything on screen moves.

The events are those of a desk's day (`ems.bench.console_day`), appended to a real Postgres; the api's own process follows the
log, folds them and tells a headless Chromium, in which the built page runs as it is shipped. Each changed row that is on screen
is timed by a probe in the page (`console_probe.js`): `p50_ms` and `p99_ms` from the server's publish stamp to the task after the
frame that painted it, `log_p50_ms` and `log_p99_ms` from before the event's append, both on this machine's one clock. At the end
all rows that the page holds, and some screenfuls of each grid as they are painted, are compared with the database, cell by cell.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any, Final, NamedTuple

from adapters.postgres.event_log import PostgresEventLog
from domain.parent_order import ParentOrder
from domain.values import from_e9
from ems import recovery
from ems.bench import console_fill
from ems.bench.console_browser import SIZE, browser
from ems.bench.console_day import BusyDay
from ems.bench.console_page import Page, probed
from ems.bench.console_room import Room, room
from ems.bench.console_stalled import stalled
from ems.bench.output import emit
from ems.bootstrap.logs import log_plain

ORDERS, RATE, SECONDS, STALLED, FILLS = 5_000, 2_000, 20.0, 10, 200
STEP_S: Final = 0.01  # between two appends
TABLES: Final = ("parents", "children")
MB: Final = 1 << 20


class Load(NamedTuple):
    """How much is shown, and for how long."""

    orders: int = ORDERS
    rate: int = RATE  # row changes a second
    seconds: float = SECONDS
    stalled: int = STALLED
    fills: int = FILLS  # executions of the real chain, at least


def run(load: Load) -> dict[str, Any]:
    """All figures. Raises ConfigError where there is no browser or no bundle."""
    return asyncio.run(_run(load))


def streamed(load: Load) -> dict[str, Any]:
    """The figures of the busy day alone, without the real chain's fills."""

    async def stream() -> dict[str, Any]:
        async with browser() as chromium, room() as there:
            return await _stream(load, chromium, there)

    return asyncio.run(stream())


def main(json_output: bool) -> int:
    """Run, print, and fail where a row was lost or is stale, or the page reached out."""
    log_plain(logging.ERROR)  # standard output is the figures'
    figures = run(Load())
    emit(figures, json_output)
    return 0 if figures["stale_rows"] == 0 and figures["external_requests"] == 0 else 1


async def _run(load: Load) -> dict[str, Any]:
    async with browser() as chromium:
        async with room() as there:
            figures = await _stream(load, chromium, there)
        figures |= await console_fill.measure(chromium, load.fills)
    return figures


async def _stream(load: Load, chromium: Any, there: Room) -> dict[str, Any]:
    """The busy day: figures of painting, of what the grids hold at the end, and of clients that do not read."""
    day = BusyDay(load.orders)
    async with there.log() as log:
        epoch = await log.take_lead("bench")
        for turn in day.opening():
            await log.append(turn.entries, epoch=epoch)
        async with probed(chromium, there, SIZE) as page:
            await page.until_shows("parents", load.orders)
            first_load = await page.first_load()
            await _pump(log, epoch, day, load.rate, 1.0)  # whatever is compiled or grows at first
            begun = await _begin(page, there)
            await _pump(log, epoch, day, load.rate, load.seconds)
            figures = await _ended(page, there, begun, load, log)
            figures |= await _compared(page, log)
            cookie = await page.cookie()
            alone_mb, beside_mb = [await _grown(log, epoch, day, there, load, count, cookie) for count in (0, load.stalled)]
            figures |= {"stalled_clients": load.stalled, "rss_growth_mb": alone_mb, "rss_growth_stalled_mb": beside_mb}
            figures |= {**first_load, "external_requests": len(page.external), "console_errors": len(page.errors)}
    return figures


class _Begun(NamedTuple):
    at_s: float
    server_s: float
    browser_s: float
    postgres_s: float


async def _begin(page: Page, there: Room) -> _Begun:
    await page.probe_start()
    return _Begun(time.perf_counter(), *there.cpu_s())


async def _ended(page: Page, there: Room, begun: _Begun, load: Load, log: PostgresEventLog) -> dict[str, Any]:
    """The window's figures, once all that was appended has arrived."""
    wall_s = time.perf_counter() - begun.at_s
    used = [100 * (now - then) / wall_s for now, then in zip(there.cpu_s(), begun[1:], strict=True)]
    await page.until_seen((await log.head()).seq)
    told = await page.probe_stop()
    painted = sorted((painted - published) / 1e6 for published, _, painted in told["samples"])
    logged = sorted((painted - appended) / 1e6 for _, appended, painted in told["samples"] if appended)
    return {
        **_quantiles("", painted),
        **_quantiles("log_", logged),
        "samples": len(painted),
        "unpainted": told["unpainted"],
        "orders": load.orders,
        "updates_per_s": load.rate,
        "server_cpu_pct": round(used[0], 1),
        "browser_cpu_pct": round(used[1], 1),
        "postgres_cpu_pct": round(used[2], 1),
    }


def _quantiles(prefix: str, sorted_ms: list[float]) -> dict[str, float | None]:
    return {
        f"{prefix}p50_ms": round(sorted_ms[len(sorted_ms) // 2], 1) if sorted_ms else None,
        f"{prefix}p99_ms": round(sorted_ms[len(sorted_ms) * 99 // 100], 1) if sorted_ms else None,
    }


async def _pump(log: PostgresEventLog, epoch: int, day: BusyDay, rate: int, seconds: float) -> None:
    """So many row changes a second, as evenly as appends of STEP_S allow."""
    begun_s, before = time.perf_counter(), day.rows
    while (passed_s := time.perf_counter() - begun_s) < seconds:
        turn = day.turn(before + int(rate * passed_s), time.time_ns())
        if turn.entries:
            await log.append(turn.entries, epoch=epoch)
        await asyncio.sleep(max(0.0, begun_s + passed_s + STEP_S - time.perf_counter()))


async def _grown(log: PostgresEventLog, epoch: int, day: BusyDay, there: Room, load: Load, clients: int, cookie: str) -> float:
    """How much the server's memory grew, in MB, while so many clients asked for everything and read nothing."""
    async with stalled(there, clients, (*TABLES, "fills"), cookie):
        before: int = there.server().memory_info().rss
        await _pump(log, epoch, day, load.rate, load.seconds / 2)
        after: int = there.server().memory_info().rss
    return round((after - before) / MB, 1)


async def _compared(page: Page, log: PostgresEventLog) -> dict[str, Any]:
    """Rows that are missing, too many or different; the truth is the log, folded anew.

    All are compared as the page holds them. As they are painted they are compared on some screens of each grid: to draw every row
    of thousands takes a browser minutes, and each change that was on screen while they changed has been timed to its paint.
    """
    state = await recovery.fold(log)
    orders = {key: order for key, order in state.parents.items() if isinstance(order, ParentOrder)}
    expected: dict[str, dict[str, dict[str, str]]] = {
        "parents": {str(key): {"filled": _text(o.cum_quantity_e9), "leaves": _text(o.leaves_e9)} for key, o in orders.items()},
        "children": {
            str(key): {"filled": _text(c.cum_quantity_e9), "limit_px": _text(c.limit_price_e9), "status": c.status.value}
            for key, c in state.children.items()
        },
    }
    stale, painted = 0, 0
    for table, rows in expected.items():
        columns = list(next(iter(rows.values())))
        held, shown = await page.held(table, columns), await page.painted(table, columns)
        stale += sum(held.get(key) != rows.get(key) for key in held.keys() | rows.keys())
        stale += sum(cells != _as_painted(rows.get(key, {})) for key, cells in shown.items())
        painted += len(shown)
    return {"stale_rows": stale, "rows_compared": sum(map(len, expected.values())), "rows_painted_compared": painted}


def _as_painted(row: dict[str, str]) -> dict[str, str]:
    return {name: text.replace("_", " ") for name, text in row.items()}


def _text(value_e9: int | None) -> str:
    return "" if value_e9 is None else f"{from_e9(value_e9).normalize():f}"

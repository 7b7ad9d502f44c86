"""What processes say of themselves, as samples of metrics. Pure: status in, numbers out. The counting is the processes' own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from domain.measures import Sample

Told = Mapping[str, Any]


def desk(told: Told) -> Iterator[Sample]:
    """A desk has a registry of its own."""
    for name, labels, value in told.get("metrics", ()):
        yield Sample(name, labels, value)


def gateway(told: Told) -> Iterator[Sample]:
    """From its health."""
    for session, one in told.get("sessions", {}).items():
        labels = {"session": session}
        yield Sample("ems_fix_session_up", labels, one["up"])
        yield Sample("ems_fix_messages_in_total", labels, one["messages_in"])
        yield Sample("ems_fix_messages_out_total", labels, one["messages_out"])
        yield Sample("ems_fix_rejected_total", labels, one["refused"])
        yield Sample("ems_fix_garbled_total", labels, one["garbled"])
        yield Sample("ems_fix_sequence_gaps_total", labels, one["resend_requests"])
    yield from _plain(told, {
        "not_sent": "ems_fix_not_sent_total", "fenced_frames": "ems_fix_fenced_frames_total",
        "stopped_by_kill_switch": "ems_fix_kill_stopped_total", "wire_lost": "ems_wire_lost_total",
        "live_orders": "ems_fix_live_orders", "spool_bytes": "ems_fix_spool_bytes", "desk_attached": "ems_fix_desk_attached",
    })  # fmt: skip
    if "spool_last" in told:
        yield Sample("ems_fix_spool_frames", {}, max(0, told["spool_last"] - told["spool_acknowledged"]))


def sealer(told: Told) -> Iterator[Sample]:
    """From its status."""
    yield from _plain(told, {"sealed": "ems_sealed_sequence", "heads": "ems_sealed_heads_total"})


def watchdog(told: Told) -> Iterator[Sample]:
    """From its status."""
    yield from _plain(told, {"seq": "ems_watchdog_sequence", "triggers": "ems_watchdog_triggers"})
    for field in ("metrics_missing", "tripped"):
        yield Sample(f"ems_watchdog_{field}", {}, len(told.get(field, ())))


def audit_watch(told: Told) -> Iterator[Sample]:
    """From its status. A clock that nobody knows has no offset: it is missing, not 0."""
    state = told.get("clock", "unknown")
    yield Sample("ems_clock_known", {}, state in ("within", "excursion"))
    yield Sample("ems_clock_excursion", {}, state == "excursion")
    for field in ("offset", "uncertainty"):
        if (value_ns := told.get(f"{field}_ns")) is not None:
            yield Sample(f"ems_clock_{field}_seconds", {}, value_ns / 1e9)
    for session, one in told.get("reconciliation", {}).items():
        yield Sample("ems_reconciliation_breaks", {"session": session}, one["open_breaks"])


def monitor(told: Told) -> Iterator[Sample]:
    """From its status. Before it has looked once it holds nothing open that it has found itself: it says less."""
    yield from _plain(told, {
        "seq": "ems_monitor_sequence", "open": "ems_alerts_open", "critical": "ems_alerts_critical",
        "unmonitored": "ems_forecasts_unmonitored", "looks": "ems_monitor_looks_total",
    })  # fmt: skip
    if "unsent" in told:
        yield Sample("ems_alerts_unsent", {}, sum(told["unsent"].values()))


def quoter(told: Told) -> Iterator[Sample]:
    """From its status; the percentiles are of its journal's last records."""
    for quantile, value_ns in told.get("tick_to_quote_ns", {}).items():
        yield Sample("ems_tick_to_quote_seconds", {"quantile": quantile}, value_ns / 1e9)
    if "turned_ms" in told:
        yield Sample("ems_quoter_turned_seconds", {}, told["turned_ms"] / 1e3)
    yield from _plain(told, {
        "live": "ems_quoter_live_quotes", "datagrams": "ems_quoter_datagrams_total", "reports": "ems_quoter_reports_total",
        "connections": "ems_quoter_connections_total",
    })  # fmt: skip


def quote_journal(told: Told) -> Iterator[Sample]:
    """From its status."""
    yield Sample("ems_quote_records_waiting", {}, sum(one["waiting"] for one in told.get("journals", ())))


def api(told: Told) -> Iterator[Sample]:
    """From its health."""
    yield from _plain(
        told, {"seq": "ems_view_sequence", "following": "ems_view_following", "browsers": "ems_console_connections"}
    )


def _plain(told: Told, names: Mapping[str, str]) -> Iterator[Sample]:
    """Numbers as they are told; what is not told has no sample."""
    for field, name in names.items():
        if isinstance(value := told.get(field), int | float):
            yield Sample(name, {}, value)
        elif value is not None and hasattr(value, "__len__"):
            yield Sample(name, {}, len(value))


SAMPLES: Final[Mapping[str, Callable[[Told], Iterator[Sample]]]] = {
    "desk": desk, "gateway": gateway, "sealer": sealer, "watchdog": watchdog, "audit_watch": audit_watch, "monitor": monitor,
    "quoter": quoter, "quote_journal": quote_journal, "api": api,
}  # fmt: skip

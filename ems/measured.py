"""Every metric that the system exports, by name: what /metrics serves, and what dashboards and alert rules may ask for.

Times are seconds, sizes bytes. Buckets are stated here and nowhere else: those of a latency double from below what is usual to
beyond what is bearable, so that a p99 read off them is wrong by less than a factor of two anywhere.
"""

from __future__ import annotations

from typing import Final

from domain.measures import Measure, MeasureKind

PATH_S: Final = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.0, 5.0, 30.0)
PLAN_S: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
BATCH: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096)
_EVERY: Final = (
    "postgres", "venue", "gateway", "watchdog", "sealer", "desk", "audit_watch", "monitor", "quote_journal", "quoter", "api",
)  # fmt: skip


def _of(process: str, kind: MeasureKind, rows: str, *labels: str) -> list[Measure]:
    """One measure for each line: name, and what it is."""
    pairs = (line.split(maxsplit=1) for line in rows.strip().splitlines())
    return [Measure(f"ems_{name}", kind, text, (process,), labels) for name, text in pairs]


DESK: Final = (
    Measure("ems_order_to_child_seconds", "histogram", "An order's arrival to its first child handed on", ("desk",), (), PATH_S),
    Measure("ems_order_to_answer_seconds", "histogram", "An order's arrival to the first report of it", ("desk",), (), PATH_S),
    Measure("ems_commit_seconds", "histogram", "A batch's append to its durable end", ("desk",), (), PATH_S),
    Measure("ems_commit_events", "histogram", "Events of one commit", ("desk",), (), BATCH),
    Measure("ems_plan_seconds", "histogram", "A plan's request to its answer", ("desk",), ("algo",), PLAN_S),
    *_of("desk", "counter", """
events_appended_total Events made durable by the desk
inputs_total What has come to the desk: messages, market updates, plans, commands
commit_failures_total Appends that the log did not take
orders_accepted_total Parent orders taken
orders_rejected_total Parent orders refused
fills_total Executions recorded
risk_refusals_total Orders that a risk limit refused
plan_fallbacks_total Plans that fell back to a simpler algorithm
plan_failures_total Plans that failed
planner_restarts_total Planner workers that were lost and replaced
drop_copies_total Reports copied to drop copy sessions
"""),
    *_of("desk", "counter", "messages_out_total What the desk handed to the gateway, by kind", "kind"),
    *_of("desk", "counter", "child_rejections_total Children that a venue refused"),
    *_of("desk", "gauge", """
log_head_sequence The last event that the desk has made durable or folded
working_orders Parent orders at work
plan_age_seconds Age of the oldest plan that an order at work follows
planner_waiting Plans asked for and not begun
desk_leading 1 while this desk leads and decides
desk_epoch Epoch of the desk's lead
stopped_by_kill_switch Orders that the desk's gate has held back since its start
"""),
)  # fmt: skip
GATEWAY: Final = (
    *_of("gateway", "gauge", "fix_session_up 1 while a session is logged on", "session"),
    *_of("gateway", "counter", """
fix_messages_in_total Messages that came in on a session, administrative ones included
fix_messages_out_total Messages that went out on a session, administrative ones included
fix_rejected_total Messages of a peer's that the engine refused
fix_garbled_total Messages that could not be read at all
fix_sequence_gaps_total Gaps in a peer's numbering: resend requests that we sent
"""  , "session"),
    *_of("gateway", "counter", """
fix_not_sent_total Messages of the desk that could not leave
fix_fenced_frames_total Frames of a desk that leads no more
fix_kill_stopped_total Orders that the last look before the socket held back
wire_lost_total Messages that the wire journal could not keep
"""),
    *_of("gateway", "gauge", """
fix_live_orders Orders that may be working at a venue
fix_spool_bytes What no desk has made durable yet
fix_spool_frames Frames that no desk has acknowledged
fix_desk_attached 1 while a desk is connected
"""),
)  # fmt: skip
BESIDE: Final = (
    *_of("sealer", "gauge", "sealed_sequence The last event under a signed head"),
    *_of("sealer", "counter", "sealed_heads_total Signed heads"),
    *_of("watchdog", "gauge", """
watchdog_sequence The last event that the watchdog has read
watchdog_triggers Triggers that are looked at
watchdog_metrics_missing Readings that are missing, stale or no number
watchdog_tripped Triggers that have fired and are latched
"""),
    *_of("audit_watch", "gauge", """
clock_offset_seconds The host's clock less its reference
clock_uncertainty_seconds How far from true time the clock may be beside its offset
clock_known 1 where something disciplines the clock and says how well
clock_excursion 1 while offset and uncertainty are beyond their limit
"""),
    *_of("audit_watch", "gauge", "reconciliation_breaks Executions that we and the venue do not agree on", "session"),
    *_of("monitor", "gauge", """
monitor_sequence The last event that the monitor has read
alerts_open Alerts that the monitor holds open
alerts_unsent Alerts that a receiver has not taken yet
alerts_critical Open alerts of the monitor's that are critical
forecasts_unmonitored Markets whose forecasts nobody holds against a reference
"""),
    *_of("monitor", "counter", "monitor_looks_total Times that the monitor has looked at everything"),
    *_of("quoter", "gauge", "tick_to_quote_seconds From a datagram taken to the quote sent, of the last records", "quantile"),
    *_of("quoter", "gauge", """
quoter_turned_seconds Since the quoter's loop turned last
quoter_live_quotes Quotes that stand at the venue
"""),
    *_of("quoter", "counter", """
quoter_datagrams_total Datagrams of the feed that were taken
quoter_reports_total Reports of the venue that were taken
quoter_connections_total Sessions with the venue that were opened
"""),
    *_of("quote_journal", "gauge", "quote_records_waiting Records of the quoter that are not sealed yet"),
    *_of("api", "gauge", """
view_sequence The last event that the console's read models have folded
view_following 1 while the log is being read
console_connections Browsers that are connected
"""),
)  # fmt: skip
DOOR: Final = (
    Measure("ems_up", "gauge", "1 for a process that answers, 0 for one that is dead, hung or stopped", ("door",)),
    Measure("ems_internal_errors_total", "counter", "Faults of our own since the host's run began", ("door",)),
    Measure("ems_process_resident_bytes", "gauge", "Memory of a process", ("door",)),
    Measure("ems_process_cpu_seconds_total", "counter", "Processor time of a process", ("door",)),
    *_of("door", "gauge", """
kill_level The firm's level of the kill switch: 0 armed, 1 SOFT, 2 HARD, 3 PANIC
kill_readable 0 where the latch cannot be read, which counts as tripped
kill_scopes Scopes of the kill switch that are set
disk_free_bytes Free on the disk of the state directory
database_bytes Size of the database
gather_seconds How long this gathering took
"""),
)  # fmt: skip
MEASURES: Final = (*DESK, *GATEWAY, *BESIDE, *DOOR)
BY_NAME: Final = {measure.name: measure for measure in MEASURES}
PROCESSES: Final = _EVERY

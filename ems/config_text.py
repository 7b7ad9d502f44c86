"""The text side of the configuration: the file that `ems init` writes, and finding a value's line in one."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

TEMPLATE = """\
# Configuration of the EMS. Every value can also be set by a variable: EMS_MODE, EMS_DATABASE_URL, EMS_CONSOLE__PORT, ...
# Paths are relative to this file.

mode = "PAPER"                      # PAPER or LIVE; a database belongs to one of them for ever
name = "desk"                       # who leads, as the event log notes it
state_directory = "var/ems"         # FIX stores, spool, logs, the embedded database; one supervisor at a time
home_time_zone = "America/New_York" # whose date is the trade date
# wire_days = 30                    # how many days back raw FIX messages are kept (ems fix wire); 0 keeps all

# The database. Without one an embedded Postgres runs in the state directory.
# database_url = "postgresql://ems_app:secret@db.example/ems"
# database_owner_url = "postgresql://ems_owner:secret@db.example/ems"   # for migrations; default: database_url

# Reference data: a folder with instruments, identifiers, tick_tables, calendars, session_hours and holidays as CSV or
# Parquet. Without one a small built-in sample is used. A LIVE desk takes what `ems load` loaded for the day instead.
# instruments = "reference"

# One-minute bars, one folder a symbol, that volume curves are learned from. Without them a plain U-shape is used.
# bars = "bars"

# FIX sessions, seen from our side. role: client (an OMS sends us orders), venue (we send orders), marketdata.
[[sessions]]
name = "OMS1"
role = "client"
kind = "acceptor"                   # clients connect to us
sender_comp_id = "EMS"
target_comp_id = "OMS1"
host = "127.0.0.1"                  # who may connect; "0.0.0.0" for anyone, or allowed_addresses = ["10.0.0.5"]
port = 9876
heart_bt_int_s = 30
# group = "main"                    # sessions of another group have a gateway process of their own
# profile = "profiles/oms1.toml"    # what this client's FIX says otherwise (docs/fix-profiles.md)

[[sessions]]
name = "SIM"
role = "venue"
kind = "initiator"                  # we connect to venues
sender_comp_id = "EMS"
target_comp_id = "SIM"
host = "127.0.0.1"
port = 9880

[[sessions]]
name = "SIM-MD"
role = "marketdata"
kind = "initiator"
sender_comp_id = "EMS-MD"
target_comp_id = "SIM"
host = "127.0.0.1"
port = 9880
symbols = ["DEMO", "AMZN"]

# Which venue session child orders go to; "*" is for every symbol that has no line of its own.
[routes]
"*" = "SIM"

# Brokers' algorithms: the FIXatdl files of the broker behind a venue session. Orders that name one go to that session.
# [[brokers]]
# session = "BROKER1"
# atdl = ["broker1.xml"]

# A simulated venue beside the desk, for PAPER. Take this table out to trade with a venue elsewhere.
[venue]
comp_id = "SIM"
port = 9880
symbols = ["DEMO", "AMZN"]
seed = 7
prices = { DEMO = 100, AMZN = 220 } # where the generated flow begins
# tape = "AMZN_2012-06-21.zip"      # a recorded day instead; needs a tape clock
# auctions = true                   # opening and closing auctions at the calendar's times
# itch = "127.0.0.1:26400"          # publishes every order as ITCH 5.0 over MoldUDP64: docs/market-data.md
# ouch = { port = 26401, accounts = { QUOTE1 = "secret" } } # and speaks OUCH 5.0: docs/ouch.md
# collar_ticks = 200                # an order that would trade further from the last trade begins a volatility auction

# The desk's clock: kind = "wall", or for a recorded day:
#   kind = "tape"
#   start = 2012-06-21T13:30:00Z
#   speed = 60
[clock]
kind = "wall"

# How long the scheduler waits, in seconds of the desk's clock; _wall_s in seconds of the wall.
[pace]
patience_s = 30                     # a passive child rests this long before its quantity crosses the spread
placement = "mixed"                 # join, improve or cross, by the chance to be filled; or "passive", "aggressive"
at_open_cutoff_s = 120              # venues take orders for the opening auction until so long before it trades
at_close_cutoff_s = 600             # and for the closing auction until so long before the close
stalled_s = 10                      # what keeps an order from releasing what is due is an event when it has lasted so long
auction_lead_s = 60                 # auction orders leave so long before a cut-off
replan_s = 300                      # TWAP and VWAP are planned anew this often
pov_s = 5                           # POV is planned anew this often
closing_wall_s = 2                  # a schedule is done this long before its order's end; what is left crosses the spread
note_s = 1                          # the market of a working order is noted this often at most, for ems tca; 0: never
note_after_s = 330                  # and for so long after an instrument's last execution
close_grace_s = 60                  # a venue has this long after the close to say what became of a direct order
fallback_s = 30                     # an adaptive order that another planner had to plan is planned anew this often
deviation_max = 0.15                # a market further from where the plan foresaw it is planned anew; or "conformal"
deviation_rest_s = 30               # but not within so long of the last plan
unanswered_wall_s = 2               # a venue silent for so long puts the order in doubt

[console]
host = "127.0.0.1"
port = 8410

[kill]                               # the kill switch: docs/kill-switch.md, `ems kill --help`
outage_s = 30                        # a database that is away for longer stops new orders until two people re-arm
# house_accounts = ["MM"]            # whose positions a PANIC may flatten, and no other's
# house_sessions = ["MMDESK"]        # client sessions that trade for the house; what others trade is theirs
# collar_bps = 100                   # no further than this from the last known price
# price_age_s = 5                    # an older price is none: nothing flattens by it
# persons = "persons.json"           # who may re-arm, made by `ems kill enroll`

[watchdog]                           # trips the kill switch by itself: docs/kill-switch.md has its triggers
beat_max_s = 3                       # without a sign of it for longer, nothing new leaves
# quoters = ["mm"]                   # strategies that quote: their latency is required
# models = { world_model = ["adaptive"] } # strategies by their model: its information coefficient is required
# thresholds = { daily_pnl = -0.01 } # stricter than the table's

[monitoring]                         # drift, lags, losses: docs/monitoring.md has every alert
# webhooks = ["https://hooks.example/ems"] # who is told
# alertmanagers = ["http://127.0.0.1:9093"]
# loss_warning = 0.5                 # from which part of the watchdog's thresholds on

# [observe]                          # health, metrics, traces: docs/observability.md
# metrics_token_file = "/etc/ems/metrics.token" # what a scraper of /metrics shows; none: made in the state directory
# trace_share = 0.05                 # of the orders, whose way is traced; 0: none
# trace_url = "http://127.0.0.1:4318/v1/traces" # by OTLP over HTTP
# trace_file = "traces.jsonl"        # or lines of a file

[sealing]                            # the log is sealed each second: docs/sealing.md
# anchor_file = "/mnt/witness/heads.jsonl" # where each signed head is kept: best on another machine's disk
# worm_directory = "/mnt/worm/heads" # one file a minute, for storage that lets nothing be changed or deleted
# tsa_url = "https://tsa.example/tsr" # a time stamp authority (RFC 3161), with its certificate as PEM
# tsa_certificate = "tsa.pem"

# Risk limits: docs/risk.md names every check. They are strict, and in force as they stand here: make each of them yours. Most
# need the day's reference data, and what cannot be judged is refused. Money is in the firm's currency, windows are in seconds.
# Without this table only three wide limits are in force.
[risk]
currency = "USD"
mark_s = 5                        # positions are valued this often for the loss limits
limits = [
  {check = "price_collar", scope = "instrument", id = "*", value = 0.05},                  # worse than the middle
  {check = "price_collar_window", scope = "instrument", id = "*", value = 0.08, window_s = 300},
  {check = "max_quantity", scope = "instrument", id = "*", value = 100_000, applies = "child"},
  {check = "max_notional", value = 1_000_000, applies = "child"},
  {check = "max_notional", value = 20_000_000, applies = "parent", level = "soft"},        # a second person may override
  {check = "max_notional", value = 50_000_000, applies = "parent"},
  {check = "adv_share", scope = "instrument", id = "*", value = 0.05, applies = "parent"},
  {check = "list_value", value = 100_000_000},
  {check = "parent_value", scope = "client", id = "*", value = 200_000_000, window_s = 3600},
  {check = "message_rate", scope = "venue", id = "*", value = 100, window_s = 1},
  {check = "repeated_execution", scope = "strategy", id = "*", value = 120, window_s = 60},
  {check = "orders_out", value = 0.05},                                                    # beyond what clients asked for
  {check = "gross_exposure", value = 0.9, unit = "fraction"},                              # of the stated capital
  {check = "net_exposure", scope = "account", id = "*", value = 50_000_000},
  {check = "open_orders", scope = "client", id = "*", value = 50_000_000},
  {check = "position", scope = "account", id = "*", value = 500_000},                      # with all that works
  {check = "daily_loss", value = 0.02, unit = "fraction"},
  {check = "drawdown", value = 0.05, unit = "fraction"},
  {check = "duplicate", window_s = 1, level = "soft"},
  {check = "self_trade"},
  {check = "restricted"},
  {check = "short_sale"},
  {check = "halt"},
  {check = "stale_data", value = 5},
  {check = "clock", value = 0.05},
  {check = "model_guard"},
  {check = "permission"},
]

# When a volume that we write to is low (ems health says so), when nothing new may be begun (cancels pass), and how much the
# database's keeper and each gateway hold in reserve there.
# [disk]
# warn_mb = 2048
# stop_mb = 256
# reserve_mb = 32
"""

_HEADER = re.compile(r"^\s*\[\[?\s*([\w.\"*-]+)\s*\]\]?")


def line_of(text: str, loc: Sequence[int | str]) -> int | None:
    """The line (from 1) on which a value stands, or the nearest table around it begins; None where neither can be found.

    Args:
        loc: keys and list positions, as ("sessions", 1, "port").
    """
    keys = [key for key in loc if isinstance(key, str)]
    position = next((key for key in loc if isinstance(key, int)), 0)
    table: list[str] = []  # the one that the line at hand is in
    seen, many = -1, False  # how often the outermost table has begun, and whether it is a list of tables
    found: tuple[int, int | None] = (0, None)  # how many of the keys lead to the line, and the line
    for number, line in enumerate(text.splitlines(), start=1):
        if (header := _HEADER.match(line)) is not None:
            table = [part.strip('"') for part in header[1].split(".")]
            if table == keys[:1]:
                seen, many = seen + 1, line.lstrip().startswith("[[")
        if table != keys[: len(table)] or (many and seen != position):
            continue
        named = header is None and len(table) < len(keys) and re.match(rf'\s*"?{re.escape(keys[len(table)])}"?\s*=', line)
        reached = len(table) + 1 if named else len(table) if header is not None else 0
        if reached > found[0]:
            found = (reached, number)
    return found[1]


def place(name: str, text: str, loc: tuple[int | str, ...]) -> str:
    """Where a value came from: a variable, or a line of the file."""
    keys = [str(key).upper() for key in loc if isinstance(key, str)]
    variables = [f"EMS_{'__'.join(keys[:length])}" for length in range(len(keys), 0, -1)]
    if (variable := next((v for v in variables if v in os.environ), None)) is not None:
        return f"environment variable {variable}: "
    line = line_of(text, loc)
    return f"{name}, line {line}: " if line else f"{name}: "


def sentence(error: Mapping[str, Any]) -> str:
    """What is wrong with a value, in words: the field, what is expected, what is there."""
    field = ".".join(str(key) if isinstance(key, str) else f"[{key}]" for key in error["loc"]).replace(".[", "[")
    match error["type"]:
        case "value_error":
            why = str(error["ctx"]["error"])
            return f"{field}: {why}" if field else why
        case "extra_forbidden":
            return f"{field} is not a setting"
        case "missing":
            return f"{field} is missing"
    expected = error["msg"].replace("Input should be", "must be").replace("Value should have", "must have")
    return f"{field} {expected}, not {error['input']!r}"

"""Risk: what is checked of an order, in which scope, with which verdict; and the events that say so.

Read top-down: the vocabulary, the order as risk sees it, the events. Limits are in `domain.limits`, the checks in
`domain.risk_checks` and its neighbours, what they come to for an order in `domain.risk_verdicts`, what is folded of it all in
`domain.risk_state`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Final, Literal, NamedTuple

from domain.event import Event
from domain.values import Side, StreamId, TimeInForce, stream_id

# ------------------------------------------------------------------------------------------- vocabulary


class Check(StrEnum):
    """What is judged of an order, in the order in which it is told."""

    __hash__ = str.__hash__  # Enum's own is a Python function, and verdicts are looked up by it for every order

    LOT = "lot"
    TICK = "tick"
    SESSION = "session"
    HALT = "halt"
    PERMISSION = "permission"
    RESTRICTED = "restricted"
    STRATEGY = "strategy"
    MODEL_GUARD = "model_guard"
    STALE_DATA = "stale_data"
    CLOCK = "clock"
    MAX_QUANTITY = "max_quantity"
    MAX_NOTIONAL = "max_notional"
    ADV_SHARE = "adv_share"
    PRICE_COLLAR = "price_collar"
    PRICE_COLLAR_WINDOW = "price_collar_window"
    DUPLICATE = "duplicate"
    SELF_TRADE = "self_trade"
    SHORT_SALE = "short_sale"
    PARENT_VALUE = "parent_value"
    LIST_VALUE = "list_value"
    CHILD_SUM = "child_sum"
    ORDERS_OUT = "orders_out"
    MESSAGE_RATE = "message_rate"
    REPEATED_EXECUTION = "repeated_execution"
    POSITION = "position"
    GROSS_EXPOSURE = "gross_exposure"
    NET_EXPOSURE = "net_exposure"
    OPEN_ORDERS = "open_orders"
    DAILY_LOSS = "daily_loss"
    DRAWDOWN = "drawdown"


class Outcome(StrEnum):
    """soft: a second person may let it pass, once; missing: it cannot be judged, and is refused."""

    __hash__ = str.__hash__

    PASS = "pass"  # noqa: S105 (no word to let anyone in)
    SOFT = "soft"
    HARD = "hard"
    MISSING = "missing"


class Subject(StrEnum):
    """What is judged: a client's order, its amendment, a list as a whole, a child order, a child's replace; an order that the
    desk makes of clients' orders, which counts in no window: they have.
    """

    __hash__ = str.__hash__

    PARENT = "parent"
    AMEND = "amend"
    LIST = "list"
    CHILD = "child"
    REPLACE = "replace"
    PART = "part"


class Scopes(NamedTuple):
    """Who and where an order is of: ids by kind, "" where there is none. In the order of ScopeKind without the firm."""

    desk: str
    trader: str
    account: str
    client: str
    strategy: str
    instrument: str
    venue: str


class ModelUse(NamedTuple):
    """The model output that an order stems from. range_low and range_high bound what the model was trained on."""

    digest: str
    outputs: tuple[float, ...]
    range_low: float
    range_high: float


class RiskOrder(NamedTuple):
    """An order as risk sees it. open_e9: what it may trade in all from now on; held_e9 and held_e18 what is reserved for it."""

    subject: Subject
    order: StreamId  # the stream of the parent, child or list
    parent: StreamId
    scopes: Scopes
    side: Side | None  # None: a list has both
    quantity_e9: int
    limit_price_e9: int | None
    time_in_force: TimeInForce
    open_e9: int
    held_e9: int = 0
    held_e18: int = 0
    parent_quantity_e9: int = 0  # of a child: what its parent asks for in all
    released_e9: int = 0  # of a child: what its parent has filled, out or held without it
    automated: bool = False  # did an algorithm of ours choose to send it?
    value_e9: int | None = None  # of a list: the sum of its orders in the firm's currency; None: it cannot be reckoned
    stop_price_e9: int | None = None  # it waits until a trade reaches this
    model: ModelUse | None = None


FIRM: Final = "firm"

# ---------------------------------------------------------------------------------------------- events


class OverrideGranted(Event):
    """A second person lets the like of a refused order pass its soft limits, once."""

    TOPIC: ClassVar[str] = "risk.override_granted.v1"
    order: StreamId  # the refused one
    checks: tuple[Check, ...]
    reason: str
    approver: str  # another person than the event's actor
    until_ns: int


class StrategyDisabled(Event):
    TOPIC: ClassVar[str] = "risk.strategy_disabled.v1"
    strategy: str
    check: Check
    text: str


class StrategyEnabled(Event):
    """A named person, the event's actor, lets a strategy trade again."""

    TOPIC: ClassVar[str] = "risk.strategy_enabled.v1"
    strategy: str
    reason: str


class Mark(NamedTuple):
    """What one unit of an instrument is worth. rate_e9: its multiplier, times its currency in the firm's."""

    instrument: str
    price_e9: int | None
    rate_e9: int


class Marked(Event):
    """Prices that positions are valued at from now on: losses, peaks and gross exposure follow."""

    TOPIC: ClassVar[str] = "risk.marked.v1"
    trade_date: str  # of the first one of a date: the day's profit and loss begins
    marks: tuple[Mark, ...]


class PositionOpened(Event):
    """What an account holds as the day begins, by the reference data."""

    TOPIC: ClassVar[str] = "risk.position_opened.v1"
    trade_date: str
    account: str
    instrument: str
    quantity_e9: int  # negative: short


EVENTS = (OverrideGranted, StrategyDisabled, StrategyEnabled, Marked, PositionOpened)

# ------------------------------------------------------------------------------------------------ keys


def check_key(order: StreamId) -> StreamId:
    """The stream of an order's verdicts: the order's own id, marked as one of version 8 (RFC 9562: the application's own)."""
    return StreamId(f"{order[:14]}8{order[15:]}")


def checked_order(stream: StreamId) -> StreamId | None:
    """The order whose verdicts a stream holds: the other way round. None for a stream of anything else."""
    return StreamId(f"{stream[:14]}5{stream[15:]}") if stream[14:15] == "8" else None


def override_key(order: StreamId) -> StreamId:
    """The stream of the override of a refused order."""
    return stream_id("risk_override", str(order))


def strategy_key(strategy: str) -> StreamId:
    """The stream of what risk did with a strategy."""
    return stream_id("risk_strategy", strategy)


def day_key(trade_date: str) -> StreamId:
    """The stream of a day's marks and opening positions."""
    return stream_id("risk_day", trade_date)


Level = Literal["hard", "soft"]

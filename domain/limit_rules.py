"""What each check is a limit on: its units, the orders it judges, and whether it looks back over a window. One table."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from domain.risk import Check, Subject

Unit = Literal["quantity", "money", "fraction", "count", "ns", "flag"]
"""value_e9 is a quantity, money in the firm's currency, a fraction, or a count, all at 1e-9; ns are plain nanoseconds; a flag
(value 0) is on while it is there."""


class Rule(NamedTuple):
    """units: none where it needs no limit and is always judged."""

    units: tuple[Unit, ...]
    subjects: frozenset[Subject]
    windowed: bool = False


_ORDERS: Final = frozenset({Subject.PARENT, Subject.AMEND, Subject.CHILD, Subject.REPLACE})
_CLIENTS: Final = frozenset({Subject.PARENT, Subject.AMEND})
_OUT: Final = frozenset({Subject.CHILD, Subject.REPLACE})
_NEW: Final = frozenset({Subject.PARENT, Subject.CHILD})
_LIST: Final = frozenset({Subject.LIST})
_ANY: Final = _ORDERS | {Subject.PART}

RULES: Final[dict[Check, Rule]] = {
    Check.LOT: Rule((), _ORDERS),
    Check.TICK: Rule((), _ANY),
    Check.SESSION: Rule((), _ANY),
    Check.STRATEGY: Rule((), _ANY),
    Check.CHILD_SUM: Rule((), _OUT),
    Check.ORDERS_OUT: Rule(("fraction",), _OUT),
    Check.HALT: Rule(("flag",), _ANY),
    Check.PERMISSION: Rule(("flag",), _ANY),
    Check.RESTRICTED: Rule(("flag",), _ANY),
    Check.MODEL_GUARD: Rule(("flag",), _OUT),
    Check.STALE_DATA: Rule(("ns",), _OUT),
    Check.CLOCK: Rule(("ns",), _OUT),
    Check.MAX_QUANTITY: Rule(("quantity",), _ANY),
    Check.MAX_NOTIONAL: Rule(("money",), _ANY),
    Check.ADV_SHARE: Rule(("fraction",), _ANY),
    Check.PRICE_COLLAR: Rule(("fraction",), _ANY),
    Check.PRICE_COLLAR_WINDOW: Rule(("fraction",), _OUT, windowed=True),
    Check.DUPLICATE: Rule(("flag",), frozenset({Subject.PARENT}), windowed=True),
    Check.SELF_TRADE: Rule(("flag",), _OUT),
    Check.SHORT_SALE: Rule(("flag",), _NEW | _OUT),
    Check.PARENT_VALUE: Rule(("money",), _CLIENTS | _LIST, windowed=True),
    Check.LIST_VALUE: Rule(("money",), _LIST),
    Check.MESSAGE_RATE: Rule(("count",), _OUT, windowed=True),
    Check.REPEATED_EXECUTION: Rule(("count",), frozenset({Subject.CHILD}), windowed=True),
    Check.POSITION: Rule(("quantity", "money"), _ANY),
    Check.GROSS_EXPOSURE: Rule(("money", "fraction"), _ANY),
    Check.NET_EXPOSURE: Rule(("money", "fraction"), _ANY),
    Check.OPEN_ORDERS: Rule(("money", "fraction"), _ANY),
    Check.DAILY_LOSS: Rule(("money", "fraction"), _ANY),
    Check.DRAWDOWN: Rule(("money", "fraction"), _ANY),
}

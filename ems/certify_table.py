"""The certification table: what the scripted counterparty does with an order, chosen by its OrderQty (38).

A script is a row of verbs (`ems.certify_scripts`): for the order itself, and for a cancel and a replace of it. `told` is what
the client of a direct order is told by the EMS in between, each as ExecType/OrdStatus, a refused request as
9/OrdStatus/CxlRejReason, and an order that the EMS does not hear of again as nothing. Quantities that are not in the table
are accepted and rest; their cancels and replaces are taken.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

Request = Literal["", "cancel", "replace"]
Asked = Literal["tells", "unknown", "silent"]


class Script(NamedTuple):
    """One row.

    Attributes:
        quantity: the OrderQty (38) that chooses it.
        name: what it does, for a person.
        order: verbs that begin when the order comes.
        told: reports to the client of the EMS, in order.
        request: what the client must send, once the order is acknowledged or filled in part, to see it.
        cancel, replace: verbs that begin when such a request comes.
        asked: how a status request is answered: truly, that the order is unknown, or not at all.
        good_till_cancel: the order must say so (59=1).
    """

    quantity: int
    name: str
    order: tuple[str, ...]
    told: tuple[str, ...]
    request: Request = ""
    cancel: tuple[str, ...] = ("take",)
    replace: tuple[str, ...] = ("take",)
    asked: Asked = "tells"
    good_till_cancel: bool = False


ACCEPT: Final = ("accept",)
_PAUSE: Final = "wait 0.3"
_FILLED: Final = ("accept", "fill rest")

ORDERS: Final = (
    Script(1101, "accepted, and rests", ACCEPT, ("0/0",)),
    Script(1102, "acknowledged after four seconds", ("wait 4", "accept"), ("0/0",)),
    Script(1103, "pending new, then accepted", ("pending_new", _PAUSE, "accept"), ("0/0",)),
    Script(1104, "rejected by the broker (103=0)", ("reject 0",), ("8/8",)),
    Script(1105, "rejected, over a limit (103=3)", ("reject 3",), ("8/8",)),
    Script(1106, "acknowledged, then rejected all the same", ("accept", _PAUSE, "reject 99"), ("0/0", "8/8")),
    Script(1107, "refused by a BusinessMessageReject (35=j)", ("refuse_by_j",), ("8/8",)),
    Script(1108, "refused by a session Reject (35=3)", ("refuse_by_3",), ("8/8",)),
    Script(1109, "never answered, and no question is", (), (), asked="silent"),
    Script(1110, "lost: a question is answered with unknown order", (), ("8/8",), asked="unknown"),
    Script(1111, "accepted, but the acknowledgement is lost", ("accept_unsaid",), ("0/0",)),
    Script(1112, "suspended, then filled", ("accept", "suspend", _PAUSE, "fill rest"), ("0/0", "9/9", "F/2")),
    Script(1113, "stopped (a price is guaranteed), then filled", ("accept", "stop", _PAUSE, "fill rest"), ("0/0", "7/7", "F/2")),
)
FILLS: Final = (
    Script(1201, "filled at once", _FILLED, ("0/0", "F/2")),
    Script(1202, "filled in two parts", ("accept", "parts 2"), ("0/0", "F/1", "F/2")),
    Script(1203, "filled in three parts", ("accept", "parts 3"), ("0/0", "F/1", "F/1", "F/2")),
    Script(1210, "filled in ten parts", ("accept", "parts 10"), ("0/0", *["F/1"] * 9, "F/2")),
    Script(1211, "half is filled, the rest rests", ("accept", "fill half"), ("0/0", "F/1")),
    Script(1212, "half is filled, the rest canceled", ("accept", "fill half", _PAUSE, "cancel"), ("0/0", "F/1", "4/4")),
    Script(1213, "half is filled, the rest expires", ("accept", "fill half", _PAUSE, "expire"), ("0/0", "F/1", "C/C")),
    Script(1214, "half is filled before the acknowledgement comes", ("fill half", _PAUSE, "accept"), ("0/0", "F/1")),
    Script(
        1215, "filled in two parts, two seconds between", ("accept", "fill half", "wait 2", "fill rest"), ("0/0", "F/1", "F/2")
    ),
    Script(1216, "filled, and then once more", ("accept", "fill rest", _PAUSE, "overfill"), ("0/0", "F/2", "F/2")),
)
CANCELS: Final = (
    Script(1301, "a cancel is pending, then done", ACCEPT, ("0/0", "6/6", "4/4"), "cancel", ("pend", _PAUSE, "take")),
    Script(1302, "a cancel is pending, then refused", ACCEPT, ("0/0", "6/6", "9/0/2"), "cancel", ("pend", _PAUSE, "refuse 2")),
    Script(1303, "a cancel is too late, though the order lives", ACCEPT, ("0/0", "9/0/0"), "cancel", ("refuse 0",)),
    Script(1304, "a cancel is for an unknown order, though it lives", ACCEPT, ("0/0", "9/0/1"), "cancel", ("refuse 1",)),
    Script(1305, "a fill crosses the cancel: too late", ACCEPT, ("0/0", "F/2", "9/2/0"), "cancel", ("fill rest", "refuse 0")),
    Script(1306, "a part fill crosses the cancel", ACCEPT, ("0/0", "F/1", "4/4"), "cancel", ("fill half", "take")),
    Script(1307, "a cancel is never answered", ACCEPT, ("0/0",), "cancel", ()),
    Script(1308, "a cancel is refused by a BusinessMessageReject", ACCEPT, ("0/0", "9/0/99"), "cancel", ("refuse_by_j",)),
    Script(1309, "a fill is told after the cancel is done", ACCEPT, ("0/0", "4/4", "F/4"), "cancel", ("take", "late_fill half")),
    Script(1310, "canceled without being asked", ("accept", _PAUSE, "cancel"), ("0/0", "4/4")),
)
REPLACES: Final = (
    Script(1401, "a replace is pending, then done", ACCEPT, ("0/0", "E/E", "5/0"), "replace", replace=("pend", _PAUSE, "take")),
    Script(
        1402,
        "a replace is pending, then refused",
        ACCEPT,
        ("0/0", "E/E", "9/0/2"),
        "replace",
        replace=("pend", _PAUSE, "refuse 2"),
    ),
    Script(1403, "a replace is too late, though the order lives", ACCEPT, ("0/0", "9/0/0"), "replace", replace=("refuse 0",)),
    Script(1404, "a part fill crosses the replace", ACCEPT, ("0/0", "F/1", "5/1"), "replace", replace=("fill half", "take")),
    Script(
        1405,
        "a fill crosses the replace: too late",
        ACCEPT,
        ("0/0", "F/2", "9/2/0"),
        "replace",
        replace=("fill rest", "refuse 0"),
    ),
    Script(1406, "a replace is never answered", ACCEPT, ("0/0",), "replace", replace=()),
    Script(
        1407, "a replace is refused by a BusinessMessageReject", ACCEPT, ("0/0", "9/0/99"), "replace", replace=("refuse_by_j",)
    ),
)
EXECUTIONS: Final = (
    Script(1501, "filled, then busted", (*_FILLED, _PAUSE, "bust 1"), ("0/0", "F/2", "H/0")),
    Script(1502, "the first of two fills is busted", ("accept", "parts 2", _PAUSE, "bust 1"), ("0/0", "F/1", "F/2", "H/1")),
    Script(1503, "a fill's price is corrected", (*_FILLED, _PAUSE, "correct_price 1"), ("0/0", "F/2", "G/2")),
    Script(1504, "a fill's quantity is corrected to half", (*_FILLED, _PAUSE, "correct_quantity 1"), ("0/0", "F/2", "G/1")),
    Script(
        1505, "a correction is corrected", (*_FILLED, _PAUSE, "correct_price 1", "correct_price 1"), ("0/0", "F/2", "G/2", "G/2")
    ),
    Script(1506, "a correction is busted", (*_FILLED, _PAUSE, "correct_price 1", "bust 1"), ("0/0", "F/2", "G/2", "H/0")),
    Script(1507, "a fill is told again, as a possible resend", (*_FILLED, _PAUSE, "repeat"), ("0/0", "F/2")),
    Script(1508, "a fill is told again as if it were new", (*_FILLED, _PAUSE, "repeat_bare"), ("0/0", "F/2")),
    Script(1509, "an ExecID comes again with another price", (*_FILLED, _PAUSE, "contradict"), ("0/0", "F/2")),
    Script(1510, "the second fill is told before the first", ("accept", "overtake", "parts 2"), ("0/0", "F/1", "F/2")),
    Script(1511, "a bust of an execution that nobody knows", (*_FILLED, _PAUSE, "bust_unknown"), ("0/0", "F/2")),
)
DAYS: Final = (
    Script(1601, "done for the day", ("accept", _PAUSE, "done"), ("0/0", "3/3")),
    Script(1602, "half is filled, then done for the day", ("accept", "fill half", _PAUSE, "done"), ("0/0", "F/1", "3/3")),
    Script(1603, "expires", ("accept", _PAUSE, "expire"), ("0/0", "C/C")),
    Script(1604, "restated at another price (378=3)", ("accept", _PAUSE, "restate price"), ("0/0", "D/0")),
    Script(1605, "restated to half its quantity (378=5)", ("accept", _PAUSE, "restate quantity"), ("0/0", "D/0")),
    Script(
        1606,
        "done for the day, restated on the next (378=1), filled",
        ("accept", "done", _PAUSE, "restate day", _PAUSE, "fill rest"),
        ("0/0", "3/3", "D/0", "F/2"),
        good_till_cancel=True,
    ),
)
STOPS: Final = (
    Script(1701, "held (636=N), triggered, filled", ("hold", _PAUSE, "trigger", "fill rest"), ("0/0", "L/0", "F/2")),
    Script(1702, "held (636=N), and never triggered", ("hold",), ("0/0",)),
)
SESSIONS: Final = (
    Script(1801, "logs out after the acknowledgement; filled meanwhile", ("accept", "logout 1", "fill rest"), ("0/0", "F/2")),
    Script(1802, "logs out before the acknowledgement", ("logout 1", "wait 1", "accept"), ("0/0",)),
    Script(1803, "numbers are missing before the acknowledgement", ("skip_numbers 5", "accept"), ("0/0",)),
    Script(
        1804, "a fill is told on both sides of a logout", ("accept", "fill rest", "logout 1", "wait 3", "repeat"), ("0/0", "F/2")
    ),
)  # fmt: skip
GROUPS: Final = {
    "Orders": ORDERS, "Fills": FILLS, "Cancels": CANCELS, "Replaces": REPLACES, "Executions put right": EXECUTIONS,
    "Days and restatements": DAYS, "Stop orders": STOPS, "Sessions": SESSIONS,
}  # fmt: skip
TABLE: Final = {script.quantity: script for group in GROUPS.values() for script in group}
ANY: Final = Script(0, "any other quantity: accepted, and rests", ACCEPT, ("0/0",))


def script_for(quantity: int) -> Script:
    """What is done with an order of this many shares."""
    return TABLE.get(quantity, ANY)

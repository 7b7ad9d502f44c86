"""What traders do about orders that they care for: take, hand on, split, merge, route, fill by telephone, block, give back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ems.api.verb import REASON, Act, Field, Verb, by_desk
from ems.api.verbs.orders import PARAMETERS, TRADERS
from ems.care_words import OURS, SLICE, WAYS, pairs, slice_of, way

_STAGED: Final = "orders_staged"
_LIVE: Final = {"live": True}
_BY_HAND: Final = {"live": True, "worked": ["by_hand"]}
_AS_SENT: Final = "as sent"
PRICE: Final = Field("price", "Price", "price")
QUANTITY: Final = Field("quantity", "Quantity", "quantity")
VENUE: Final = Field("venue", "Broker", help="the venue session")
SLICES: Final = Field(
    "slices", "Parts", "lines",
    help=f"{SLICE}, one a line: 300 vwap; 200 pov ParticipationRate=10; 400 direct@BROKER1",
)  # fmt: skip
OTHERS: Final = Field("others", "With", "lines", help="OrderIDs, one a line")


def _of(command: str, **more: Callable[[Act], Any]) -> Any:
    """A command about a row's order."""

    def asked(act: Act) -> dict[str, Any]:
        values = {name: value(act) for name, value in more.items()}
        given = {name: value for name, value in values.items() if value is not None}
        return {"command": command, "order_id": act.row["order_id"], "reason": act.reason, **given}

    return by_desk(asked)


def _field(name: str) -> Callable[[Act], Any]:
    return lambda act: act.fields[name]


def _parameters(act: Act) -> list[tuple[str, str]]:
    return pairs(act.fields["parameters"])


def _taken_by(act: Act) -> str:
    algo = act.fields["algo"]
    return "" if algo == _AS_SENT else str(algo)


def _slices(act: Act) -> list[dict[str, Any]]:
    return [slice_of(line) for line in act.fields["slices"]]


async def _check_slices(act: Act) -> dict[str, str]:
    try:
        _slices(act)
    except ValueError as error:
        return {"slices": str(error)}
    return {}


def _merge(act: Act) -> dict[str, Any]:
    fields = act.fields
    orders = [act.row["order_id"], *fields["others"]]
    worked = way(fields["algo"], fields["venue"] or "", _parameters(act))
    return {"command": "merge_orders", "orders": orders, "way": worked, "reason": act.reason}


def _fill(name: str, title: str, key: str, *, second_person: bool = False) -> Verb:
    asked = _of(
        "enter_fill", broker=_field("broker"), reference=_field("reference"), quantity_e9=_field("quantity"),
        price_e9=_field("price"), executed_ns=_field("executed_ns"),
    )  # fmt: skip
    when = Field("executed_ns", "Executed", "time", required=False, help="now, if nothing is said")
    fields = (Field("broker", "Broker"), Field("reference", "Broker's reference"), QUANTITY, PRICE, when, REASON)
    return Verb(name, title, asked, TRADERS, key, "parents", {}, fields, danger=True, second_person=second_person)


_ACCEPT: Final = (Field("algo", "Work it", "choice", choices=(_AS_SENT, "manual", *OURS), default=_AS_SENT), PARAMETERS, REASON)
_CLAIM: Final = _of("claim_order")
_REASSIGN: Final = _of("reassign_order", to=_field("to"))
_PULL: Final = _of("pull_back")
_TO: Final = (Field("to", "To", "person"), REASON)
VERBS: Final = (
    Verb("accept", "Accept", _of("accept_order", algo=_taken_by, parameters=_parameters), TRADERS, "a", _STAGED, {}, _ACCEPT,
         bulk=True, confirm="count"),
    Verb("reject", "Reject", _of("reject_order"), TRADERS, "x", _STAGED, {}, (REASON,), bulk=True, danger=True, confirm="count"),
    Verb("claim_staged", "Claim", _CLAIM, TRADERS, "c", _STAGED, {}, (REASON,), bulk=True),
    Verb("reassign_staged", "Reassign", _REASSIGN, TRADERS, "g", _STAGED, {}, _TO, bulk=True),
    Verb("return_staged", "Give back", _PULL, TRADERS, "b", _STAGED, {}, (REASON,), bulk=True, danger=True, confirm="count"),
    Verb("claim", "Claim", _CLAIM, TRADERS, "", "parents", _LIVE, (REASON,), bulk=True),
    Verb("reassign", "Reassign", _REASSIGN, TRADERS, "g", "parents", _LIVE, _TO, bulk=True),
    Verb("split", "Split", _of("split_order", slices=_slices), TRADERS, "i", "parents", _BY_HAND, (SLICES, REASON),
         check=_check_slices),
    Verb("route", "Route to a broker", _of("route_order", venue=_field("venue"), quantity_e9=_field("quantity"),
         limit_price_e9=_field("price")), TRADERS, "o", "parents", _BY_HAND,
         (VENUE, QUANTITY, Field("price", "Limit price", "price", required=False, help="none: the client's"), REASON)),
    Verb("merge", "Merge", by_desk(_merge), TRADERS, "m", "parents", _BY_HAND,
         (OTHERS, Field("algo", "Work it", "choice", choices=WAYS, default="manual"),
          Field("venue", "Broker", required=False), PARAMETERS, REASON)),
    Verb("unmerge", "Unmerge", _of("unmerge_order", member=lambda act: act.fields["member"] or ""), TRADERS, "", "parents", _LIVE,
         (Field("member", "Member", required=False, help="its OrderID; all of them, if none is named"), REASON), confirm="count"),
    Verb("pull_back", "Cancel, or give back", _PULL, TRADERS, "Delete", "parents", _LIVE, (REASON,), bulk=True, danger=True,
         confirm="count"),
    _fill("enter_fill", "Fill by telephone", "f"),
    _fill("enter_fill_over", "Fill beyond the order", "", second_person=True),
    Verb("correct_fill", "Correct a fill by telephone", _of("correct_fill", broker=_field("broker"),
         reference=_field("reference"), quantity_e9=_field("quantity"), price_e9=_field("price")), TRADERS, "", "parents", {},
         (Field("broker", "Broker"), Field("reference", "Broker's reference"),
          Field("quantity", "Quantity", "quantity", required=False, help="none: it is taken back"),
          Field("price", "Price", "price", required=False), REASON), danger=True, confirm="count"),
    Verb("take_block", "Take a block", _of("take_block", quantity_e9=_field("quantity"), price_e9=_field("price")), TRADERS, "k",
         "parents", _LIVE, (QUANTITY, PRICE, REASON), danger=True, confirm="count"),
)  # fmt: skip

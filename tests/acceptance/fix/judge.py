"""What a message must say to be as the table has it, and what holds for every message whatever the table says."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from tests.acceptance.fix.matrices import EXEC_TYPES, REFUSALS, STATUSES, Report, Step
from tests.acceptance.fix.venue import VenueOrder
from tests.acceptance.fix.versions import Fields

NEEDED: Final = {  # what every 8 and 9 carries, whatever it tells
    "8": ("37", "17", "150", "39", "55", "54", "151", "14", "6"),
    "9": ("37", "11", "41", "39", "434"),
}
NUMERIC: Final = frozenset({"38", "14", "151", "32", "31", "6", "44", "152", "424", "425", "99"})
TIMES: Final = frozenset({"126"})  # with milliseconds or without
DEFAULTS: Final = {"32": "0", "31": "0", "59": "0"}  # no execution; for the day
CARRIED: Final = ("40", "44", "54", "59", "18", "99", "126")  # from the client's order to the venue's, as they are
UNPRICED: Final = ("1", "3", "P")  # OrdType: market, stop, pegged
AVERAGE_PX_STEP: Final = Decimal("0.000001")

Wanted = dict[str, tuple[str, ...]]  # tag -> accepted values


class Failed(AssertionError):
    """A case went another way than the table."""


def terms(step: Step, first: Step | None = None) -> Fields:
    """What a client's D says beside ids and quantity; a G says the same again, but for what it changes."""
    said = {"54": "1", "40": "2", "44": "20", "59": "0"} | (first.pairs if first is not None else {}) | step.pairs
    return {tag: value for tag, value in said.items() if tag != "44" or said["40"] not in UNPRICED or "44" in step.pairs}


def order_at_venue(step: Step) -> Wanted:
    """The order that a venue must get for a client's D. An amount of money is a quantity by then."""
    said = terms(step)
    quantity = step.quantity or str(Decimal(said["152"]) / Decimal(said["44"]))
    return _carried(said) | {"38": (quantity,)}


def request_at_venue(step: Step, first: Step, order: VenueOrder, current: str) -> Wanted:
    """The cancel or replace that a venue must get for a client's F or G. current: the last id that it had taken by then."""
    wanted: Wanted = {"35": (step.verb,), "41": (current,), "54": (order.asked["54"],)}
    if step.verb == "F":
        return wanted
    # Below what is filled means what is filled: who says so, we or the venue, is open.
    quantities = (step.quantity, str(max(Decimal(step.quantity), order.filled)))
    return wanted | _carried(terms(step, first)) | {"38": quantities}


def _carried(said: Fields) -> Wanted:
    return {tag: (value,) for tag, value in said.items() if tag in CARRIED}


def told(report: Report, ids: Fields, exec_ids: Fields) -> Wanted:
    """What a client must be told. ids and exec_ids: the table's symbols, and what stands for them."""
    wanted: Wanted = {"35": ("9" if report.is_refusal else "8",), "39": (STATUSES[report.status],)}
    wanted |= {"434": (REFUSALS[report.kind],)} if report.is_refusal else {"150": (EXEC_TYPES[report.kind],)}
    wanted |= {"11": (ids[report.cl_ord_id],)} if report.cl_ord_id else {}
    wanted |= {"41": (ids[report.orig],)} if report.orig else {}
    wanted |= {"19": (exec_ids[report.exec_ref_id],)} if report.exec_ref_id else {}
    return wanted | report.fields


def compare(what: str, message: Fields, wanted: Wanted) -> None:
    """Raises Failed with every field that is not as wanted."""
    wrong = [
        f"{tag}={message.get(tag, 'absent')}, not {' or '.join(values)}"
        for tag, values in wanted.items()
        if not _same(tag, message.get(tag, DEFAULTS.get(tag)), values)
    ]
    if wrong:
        raise Failed(f"{what}: {'; '.join(wrong)}")


def _same(tag: str, value: str | None, accepted: tuple[str, ...]) -> bool:
    if value is None:
        return False
    if tag in TIMES:
        return value.removesuffix(".000") in accepted
    if tag in NUMERIC:
        return Decimal(value) in [Decimal(one) for one in accepted]
    return value in accepted


def rules(report: Report, message: Fields, exec_ids: set[str], order: VenueOrder | None) -> None:
    """What holds for every report. exec_ids: of the reports before. Raises Failed."""
    if lacking := [tag for tag in NEEDED[message["35"]] if tag not in message]:
        raise Failed(f"the report lacks {lacking}")
    if report.is_refusal:
        return
    if not report.orig and message.get("41"):
        raise Failed(f"the report has an OrigClOrdID (41) {message['41']}, but nothing was asked")
    if message["17"] in exec_ids and report.kind != "status":
        raise Failed(f"the ExecID (17) {message['17']} came before")
    told_of_all = order is not None and Decimal(message["14"]) == order.filled  # else another report of the moment follows
    if told_of_all and order is not None and abs(Decimal(message["6"]) - order.average) > AVERAGE_PX_STEP:
        raise Failed(f"AvgPx (6) is {message['6']}, not {order.average}")

"""FIX text to the desk's inputs. Pure, quick, and total: a bad field becomes a named refusal, never an exception.

The engine has checked structure against the dictionary before; what is left here is meaning. A message that
cannot carry an answer of its own kind (no ClOrdID, a type not spoken) becomes Unreadable.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from adapters.fix.dialect import Dialect
from adapters.fix.fields import cut
from adapters.fix.from_client import cancel_order, dont_know, new_order, replace_order, status_query
from adapters.fix.from_client_allocations import NEEDED as ALLOCATION_NEEDED
from adapters.fix.from_client_allocations import allocation_instruction, allocation_instruction_ack, allocation_report_ack
from adapters.fix.from_client_lists import (
    list_cancel,
    list_execute,
    list_status_query,
    mass_cancel,
    mass_status_query,
    new_order_list,
)
from adapters.fix.from_venue import venue_cancel_reject, venue_mass_cancel_report, venue_refusal, venue_report
from adapters.fix.reading import Origin, Reading, seq_num, unreadable
from domain.event import InboundRef
from domain.messages import Inbound
from domain.refusal import Reason

__all__ = ["Origin", "read", "seq_num"]


def read(text: str, origin: Origin, dialect: Dialect | None = None) -> Inbound:
    """The input that a message is. Total: whatever the text holds, something is returned.

    Args:
        text: the message; for a session Reject (35=3) its text, NUL, and the text it refers to.
        dialect: of the session, None where it speaks the canonical vocabulary.
    """
    raw, _, referenced = text.partition("\0")
    canonical, refusals, of_entries = (raw, (), ()) if dialect is None else dialect.inward(raw)
    fields = cut(canonical)
    ref = InboundRef(origin.session, origin.reset_epoch, seq_num(fields.get("34", "")))
    poss_dup, poss_resend = fields.get("43") == "Y", fields.get("97") == "Y"
    message = Reading(fields, ref, origin.frame, raw, canonical, poss_dup, poss_resend, refusals, of_entries)
    msg_type = fields.get("35", "")
    if origin.role == "venue" and msg_type in ("3", "j"):
        return venue_refusal(message, msg_type, referenced)
    reader = _READERS[origin.role].get(msg_type)
    if reader is None:
        said = f"MsgType (35) {msg_type!r} is not taken from a {origin.role}"
        return unreadable(message, said, Reason.UNSUPPORTED_MESSAGE)
    missing = _missing(message, msg_type)
    return unreadable(message, missing) if missing else reader(message)


_NEEDED: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "D": (("11", "ClOrdID"),),
    "G": (("11", "ClOrdID"), ("41", "OrigClOrdID")),
    "F": (("11", "ClOrdID"), ("41", "OrigClOrdID")),
    "H": (("11", "ClOrdID"),),
    "Q": (("17", "ExecID"),),
    "q": (("11", "ClOrdID"), ("530", "MassCancelRequestType")),
    "AF": (("584", "MassStatusReqID"), ("585", "MassStatusReqType")),
    **dict.fromkeys("EKLM", (("66", "ListID"),)),
    "J": ALLOCATION_NEEDED,
    "AT": (("755", "AllocReportID"), ("87", "AllocStatus")),
    "P": (("70", "AllocID"), ("87", "AllocStatus")),
    "8": (("17", "ExecID"), ("150", "ExecType")),
    "9": (("11", "ClOrdID"),),
}


def _missing(message: Reading, msg_type: str) -> str:
    for tag, name in _NEEDED.get(msg_type, ()):
        if not message.fields.get(tag):
            return f"{name} ({tag}) is missing"
    return ""


_Reader = Callable[[Reading], Inbound]
_FROM_CLIENT: Final[dict[str, _Reader]] = {
    "D": new_order,
    "G": replace_order,
    "F": cancel_order,
    "H": status_query,
    "Q": dont_know,
    "q": mass_cancel,
    "AF": mass_status_query,
    "E": new_order_list,
    "K": list_cancel,
    "L": list_execute,
    "M": list_status_query,
    "J": allocation_instruction,
    "AT": allocation_report_ack,
    "P": allocation_instruction_ack,
}
_FROM_VENUE: Final[dict[str, _Reader]] = {"8": venue_report, "9": venue_cancel_reject, "r": venue_mass_cancel_report}
_READERS: Final[dict[str, dict[str, _Reader]]] = {"client": _FROM_CLIENT, "venue": _FROM_VENUE, "dropcopy": {}}

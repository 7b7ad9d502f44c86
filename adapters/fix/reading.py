"""What every message read has in common: where it came from, its fields, and the pieces that readers share."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from adapters.fix.fields import number_e9, timestamp_ns
from domain.errors import NumberError
from domain.event import InboundRef
from domain.messages import Unreadable
from domain.refusal import Reason, Refusal

MSG_SEQ_NUM_MAX: Final = 2**63 - 1


class Origin(NamedTuple):
    """Where a text came from: what the frame says beside it."""

    session: str
    role: Literal["client", "venue", "dropcopy"]
    reset_epoch: int
    frame: int


class Reading(NamedTuple):
    """A text cut into fields, and what every input says of it.

    Attributes:
        text: what is read: the canonical form of raw, which is what the peer sent.
        refusals: what the session's dialect has already found wrong with an order.
        of_entries: the same for each order of a list.
    """

    fields: dict[str, str]
    ref: InboundRef
    frame: int
    raw: str
    text: str
    poss_dup: bool
    poss_resend: bool
    refusals: tuple[Refusal, ...] = ()
    of_entries: tuple[tuple[Refusal, ...], ...] = ()


def seq_num(text: str) -> int:
    """A MsgSeqNum (34, 45), 0 where it is not one."""
    value = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
    return value if value <= MSG_SEQ_NUM_MAX else 0


def unreadable(message: Reading, text: str, reason: Reason = Reason.UNREADABLE) -> Unreadable:
    """The message as one that could not be read, and why."""
    return Unreadable(
        ref=message.ref,
        frame=message.frame,
        raw=message.raw,
        poss_dup=message.poss_dup,
        poss_resend=message.poss_resend,
        msg_type=message.fields.get("35", ""),
        ref_id=message.fields.get("11", ""),
        refusal=Refusal(reason, text),
    )


def symbol_of(fields: dict[str, str]) -> str:
    """Symbol (55), or SecurityID (48) where there is none."""
    symbol = fields.get("55", "")
    return fields.get("48", "") if symbol in ("", "[N/A]") else symbol


def number_or_refusal(text: str | None, name: str, reason: Reason, refusals: list[Refusal]) -> int | None:
    """A number, None where it is absent or unreadable; then a refusal is added."""
    if text is None:
        return None
    try:
        return number_e9(text)
    except NumberError as cause:
        refusals.append(Refusal(reason, f"{name}: {cause}"))
        return None


def time_ns_of(text: str) -> int:
    """A UTCTimestamp in nanoseconds, 0 where it is none."""
    try:
        return timestamp_ns(text)
    except ValueError:
        return 0  # the engine checks its format; a time that is not there is 0, not a reason to refuse

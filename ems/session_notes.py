"""Messages that belong to no order: written on the stream of their session, and answered from there."""

from __future__ import annotations

from domain import fix_session as fs
from domain.messages import Inbound
from domain.ports import Reference
from domain.refusal import Reason, Refusal
from ems.turn import Turn


def note(turn: Turn, reference: Reference, message: Inbound, said: str) -> None:
    """A message that changed nothing."""
    stream = fs.key(message.ref.session, reference.trade_date(turn.now_ns))
    event = fs.MessageNoted(session=message.ref.session, note=said, raw=message.raw)
    turn.apply(stream, event, correlation=stream)


def refuse(
    turn: Turn, reference: Reference, message: Inbound, refusal: Refusal, *, ref_id: str, msg_type: str,
    answer: str = "business_reject", orig_ref_id: str = "",
) -> fs.FixSession:  # fmt: skip
    """A message that is refused as a whole; returns its session's stream."""
    event = fs.MessageRefused.sample(
        session=message.ref.session, msg_type=msg_type, ref_id=ref_id, orig_ref_id=orig_ref_id, answer=answer,
        reason=refusal.reason, text=refusal.text, raw=message.raw,
    )  # fmt: skip
    stream = fs.key(message.ref.session, reference.trade_date(turn.now_ns))
    session: fs.FixSession = turn.apply(stream, event, correlation=stream)
    return session


def set_aside(turn: Turn, reference: Reference, message: Inbound, error: Exception) -> None:
    """A message that our own fault keeps us from deciding: it has come, it is refused, and it does not come again."""
    ref = message.ref
    turn.begin(actor="system:desk", causation=f"fix:{ref.session}/{ref.reset_epoch}/{ref.msg_seq_num}", inbound=ref)
    refusal = Refusal(Reason.UNREADABLE, f"could not be processed ({type(error).__name__}); our support is informed")
    refuse(turn, reference, message, refusal, ref_id=getattr(message, "cl_ord_id", ""), msg_type="", answer="business_reject")

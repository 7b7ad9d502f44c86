"""The life of an order, parent or child, as one table. No state is reached by any other way.

Statuses are FIX OrdStatus (39) and triggers are FIX ExecType (150), with two words FIX lacks: IN_DOUBT, an
order whose fate the venue has not told (it keeps its exposure until proved), and the PROVED_* answers that end it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class OrdStatus(StrEnum):
    __hash__ = str.__hash__  # Enum's own is a Python function, and the table is looked up for every event

    PENDING_NEW = "pending_new"
    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    PENDING_CANCEL = "pending_cancel"
    PENDING_REPLACE = "pending_replace"
    IN_DOUBT = "in_doubt"
    FILLED = "filled"
    CANCELED = "canceled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    DONE_FOR_DAY = "done_for_day"
    STOPPED = "stopped"  # FIX's word for a price that is guaranteed
    SUSPENDED = "suspended"


class Trigger(StrEnum):
    __hash__ = str.__hash__

    ACKNOWLEDGE = "acknowledge"
    PARTIAL_FILL = "partial_fill"
    FULL_FILL = "full_fill"
    REQUEST_CANCEL = "request_cancel"
    REQUEST_REPLACE = "request_replace"
    REFUSE_REQUEST = "refuse_request"
    REPLACE = "replace"
    CANCEL = "cancel"
    REJECT = "reject"
    EXPIRE = "expire"
    END_DAY = "end_day"
    DOUBT = "doubt"
    PROVE_WORKING = "prove_working"
    PROVE_UNKNOWN = "prove_unknown"
    PEND_CANCEL = "pend_cancel"
    PEND_REPLACE = "pend_replace"
    RESTATE = "restate"
    BEGIN_DAY = "begin_day"
    STOP = "stop"
    SUSPEND = "suspend"


_S = OrdStatus
_NEW, _PARTIALLY_FILLED, _FILLED = _S.NEW, _S.PARTIALLY_FILLED, _S.FILLED  # looked up once: of an Enum that is slow
_T = Trigger

TERMINAL: Final = frozenset({_S.FILLED, _S.CANCELED, _S.REJECTED, _S.EXPIRED, _S.DONE_FOR_DAY})
RESTING: Final = frozenset({_S.NEW, _S.PARTIALLY_FILLED})  # which of the two follows from the quantity filled
_PENDING: Final = (_S.PENDING_NEW, _S.PENDING_CANCEL, _S.PENDING_REPLACE, _S.IN_DOUBT)

HELD: Final = (_S.STOPPED, _S.SUSPENDED)
_WORKING: Final = (_S.NEW, _S.PARTIALLY_FILLED, *HELD)
_ALIVE: Final = (_S.PENDING_NEW, *_WORKING, _S.PENDING_CANCEL, _S.PENDING_REPLACE, _S.IN_DOUBT)

TRANSITIONS: Final[dict[tuple[OrdStatus, Trigger], OrdStatus]] = {
    (_S.PENDING_NEW, _T.ACKNOWLEDGE): _S.NEW,
    (_S.PENDING_NEW, _T.REJECT): _S.REJECTED,
    (_S.PENDING_NEW, _T.PARTIAL_FILL): _S.PARTIALLY_FILLED,  # real world: a fill that overtakes its acknowledgement
    (_S.NEW, _T.PARTIAL_FILL): _S.PARTIALLY_FILLED,
    (_S.NEW, _T.ACKNOWLEDGE): _S.NEW,  # real world: acknowledged again after a replay
    (_S.NEW, _T.REJECT): _S.REJECTED,  # real world: a venue's second look, after it acknowledged
    (_S.PARTIALLY_FILLED, _T.PARTIAL_FILL): _S.PARTIALLY_FILLED,
    (_S.PARTIALLY_FILLED, _T.ACKNOWLEDGE): _S.PARTIALLY_FILLED,  # real world: New arrives after the first fill
    (_S.PENDING_CANCEL, _T.PARTIAL_FILL): _S.PENDING_CANCEL,  # filled while the cancel is on its way
    (_S.PENDING_CANCEL, _T.ACKNOWLEDGE): _S.PENDING_CANCEL,
    (_S.PENDING_CANCEL, _T.REFUSE_REQUEST): _S.NEW,
    (_S.PENDING_CANCEL, _T.REJECT): _S.REJECTED,
    (_S.PENDING_CANCEL, _T.REQUEST_CANCEL): _S.PENDING_CANCEL,  # asked again: the first got no answer
    (_S.PENDING_REPLACE, _T.PARTIAL_FILL): _S.PENDING_REPLACE,
    (_S.PENDING_REPLACE, _T.ACKNOWLEDGE): _S.PENDING_REPLACE,
    (_S.PENDING_REPLACE, _T.REFUSE_REQUEST): _S.NEW,
    (_S.PENDING_REPLACE, _T.REPLACE): _S.NEW,
    (_S.PENDING_REPLACE, _T.REQUEST_CANCEL): _S.PENDING_CANCEL,  # a cancel overrides a replace that has not ended
    (_S.PENDING_CANCEL, _T.REPLACE): _S.PENDING_CANCEL,  # the replace was taken before the cancel behind it
    (_S.FILLED, _T.REQUEST_REPLACE): _S.PENDING_REPLACE,  # asked for more than was filled
    (_S.IN_DOUBT, _T.REPLACE): _S.NEW,
    (_S.IN_DOUBT, _T.PEND_CANCEL): _S.PENDING_CANCEL,
    (_S.IN_DOUBT, _T.PEND_REPLACE): _S.PENDING_REPLACE,
    # An order that is carried to another day is done for one day, not for good.
    (_S.DONE_FOR_DAY, _T.BEGIN_DAY): _S.NEW,
    (_S.DONE_FOR_DAY, _T.DOUBT): _S.IN_DOUBT,
    (_S.DONE_FOR_DAY, _T.REQUEST_CANCEL): _S.PENDING_CANCEL,
    (_S.DONE_FOR_DAY, _T.REQUEST_REPLACE): _S.PENDING_REPLACE,
    (_S.DONE_FOR_DAY, _T.PEND_CANCEL): _S.PENDING_CANCEL,
    (_S.DONE_FOR_DAY, _T.PEND_REPLACE): _S.PENDING_REPLACE,
    (_S.DONE_FOR_DAY, _T.REPLACE): _S.DONE_FOR_DAY,
    (_S.DONE_FOR_DAY, _T.CANCEL): _S.CANCELED,
    (_S.DONE_FOR_DAY, _T.EXPIRE): _S.EXPIRED,
    (_S.NEW, _T.REPLACE): _S.NEW,
    (_S.PARTIALLY_FILLED, _T.REPLACE): _S.PARTIALLY_FILLED,
    (_S.FILLED, _T.REPLACE): _S.PARTIALLY_FILLED,  # a larger quantity reopens a filled order
    (_S.IN_DOUBT, _T.ACKNOWLEDGE): _S.NEW,
    (_S.IN_DOUBT, _T.PARTIAL_FILL): _S.PARTIALLY_FILLED,  # a report for it proves that it lives
    (_S.IN_DOUBT, _T.PROVE_WORKING): _S.NEW,
    (_S.IN_DOUBT, _T.PROVE_UNKNOWN): _S.CANCELED,  # asked after everything we sent, the venue says it never came
    (_S.IN_DOUBT, _T.REJECT): _S.REJECTED,
    (_S.IN_DOUBT, _T.REQUEST_CANCEL): _S.IN_DOUBT,  # a cancel always passes, but proves nothing by itself
    (_S.IN_DOUBT, _T.DOUBT): _S.IN_DOUBT,
    **{(s, _T.FULL_FILL): _S.FILLED for s in _ALIVE},
    **{(s, _T.CANCEL): _S.CANCELED for s in _ALIVE},  # also unsolicited
    **{(s, _T.EXPIRE): _S.EXPIRED for s in _ALIVE},
    **{(s, _T.END_DAY): _S.DONE_FOR_DAY for s in _ALIVE},
    **{(s, _T.REQUEST_CANCEL): _S.PENDING_CANCEL for s in (_S.PENDING_NEW, *_WORKING)},
    **{(s, _T.REQUEST_REPLACE): _S.PENDING_REPLACE for s in _WORKING},
    **{(s, _T.STOP): _S.STOPPED for s in _WORKING},
    **{(s, _T.SUSPEND): _S.SUSPENDED for s in _WORKING},
    **{(s, _T.ACKNOWLEDGE): _S.NEW for s in HELD},
    **{(s, _T.REPLACE): _S.NEW for s in HELD},
    (_S.STOPPED, _T.PARTIAL_FILL): _S.STOPPED,  # the guarantee holds for what is left
    (_S.SUSPENDED, _T.PARTIAL_FILL): _S.PARTIALLY_FILLED,  # it trades, so it is not
    **{(s, _T.DOUBT): _S.IN_DOUBT for s in _ALIVE if s is not _S.IN_DOUBT},
    # Real world: a fill that was on its way when the order closed. It counts; the status does not go back.
    # A filled order can be overfilled by a venue's error: that counts too, and the excess is for people to resolve.
    **{(s, t): s for s in TERMINAL for t in (_T.PARTIAL_FILL, _T.FULL_FILL)},
    **{(s, _T.PEND_CANCEL): _S.PENDING_CANCEL for s in (*_WORKING, _S.PENDING_NEW, _S.PENDING_CANCEL, _S.PENDING_REPLACE)},
    **{(s, _T.PEND_REPLACE): _S.PENDING_REPLACE for s in (*_WORKING, _S.FILLED, _S.PENDING_REPLACE)},
    (_S.PENDING_CANCEL, _T.PEND_REPLACE): _S.PENDING_CANCEL,
    # A bust or a correction changes what was filled: an order that rests or is filled follows, an ended one stays ended.
    **{(s, _T.RESTATE): s for s in (*_PENDING, *HELD, *(TERMINAL - {_S.FILLED}))},
    **{(s, _T.RESTATE): _S.NEW for s in (*RESTING, _S.FILLED)},
    **{(s, _T.BEGIN_DAY): s for s in (*_PENDING, *(TERMINAL - {_S.DONE_FOR_DAY}))},
    **{(s, _T.BEGIN_DAY): _S.NEW for s in _WORKING},
}


def transition(status: OrdStatus, trigger: Trigger, *, filled: bool, full: bool = False) -> OrdStatus | None:
    """The next status, or None where the table has no such move.

    Args:
        filled: whether anything has executed, which tells New from Partially Filled when an order rests again.
        full: whether all of it has: an order that would rest is Filled then.
    """
    after = TRANSITIONS.get((status, trigger))
    if after in RESTING:
        return _FILLED if full else _PARTIALLY_FILLED if filled else _NEW
    return after


# The status after a fill, by the one before and whether the order is then full: worked out once, as half of a log is fills.
# Not of one that is done for the day: whether that has begun another is the order's to say.
AFTER_FILL: Final[dict[tuple[OrdStatus, bool], OrdStatus]] = {
    (status, full): after
    for status in OrdStatus
    for full, trigger in ((False, Trigger.PARTIAL_FILL), (True, Trigger.FULL_FILL))
    if status is not OrdStatus.DONE_FOR_DAY and (after := transition(status, trigger, filled=True, full=full)) is not None
}

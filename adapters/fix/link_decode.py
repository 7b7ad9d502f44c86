"""Frames from the gateway to the desk's inputs."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from adapters.fix import frames
from adapters.fix.dialect import Dialect
from adapters.fix.fields import cut
from adapters.fix.frames import Frame
from adapters.fix.inbound import Origin, read, seq_num
from domain.errors import LinkError
from domain.event import InboundRef
from domain.fix_session import GAP_NOTE
from domain.market_state import MarketState
from domain.messages import EngineRefusal, Input, LinkUp, MarketUpdate, SessionChange, SessionNews, VenueRefusal

log = logging.getLogger(__name__)


class LinkDecoder:
    """Knows the gateway's sessions, from LINK_UP on."""

    def __init__(self, read_market: Callable[[str], MarketState | None], dialects: Mapping[str, Dialect] | None = None) -> None:
        self.slots: dict[str, int] = {}
        self._sessions: list[dict[str, Any]] = []
        self._read_market = read_market
        self._dialects = {} if dialects is None else dialects

    def link_up(self, frame: Frame) -> list[Input]:
        """LinkUp, then a SessionChange for every order session as it stands."""
        self._sessions = json.loads(frame.payload)["sessions"]
        self.slots = {session["name"]: session["slot"] for session in self._sessions}
        sent = tuple((session["name"], session["sent_seq"]) for session in self._sessions)
        return [LinkUp(sent_seq=sent), *(c for s in self._sessions for c in _session_change(s))]

    def decode(self, frame: Frame) -> list[Input]:
        """What one frame means. Raises LinkError for a kind that a gateway does not send."""
        if frame.kind == frames.MESSAGE:
            origin = self._origin(frame)
            return [read(_text(frame.payload), origin, self._dialects.get(origin.session))]
        if frame.kind == frames.MARKET:
            market = self._read_market(_text(frame.payload))
            if market is None:
                log.warning("market data that cannot be read: %.200s", _text(frame.payload))
                return []
            return [MarketUpdate(market)]
        if frame.kind == frames.SESSION:
            return _session_change(json.loads(frame.payload))
        told = _TOLD.get(frame.kind)
        if told is None:
            raise LinkError(f"a gateway does not send frames of kind {frame.kind}")
        head, _, rest = _text(frame.payload).partition("\0")
        return [told(self._origin(frame), head, rest)]

    def _origin(self, frame: Frame) -> Origin:
        session = self._sessions[frame.slot]
        return Origin(session["name"], session["role"], frame.reset_epoch, frame.number)


def _text(payload: bytes) -> str:
    # Bytes that are not UTF-8 stay visible as \xNN: the text goes into events, which hold text only.
    return payload.decode("utf-8", "backslashreplace")


def _session_change(session: dict[str, Any]) -> list[Input]:
    if session["role"] == "marketdata":
        return []
    return [
        SessionChange(
            session=session["name"],
            role=session["role"],
            up=session["up"],
            reset_epoch=session["reset_epoch"],
            outbound_seq_num=session["outbound"],
            sent_seq=session["sent_seq"],
            logged_out=session.get("logged_out", False),
        )
    ]


def _refused(origin: Origin, reject: str, refused: str) -> Input:
    """The engine sent a session Reject; the number it consumed is the refused message's."""
    fields = cut(reject)
    tag = fields.get("371", "")
    text = fields.get("58", "refused") + (f": tag {tag}" if tag else "") + f" in MsgType {fields.get('372', 'unknown')}"
    ref = InboundRef(origin.session, origin.reset_epoch, seq_num(fields.get("45", "")))
    return EngineRefusal(ref=ref, frame=origin.frame, raw=refused or reject, text=text)


def _garbled(origin: Origin, fault: str, text: str) -> Input:
    """FIX ignores what it cannot read and does not count it, so there is no number."""
    ref = InboundRef(origin.session, origin.reset_epoch, 0)
    return EngineRefusal(
        ref=ref, frame=origin.frame, raw=text, text=f"ignored by FIX rules: {fault}" if fault.startswith("Invalid") else fault
    )


def _not_sent(origin: Origin, why: str, text: str) -> Input:
    """Something of ours never left: for a venue as good as refused by it, and certain."""
    if origin.role != "venue":
        return SessionNews(
            ref=InboundRef(origin.session, origin.reset_epoch, 0), frame=origin.frame, raw=text, text=f"report not sent: {why}"
        )
    fields = cut(text)
    return VenueRefusal(
        ref=InboundRef(origin.session, origin.reset_epoch, 0),
        frame=origin.frame,
        raw=text,
        poss_resend=fields.get("97") == "Y",  # of what did not leave
        ref_cl_ord_id=fields.get("11", ""),
        ref_seq_num=0,
        ref_msg_type=fields.get("35", ""),
        text=f"not sent: {why}",
    )


def _canceled_all(origin: Origin, details: str, _: str) -> Input:
    told = json.loads(details)
    text = f"cancel-all {told['cancel_all']} sent {told['cancels']} cancels: {told['why'] or 'no reason given'}"
    return _news(origin, text, details)


def _gap_filled(origin: Origin, details: str, _: str) -> Input:
    told = json.loads(details)
    text = f"{GAP_NOTE} {told['from']} to {told['to']}, which were asked for again"
    return _news(origin, text, details)


def _news(origin: Origin, text: str, details: str) -> Input:
    return SessionNews(ref=InboundRef(origin.session, origin.reset_epoch, 0), frame=origin.frame, raw=details, text=text)


_TOLD: dict[int, Callable[[Origin, str, str], Input]] = {
    frames.REFUSED: _refused,
    frames.GARBLED: _garbled,
    frames.NOT_SENT: _not_sent,
    frames.CANCELED_ALL: _canceled_all,
    frames.GAP_FILLED: _gap_filled,
    frames.NEWS: _news,
}

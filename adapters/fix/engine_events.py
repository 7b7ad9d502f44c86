"""What the engine's callbacks tell the gateway, and ask of it."""

from __future__ import annotations

from typing import Protocol

from adapters.fix.logon_gate import Credentials


class Wire(Protocol):
    """What is told of every text that goes by on a session, before anything looks at it."""

    def incoming(self, text: str) -> None: ...

    def outgoing(self, text: str) -> None: ...


class EngineEvents(Protocol):
    """What the gateway does when something happens at a session; key is the engine's name for the session."""

    def logged_on(self, key: str) -> None: ...

    def logged_out(self, key: str) -> None: ...

    def numbering_reset(self, key: str) -> None:
        """A Logon with ResetSeqNumFlag went one way or the other."""

    def received(self, key: str, text: str) -> None:
        """An application message. It is consumed when this returns."""

    def rejected_by_peer(self, key: str, text: str) -> None:
        """A session Reject (35=3) from the peer."""

    def rejected_by_engine(self, key: str, text: str, refused: str) -> None:
        """The engine answers refused with the session Reject text."""

    def gap_filled(self, key: str, from_seq_num: int, to_seq_num: int) -> None:
        """The peer will not repeat these messages."""

    def asked_for_resend(self, key: str) -> None: ...

    def beat(self, key: str) -> None:
        """Something came, whatever it is: called before the engine looks at it."""

    def credentials(self, key: str) -> Credentials:
        """What our Logon says of us."""

    def refuses(self, key: str, text: str) -> str:
        """Why a Logon of the peer is refused, before the engine acts on it; "" where it may go on."""

    def logout_came(self, key: str, said: str) -> None:
        """The peer logs out, or refuses our Logon."""

    def garbled(self, key: str, text: str, fault: str) -> None:
        """Bytes that the engine ignores by FIX rules."""

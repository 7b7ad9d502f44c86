"""The last look at the kill switch, in the last function before the engine's send. It needs neither desk nor database."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Final

from adapters.fix.frames import Frame
from adapters.fix.vocabulary import SOH
from domain.kill_scope import ACCOUNT_AT, Scope
from domain.kill_table import Action, Verdict, may_leave
from domain.ports import KillLatch
from domain.values import ScopeKind

# What a venue may always be sent: cancels, questions and answers. Whatever else goes to one counts as an order.
_HARMLESS: Final = frozenset(["F", "q", "H", "AF", "Q", "j", "3", "B", "N"])
_DECLARED: Final = {  # MsgType (35) -> what its sender may declare it to be; the first is what it is without a word
    "D": (Action.NEW, Action.FLATTEN),
    "G": (Action.REPLACE_UP, Action.REPLACE_DOWN),
}


class LastLook:
    """Asked with `lock` held from the look until the engine has the message: who holds it later knows that whatever has
    passed is on its way, and that whatever comes sees what was set before.
    """

    def __init__(self, latch: KillLatch, house_accounts: Iterable[str]) -> None:
        self._latch = latch
        self._house = frozenset(Scope(ScopeKind.ACCOUNT, account).digest for account in house_accounts)
        self.has_house = bool(self._house)
        self.lock = threading.Lock()
        self.stopped_count = 0

    def refusal(self, frame: Frame, text: str, venue: int) -> str:
        """Why a message to a venue may not leave now, "" if it may.

        Args:
            text: the message, from MsgType (35) on.
            venue: digest of the session's own scope, which holds whatever the desk declares.
        """
        action = action_of(text, frame.action)
        if action is None:
            return ""
        verdict = self._latch.verdict((*frame.scope, venue))
        if may_leave(verdict, action, trip=frame.trip, house=frame.scope[ACCOUNT_AT] in self._house):
            return ""
        self.stopped_count += 1
        return why(verdict)


def action_of(text: str, declared: int) -> Action | None:
    """What a message does to risk; None for one that does nothing. A declaration is believed only where it can be meant."""
    msg_type = text[3 : text.find(SOH)]
    if msg_type in _HARMLESS:
        return None
    can_be = _DECLARED.get(msg_type, (Action.NEW,))
    return Action(declared) if declared in can_be else can_be[0]


def why(verdict: Verdict) -> str:
    """For the log and the client."""
    if not verdict.readable:
        return "kill switch: its latch cannot be read, which counts as HARD"
    return f"kill switch: {verdict.level.name}" + (f", trip {verdict.trip:016x}" if verdict.trip else "")

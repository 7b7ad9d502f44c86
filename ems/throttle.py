"""Sliding windows: how many messages of a session may pass in any stretch of time. Cancels never ask."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from domain.session_policy import DEFAULT, SessionPolicy


class Throttle:
    """One window for each session that has a limit. What it remembers is only how recently it let something pass."""

    def __init__(self, policies: Mapping[str, SessionPolicy]) -> None:
        self._policies = policies
        self._passed: dict[str, deque[int]] = {}

    def passes(self, session: str, now_ns: int) -> bool:
        """May one more message pass now? If so it is counted."""
        if self.free_ns(session, now_ns) > now_ns:
            return False
        if self._policies.get(session, DEFAULT).throttle_count:
            self._passed[session].append(now_ns)
        return True

    def free_ns(self, session: str, now_ns: int) -> int:
        """When the next message may pass: now, or when the oldest that counts has left the window."""
        policy = self._policies.get(session, DEFAULT)
        if not policy.throttle_count:
            return now_ns
        passed = self._passed.setdefault(session, deque())
        while passed and passed[0] <= now_ns - policy.throttle_window_ns:
            passed.popleft()
        return now_ns if len(passed) < policy.throttle_count else passed[0] + policy.throttle_window_ns

"""Several protocol fronts of one venue as one: each session has its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from domain.ports_venue import DepthUpdate, OrderFront, Report, Snapshot, VenueHandler


class Fronts:
    """Port OrderFront.

    Args:
        sessions: each front with the sessions that it has; no session is of two.
    """

    def __init__(self, sessions: Sequence[tuple[OrderFront, Iterable[str]]]) -> None:
        self._fronts = [front for front, _ in sessions]
        self._of: Mapping[str, OrderFront] = {name: front for front, names in sessions for name in names}

    def start(self, handler: VenueHandler) -> None:
        """Open all of them."""
        for front in self._fronts:
            front.start(handler)

    def send(self, report: Report, *, possible_resend: bool) -> bool:
        """To the session's own. False: nobody has such a session, or it has kept nothing."""
        front = self._of.get(report.session)
        return front is not None and front.send(report, possible_resend=possible_resend)

    def publish(self, snapshots: Sequence[Snapshot]) -> None:
        """To all."""
        for front in self._fronts:
            front.publish(snapshots)

    def publish_depth(self, updates: Sequence[DepthUpdate]) -> None:
        """To all."""
        for front in self._fronts:
            front.publish_depth(updates)

    def disconnect(self, session: str, hold_ms: int) -> bool:
        """At the session's own. False: no such session."""
        front = self._of.get(session)
        return front is not None and front.disconnect(session, hold_ms)

    def refuse(self, session: str, kind: str, msg_type: str, msg_seq_num: int, ref_id: str, text: str) -> None:
        """At the session's own. Raises KeyError for no such session."""
        self._of[session].refuse(session, kind, msg_type, msg_seq_num, ref_id, text)

    def skip_numbers(self, session: str, count: int) -> None:
        """At the session's own. Raises KeyError for no such session."""
        self._of[session].skip_numbers(session, count)

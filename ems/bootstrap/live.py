"""What a configuration says of sessions and routes, in objects that all parts of the desk look into, so that it can change."""

from __future__ import annotations

from collections.abc import Callable

from adapters.fix.dialect import Dialect
from domain.instrument import Universe
from domain.session_policy import SessionPolicy
from ems.bootstrap.dialects import dialects
from ems.bootstrap.profiles import policies
from ems.bootstrap.runtime import Runtime
from ems.config import Settings
from ems.drop_copy import DropCopies, DropCopy


class Live:
    """One run's. Its containers are handed out once and never replaced; `next` changes what is in them."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.dialects: dict[str, Dialect] = {}
        self.policies: dict[str, SessionPolicy] = {}
        self.client_sessions: set[str] = set()
        self.venue_sessions: set[str] = set()
        self.copies = DropCopies()

    @property
    def settings(self) -> Settings:
        """The configuration as it is now."""
        return self.runtime.settings

    def route(self, symbol: str) -> str:
        """The venue session that child orders of a symbol go to now."""
        return self.settings.route(symbol)

    def next(self, runtime: Runtime, universe: Universe) -> Callable[[], None]:
        """Read all of another configuration; what is returned goes over to it, and cannot fail.

        Raises:
            ConfigError: a profile cannot be meant; nothing has changed.
        """
        settings = runtime.settings
        spoken, agreed, copies = dialects(settings, universe), policies(settings), _copies(settings)
        by_role = {role: {s.name for s in settings.sessions if s.role == role} for role in ("client", "venue")}

        def go_over() -> None:
            self.runtime = runtime
            for held, wanted in ((self.dialects, spoken), (self.policies, agreed)):
                held.clear()
                held.update(wanted)  # type: ignore[arg-type]  # of each pair both are of one type
            for names, now in ((self.client_sessions, by_role["client"]), (self.venue_sessions, by_role["venue"])):
                names.clear()
                names.update(now)
            self.copies.change(copies)

        return go_over


def _copies(settings: Settings) -> tuple[DropCopy, ...]:
    return tuple(
        DropCopy(session=s.name, sources=frozenset(s.sources), accounts=frozenset(s.accounts))
        for s in settings.sessions
        if s.role == "dropcopy"
    )

"""`ems bench fix --dialects`: the same order on a session of FIX 4.2 and on one whose profile has words of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from ems.bench.fix_client import SOH

_PARAMETERS: Final = "".join(
    f'[[parameters]]\nname = "{name}"\ntag = {tag}\n' for name, tag in (("StartTime", 7001), ("EndTime", 7002))
)
_WORDS: Final = """
[accounts.names]
FUND-1 = "778001"

[[tags]]
ours = 18
theirs = 10018

[suppress]
reports = ["pending_cancel"]
"""


class Dialect(NamedTuple):
    """One more client of the bench. extra: what its order says beside everybody's."""

    name: str  # of the session, and the suffix of its figures
    version: str
    profile: str
    extra: str

    def session(self, port: int, directory: Path) -> dict[str, Any]:
        """Its session in the configuration; its profile is written into the directory."""
        path = directory / f"{self.name}.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'name = "{self.name}"\nversion = "{self.version}"\n{_PARAMETERS}{self.profile}')
        ids = {"sender_comp_id": "EMS", "target_comp_id": self.name}
        return {"name": self.name, "role": "client", "kind": "acceptor", "port": port, "profile": str(path), **ids}

    def order(self, start: datetime, end: datetime) -> str:
        """The bench's order in this client's words."""
        said = f"55=AMZN|54=1|38=100|40=2|44=230|59=0|60={datetime.now(UTC):%Y%m%d-%H:%M:%S}|847=1001|{self.extra}"
        return f"{said}7001={start:%Y%m%d-%H:%M:%S}|7002={end:%Y%m%d-%H:%M:%S}|".replace("|", SOH)


DIALECTS: Final = (
    Dialect("fix42", "FIX.4.2", "", "21=1|"),
    Dialect("profile", "FIX.4.4", _WORDS, "1=778001|10018=6|"),
)

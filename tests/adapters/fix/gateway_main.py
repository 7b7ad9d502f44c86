"""Runs one gateway from a JSON file: what the tests start, stop and kill as a process of its own."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any

from adapters.fix.process import Host, run_gateway
from adapters.fix.sessions import GatewayConfig, SessionConfig
from adapters.shm.latch import SharedLatch
from adapters.shm.lead import SharedLead
from domain.session_rules import SessionRules
from ems import ending


def main(path: str) -> int:
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    data = json.loads(Path(path).read_text())
    sessions = tuple(_session(session) for session in data.pop("sessions"))
    latch = SharedLatch(Path(data.pop("latch")))
    lead = SharedLead(Path(data.pop("lead"))) if "lead" in data else None
    paths = {name: Path(data.pop(name)) for name in ("directory", "link_path", "control_path")}
    config = GatewayConfig(sessions=sessions, **paths, **data)
    return run_gateway(config, latch, ending.on_signals(), Host(lead=lead))


def _session(values: dict[str, Any]) -> SessionConfig:
    rules = SessionRules(**values.pop("rules", {}))
    return SessionConfig(
        **{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}, rules=rules
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

"""What leaves over HTTP, to a server on loopback: a webhook's object, Alertmanager's list."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from adapters.alerts.alertmanager import Alertmanager
from adapters.alerts.webhook import Webhook
from domain import monitoring as mo
from domain.errors import AlertNotSent
from domain.monitoring import MonitorAlert

AT_NS = 1_795_800_000_000_000_001


class Heard(HTTPServer):
    """What was posted, and what is answered."""

    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.posted: list[tuple[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Heard

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posted.append((self.path, json.loads(body)))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def heard() -> Iterator[Heard]:
    server = Heard()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def an_alert(*then: Any) -> MonitorAlert:
    stream = mo.key("drift_ic", "AMZN")
    state = None
    for event in (mo.Raised(kind="drift_ic", subject="AMZN", severity="warning", text="0.01", at_ns=AT_NS), *then):
        state = mo.evolve(state, event, stream=stream)
    assert state is not None
    return state


def test_a_webhook_hears_of_each(heard: Heard) -> None:
    acknowledged = an_alert(mo.Acknowledged(person="jane", reason="retraining", at_ns=AT_NS + 1))
    Webhook(f"{heard.url}/hook").tell([an_alert(), acknowledged], AT_NS + 2)
    (path, first), (_, second) = heard.posted
    assert path == "/hook" and first["state"] == "open" and first["acknowledged_by"] is None
    assert {first[key] for key in ("kind", "subject", "severity", "text")} == {"drift_ic", "AMZN", "warning", "0.01"}
    assert (second["acknowledged_by"], second["reason"], second["version"]) == ("jane", "retraining", 2)
    assert first["alert"] == second["alert"] and first["raised_ns"] == AT_NS


def test_an_alertmanager_hears_of_all_at_once_and_that_we_live(heard: Heard) -> None:
    cleared = an_alert(mo.Cleared(text="well", at_ns=AT_NS + 5))
    Alertmanager(f"{heard.url}/", "desk").tell([an_alert(), cleared], AT_NS + 10**9)
    ((path, told),) = heard.posted
    assert path == "/api/v2/alerts"
    alive, is_open, ended = told
    assert alive["labels"]["alertname"] == "EmsMonitorAlive"
    assert is_open["labels"] == {"alertname": "drift_ic", "desk": "desk", "subject": "AMZN", "severity": "warning"}
    assert is_open["startsAt"].endswith(".000000001Z") and is_open["endsAt"] > is_open["startsAt"]
    assert is_open["endsAt"][:16] != is_open["startsAt"][:16], "open for minutes more, unless told again"
    assert ended["endsAt"].endswith(".000000006Z") and ended["labels"] == is_open["labels"]


def test_what_is_not_taken_is_said(heard: Heard) -> None:
    heard.status = 503
    with pytest.raises(AlertNotSent, match="503"):
        Webhook(heard.url).tell([an_alert()], AT_NS)
    with pytest.raises(AlertNotSent, match="refused"):
        Alertmanager("http://127.0.0.1:1", "desk").tell([], AT_NS)

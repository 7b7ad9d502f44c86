"""A trace is read off the log, the wire and the desk's stamps; its ids follow from the log, so an event leads to its trace."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from adapters.shm.stamps import SLOTS, CommitStamps, stamps
from domain.event import Recorded
from ems import traces as t
from tests.ems.room import Room

MS = 1_000_000
_CAME = 5 * MS


async def batch() -> list[Recorded]:
    """What an order's arrival came to: the events of a real desk, in one batch."""
    room = await Room().open()
    await room.order(algo="", parameters=())
    parent = room.parent().id
    return [each async for page in room.log.read_pages() for each in page if each.meta.correlation == parent]


async def test_the_way_of_a_message_is_one_tree_without_gaps() -> None:
    events = await batch()
    decided = events[0].meta.event_time_ns
    last = events[-1].seq
    commits = [t.Committed(events[0].seq, last, decided + 1 * MS, decided + 4 * MS)]
    gone = {last: [t.Wired("VENUE", decided + 6 * MS), t.Wired("COPY", decided + 7 * MS)]}
    found = list(t.spans(events, decided, commits, t.Wired("OMS", decided - _CAME), gone))
    root, *parts = found
    assert [one.name for one in found] == ["parent_order.accepted", "fix.in", "decide", "commit", "fix.out", "fix.out"]
    assert len({one.span_id for one in found}) == len(found) and {one.trace_id for one in found} == {root.trace_id}
    assert root.parent_id == 0 and {one.parent_id for one in parts} == {root.span_id}
    assert (root.start_ns, root.end_ns) == (decided - _CAME, decided + 7 * MS)
    times = [(one.start_ns - decided, one.end_ns - decided) for one in parts]
    assert times == [(-_CAME, 0), (0, 1 * MS), (1 * MS, 4 * MS), (4 * MS, 6 * MS), (4 * MS, 7 * MS)], (
        "each begins where the last ends"
    )
    assert root.trace_id == t.trace_id(events[-1].meta.correlation), "from any of its events"
    assert parts[0].attributes == {"fix.session": "OMS", "fix.msg_seq_num": 1, "fix.reset_epoch": 0}
    assert list(t.spans(events, decided, commits, t.Wired("OMS", decided - _CAME), gone)) == found, (
        "made again, they are the same"
    )


async def test_without_stamps_and_wire_the_log_alone_tells_what_it_can() -> None:
    events = await batch()
    found = list(t.spans(events, events[0].meta.event_time_ns, [], None, {}))
    assert [one.name for one in found] == ["parent_order.accepted", "decide", "commit"]
    assert found[-1].attributes == {"ems.stamped": False}
    assert all(one.start_ns <= one.end_ns for one in found)


def test_a_share_is_of_the_ids_and_the_same_for_everybody() -> None:
    ids = [t.trace_id(str(number)) for number in range(4_000)]
    kept = [one for one in ids if t.sampled(one, 0.25)]
    assert 850 < len(kept) < 1_150
    assert all(t.sampled(one, 0.5) for one in kept), "a larger share keeps what a smaller one kept"
    assert all(t.sampled(one, 1.0) for one in ids) and not any(t.sampled(one, 0.0) for one in ids)


def test_stamps_are_a_ring_and_a_torn_one_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "s"
    assert stamps(path) == []
    ring = CommitStamps(path)
    size = path.stat().st_size
    for number in range(1, SLOTS + 3):
        ring.put(number, number, 10 * number, 10 * number + 1)
    assert path.stat().st_size == size
    found = stamps(path)
    assert (found[0][0], found[-1]) == (3, (SLOTS + 2, SLOTS + 2, 10 * SLOTS + 20, 10 * SLOTS + 21))
    raw = bytearray(path.read_bytes())
    raw[48 * 5] ^= 1
    path.write_bytes(raw)
    assert len(stamps(path)) == SLOTS - 1


async def test_spans_leave_by_otlp_and_as_lines(tmp_path: Path) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="pip install 'ems[traces]'")
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    from adapters.otel.export import Exporter

    posted: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """It says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        events = await batch()
        found = list(t.spans(events, events[0].meta.event_time_ns, [], None, {}))
        exporter = Exporter("ems-desk", "b1", url=f"http://127.0.0.1:{server.server_port}/v1/traces", file=tmp_path / "t.jsonl")
        assert exporter.send(found)
        exporter.close()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    request = ExportTraceServiceRequest()
    request.ParseFromString(posted[0])
    told = [span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]
    assert [int.from_bytes(span.span_id, "big") for span in told] == [span.span_id for span in found]
    assert [int.from_bytes(span.trace_id, "big") for span in told] == [span.trace_id for span in found]
    assert [(s.start_time_unix_nano, s.end_time_unix_nano) for s in told] == [(s.start_ns, s.end_ns) for s in found]
    assert int.from_bytes(told[1].parent_span_id, "big") == found[0].span_id
    lines = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text().splitlines()]
    assert [line["name"] for line in lines] == [span.name for span in found]
    assert lines[0]["context"]["trace_id"] == f"0x{found[0].trace_id:032x}"

"""What is measured beside live orders: the venue that fills a share a second, and, short, the whole system."""

from __future__ import annotations

from pathlib import Path

import pytest

from ems.bench import plan_live
from ems.bench.fix import peer
from ems.loopback import free_port
from tests.ems.fix_peer import FixPeer


def test_the_venue_fills_a_share_a_second_until_the_order_is_done_or_canceled(tmp_path: Path) -> None:
    port = free_port()
    with peer("drip", port, tmp_path) as process:
        client = FixPeer(port, "EMS", "PEER", symbol="AMZN").connect()
        client.order("A", "1", 2, "220")
        client.order("B", "1", 9, "220")
        assert [client.report(name, "0")["151"] for name in "AB"] == ["2", "9"]
        assert process.stdout is not None
        assert [process.stdout.readline().split()[0] for _ in "AB"] == ["A", "B"]
        client.until(lambda m: m["11"] == "A" and m.get("39") == "2")
        filled = [m for m in client.inbox if m.get("150") == "F" and m["11"] == "A"]
        assert [(m["39"], m["14"], m["151"]) for m in filled] == [("1", "1", "1"), ("2", "2", "0")]
        client.cancel("C", "B")
        done = client.report("C", "4")
        assert (done["41"], done["151"]) == ("B", "0") and int(done["14"]) >= 1
        client.cancel("D", "A")
        assert client.until(lambda m: m["35"] == "9")["102"] == "0"
        client.drop()


@pytest.mark.slow
def test_a_short_run_gives_every_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_live, "LIVE", 5)
    monkeypatch.setattr(plan_live, "PROBED_S", 35)
    told = plan_live.run()
    assert told["fix_ack_p99_ms"] >= told["fix_ack_p50_ms"] > 0
    assert told["live_fills_per_order_s"] > 0 and told["live_plans_per_s"] > 0
    assert 0 <= told["live_fallback_share"] <= 1

"""What is red, why, and that each red part says what to do."""

from __future__ import annotations

from domain.disk import MB, DiskTerms, Room
from ems import health_parts as parts


def test_silence_is_red_and_a_state_is_named() -> None:
    assert parts.answering(None) == {"up": False, "why": "does not answer"}
    assert parts.with_state({"state": "recovering"}, "leading")["why"] == "is recovering, not leading"
    assert parts.with_state({"state": "leading", "epoch": 3}, "leading") == {"state": "leading", "epoch": 3, "up": True}
    assert parts.sealer({"up": False, "state": "not sealing: no key"})["why"] == "not sealing: no key"
    assert parts.quoter(None)["up"] is False
    assert parts.quoter({"turned_ms": 4_999})["up"] and not parts.quoter({"turned_ms": 5_000})["up"]


def test_a_venue_session_is_red_when_it_is_down_and_not_when_it_is_kept_down() -> None:
    def told(up: bool, stopped: str = "") -> list[parts.Told]:
        return [{"sessions": [{"name": "SIM", "up": up, "stopped": stopped}, {"name": "OMS", "up": False, "stopped": ""}]}]

    assert parts.venue_sessions(told(True), ["SIM"])["up"]
    assert parts.venue_sessions(told(False), ["SIM"])["why"] == "SIM not logged on"
    assert parts.venue_sessions(told(False, "outside its hours"), ["SIM"]) == {"up": True, "down": [], "kept_down": ["SIM"]}
    assert parts.venue_sessions([None], ["SIM"])["down"] == ["SIM"]


def test_a_stopped_worker_is_red_although_it_exists() -> None:
    assert parts.workers([{"pid": 1, "state": "sleeping"}], "planner")["up"]
    assert parts.workers([{"pid": 1, "state": "stopped"}], "planner")["why"] == "planner 1 is stopped"
    assert parts.workers([], "observer")["why"] == "no observer runs"
    assert not parts.workers(None, "planner")["up"]


def test_a_clock_is_red_beyond_its_limit_and_when_nobody_knows_it_where_it_matters() -> None:
    assert parts.clock({"clock": "within"}, live=True)["up"]
    assert parts.clock({"clock": "unknown"}, live=False)["up"]
    assert not parts.clock({"clock": "unknown"}, live=True)["up"]
    assert not parts.clock({"clock": "excursion", "offset_ns": 10**9}, live=False)["up"]
    assert not parts.clock(None, live=False)["up"]


def test_a_disk_is_low_and_then_red_before_it_is_full() -> None:
    terms = DiskTerms(2_000 * MB, 1_000 * MB)
    assert parts.disk([Room("/a", 2_000 * MB)], terms) == {"up": True, "low": "", "free_mb": {"/a": 2_000}}
    low = parts.disk([Room("/a", 1_000 * MB)], terms)
    assert low["up"] and "below 2000" in low["low"]
    assert parts.disk([Room("/a", 5_000 * MB), Room("/b", 999 * MB)], terms)["why"].startswith("the volume of /b has 999 MB left")


def test_every_red_part_says_what_to_do() -> None:
    found = parts.judged({name: parts.part(False, "why") for name in (*parts.REMEDIES, "gateway-b")})
    assert found["red"] == [*parts.REMEDIES, "gateway-b"] and not found["up"]
    assert all(found[name]["do"] for name in found["red"])
    assert parts.judged({"desk": parts.part(True, "")}) == {"up": True, "red": [], "desk": {"up": True}}

"""The hand-over from one build to the next on a pair that is played: who leads, and the way back."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from tests.house import ROOT
from tests.in_ci import load

blue_green = load("blue_green")
HOSTS = ("ems-desk-0", "ems-desk-1")


class Pair:
    """Two hosts with one lease. A build that is sick does not come up; one that is lame comes up and never leads."""

    def __init__(self, sick: tuple[str, ...] = (), lame: tuple[str, ...] = ()) -> None:
        self.sick, self.lame = sick, lame
        self.builds: dict[str, str] = dict.fromkeys(HOSTS, "blue")
        self.wanted, self.leader, self.steps = "blue", HOSTS[0], []  # type: ignore[var-annotated]

    def hosts(self) -> list[str]:
        return list(HOSTS)

    def leads(self, host: str) -> bool:
        return host == self.leader

    def current(self) -> str:
        return self.wanted

    def want(self, manifest: str) -> None:
        self.wanted = manifest

    def renew(self, host: str) -> None:
        self.steps.append((host, self.wanted))
        if self.leader == host:
            self.leader = ""
        other = next(each for each in HOSTS if each != host)
        self.builds[host] = ""
        self._take(other)
        self.builds[host] = self.wanted
        self._take(host)

    def _take(self, host: str) -> None:
        if not self.leader and self.builds[host] and self.builds[host] not in (*self.sick, *self.lame):
            self.leader = host

    def well(self, host: str, need: str, wait_s: float) -> bool:
        return self.builds[host] not in self.sick and (need == "standby" or self.leader == host)


def test_the_standby_goes_first_and_takes_the_lead() -> None:
    pair = Pair()
    assert blue_green.hand_over(pair, "green", 1, told=lambda _: None) == HOSTS[1]
    assert pair.steps == [(HOSTS[1], "green"), (HOSTS[0], "green")]
    assert (pair.leader, set(pair.builds.values())) == (HOSTS[1], {"green"})


def test_it_is_told_which_way_round_they_are() -> None:
    pair = Pair()
    pair.leader = HOSTS[1]
    assert blue_green.hand_over(pair, "green", 1, told=lambda _: None) == HOSTS[0]


def test_a_build_that_does_not_come_up_never_touches_the_leader() -> None:
    pair = Pair(sick=("green",))
    with pytest.raises(blue_green.Failed, match="led all the while"):
        blue_green.hand_over(pair, "green", 1, told=lambda _: None)
    assert (HOSTS[0], "green") not in pair.steps
    assert (pair.leader, set(pair.builds.values()), pair.wanted) == (HOSTS[0], {"blue"}, "blue")


def test_a_build_that_comes_up_and_does_not_lead_is_taken_back() -> None:
    pair = Pair(lame=("green",))
    with pytest.raises(blue_green.Failed, match="leads on the build before"):
        blue_green.hand_over(pair, "green", 1, told=lambda _: None)
    assert pair.leader in HOSTS and set(pair.builds.values()) == {"blue"} and pair.wanted == "blue"


def test_where_neither_build_leads_it_says_so() -> None:
    pair = Pair(lame=("green", "blue"))
    with pytest.raises(blue_green.Failed, match="NOBODY LEADS"):
        blue_green.hand_over(pair, "green", 1, told=lambda _: None)


@pytest.mark.parametrize("leading", [(), HOSTS])
def test_nothing_is_done_to_a_pair_without_one_leader(leading: tuple[str, ...]) -> None:
    pair = Pair()
    pair.leads = lambda host: host in leading  # type: ignore[method-assign]
    with pytest.raises(blue_green.Failed, match="nothing was done"):
        blue_green.hand_over(pair, "green", 1, told=lambda _: None)
    assert pair.steps == []


def test_a_pair_is_well_when_one_leads_and_the_other_could() -> None:
    pair = Pair()
    assert blue_green.health(pair, 1) == (True, [HOSTS[0]])
    pair.leader = ""
    assert blue_green.health(pair, 1) == (False, [])
    pair = Pair(sick=("green",))
    pair.builds[HOSTS[1]] = "green"
    assert blue_green.health(pair, 1) == (False, [HOSTS[0]])


class Answers(blue_green.Kubectl):  # type: ignore[misc, name-defined]
    """kubectl by its words: what is called, and what it would say."""

    def __init__(self) -> None:
        super().__init__("ems", 2)
        self.called: list[tuple[str, ...]] = []

    def _call(self, *words: str, must: bool = True) -> Any:
        self.called.append(words)
        item = {"kind": "StatefulSet", "metadata": {"name": "ems-desk", "uid": "1"}, "spec": {}, "status": {"replicas": 2}}
        said = json.dumps({"items": [item]})
        return subprocess.CompletedProcess(words, 0, said, "")


def test_what_kubectl_is_asked() -> None:
    cluster = Answers()
    assert cluster.well("ems-desk-1", "standby", 300) and cluster.leads("ems-desk-0")
    assert cluster.called[1][:5] == ("exec", "pod/ems-desk-1", "--container", "ems", "--")
    assert cluster.called[1][5:] == (
        "ems", "health", "--config", "/etc/ems/ems.toml", "--need", "standby", "--wait-s", "300",
    )  # fmt: skip
    assert "uid" not in cluster.current() and "status" not in cluster.current()
    cluster.renew("ems-desk-1")
    assert cluster.called[-1] == ("delete", "pod/ems-desk-1", "--wait=true")


def test_the_plan_names_the_image(capsys: pytest.CaptureFixture[str]) -> None:
    assert blue_green.main([str(ROOT / "deploy" / "k8s" / "production"), "--plan"]) == 0
    assert "registry.example/ems:0.1.0 for ems/ems-desk, of which 2 run" in capsys.readouterr().out

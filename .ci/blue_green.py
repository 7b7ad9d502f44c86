"""One build handed over to the next on a running pair of hosts: the standby first, then the lead; and back where that fails.

    python .ci/blue_green.py deploy/k8s/production --plan             what would be done; asks the cluster nothing
    python .ci/blue_green.py deploy/k8s/production --wait-s 300       do it
    python .ci/blue_green.py deploy/k8s/production --health --wait-s 300

There is one desk that writes, so blue and green never serve together: green stands by beside blue's lead, blue stops in order,
green takes the lease, recovers from the log, asks the venues about every open order and resumes the FIX sessions. docs/deploy.md
tells the whole of it. It calls kubectl, and `ems health` inside of the pods.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final, Protocol

import manifests
import yaml

DESK: Final = "ems-desk"
CONFIG: Final = "/etc/ems/ems.toml"


class Failed(Exception):
    """A hand-over that did not succeed; what is told is where the pair stands now."""


class Cluster(Protocol):
    """A pair of hosts, by name."""

    def hosts(self) -> list[str]:
        """Those that are wanted, in order."""
        ...

    def leads(self, host: str) -> bool:
        """Does its desk lead, with everything up?"""
        ...

    def current(self) -> str:
        """What is wanted now, to go back to."""
        ...

    def want(self, manifest: str) -> None:
        """Say what new pods are made of. Nothing that runs changes."""
        ...

    def renew(self, host: str) -> None:
        """Stop a host in order; it comes back as what is wanted now."""
        ...

    def well(self, host: str, need: str, wait_s: float) -> bool:
        """`ems health --need` on a host, asked for so long at most."""
        ...


def hand_over(cluster: Cluster, manifest: str, wait_s: float, told: Any = print) -> str:
    """Blue to green. Returns who leads. Raises Failed: blue leads again, or nobody could be brought to lead."""
    leader, standby = _pair(cluster)
    before = cluster.current()
    cluster.want(manifest)
    told(f"{standby}: stops standing by, comes back with the new build")
    cluster.renew(standby)
    if not cluster.well(standby, "standby", wait_s):
        cluster.want(before)
        cluster.renew(standby)
        raise Failed(f"{standby} did not come up on the new build and was put back; {leader} led all the while")
    told(f"{leader}: stops in order and leaves the lease")
    cluster.renew(leader)
    if cluster.well(standby, "leading", wait_s):
        told(f"{standby}: leads")
        if not cluster.well(leader, "standby", wait_s):
            raise Failed(f"{standby} leads on the new build, but {leader} does not stand by: there is no spare")
        return standby
    told(f"{standby}: does not lead; back to the build before")
    return _back(cluster, before, standby, leader, wait_s)


def _pair(cluster: Cluster) -> tuple[str, str]:
    hosts = cluster.hosts()
    leading = [host for host in hosts if cluster.leads(host)]
    if len(hosts) != 2 or len(leading) != 1:
        raise Failed(f"a hand-over needs one that leads and one that stands by; of {hosts} lead {leading}: nothing was done")
    return leading[0], next(host for host in hosts if host != leading[0])


def _back(cluster: Cluster, before: str, green: str, blue: str, wait_s: float) -> str:
    """The way back: the old build is wanted again, blue comes back with it first, and green stops so that blue can lead."""
    cluster.want(before)
    cluster.renew(blue)
    cluster.renew(green)
    for host in (blue, green):
        if cluster.well(host, "leading", wait_s):
            raise Failed(f"the new build did not lead; {host} leads on the build before")
    raise Failed("NOBODY LEADS: the gateways can still cancel (`ems kill hard`); see the desks' logs")


class Kubectl:
    """The pair as Kubernetes keeps it."""

    def __init__(self, namespace: str, hosts: int) -> None:
        self._namespace, self._count = namespace, hosts

    def hosts(self) -> list[str]:
        """Pods of the desk's set."""
        return [f"{DESK}-{number}" for number in range(self._count)]

    def leads(self, host: str) -> bool:
        """By `ems health` in the pod, asked once."""
        return self.well(host, "leading", 0)

    def current(self) -> str:
        """The set and its configuration, as they are wanted now, without what the cluster has noted of them."""
        said = json.loads(self._call("get", f"statefulset/{DESK}", "configmap/ems-configuration", "--output", "json").stdout)
        for one in said["items"]:
            one.pop("status", None)
            one["metadata"] = {key: one["metadata"][key] for key in ("name", "namespace", "labels") if key in one["metadata"]}
        return yaml.safe_dump_all(said["items"])

    def want(self, manifest: str) -> None:
        """Apply; the set's pods are renewed by nobody but us (OnDelete)."""
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(manifest)
            file.flush()
            self._call("apply", "--filename", file.name)

    def renew(self, host: str) -> None:
        """Delete the pod and wait until it is gone: its grace period is an ordered stop."""
        self._call("delete", f"pod/{host}", "--wait=true")

    def well(self, host: str, need: str, wait_s: float) -> bool:
        """The pod runs, and `ems health` in it says so."""
        if (
            wait_s
            and self._call(
                "wait", "--for=condition=PodScheduled", f"pod/{host}", f"--timeout={wait_s:.0f}s", must=False
            ).returncode
        ):
            return False
        words = ("exec", f"pod/{host}", "--container", "ems", "--", "ems", "health", "--config", CONFIG, "--need", need)
        return self._call(*words, "--wait-s", f"{wait_s:.0f}", must=False).returncode == 0

    def _call(self, *words: str, must: bool = True) -> subprocess.CompletedProcess[str]:
        command = ["kubectl", "--namespace", self._namespace, *words]
        return subprocess.run(command, capture_output=True, text=True, check=must)


def plan(overlay: Path) -> list[str]:
    """What a hand-over will do, for those who approve it."""
    desk = next(one for one in manifests.render(overlay) if one["kind"] == "StatefulSet" and one["metadata"]["name"] == DESK)
    image = desk["spec"]["template"]["spec"]["containers"][0]["image"]
    return [
        f"want {image} for {desk['metadata']['namespace']}/{DESK}, of which {desk['spec']['replicas']} run; what runs goes on",
        "the standby stops and comes back with it; wait until it stands by",
        "the leader stops in order; wait until the other leads: recovered, venues asked, sessions resumed",
        "the first comes back and stands by; where a wait is in vain, all of this backwards with the build before",
    ]


def health(cluster: Cluster, wait_s: float) -> tuple[bool, list[str]]:
    """Whether every host could lead, waited for, and exactly one does; and who."""
    able = [cluster.well(host, "standby", wait_s) for host in cluster.hosts()]
    leading = [host for host in cluster.hosts() if cluster.leads(host)]
    return all(able) and len(leading) == 1, leading


def main(words: list[str]) -> int:
    """The command line."""
    known = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    known.add_argument("overlay", type=Path)
    known.add_argument("--plan", action="store_true")
    known.add_argument("--health", action="store_true")
    known.add_argument("--wait-s", type=float, default=300)
    given = known.parse_args(words)
    if given.plan:
        print("\n".join(plan(given.overlay)))
        return 0
    objects = manifests.render(given.overlay)
    desk = next(one for one in objects if one["kind"] == "StatefulSet" and one["metadata"]["name"] == DESK)
    cluster = Kubectl(desk["metadata"]["namespace"], desk["spec"]["replicas"])
    if given.health:
        well, leading = health(cluster, given.wait_s)
        print(f"{'well' if well else 'NOT WELL'}; leads: {', '.join(leading) or 'nobody'}")
        return int(not well)
    print(f"{hand_over(cluster, yaml.safe_dump_all(objects), given.wait_s)} leads on the new build")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (Failed, manifests.Refused, subprocess.CalledProcessError) as why:
        sys.exit(f"blue/green: {why}")

"""The overlays: rendered as kustomize renders them, as Kubernetes wants them, and each rule of ours can be broken."""

from __future__ import annotations

import copy
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from ems.config import check
from tests.house import ROOT
from tests.in_ci import load

manifests = load("manifests")
K8S = ROOT / "deploy" / "k8s"
OVERLAYS = ("shadow", "production")


@pytest.fixture(scope="module")
def production() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = manifests.render(K8S / "production")
    return found


def of(objects: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    return next(one for one in objects if (one["kind"], one["metadata"]["name"]) == (kind, name))


def by_name(objects: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(one["kind"], one["metadata"]["name"]): one for one in objects}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_is_as_kubernetes_and_the_house_want_it(overlay: str) -> None:
    assert manifests.wrong(manifests.render(K8S / overlay)) == []


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_it_is_rendered_as_kustomize_renders_it(overlay: str) -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed: there is no kustomize to compare with")
    command = ["kubectl", "kustomize", K8S / overlay]
    theirs = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert by_name(manifests.render(K8S / overlay)) == by_name(list(yaml.safe_load_all(theirs)))


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_configuration_is_one_that_a_desk_takes(overlay: str) -> None:
    text = of(manifests.render(K8S / overlay), "ConfigMap", "ems-configuration")["data"]["ems.toml"]
    settings = check(tomllib.loads(text), name=overlay)
    assert settings.mode == {"shadow": "PAPER", "production": "LIVE"}[overlay]
    assert {session.port for session in settings.sessions if session.kind == "acceptor"} == {9876}


def test_a_live_desk_has_a_spare_on_another_node_and_whole_cores(production: list[dict[str, Any]]) -> None:
    desk = of(production, "StatefulSet", "ems-desk")["spec"]
    pod = desk["template"]["spec"]
    assert desk["replicas"] == 2 and desk["updateStrategy"] == {"type": "OnDelete"}
    away = pod["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert away[0]["topologyKey"] == "kubernetes.io/hostname"
    assert pod["containers"][0]["resources"]["limits"]["cpu"] == "8"


def test_probes_ask_for_more_from_who_serves_than_from_who_lives(production: list[dict[str, Any]]) -> None:
    container = of(production, "StatefulSet", "ems-desk")["spec"]["template"]["spec"]["containers"][0]
    asked = {name: container[f"{name}Probe"]["exec"]["command"] for name in ("startup", "readiness", "liveness")}
    assert all(words[:2] == ["ems", "health"] for words in asked.values())
    assert (asked["startup"][-1], asked["readiness"][-1], asked["liveness"][-1]) == ("standby", "/etc/ems/ems.toml", "any")


BREACHES = {
    "a field that Kubernetes does not know": (lambda o: o["spec"].update(replica=2), "replica"),
    "a number that is a word": (lambda o: o["spec"].update(replicas="two"), "replicas"),
    "root": (lambda o: o["spec"]["template"]["spec"]["securityContext"].pop("runAsNonRoot"), "runs as root"),
    "a token": (lambda o: o["spec"]["template"]["spec"].pop("automountServiceAccountToken"), "token"),
    "a disk to write to": (lambda o: first(o)["securityContext"].pop("readOnlyRootFilesystem"), "root file system"),
    "capabilities": (lambda o: first(o)["securityContext"].pop("capabilities"), "capabilities"),
    "no limit": (lambda o: first(o)["resources"].pop("limits"), "not guaranteed"),
    "half a core": (
        lambda o: first(o).update(resources={key: {"cpu": "500m"} for key in ("limits", "requests")}),
        "part of a core",
    ),
    "latest": (lambda o: first(o).update(image="ems:latest"), "no particular release"),
    "a password in a variable": (lambda o: first(o)["env"].append({"name": "PGPASSWORD", "value": "x"}), "secret"),
    "a volume of nobody's": (lambda o: first(o)["volumeMounts"].append({"name": "x", "mountPath": "/x"}), "mounts"),
    "a service of nobody's": (lambda o: o["spec"].update(serviceName="x"), "no service x"),
}


def first(desk: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = desk["spec"]["template"]["spec"]["containers"][0]
    return found


@pytest.mark.parametrize("what", BREACHES)
def test_what_is_wrong_is_found(production: list[dict[str, Any]], what: str) -> None:
    objects = [copy.deepcopy(one) for one in production if one["kind"] == "StatefulSet"]
    breaks, word = BREACHES[what]
    breaks(of(objects, "StatefulSet", "ems-desk"))
    assert any(word in line for line in manifests.wrong(objects))


def test_an_open_network_and_a_budget_for_nobody_are_found(production: list[dict[str, Any]]) -> None:
    objects = [one for one in copy.deepcopy(production) if one["kind"] == "PodDisruptionBudget"]
    of(objects, "PodDisruptionBudget", "ems-desk")["spec"]["selector"]["matchLabels"] = {"app": "nobody"}
    assert {"no policy denies by default", "PodDisruptionBudget ems-desk selects nothing"} <= set(manifests.wrong(objects))


# ---------------------------------------------------------------------------------------------- the renderer


def overlay(folder: Path, **more: Any) -> Path:
    thing = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"list": ["x", "y"]}}
    (folder / "thing.yaml").write_text(yaml.safe_dump(thing))
    (folder / "kustomization.yaml").write_text(yaml.safe_dump({"resources": ["thing.yaml"], **more}))
    return folder


def patched(folder: Path, *operations: dict[str, Any], name: str = "a") -> Any:
    patch = {"target": {"kind": "ConfigMap", "name": name}, "patch": yaml.safe_dump(list(operations))}
    return manifests.render(overlay(folder, patches=[patch]))[0]["data"]


def test_operations_of_a_patch(tmp_path: Path) -> None:
    assert patched(tmp_path, {"op": "add", "path": "/data/a~1b", "value": 1})["a/b"] == 1
    assert patched(tmp_path, {"op": "add", "path": "/data/list/-", "value": "z"})["list"] == ["x", "y", "z"]
    assert patched(tmp_path, {"op": "add", "path": "/data/list/0", "value": "z"})["list"] == ["z", "x", "y"]
    assert patched(tmp_path, {"op": "replace", "path": "/data/list/1", "value": "z"})["list"] == ["x", "z"]
    assert patched(tmp_path, {"op": "remove", "path": "/data/list/0"})["list"] == ["y"]


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "/data/none", "value": 1},
        {"op": "remove", "path": "/data/list/7"},
        {"op": "add", "path": "/none/of/it", "value": 1},
        {"op": "move", "from": "/data/list", "path": "/data/more"},
    ],
)
def test_a_patch_that_leads_nowhere_is_refused(tmp_path: Path, operation: dict[str, Any]) -> None:
    with pytest.raises(manifests.Refused):
        patched(tmp_path, operation)


def test_what_is_not_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(manifests.Refused, match="configMapGenerator"):
        manifests.render(overlay(tmp_path, configMapGenerator=[]))
    with pytest.raises(manifests.Refused, match="no ConfigMap has the name b"):
        patched(tmp_path, {"op": "remove", "path": "/data"}, name="b")
    with pytest.raises(manifests.Refused, match="there twice"):
        manifests.render(overlay(tmp_path, resources=["thing.yaml", "thing.yaml"]))
    with pytest.raises(manifests.Refused, match="list of JSON 6902"):
        manifests.render(overlay(tmp_path, patches=[{"target": {"kind": "ConfigMap", "name": "a"}, "patch": "data: {}"}]))


def test_an_image_by_its_digest(tmp_path: Path) -> None:
    base = K8S / "base"
    images = [{"name": "ems", "newName": "r.example/ems", "digest": "sha256:" + "0" * 64}]
    (tmp_path / "base").symlink_to(base)
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump({"resources": ["base"], "images": images}))
    desk = of(manifests.render(tmp_path), "StatefulSet", "ems-desk")
    assert {one["image"] for one in manifests.containers(desk)} == {"r.example/ems@sha256:" + "0" * 64}


def test_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert manifests.main([str(K8S / "production")]) == 0
    assert len(list(yaml.safe_load_all(capsys.readouterr().out))) == len(manifests.render(K8S / "production"))
    assert manifests.main(["--check", str(K8S / "production")]) == 0

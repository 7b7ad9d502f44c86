"""Kubernetes manifests as `kubectl apply -k` would make them of an overlay, and what is wrong with them; no cluster, no network.

    python .ci/manifests.py deploy/k8s/production           the overlay's objects as YAML
    python .ci/manifests.py --check deploy/k8s/*/           exit 1: an object is not what its schema or the house wants

Of kustomize's language it knows what our overlays use: resources, namespace, patches (JSON 6902 by kind and name), images and
replicas. Anything else is refused, so that nothing is rendered otherwise than kustomize would.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

Object = dict[str, Any]
RELEASE: Final = "1.33"  # of Kubernetes, whose schemas are held against
KNOWN: Final = {"apiVersion", "kind", "resources", "namespace", "patches", "images", "replicas"}
CLUSTER_WIDE: Final = {"Namespace"}
SCALED: Final = {"Deployment", "StatefulSet"}


class Refused(Exception):
    """An overlay that this program cannot render as kustomize would."""


def render(folder: Path) -> list[Object]:
    """The objects of a folder with a kustomization.yaml, in the order of its resources. Raises Refused."""
    plan = yaml.safe_load((folder / "kustomization.yaml").read_text("utf-8"))
    if unknown := sorted(set(plan) - KNOWN):
        raise Refused(f"{folder}: {', '.join(unknown)} is not rendered here")
    objects = [made for name in plan.get("resources", []) for made in _resource(folder / name)]
    keys = [(one["kind"], one["metadata"]["name"]) for one in objects]
    if twice := sorted({key for key in keys if keys.count(key) > 1}):
        raise Refused(f"{folder}: {twice[0]} is there twice")
    for patch in plan.get("patches", []):
        _patch(objects, patch)
    for scale in plan.get("replicas", []):
        for one in _named(objects, scale["name"], SCALED):
            one["spec"]["replicas"] = scale["count"]
    for image in plan.get("images", []):
        _images(objects, image)
    if namespace := plan.get("namespace"):
        for one in objects:
            one["metadata"]["name" if one["kind"] in CLUSTER_WIDE else "namespace"] = namespace
    return objects


def _resource(path: Path) -> list[Object]:
    if path.is_dir():
        return render(path)
    # Anchors would make one list of two places, and a patch to one a patch to both.
    return [copy.deepcopy(one) for one in yaml.load_all(path.read_text("utf-8"), _Unshared) if one]


class _Unshared(yaml.SafeLoader):
    """YAML whose aliases are copies."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        return copy.deepcopy(super().compose_node(parent, index))


def _named(objects: list[Object], name: str, kinds: set[str]) -> list[Object]:
    found = [one for one in objects if one["kind"] in kinds and one["metadata"]["name"] == name]
    if not found:
        raise Refused(f"no {' or '.join(sorted(kinds))} has the name {name}")
    return found


def _patch(objects: list[Object], patch: Object) -> None:
    if set(patch) != {"target", "patch"} or set(patch["target"]) != {"kind", "name"}:
        raise Refused("a patch has a target by kind and name, and its operations beside it")
    operations = yaml.safe_load(patch["patch"])
    if not isinstance(operations, list):
        raise Refused("a patch is a list of JSON 6902 operations")
    for one in _named(objects, patch["target"]["name"], {patch["target"]["kind"]}):
        for operation in operations:
            _operate(one, operation)


def _operate(document: Any, operation: Object) -> None:
    """One operation of RFC 6902, in place. Raises Refused: it leads nowhere."""
    *way, last = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
    try:
        for part in way:
            document = document[int(part)] if isinstance(document, list) else document[part]
        what = operation["op"]
        if what not in ("add", "replace", "remove"):
            raise Refused(f"the operation {what} is not rendered here")
        if what == "add" and isinstance(document, list):
            document.insert(len(document) if last == "-" else int(last), operation["value"])
            return
        place: Any = int(last) if isinstance(document, list) else last
        if what != "add":
            document[place]
        if what == "remove":
            del document[place]
        else:
            document[place] = operation["value"]
    except (KeyError, IndexError, ValueError, TypeError) as cause:
        raise Refused(f"{operation['op']} {operation['path']}: there is no such place") from cause


def _images(objects: list[Object], image: Object) -> None:
    """A container's image by the name that it has in the manifest."""
    for container in (found for one in objects for found in containers(one)):
        name = container["image"].partition("@")[0].partition(":")[0]
        if name == image["name"]:
            end = f"@{image['digest']}" if "digest" in image else f":{image['newTag']}"
            container["image"] = image.get("newName", name) + end


def containers(one: Object) -> Iterator[Object]:
    """Every container of an object's pods, those that run first included."""
    pod = one.get("spec", {}).get("template", {}).get("spec", {})
    yield from (*pod.get("initContainers", []), *pod.get("containers", []))


# ---------------------------------------------------------------------------------------------- what is wrong


def wrong(objects: list[Object]) -> list[str]:
    """What an overlay's objects lack, a line each: by Kubernetes' own schemas, strictly, and by what a trading host needs."""
    import kubernetes_validate

    found = []
    for one in objects:
        name = f"{one['kind']} {one['metadata']['name']}"
        try:
            kubernetes_validate.validate(one, RELEASE, strict=True)
        except kubernetes_validate.ValidationError as error:
            found.append(f"{name}: {'.'.join(map(str, error.path))}: {error.message}")
        found += [f"{name}: {line}" for container in containers(one) for line in _container(container)]
        if "template" in one.get("spec", {}):
            found += [f"{name}: {line}" for line in _pod(one["spec"]["template"]["spec"])]
    return found + list(_together(objects))


def _container(container: Object) -> Iterator[str]:
    name, guard, need = container["name"], container.get("securityContext", {}), container.get("resources", {})
    if guard.get("readOnlyRootFilesystem") is not True or guard.get("allowPrivilegeEscalation") is not False:
        yield f"{name} may write to its root file system or gain rights"
    if guard.get("capabilities", {}).get("drop") != ["ALL"]:
        yield f"{name} keeps capabilities"
    if not need.get("limits") or need.get("limits") != need.get("requests"):
        yield f"{name} is not guaranteed what it may use"
    elif not str(need["limits"]["cpu"]).isdecimal():
        yield f"{name} asks for a part of a core, which cannot be its own"
    if ":" not in container["image"] or container["image"].endswith(":latest"):
        yield f"{name} runs an image of no particular release: {container['image']}"
    if any("value" in env and any(word in env["name"] for word in ("PASSWORD", "TOKEN", "SECRET", "KEY")) and
           not env["name"].endswith("_FILE") for env in container.get("env", [])):  # fmt: skip
        yield f"{name} has a secret in a variable"


def _pod(pod: Object) -> Iterator[str]:
    guard = pod.get("securityContext", {})
    if guard.get("runAsNonRoot") is not True or guard.get("seccompProfile") != {"type": "RuntimeDefault"}:
        yield "runs as root or without a seccomp profile"
    if pod.get("automountServiceAccountToken") is not False:
        yield "holds a token for the Kubernetes API"


def _together(objects: list[Object]) -> Iterator[str]:
    """Names that lead from one object to another."""
    of = {(one["kind"], one["metadata"]["name"]): one for one in objects}
    policies = [one["spec"] for one in objects if one["kind"] == "NetworkPolicy"]
    if {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]} not in policies:
        yield "no policy denies by default"
    labels = [one["spec"]["template"]["metadata"]["labels"] for one in objects if one["kind"] in SCALED]
    for (kind, name), one in of.items():
        chosen = one["spec"].get("selector", {}) if kind in ("Service", "PodDisruptionBudget") else {}
        chosen = chosen.get("matchLabels", chosen)
        if chosen and not any(chosen.items() <= each.items() for each in labels):
            yield f"{kind} {name} selects nothing"
        if kind == "StatefulSet":
            if ("Service", one["spec"]["serviceName"]) not in of:
                yield f"StatefulSet {name} has no service {one['spec']['serviceName']}"
            mounted = {mount["name"] for container in containers(one) for mount in container.get("volumeMounts", [])}
            given = {volume["name"] for volume in one["spec"]["template"]["spec"]["volumes"]}
            given |= {claim["metadata"]["name"] for claim in one["spec"].get("volumeClaimTemplates", [])}
            if mounted != given:
                yield f"StatefulSet {name} mounts {sorted(mounted)} of {sorted(given)}"


def main(words: list[str]) -> int:
    """The command line."""
    check = "--check" in words
    status = 0
    for folder in (Path(word) for word in words if word != "--check"):
        objects = render(folder)
        if not check:
            print(yaml.safe_dump_all(objects, sort_keys=False), end="")
            continue
        found = wrong(objects)
        status = status or bool(found)
        print(
            "\n".join(f"{folder}: {line}" for line in found)
            or f"{folder}: {len(objects)} objects, as Kubernetes {RELEASE} wants them"
        )
    return int(status)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Refused as why:
        sys.exit(f"manifests: {why}")

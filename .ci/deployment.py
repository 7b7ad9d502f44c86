"""Everything under deploy/ and the workflow, held against what reads it: no cluster, no daemon, no network. Exit 1: a line each.

Kubernetes' and Compose's own schemas, hadolint, GitHub's schema for workflows; and the house's rules for all of them.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import manifests
import yaml

ROOT: Final = Path(__file__).resolve().parents[1]
DEPLOY: Final = ROOT / "deploy"
WORKFLOW: Final = ROOT / ".github" / "workflows" / "ci.yaml"
OVERLAYS: Final = ("shadow", "production")
PINNED: Final = re.compile(r"[\w./-]+(?::[\w.-]*\d[\w.-]*|@sha256:[0-9a-f]{64})")
# A step is a command of ours, so that who has the checkout can run it too; and what brings the tools to run it with.
OURS: Final = re.compile(r"(?:make|\.venv/bin/ems|\.venv/bin/python \.ci/\w+\.py|bash \.ci/\w+)\b")
ACTION: Final = re.compile(r"[\w-]+/[\w./-]+@[0-9a-f]{40}")


def of_schema(value: Any, name: str) -> Iterator[str]:
    """Breaches of one of the schemas that check-jsonschema carries."""
    import jsonschema

    schema = json.loads((files("check_jsonschema") / f"builtin_schemas/vendor/{name}.json").read_text("utf-8"))
    made = jsonschema.validators.validator_for(schema)
    for error in made(schema).iter_errors(value):
        yield f"{'.'.join(map(str, error.absolute_path))}: {error.message[:300]}"


def of_compose(text: str, folder: Path) -> Iterator[str]:
    """What is wrong with a compose file that lies in this folder."""
    plan = yaml.safe_load(text)
    yield from of_schema(plan, "compose-spec")
    for name, service in plan["services"].items():
        if not PINNED.fullmatch(service["image"]):
            yield f"{name} runs an image of no particular release: {service['image']}"
        if service.get("read_only") is not True or service.get("cap_drop") != ["ALL"] or service.get("user") == "0":
            yield f"{name} may write to its root file system, keeps capabilities or runs as root"
        if "healthcheck" not in service:
            yield f"{name} says nothing of its health"
        for variable in service.get("environment", {}):
            if re.search("PASSWORD|SECRET|TOKEN", variable) and not variable.endswith("_FILE"):
                yield f"{name} has a secret in the variable {variable}"
        for port in service.get("ports", []):
            if not str(port).startswith("127.0.0.1:"):
                yield f"{name} listens to more than this machine: {port}"
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            if source.startswith(".") and not (folder / source).exists():
                yield f"{name} mounts {source}, which is not there"
            elif not source.startswith(".") and source not in plan["volumes"]:
                yield f"{name} mounts the volume {source}, which nobody names"
        for what in ("networks", "secrets"):
            if missing := set(service.get(what, [])) - set(plan[what]):
                yield f"{name} wants {what} that nobody names: {', '.join(sorted(missing))}"


def of_workflow(text: str) -> Iterator[str]:
    """What is wrong with a workflow."""
    plan = yaml.safe_load(text)
    plan["on"] = plan.pop(True, plan.get("on"))  # YAML 1.1 reads the word as a truth
    yield from of_schema(plan, "github-workflows")
    if plan.get("permissions") != {"contents": "read"}:
        yield "the workflow may do more than read"
    for name, job in plan["jobs"].items():
        if "timeout-minutes" not in job:
            yield f"{name} may run for hours"
        needs = job.get("needs", [])
        if unknown := {needs} - set(plan["jobs"]) if isinstance(needs, str) else set(needs) - set(plan["jobs"]):
            yield f"{name} needs {', '.join(sorted(unknown))}, which is no job"
        for step in job["steps"]:
            if "uses" in step and not ACTION.fullmatch(step["uses"]):
                yield f"{name} uses {step['uses']}, which is not pinned by its commit"
            for line in step.get("run", "").replace("\\\n", " ").splitlines():
                if not OURS.match(line.strip()):
                    yield f"{name} runs what is no command of ours: {line.strip()}"
                if "${{" in line:
                    yield f"{name} puts an expression into a shell, where it could be code: {line.strip()}"


def of_dockerfile(path: Path) -> Iterator[str]:
    """What hadolint says, where it is installed; and what it does not know."""
    text = path.read_text("utf-8")
    if (program := shutil.which("hadolint", path=f"{Path(sys.executable).parent}")) is not None:
        yield from subprocess.run([program, "--no-color", path], capture_output=True, text=True, check=False).stdout.splitlines()
    last = text.rpartition("\nFROM ")[2]
    for word in ("\nUSER 10001", "\nHEALTHCHECK", '\nENTRYPOINT ["tini", "--", "ems"]'):
        if word not in last:
            yield f"what runs lacks {word.strip()}"
    for default in re.findall(r"^ARG \w+_IMAGE=(\S+)", text, re.MULTILINE):
        if not PINNED.fullmatch(default):
            yield f"{default} is no particular release"


def wrong() -> list[str]:
    """All that is wrong, a line each."""
    found = [f"deploy/Dockerfile: {line}" for line in of_dockerfile(DEPLOY / "Dockerfile")]
    found += [f"deploy/compose.yaml: {line}" for line in of_compose((DEPLOY / "compose.yaml").read_text("utf-8"), DEPLOY)]
    found += [f"{WORKFLOW.name}: {line}" for line in of_workflow(WORKFLOW.read_text("utf-8"))]
    for overlay in OVERLAYS:
        found += [f"{overlay}: {line}" for line in manifests.wrong(manifests.render(DEPLOY / "k8s" / overlay))]
    return found


if __name__ == "__main__":
    lines = wrong()
    print("\n".join(lines) or "deployment: as Kubernetes, Compose, GitHub and the house want it")
    sys.exit(bool(lines))

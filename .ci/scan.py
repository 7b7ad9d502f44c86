"""Known weaknesses of what we depend on: every pinned release, and with IMAGE=... the image's own packages.

The lists of weaknesses are on the network (PyPI's and OSV's; Trivy's). Exit 1: something is known. Exit 2: it could not be asked.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]


def commands(image: str) -> list[list[str]]:
    """What is run, in order."""
    pins = [
        "pip-audit",
        "--requirement",
        str(ROOT / "constraints.txt"),
        "--no-deps",
        "--disable-pip",
        "--progress-spinner",
        "off",
    ]
    severe = ["trivy", "image", "--exit-code", "1", "--severity", "HIGH,CRITICAL", "--ignore-unfixed", image]
    return [pins, severe] if image else [pins]


def main(image: str) -> int:
    """Run them all."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    found = 0
    for command in commands(image):
        program = shutil.which(command[0], path=path)
        if program is None:
            how = "pip install pip-audit" if command[0] == "pip-audit" else "see its own page for how to install it"
            print(f"scan: {command[0]} is missing: {how}.", file=sys.stderr)
            return 2
        found = found or subprocess.run([program, *command[1:]], check=False).returncode
    return found


if __name__ == "__main__":
    sys.exit(main(os.environ.get("IMAGE", "")))

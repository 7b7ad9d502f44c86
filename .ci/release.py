"""Make a release in dist/: the wheel by our own build backend, its bill of materials, the pinned versions; signed, checked again.

    python .ci/release.py KEY

KEY: the private key's file (`ems release keygen`). The public half that is checked against lies beside it as KEY.pub.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Final

import build_backend

ROOT: Final = Path(__file__).resolve().parents[1]


def make(directory: Path, key: Path) -> list[str]:
    """Names of what is signed. Raises what the build backend and the signing raise."""
    sys.path.insert(0, str(ROOT))
    from ems.bootstrap import release

    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    build_backend.build_wheel(str(directory))
    (directory / "sbom.json").write_text(release.text_of_bill(), "utf-8")
    shutil.copy(ROOT / "constraints.txt", directory / "constraints.txt")
    told = release.sign(directory, key, directory.iterdir())
    release.verify(directory, key.with_name(key.name + ".pub"))
    return list(told["files"])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("release: name the private key: make release KEY=...")
    print("dist/: " + ", ".join(make(ROOT / "dist", Path(sys.argv[1]).expanduser())) + ", signed")

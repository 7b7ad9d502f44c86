"""The documentation's pictures: what the browser tests kept under var/console/, made small. `make pictures` runs both.

python .ci/pictures.py [FROM [TO]]
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from PIL import Image

ROOT: Final = Path(__file__).resolve().parents[1]
KEPT: Final = ROOT / "var" / "console"
SHOWN: Final = ROOT / "docs" / "pictures"
WIDTH: Final = 1000
COLOURS: Final = 64
# As the tests name them; docs/pictures.md says what each shows.
NAMES: Final = ("blotter", "ticket", "care", "schedule", "tca", "controls", "sessions", "replay", "sign-in")


def shrink(source: Path, target: Path) -> int:
    """Write a picture WIDTH wide in COLOURS colours; how many bytes it has."""
    with Image.open(source) as picture:
        size = (WIDTH, round(picture.height * WIDTH / picture.width))
        small = picture.convert("RGB").resize(size, Image.Resampling.LANCZOS).quantize(COLOURS, dither=Image.Dither.NONE)
        target.parent.mkdir(parents=True, exist_ok=True)
        small.save(target, optimize=True)
    return target.stat().st_size


def main(kept: Path = KEPT, shown: Path = SHOWN) -> int:
    """Every picture of NAMES; 2: one was not taken."""
    if missing := [name for name in NAMES if not (kept / f"{name}.png").exists()]:
        print(f"pictures: {', '.join(missing)} not taken: run tests/console first.", file=sys.stderr)
        return 2
    print(", ".join(f"{name} {shrink(kept / f'{name}.png', shown / f'{name}.png') / 1000:.0f} kB" for name in NAMES))
    return 0


if __name__ == "__main__":
    sys.exit(main(*(Path(word) for word in sys.argv[1:])))

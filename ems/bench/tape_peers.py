"""Other people's ITCH decoders on our bytes, each as its documentation says, in an interpreter that has them.

Run by `ems bench tape` as a script: `python tape_peers.py itchfeed FILE`. Prints one JSON object.
"""

from __future__ import annotations

import json
import sys
import time


def itchfeed(path: str) -> tuple[int, str]:
    """Messages read, and which of the package's two parsers read them."""
    import itch  # type: ignore[import-not-found,unused-ignore]
    from itch.parser import MessageParser  # type: ignore[import-not-found,unused-ignore]

    with open(path, "rb") as file:  # noqa: PTH123 (as its documentation says)
        count = sum(1 for _ in MessageParser().parse_file(file))
    return count, "C++" if getattr(itch, "USING_CPP_BACKEND", False) else "Python"


def meatpy(path: str) -> tuple[int, str]:
    """Messages read."""
    from meatpy.itch50 import ITCH50MessageReader  # type: ignore[import-not-found,unused-ignore]

    with ITCH50MessageReader(path) as reader:
        count = sum(1 for _ in reader)
    return count, "Python"


if __name__ == "__main__":
    began = time.perf_counter()
    read, backend = {"itchfeed": itchfeed, "meatpy": meatpy}[sys.argv[1]](sys.argv[2])
    took_s = time.perf_counter() - began
    sys.stdout.write(json.dumps({"messages": read, "eps": round(read / took_s), "backend": backend}) + "\n")

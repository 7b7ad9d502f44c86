"""Planners for the tests of the pool: importable by a fresh process."""

from __future__ import annotations

import os
import time
from pathlib import Path

from domain.schedule import PlanRequest, Schedule, Slice


def plan(request: PlanRequest) -> Schedule:
    """One slice; the reason of a request says how to misbehave."""
    if request.reason == "crash":
        os._exit(1)
    if request.reason == "raise":
        raise ValueError("no such luck")
    if request.reason == "hang":
        time.sleep(60)
    if request.reason.startswith("wait:"):
        Path(request.reason.removeprefix("wait:")).read_bytes()
    piece = Slice(request.now_ns, request.end_ns, request.remaining_e9)
    return Schedule(planner=f"test/{os.getpid()}", filled_e9=request.filled_e9, slices=(piece,))

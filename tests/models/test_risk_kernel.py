"""The quoter's checks: each on its limit and one beyond it, and what an order that passes leaves behind."""

from __future__ import annotations

import numpy as np
import pytest

from models import risk_kernel as kernel

ORDER = {"kill": 0, "side": 1, "price": 105, "quantity": 10, "reference": 200, "now_ns": 1_000}


def judged(*, position: int = 0, sent: int = 0, **changes: int) -> tuple[int, list[int]]:
    limits, sent_ns = kernel.limits(
        size_max=10, collar_e9=50_000_000, long_max=100, short_max=100, messages_max=2, window_ns=500
    )  # fmt: skip
    exposure = np.array([position, 20, 30, sent], np.int64)
    sent_ns[:] = 500
    order = ORDER | changes
    said = kernel.check(
        limits, exposure, sent_ns, order["kill"], order["side"], order["price"], order["quantity"], order["reference"],
        order["now_ns"],
    )  # fmt: skip
    return said, exposure.tolist()


@pytest.mark.parametrize(
    ("on", "over", "said"),
    [
        ({"quantity": 10}, {"quantity": 11}, kernel.SIZE),
        ({"quantity": 1}, {"quantity": 0}, kernel.SIZE),
        ({"price": 105}, {"price": 106}, kernel.COLLAR),
        ({"side": -1, "price": 95}, {"side": -1, "price": 94}, kernel.COLLAR),
        ({"position": 70}, {"position": 71}, kernel.POSITION_LIMIT),
        ({"side": -1, "position": -60}, {"side": -1, "position": -61}, kernel.POSITION_LIMIT),
        ({"now_ns": 1_000}, {"now_ns": 999}, kernel.RATE),
        ({"kill": 0}, {"kill": 1}, kernel.KILLED),
        ({"reference": 200}, {"reference": 0}, kernel.NO_REFERENCE),
    ],
)
def test_on_the_limit_and_one_beyond_it(on: dict[str, int], over: dict[str, int], said: int) -> None:
    assert judged(**on)[0] == 0
    assert judged(**over)[0] == said


def test_what_passes_is_reserved_and_counted_and_what_does_not_leaves_no_trace() -> None:
    assert judged() == (0, [0, 30, 30, 1])
    assert judged(side=-1, price=95)[1] == [0, 20, 40, 1]
    assert judged(kill=1)[1] == [0, 20, 30, 0]

"""Quotes and the trust in forecasts: how far they keep from the middle, and that the record has it."""

from __future__ import annotations

import numpy as np
import pytest

from ems.quoting import journal as j
from ems.quoting import state as s
from tests.ems.quoting.kernel_room import SECOND, Room, call, make_quoter


@pytest.fixture
def quoting() -> Room:
    room = Room(11)
    room.warm()
    assert room.judge.orders, "it quotes"
    return room


def test_a_quote_steps_back_by_what_forecasts_are_not_trusted_and_the_record_says_so(quoting: Room) -> None:
    twins = {spread: make_quoter() for spread in (0, SECOND, 2 * SECOND)}
    for spread, twin in twins.items():
        s.copy_into(quoting.q, twin)
        twin.own.words[s.SPREAD_E9] = spread
    wider, out = 0, np.zeros(j.OUTPUT_BYTES, np.uint8)
    for datagram in [*quoting.market.step(odd=0.0), *quoting.market.step(odd=0.0)]:
        rows = []
        for twin in twins.values():
            first = int(twin.call.place[j.NEXT])
            call(twin, "datagram", datagram, quoting.market.now_ns, out)
            written = range(first, int(twin.call.place[j.NEXT]))
            rows.append([twin.call.records.words[(number - 1) % len(twin.call.records.words)] for number in written])
        for as_asked, at_one, twice in zip(*rows, strict=True):
            bid, bid_lots, ask, ask_lots = (int(each) for each in as_asked[j.WANTED : j.WANTED + 4])
            assert as_asked[j.WANTED : j.WANTED + 4].tolist() == at_one[j.WANTED : j.WANTED + 4].tolist(), "at 1 it is as asked"
            assert (as_asked[j.SPREAD], twice[j.SPREAD]) == (0, 2 * SECOND)
            if bid_lots and ask_lots and twice[j.WANTED + 1] and twice[j.WANTED + 3]:
                assert twice[j.WANTED] <= bid and twice[j.WANTED + 2] >= ask
                wider += int(twice[j.WANTED + 2] - twice[j.WANTED] > ask - bid)
    assert wider, "who is not trusted quotes wider"

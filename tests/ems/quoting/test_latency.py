"""Tick-to-quote percentiles are read off the journal's records, of sent quotes alone."""

from __future__ import annotations

from ems.quoting import journal as j
from ems.quoting.latency import tick_to_quote_ns


def test_percentiles_are_of_datagrams_that_caused_a_send() -> None:
    records = j.scratch(64)
    for number in range(1, 101):  # the ring has been round once
        words = records.words[(number - 1) % 64]
        words[j.KIND], words[j.RECEIVED_NS], words[j.STARTED_NS] = j.DATAGRAM, 1_000, 3_000
        words[j.SENT] = number * 1_000
        if number > 90:
            words[j.SENT] = j.NOT_SENT
        if number == 90:
            words[j.KIND] = j.TIMER
    found = tick_to_quote_ns(records, 100)
    assert found["0.5"] == 2_000 + 63_000  # of 37 to 89
    assert 2_000 + 88_000 < found["0.99"] <= found["0.999"] <= 2_000 + 89_000


def test_without_a_send_there_is_no_figure() -> None:
    records = j.scratch(64)
    assert tick_to_quote_ns(records, 0) == {}
    assert tick_to_quote_ns(records, 10) == {}

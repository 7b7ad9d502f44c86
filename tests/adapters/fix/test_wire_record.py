"""The wire journal's records: what goes in comes out, and every changed byte is located."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.fix.wire_record import GENESIS, OVERHEAD_BYTES, Damage, Kind, Placed, WireRecord, encode, scan

U64 = st.integers(0, 2**64 - 1)
RAW = st.binary(max_size=200) | st.just(b"WIRE") | st.binary(max_size=20).map(lambda data: b"8=FIX.4.4\x01WIRE" + data)
RECORDS = st.builds(WireRecord, st.sampled_from([int(kind) for kind in Kind]), U64, st.integers(0, 2**32 - 1), U64, U64, RAW)


def written(records: list[WireRecord]) -> tuple[bytes, list[int]]:
    """Their bytes, and where each begins."""
    data, hash_, starts = b"", GENESIS, []
    for record in records:
        starts.append(len(data))
        made, hash_ = encode(record, hash_)
        data += made
    return data, starts


@given(st.lists(RECORDS, max_size=6))
def test_what_is_written_is_read(records: list[WireRecord]) -> None:
    data, starts = written(records)
    found = list(scan(data, GENESIS))
    assert all(isinstance(item, Placed) for item in found)
    assert [(item.offset, item.record) for item in found if isinstance(item, Placed)] == list(zip(starts, records, strict=True))
    assert len(data) == sum(len(record.raw) + OVERHEAD_BYTES for record in records)


@given(st.lists(RECORDS, min_size=1, max_size=5), st.data())
def test_a_torn_tail_is_recognised_wherever_it_is_cut(records: list[WireRecord], data: st.DataObject) -> None:
    whole, starts = written(records)
    cut = data.draw(st.integers(starts[-1] + 1, len(whole) - 1))
    *before, last = scan(whole[:cut], GENESIS)
    assert [item.record for item in before if isinstance(item, Placed)] == records[:-1]
    assert isinstance(last, Damage) and last.torn and (last.offset, last.end) == (starts[-1], cut)


@given(st.lists(RECORDS, min_size=1, max_size=5), st.data())
def test_a_changed_byte_is_located_and_the_others_are_still_read(records: list[WireRecord], data: st.DataObject) -> None:
    whole, starts = written(records)
    at = data.draw(st.integers(0, len(whole) - 1))
    changed = bytearray(whole)
    changed[at] ^= data.draw(st.integers(1, 255))
    which = max(number for number, start in enumerate(starts) if start <= at)
    found = list(scan(bytes(changed), GENESIS))
    (damage,) = [item for item in found if isinstance(item, Damage)]
    assert (damage.offset, damage.end) == (starts[which], starts[which + 1] if which + 1 < len(starts) else len(whole))
    assert [item.record for item in found if isinstance(item, Placed)] == records[:which] + records[which + 1 :]


@pytest.mark.parametrize("how", ["altered", "taken out", "exchanged"])
def test_a_record_with_a_crc_made_to_fit_breaks_the_chain(how: str) -> None:
    records = [WireRecord(Kind.IN, time_ns, 0, time_ns, 0, b"8=FIX.4.4\x01") for time_ns in range(1, 6)]
    whole, starts = written(records)
    parts = [whole[start:end] for start, end in zip(starts, [*starts[1:], len(whole)], strict=True)]
    if how == "altered":
        parts[2] = encode(records[2]._replace(raw=b"8=FIX.4.2\x01"), parts[1][-36:-4])[0]
    elif how == "taken out":
        del parts[2]
    else:
        parts[2], parts[3] = parts[3], parts[2]
    faults = [item for item in scan(b"".join(parts), GENESIS) if isinstance(item, Damage)]
    assert faults[0].offset == (starts[3] if how == "altered" else starts[2])

"""The journal record: every byte has one owner, the views and the dtype agree, and a torn record is found."""

from __future__ import annotations

import numpy as np
import pytest

from ems.quoting import journal as j


def test_fields_do_not_overlap_and_stay_in_the_record() -> None:
    owners = np.zeros(j.RECORD_BYTES, np.int64)
    for name in j.RECORD.names or ():
        field, at = j.RECORD.fields[name][:2]  # type: ignore[index]
        owners[at : at + field.itemsize] += 1
    assert owners.max() == 1
    assert j.RECORD_BYTES % 64 == 0
    assert not owners[j.COMPARED - 8 * (j.HEAD - j.RECEIVED_NS - 1) : j.COMPARED].any()


def test_what_is_written_through_the_views_is_read_by_name() -> None:
    records = j.scratch(2)
    records.words[1, j.WANTED : j.WANTED + 4] = [100, 5, 101, 6]
    records.floats[1, j.F_Z : j.F_Z + j.Z] = np.arange(j.Z)
    records.bytes[1, j.B_INPUT : j.B_INPUT + 3] = [7, 8, 9]
    record = records.bytes.reshape(-1).view(j.RECORD)[1]
    assert record["wanted"].tolist() == [100, 5, 101, 6]
    assert record["z"].tolist() == list(range(j.Z))
    assert record["input"][:3].tolist() == [7, 8, 9]
    assert not records.words[0].any()


@pytest.mark.parametrize(
    "place", [j.KIND, j.VERDICT, j.HEAD_WORDS - 1, j.B_OUTPUT // 8 - 5, j.B_OUTPUT // 8 + 1, j.B_INPUT // 8 + 2]
)
def test_a_record_with_one_word_of_another_lap_is_not_whole(place: int) -> None:
    words = np.random.default_rng(place).integers(-(2**62), 2**62, j.RECORD_BYTES // 8)
    words[j.INPUT_LENGTH], words[j.OUTPUT_LENGTH], words[j.SEQUENCE] = 24, 16, 9
    words[j.CHECK] = j.check_of(words, 9)
    assert j.whole(words, 9)
    assert not j.whole(words, 9 + 8)
    words[place] ^= 1
    assert not j.whole(words, 9)


def test_the_stamp_that_is_written_after_the_send_leaves_a_record_whole() -> None:
    words = j.scratch().words[0]
    words[j.CHECK] = j.check_of(words, 1)
    words[j.SEQUENCE], words[j.SENT] = 1, 12_345
    assert j.whole(words, 1)

"""Frames: what is packed comes out again, however the stream is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.fix import frames
from domain.errors import LinkError

U16 = st.integers(0, 2**16 - 1)
U64 = st.integers(0, 2**64 - 1)
FRAMES = st.builds(
    frames.Frame,
    kind=st.integers(0, 255),
    flags=st.integers(0, 255),
    slot=U16,
    epoch=U64,
    reset_epoch=st.integers(0, 2**32 - 1),
    number=U64,
    event_seq=U64,
    trip=U64,
    scope=st.tuples(*[U64] * 8),
    payload=st.binary(max_size=300),
)


def packed(frame: frames.Frame) -> bytes:
    fields = frame._asdict()
    return frames.pack(fields.pop("kind"), fields.pop("payload"), **fields)


@given(st.lists(FRAMES, max_size=6), st.lists(st.integers(1, 97), min_size=1))
def test_frames_survive_any_cutting(sent: list[frames.Frame], sizes: list[int]) -> None:
    stream = b"".join(packed(frame) for frame in sent)
    reader = frames.FrameReader()
    received: list[frames.Frame] = []
    offset = turn = 0
    while offset < len(stream):
        size = sizes[turn % len(sizes)]
        received += reader.feed(stream[offset : offset + size])
        offset, turn = offset + size, turn + 1
    assert received == sent


def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(LinkError, match="byte 0"):
        frames.FrameReader().feed(b"8=FIX.4.4" + bytes(100))


def test_a_payload_beyond_the_limit_is_refused_before_it_is_read() -> None:
    header = bytearray(frames.pack(frames.SEND))
    header[8:12] = (frames.PAYLOAD_BYTES_MAX + 1).to_bytes(4, "big")
    with pytest.raises(LinkError):
        frames.FrameReader().feed(bytes(header))

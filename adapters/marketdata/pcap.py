"""Captured network packets: the UDP datagrams of a classic pcap file, in micro- or nanoseconds, of either byte order.

Ethernet (with any number of VLAN tags) or raw IPv4, then UDP. Everything else is counted and left out; nothing is read beyond
a packet's captured bytes. Source of the formats: the tcpdump project's pcap-savefile(5); RFC 791, RFC 768, IEEE 802.1Q.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from adapters.marketdata.itch_layout import Itch
from adapters.marketdata.mold import Mold, decode_datagram, room_of
from domain.errors import ReferenceDataError
from domain.tape import Tape, empty_tape

_MAGIC: Final = {b"\xd4\xc3\xb2\xa1": ("<", 1_000), b"\xa1\xb2\xc3\xd4": (">", 1_000),
                 b"\x4d\x3c\xb2\xa1": ("<", 1), b"\xa1\xb2\x3c\x4d": (">", 1)}  # fmt: skip
_FILE_HEADER: Final = 24
_PACKET_HEADER: Final = 16
_ETHERNET, _RAW_IP, _IPV4 = 1, 101, 0x0800
_VLAN: Final = (0x8100, 0x88A8, 0x9100)
_UDP: Final = 17
_FRAGMENT: Final = 0x3FFF  # more fragments, or an offset
DATAGRAM: Final = np.dtype([("recv_ns", "i8"), ("offset", "i8"), ("size", "i8"), ("group", "u4"), ("port", "u2")])


class Capture(NamedTuple):
    """datagrams: (N,) of DATAGRAM: when captured (ns UTC), where its payload lies in the file, destination address and port.
    counts: what was left out, by name, and `truncated_at`, the offset of a packet that the file does not hold whole, or -1."""

    datagrams: NDArray[np.void]
    counts: dict[str, int]


def read_capture(data: bytes | memoryview, *, port: int | None = None) -> Capture:
    """Every UDP datagram of a capture, or those to one destination port.

    Raises:
        ReferenceDataError: the first bytes are no pcap header, or its link type is neither Ethernet nor raw IP.
    """
    if len(data) < _FILE_HEADER or bytes(data[:4]) not in _MAGIC:
        raise ReferenceDataError(f"no pcap file: it begins with {bytes(data[:4]).hex() or 'nothing'}")
    order, unit_ns = _MAGIC[bytes(data[:4])]
    link = struct.unpack_from(order + "I", data, 20)[0] & 0x0FFFFFFF
    if link not in (_ETHERNET, _RAW_IP):
        raise ReferenceDataError(f"pcap link type {link}: only Ethernet (1) and raw IP (101) are read")
    packet, rows, at = struct.Struct(order + "IIII"), [], _FILE_HEADER
    counts = dict.fromkeys(("packets", "other_protocol", "fragment", "cut", "other_port"), 0) | {"truncated_at": -1}
    while at < len(data):
        if at + _PACKET_HEADER > len(data):
            counts["truncated_at"] = at
            break
        seconds, fraction, size, _ = packet.unpack_from(data, at)
        begin, end = at + _PACKET_HEADER, at + _PACKET_HEADER + size
        if end > len(data):
            counts["truncated_at"] = at
            break
        counts["packets"] += 1
        found = _udp(data, begin, end, link)
        if isinstance(found, str):
            counts[found] += 1
        elif port is not None and found[3] != port:
            counts["other_port"] += 1
        else:
            rows.append((seconds * 1_000_000_000 + fraction * unit_ns, *found))
        at = end
    return Capture(np.array(rows, DATAGRAM), counts)


def _udp(data: bytes | memoryview, at: int, end: int, link: int) -> tuple[int, int, int, int] | str:
    """(payload offset, size, destination address, port) of a packet, or the name of why it has none."""
    if link == _ETHERNET:
        kind, at = _kind(data, at + 12, end)
        if kind != _IPV4:
            return "other_protocol"
    if at + 20 > end or data[at] >> 4 != 4:
        return "other_protocol"
    header, total = (data[at] & 15) * 4, struct.unpack_from(">H", data, at + 2)[0]
    if data[at + 9] != _UDP or header < 20:
        return "other_protocol"
    if struct.unpack_from(">H", data, at + 6)[0] & _FRAGMENT:
        return "fragment"
    udp = at + header
    if udp + 8 > end:
        return "cut"
    port, length = struct.unpack_from(">HH", data, udp + 2)
    if length < 8 or udp + length > end or header + length > total:
        return "cut"
    return udp + 8, length - 8, struct.unpack_from(">I", data, at + 16)[0], port


def _kind(data: bytes | memoryview, at: int, end: int) -> tuple[int, int]:
    """(EtherType, offset behind it) with VLAN tags stepped over; 0 where the packet ends before."""
    while at + 2 <= end:
        kind = struct.unpack_from(">H", data, at)[0]
        if kind not in _VLAN:
            return kind, at + 2
        at += 4
    return 0, at


def read_itch_capture(data: bytes, s: Itch, mold: Mold, *, port: int | None = None) -> tuple[Tape, Capture]:
    """The records of ITCH over MoldUDP64 in a capture; receive times are the capture's. A gap becomes a STATUS of LOST.

    Raises: as read_capture.
    """
    capture = read_capture(data, port=port)
    view, parts = np.frombuffer(bytearray(data), np.uint8), [empty_tape()]
    out = empty_tape(room_of(1 << 16))
    for recv_ns, offset, size, _, _ in capture.datagrams.tolist():
        _, n = decode_datagram(mold, s, view, offset, offset + size, recv_ns, out, 0, True)
        if n:
            parts.append(out[:n].copy())
    return np.concatenate(parts), capture

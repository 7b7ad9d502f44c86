"""ITCH 5.0 messages put together field by field, as the specification's tables say, independently of our encoder."""

from __future__ import annotations

import struct
from random import Random

MIDNIGHT_NS = 1_340_251_200_000_000_000  # 2012-06-21 in New York
OPEN_NS = 34_200_000_000_000


def message(letter: str, layout: str, *fields: int | bytes, locate: int = 7, ns: int = OPEN_NS) -> bytes:
    return letter.encode() + struct.pack(">HHHI", locate, 0, ns >> 32, ns & 0xFFFFFFFF) + struct.pack(">" + layout, *fields)


def framed(*messages: bytes) -> bytes:
    return b"".join(struct.pack(">H", len(one)) + one for one in messages)


def add(order_id: int = 5, side: bytes = b"B", size: int = 300, price: int = 123_400, **where: int) -> bytes:
    return message("A", "QcI8sI", order_id, side, size, b"AMZN    ", price, **where)


# One of every type, with the fields in the specification's order.
EVERY: dict[str, bytes] = {
    "S": message("S", "c", b"Q", locate=0),
    "R": message("R", "8sccIcc2scccccIc", b"AMZN    ", b"Q", b"N", 100, b"N", b"C", b"Z ", b"P", b"N", b"N", b"1", b"N", 0, b"N"),
    "H": message("H", "8scc4s", b"AMZN    ", b"H", b" ", b"T1  "),
    "Y": message("Y", "8sc", b"AMZN    ", b"0"),
    "L": message("L", "4s8sccc", b"NITE", b"AMZN    ", b"Y", b"N", b"A"),
    "V": message("V", "QQQ", 1, 2, 3, locate=0),
    "W": message("W", "c", b"1", locate=0),
    "K": message("K", "8sIcI", b"AMZN    ", 34_200, b"A", 100),
    "J": message("J", "8sIIII", b"AMZN    ", 100, 110, 90, 1),
    "h": message("h", "8scc", b"AMZN    ", b"Q", b"H"),
    "A": add(),
    "F": message("F", "QcI8sI4s", 6, b"S", 200, b"AMZN    ", 123_500, b"NITE"),
    "E": message("E", "QIQ", 5, 100, 1),
    "C": message("C", "QIQcI", 5, 50, 2, b"N", 123_450),
    "X": message("X", "QI", 5, 25),
    "D": message("D", "Q", 5),
    "U": message("U", "QQII", 6, 8, 150, 123_600),
    "P": message("P", "QcI8sIQ", 0, b"S", 70, b"AMZN    ", 123_450, 3),
    "Q": message("Q", "Q8sIQc", 5000, b"AMZN    ", 123_400, 4, b"O"),
    "B": message("B", "Q", 4),
    "I": message("I", "QQc8sIIIcc", 1, 2, b"B", b"AMZN    ", 1, 2, 3, b"O", b" "),
    "N": message("N", "8sc", b"AMZN    ", b"B"),
    "O": message("O", "8scIIIQII", b"AMZN    ", b"Y", 1, 2, 3, 4, 5, 6),
}


def mixed(random: Random, count: int) -> list[bytes]:
    """A stream of good messages of every type with random ids, sizes, prices and times, the directory first."""
    letters = [*"AAAAADDDDDEEXUUFCP", *EVERY]
    out, ns = [EVERY["R"]], OPEN_NS
    for _ in range(count):
        body = bytearray(EVERY[random.choice(letters)])
        ns += random.randint(0, 5_000)
        body[5:11] = ns.to_bytes(6, "big")
        if body[:1] in b"AFDEXUC":
            body[11:19] = random.randint(1, 400).to_bytes(8, "big")
        if body[:1] in b"AF":
            body[32:36] = (100 * random.randint(1_000, 1_100)).to_bytes(4, "big")
        if body[:1] == b"U":
            body[19:27] = random.randint(400, 800).to_bytes(8, "big")
        out.append(bytes(body))
    return out


def spoiled(random: Random, stream: bytes) -> bytes:
    """The stream with bytes flipped, cut out, doubled, or cut off."""
    data = bytearray(stream)
    for _ in range(random.randint(1, 12)):
        if not data:
            break
        at = random.randrange(len(data))
        change = random.randrange(5)
        if change == 0:
            data[at] = random.choice((0, 1, 0x7F, 0x80, 0xFF, random.randrange(256)))
        elif change == 1:
            del data[at : at + random.randint(1, 60)]
        elif change == 2:
            data[at:at] = data[at : at + random.randint(1, 60)]
        elif change == 3:
            data[at : at + 8] = random.choice((b"\xff" * 8, bytes(8), b"\x7f" + b"\xff" * 7))
        elif len(data) > 200:
            del data[len(data) - random.randint(1, 40) :]
    return bytes(data)

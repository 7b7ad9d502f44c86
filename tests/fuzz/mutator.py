"""Bad FIX messages from a seed: fields dropped, doubled, swapped and spoiled, bytes flipped, cut and spliced.

Most are given a right BodyLength and CheckSum afterwards, so that they come further than the parser.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tests.acceptance.fix_session.wire import Field, frame, stamp

BODIES = {
    "D": "11={id}|55=ABC|54=1|38=100|40=2|44=10|59=0|60={now}|847=1|957=2|958=StartTime|959=14|960=x|958=EndTime|959=14|960=y",
    "G": "41={id}|11={id}R|55=ABC|54=1|38=200|40=2|44=11|59=0|60={now}",
    "F": "41={id}|11={id}C|55=ABC|54=1|38=100|60={now}",
    "H": "11={id}|55=ABC|54=1",
    "q": "11={id}|530=7|60={now}",
    "AF": "584={id}|585=7",
    "E": "66=L1|394=3|68=1|73=1|11={id}|67=1|55=ABC|54=1|38=100|40=1",
    "J": "70={id}|71=0|626=1|857=0|54=1|55=ABC|53=100|6=10|75=20260302|78=1|79=ACC|80=100",
    "8": "37=O|11={id}|17=X|150=F|39=1|55=ABC|54=1|32=10|31=10|151=90|14=10|6=10",
    "Q": "37=O|17=X|127=A|55=ABC|54=1",
    "B": "148=News|33=1|58=text",
    "0": "",
    "1": "112={id}",
    "2": "7=1|16=0",
    "3": "45=2|58=no",
    "4": "123=Y|36=2",
    "5": "58=bye",
    "A": "98=0|108=30",
    "j": "45=2|372=8|380=0",
    "ZZ": "1=2",
}
EVIL = (
    "", " ", "=", "\x00", "\x02", "-", "+1", "-0", "0", "-1", "1e400", "nan", "inf", "9" * 400, "Y", "N",
    "99999999999999999999", "0.0000000001", "1.", ".", "20260230-25:61:61", "20260302-15:00:00.999999999999", "é", "\udcff\udcfe",
    "<script>", "%s%n", "'; DROP TABLE events; --", "A" * 5000, "2147483648", "18446744073709551616", "../../etc/passwd", "\r\n",
)  # fmt: skip
HEADER_LENGTH = 6  # 8 35 34 49 52 56

Change = Callable[[Random, list[Field]], None]


def message(random: Random, number: int, us: str, them: str = "EMS", begin: str = "FIX.4.4") -> bytes:
    """One message, spoiled one to four times."""
    fields = fields_of(random, number, us, them, begin)
    for _ in range(random.randint(1, 4)):
        random.choice(CHANGES)(random, fields)
    data = _wire(fields)
    return _bytes(random, data) if random.random() < 0.3 else data


def fields_of(random: Random, number: int, us: str, them: str, begin: str) -> list[Field]:
    """A good message of any type."""
    msg_type = random.choice(list(BODIES))
    body = BODIES[msg_type].replace("{id}", f"F{random.randint(1, 10**9)}").replace("{now}", stamp())
    head = [("8", begin), ("35", msg_type), ("34", str(number)), ("49", us), ("52", stamp()), ("56", them)]
    return head + [(tag, value) for tag, _, value in (part.partition("=") for part in body.split("|") if part)]


def _wire(fields: list[Field]) -> bytes:
    try:
        return frame(fields)
    except UnicodeEncodeError:
        return frame([(tag, value.encode("utf-8", "surrogateescape").decode("latin-1")) for tag, value in fields])


def _drop(random: Random, fields: list[Field]) -> None:
    if len(fields) > 1:
        fields.pop(random.randrange(len(fields)))


def _double(random: Random, fields: list[Field]) -> None:
    fields.insert(random.randrange(len(fields) + 1), random.choice(fields))


def _swap(random: Random, fields: list[Field]) -> None:
    a, b = random.randrange(len(fields)), random.randrange(len(fields))
    fields[a], fields[b] = fields[b], fields[a]


def _spoil(random: Random, fields: list[Field]) -> None:
    at = (
        random.randrange(min(HEADER_LENGTH, len(fields) - 1), len(fields))
        if random.random() < 0.8
        else random.randrange(len(fields))
    )
    fields[at] = (fields[at][0], random.choice(EVIL))


def _rename(random: Random, fields: list[Field]) -> None:
    at = random.randrange(len(fields))
    fields[at] = (random.choice(("0", "-1", "", "x", "5001", "99999999999", str(random.randint(1, 1600)))), fields[at][1])


def _add(random: Random, fields: list[Field]) -> None:
    tag = random.choice(
        ("9", "10", "34", "35", "43", "97", "122", "115", "90", "95", "96", "212", "213", "957", "453", "78", "73")
    )
    fields.insert(random.randrange(1, len(fields) + 1), (tag, random.choice((*EVIL, "1", "2", "Y"))))


def _number(random: Random, fields: list[Field]) -> None:
    value = random.choice(("0", "1", "-1", "999", "2147483647", "9223372036854775807", "99999999999999999999", "x"))
    fields[:] = [(tag, value if tag == "34" else old) for tag, old in fields]


def _false_length(random: Random, fields: list[Field]) -> None:
    """A data field whose length is another's: the engine must not believe it."""
    length, data = random.choice((("95", "96"), ("90", "91"), ("212", "213"), ("354", "355")))
    told = random.choice(("-1", "-5", "0", "20", "4000", "99999999", "2147483647", "-2147483648", "9223372036854775807"))
    fields += [(length, told), (data, "abc")]


CHANGES: tuple[Change, ...] = (_drop, _double, _swap, _spoil, _spoil, _spoil, _rename, _add, _add, _number, _false_length)


def _bytes(random: Random, data: bytes) -> bytes:
    spoiled = bytearray(data)
    for _ in range(random.randint(1, 6)):
        at = random.randrange(len(spoiled)) if spoiled else 0
        what = random.randrange(4)
        if what == 0 and spoiled:
            spoiled[at] ^= 1 << random.randrange(8)
        elif what == 1:
            spoiled[at:at] = random.randbytes(random.randint(1, 8))
        elif what == 2:
            del spoiled[at : at + random.randint(1, 8)]
        else:
            spoiled[at:at] = spoiled[: random.randint(0, 60)]
    return bytes(spoiled)

"""Cases of a session that connects: what it makes of the answer to its Logon, and of a connection that breaks."""

from __future__ import annotations

from tests.acceptance.fix_session.script import Case, Role

_US: tuple[Role, ...] = ("initiator",)

INITIATOR = [
    Case(
        "1B",
        "Logon comes first; answered with the number due",
        "connect\n< A 34=1|98=0\n> A\n> 1 112=ON\n< 0 112=ON",
        _US,
    ),
    Case(
        "1B",
        "answered with a number too high",
        "connect\n< A 34=1\n> A 34=5\n< 2 7=1|16=0\n> 4 34=1|43=Y|122=@0|123=Y|36=6\n> 1 34=6|112=ON\n< 0 112=ON",
        _US,
    ),
    Case("1B", "answered by another CompID", "connect\n< A\n> A 49=NOBODY\ngone", _US),
    Case("1B", "answered for another CompID", "connect\n< A\n> A 56=NOBODY\ngone", _US),
    Case("1B", "answered in another version", "connect\n< A\n> A 8=FIX.4.1\ngone", _US),
    Case("1B", "answered with a stale SendingTime", "connect\n< A\n> A 52=@-300\ngone", _US),
    Case("1B", "the first answer is no Logon", "connect\n< A\n> 0\ngone", _US),
    Case("1B", "no answer: given up, and tried again", "connect\n< A 34=1\ngone\nconnect\n< A\n> A\n> 1 112=ON\n< 0 112=ON", _US),
    Case(
        "1B",
        "a refused Logon is tried again after a while",
        "connect\n< A 34=1\n> 5 58=not today\ngone\nconnect\n< A\n> A\n> 1 112=ON\n< 0 112=ON",
        _US,
    ),
    Case(
        "1B",
        "a connection that breaks: the numbers go on, and what was missed is sent again",
        """
        logon
        say A1
        drop
        connect
        < A 34=3
        > A
        > 2 7=2|16=0
        < H 34=2|43=Y|122=*|11=A1
        < 4 34=3|43=Y|123=Y|36=4
        > 1 112=ON
        < 0 34=4|112=ON
        """,
        _US,
    ),
    Case("2r", "MsgType that is not for this side is noted", "logon\n> D\ntook 2\n> 1 112=ON\n< 0 112=ON", _US),
    # Ours by choice: the dictionaries hold the messages that are spoken here, so any other is no MsgType to them.
    Case("2r", "MsgType that nobody here takes", "logon\n> h 336=DAY|340=2\n< 3 45=2|372=h|373=11\n> 1 112=ON\n< 0 112=ON", _US),
    # Ours by choice: a venue's own fields are no reason to refuse what it says of our orders.
    *(
        Case(number, f"{title} is passed over", f"logon\n> 1 112=A|{tag}=X\n< 0 112=A", _US)
        for number, title, tag in (
            ("14a", "a tag that FIX does not define", "4999"),
            ("14a", "tag 0", "0"),
            ("14a", "a negative tag", "-1"),
            ("14c", "a field not of this message", "55"),
        )
    ),
    Case("14i", "a group of fewer entries than its count is passed over", "logon\n> 8 382=2|375=A\ntook 2", _US),
    Case("21", "a group without entries", "logon\n> 8 382=0\ntook 2\n> 1 112=ON\n< 0 112=ON", _US),
]

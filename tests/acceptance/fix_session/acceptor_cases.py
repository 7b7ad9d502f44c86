"""Cases of a session that listens: how a Logon is taken or refused, and what an order's sender is told."""

from __future__ import annotations

from tests.acceptance.fix_session.script import Case, Role

_US: tuple[Role, ...] = ("acceptor",)

LOGON = [
    Case("1a", "Logon with the number that is due", "connect\n> A\n< A 34=1|98=0\n> 1 112=ON\n< 0 34=2|112=ON", _US),
    Case(
        "1a",
        "Logon with a number too high",
        """
        connect
        > A 34=5
        < A 34=1
        < 2 34=2|7=1|16=0
        > 4 34=1|43=Y|122=@0|123=Y|36=6
        > 1 34=6|112=ON
        < 0 112=ON
        """,
        _US,
    ),
    Case(
        "1b",
        "a second Logon for a live session closes the second connection",
        "logon\nconnect 2\n> A 34=2\nclosed\nuse 1\nnumber 2\n> 1 112=ON\n< 0 34=2|112=ON",
        _US,
    ),
    Case("1c", "Logon with an unknown SenderCompID", "connect\n> A 49=NOBODY\nclosed", _US),
    Case("1c", "Logon with an unknown TargetCompID", "connect\n> A 56=NOBODY\nclosed", _US),
    Case("1d", "Logon with a stale SendingTime", "connect\n> A 52=@-300\ngone", _US),
    Case("1d", "Logon with a bad BodyLength", "connect\nraw 9=5|35=A|34=1|49={us}|52=@0|56={them}|98=0|108=30\ngone", _US),
    Case("1d", "Logon of another version", "connect\n> A 8=FIX.4.1\nclosed", _US),
    Case("1d", "Logon without HeartBtInt", "connect\n> A -108\ngone", _US),
    Case("1d", "Logon with an encryption that is not spoken", "connect\n> A 98=Z\ngone", _US),
    Case("1e", "the first message is not a Logon", "connect\n> 0\nclosed", _US),
    Case("1e", "the first bytes are no FIX", "connect\nraw 999=X\ngone", _US),
    Case("-", "Logon that starts the numbering again", "logon\n> 5\n< 5\nclosed\nagain A 34=1|141=Y\n< A 34=1|141=Y", _US),
    Case("-", "numbers go on over a new connection", "logon\nsay A1\ndrop\nagain A\n< A 34=3\n> 1 112=ON\n< 0 34=4|112=ON", _US),
]

APPLICATION = [
    Case("2r", "MsgType that is not for this side", "logon\n> 8\n< j 45=2|372=8|380=3\n> 1 112=ON\n< 0 112=ON", _US),
    # Ours by choice: the dictionaries hold the messages that are spoken here, so any other is no MsgType to them.
    Case("2r", "MsgType that nobody here takes", "logon\n> h 336=DAY|340=2\n< 3 45=2|372=h|373=11\n> 1 112=ON\n< 0 112=ON", _US),
    *(
        Case("14a", title, f"logon\n> 1 112=A|{tag}=X\n< 3 45=2|371={tag}|372=1|373=0\n> 1 112=ON\n< 0 112=ON", _US)
        for title, tag in (("a tag that FIX does not define", "4999"), ("tag 0", "0"), ("a negative tag", "-1"))
    ),
    Case("14c", "a field not of this message", "logon\n> D 39=0\n< 3 45=2|371=39|372=D|373=2\n> 1 112=ON\n< 0 112=ON", _US),
    Case("14i", "a group of fewer entries than its count", "logon\n> D 78=2|79=A|80=100\n< 3 45=2|371=78|372=D|373=16", _US),
    Case("21", "a group without entries", "logon\n> D 78=0\n< 8 150=8\ntook 2", _US),
    Case("15", "fields of an order in another order", "logon\n> D -55|55=NOSUCH\n< 8 150=8\ntook 2", _US),
    Case("19b", "an order that may have been sent before, and was not", "logon\n> D 97=Y|11=A1\n< 8 11=A1|150=8\ntook 2", _US),
    # Ours by choice: a refused order that is repeated is noted, and not answered a second time.
    Case(
        "19a",
        "an order that was sent before is not executed again",
        "logon\n> D 11=A1\n< 8 11=A1|150=8\n> D 97=Y|11=A1\ntook 3\n> 1 112=ON\n< 0 112=ON",
        _US,
    ),
    Case(
        "own",
        "a resent order that is invalid is rejected, the queued ones are processed in order",
        """
        logon
        > D 34=4|11=A4
        < 2 7=2|16=0
        > D 34=2|43=Y|122=@0|11=A2|54=Z
        < 3 45=2|371=54|373=5
        > D 34=3|43=Y|122=@0|11=A3
        < 8 11=A3
        < 8 11=A4
        """,
        _US,
    ),
]

ACCEPTOR = [*LOGON, *APPLICATION]

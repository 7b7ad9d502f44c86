"""The cases that hold for both sides: our session as acceptor, and as initiator against a peer that listens.

Numbers are those of the FIX Trading Community's session layer test cases. In every script the Logons are number 1, so
the first message after them is number 2 on either side.
"""

from __future__ import annotations

from tests.acceptance.fix_session.script import Case

SEQUENCE = [
    Case("2a", "the number that is due", "logon\n> app\ntook 2\n< 8 150=8\n> 1 112=ON\n< 0 112=ON", roles=("acceptor",)),
    Case("2a", "the number that is due", "logon\n> app\ntook 2\n> 1 112=ON\n< 0 112=ON", roles=("initiator",)),
    Case(
        "2b",
        "a number too high is asked about, kept, and processed after the gap",
        """
        logon
        > app 34=5
        > 1 34=6|112=ON
        < 2 7=2|16=0
        > 4 34=2|43=Y|122=@0|123=Y|36=5
        took 5
        .. 0 112=ON
        """,
        roles=("initiator",),
    ),
    Case(
        "2b",
        "a number too high is asked about, kept, and processed after the gap",
        """
        logon
        > 1 34=4|112=A
        > 1 34=5|112=B
        < 2 7=2|16=0
        > 4 34=2|43=Y|122=@0|123=Y|36=4
        < 0 112=A
        < 0 112=B
        """,
    ),
    Case(
        "2c",
        "a number too low is the end",
        "logon\n> 0\n> 0 34=2\n< 5 58=~MsgSeqNum too low, expecting 3 but received 2\nclosed",
    ),
    Case(
        "2e",
        "a repeat of what was received is ignored",
        "logon\n> 1 112=A\n< 0 112=A\n> 1 34=2|43=Y|122=@0|112=A\n> 1 112=B\n< 0 112=B",
    ),
    Case("2e", "a repeat of what was not received is processed", "logon\n> 1 34=2|43=Y|122=@0|112=A\n< 0 112=A"),
    Case(
        "2f",
        "a repeat that says it was first sent after now",
        "logon\n> 0\n> 0 34=2|43=Y|122=@60\n< 3 45=2|372=0|373=10\n< 5\n> 5\nclosed",
    ),
    Case(
        "2g",
        "a repeat that does not say when it was first sent",
        "logon\n> 0\n> 0 34=2|43=Y\n< 3 45=2|371=122|372=0|373=1\n> 1 112=ON\n< 0 112=ON",
    ),
    Case("2i", "BeginString of another version in mid session", "logon\n> 0 8={other}\n< 5 58=~Incorrect BeginString\nclosed"),
    Case("2k", "SenderCompID of another", "logon\n> 0 49=NOBODY\n< 3 45=2|372=0|373=9\n< 5\n> 5\nclosed"),
    Case("2k", "TargetCompID of another", "logon\n> 0 56=NOBODY\n< 3 45=2|372=0|373=9\n< 5\n> 5\nclosed"),
    Case("2o", "SendingTime three minutes ago", "logon\n> 0 52=@-180\n< 3 45=2|372=0|373=10\n< 5\n> 5\nclosed"),
    Case("2o", "SendingTime in three minutes", "logon\n> 0 52=@180\n< 3 45=2|372=0|373=10\n< 5\n> 5\nclosed"),
    Case("2q", "MsgType that FIX does not have", "logon\n> ZZ\n< 3 45=2|372=ZZ|373=11\n> 1 112=ON\n< 0 112=ON"),
    Case(
        "20",
        "both ask for a resend at once",
        """
        logon
        > 1 112=A
        < 0 34=2|112=A
        > 1 34=5|112=C
        > 2 34=6|7=2|16=0
        < 2 7=3|16=0
        < 4 34=2|43=Y|123=Y|36=4
        > 4 34=3|43=Y|122=@0|123=Y|36=5
        < 0 34=4|112=C
        number 7
        > 1 112=D
        < 2 34=5|7=6|16=0
        > 4 34=6|43=Y|122=@0|123=Y|36=7
        < 0 34=6|112=D
        """,
    ),
]

GARBLED = [
    Case(
        number,
        title,
        f"""
        logon
        raw {spoiled.replace("NUMBER", "2")}
        > 1 112=A
        < 0 112=A
        raw {spoiled.replace("NUMBER", "3")}
        > 1 34=4|112=B
        < 2 7=3|16=0
        """,
    )
    for number, title, spoiled in (
        ("2d", "garbled: MsgType is missing", "34=NUMBER|49={us}|52=@0|56={them}|112=X"),
        ("3c", "garbled: a CheckSum that is not the sum", "35=1|34=NUMBER|49={us}|52=@0|56={them}|112=X|10=999"),
        ("3c", "garbled: a CheckSum that is no number", "35=1|34=NUMBER|49={us}|52=@0|56={them}|112=X|10=abc"),
        ("3b", "garbled: a BodyLength too short", "9=5|35=1|34=NUMBER|49={us}|52=@0|56={them}|112=X"),
        ("2t", "garbled: MsgType is not third", "34=NUMBER|35=1|49={us}|52=@0|56={them}|112=X"),
    )
]

GARBLED.append(
    Case(
        "3b",
        "garbled: a BodyLength too long takes the next message with it, and both are asked for again",
        "logon\nraw 9=90|35=1|34=2|49={us}|52=@0|56={them}|112=X\n> 1 34=3|112=A\n> 1 34=4|112=B\n< 2 7=2|16=0",
    )
)

CONVERSATION = [
    Case("4a", "nothing to send: a heartbeat", "logon\n< 0 112=-\n> 0\n< 0 112=-\n> 0\n< 0 112=-", heart_bt_int_s=2),
    Case("4b", "TestRequest", "logon\n> 1 112=HELLO\n< 0 112=HELLO"),
    Case(
        "6",
        "a silent peer is tested, then left",
        "logon\n.. 1 112=*\n> 0 112=TEST\n.. 1 112=*\n> 0 112=TEST\n> 1 112=ON\n.. 0 112=*\n.. 1 112=*\ngone",
        heart_bt_int_s=2,
    ),
    Case("7", "a Reject is taken without an answer", "logon\n> 3 45=1|58=no reason\ntook 2\n> 1 112=ON\n< 0 34=2|112=ON"),
    Case("13b", "Logout is answered", "logon\n> 5\n< 5\nclosed"),
]

RESEND = [
    Case(
        "8",
        "administrative messages to the end become one gap",
        """
        logon
        > 1 112=A
        < 0 112=A
        > 1 112=B
        < 0 34=3|112=B
        > 2 7=1|16=0
        < 4 34=1|43=Y|122=*|123=Y|36=4
        > 1 112=C
        < 0 34=4|112=C
        """,
    ),
    Case(
        "8",
        "administrative messages to a number become one gap",
        "logon\n> 1 112=A\n< 0 112=A\n> 1 112=B\n< 0 112=B\n> 2 7=1|16=2\n< 4 34=1|43=Y|123=Y|36=3\n> 1 112=C\n< 0 34=4|112=C",
    ),
    Case(
        "8",
        "application messages are sent again",
        """
        logon
        say A1
        say A2
        > 2 7=2|16=0
        < app 34=2|43=Y|122=*|11=A1
        < app 34=3|43=Y|122=*|11=A2
        > 2 7=2|16=2
        < app 34=2|43=Y|122=*|11=A1
        > 1 112=ON
        < 0 34=4|112=ON
        """,
    ),
    Case(
        "8",
        "mixed messages: gaps and repeats in turn",
        """
        logon
        say A1
        > 1 112=A
        < 0 34=3|112=A
        say A2
        > 1 112=B
        < 0 34=5|112=B
        > 2 7=1|16=0
        < 4 34=1|43=Y|123=Y|36=2
        < app 34=2|43=Y|122=*|11=A1
        < 4 34=3|43=Y|123=Y|36=4
        < app 34=4|43=Y|122=*|11=A2
        < 4 34=5|43=Y|123=Y|36=6
        > 1 112=C
        < 0 34=6|112=C
        """,
    ),
    Case(
        "own",
        "a resent message that is invalid is rejected, what waited behind it is processed in order",
        """
        logon
        > 1 34=4|112=D
        < 2 7=2|16=0
        > app 34=2|43=Y|122=@0|54=Z
        < 3 45=2|371=54|373=5
        > 1 34=3|43=Y|122=@0|112=C
        < 0 112=C
        < 0 112=D
        """,
    ),
]

RESET = [
    Case("10", "a gap fill where it is due", "logon\n> 4 123=Y|36=10\n> 1 34=10|112=ON\n< 0 112=ON"),
    Case("10", "a gap fill too high", "logon\n> 4 34=5|123=Y|36=10\n< 2 7=2|16=0"),
    Case("10", "a gap fill that is a repeat", "logon\n> 0\n> 4 34=2|43=Y|122=@0|123=Y|36=10\n> 1 112=ON\n< 0 112=ON"),
    Case(
        "10",
        "a gap fill too low",
        "logon\n> 0\n> 4 34=2|123=Y|36=10\n< 5 58=~MsgSeqNum too low, expecting 3 but received 2\nclosed",
    ),
    Case("11a", "a reset to a higher number", "logon\n> 4 34=77|36=10\n> 1 34=10|112=ON\n< 0 112=ON"),
    Case("11b", "a reset to the number that is due", "logon\n> 4 34=77|123=N|36=2\n> 1 34=2|112=ON\n< 0 112=ON"),
    Case("11c", "a reset to a lower number", "logon\n> 0\n> 4 36=1|34=1\n< 3 372=4|373=5\n> 1 34=3|112=ON\n< 0 112=ON"),
    Case(
        "own",
        "a Logon in mid session that starts the numbering again",
        "logon\n> 0\n> A 34=1|141=Y\n< A 34=1|141=Y\nnumber 2\n> 1 112=ON\n< 0 34=2|112=ON",
    ),
]

FIELDS = [
    # Ours by choice: tags from 5000 on are agreed between two parties, and what we did not agree on is not a fault.
    Case("14a", "a tag of the users' range is taken", "logon\n> 1 112=A|5000=X\n< 0 112=A"),
    Case("14b", "a field that is required is missing", "logon\n> app -54\n< 3 45=2|371=54|373=1\n> 1 112=ON\n< 0 112=ON"),
    Case("14d", "a field without a value", "logon\n> app 58=\n< 3 45=2|371=58|373=4\n> 1 112=ON\n< 0 112=ON"),
    Case("14e", "a value that the field does not have", "logon\n> app 54=Z\n< 3 45=2|371=54|373=5\n> 1 112=ON\n< 0 112=ON"),
    Case("14f", "a number that is none", "logon\n> app 38=+200.00\n< 3 45=2|371=38|373=6\n> 1 112=ON\n< 0 112=ON"),
    Case(
        "14g",
        "a field of the body before one of the header",
        "logon\nraw 35=1|34=2|49={us}|112=A|52=@0|56={them}\n< 3 45=2|372=1|373=14\n> 1 34=3|112=ON\n< 0 112=ON",
    ),
    Case("14h", "a tag twice", "logon\n> app +55=TWICE\n< 3 45=2|371=55|373=13\n> 1 112=ON\n< 0 112=ON"),
    Case(
        "15",
        "fields in another order",
        "logon\nraw 35=1|56={them}|52=@0|49={us}|34=2|112=A\n< 0 112=A\nraw 35=1|49={us}|56={them}|34=3|52=@0|112=B\n< 0 112=B",
    ),
    Case(
        "own",
        "a Reject goes back the way the message came",
        """
        logon
        > app 115=BEHIND|116=DESK|144=HERE|128=BEYOND|129=FLOOR|145=THERE|54=Z
        < 3 45=2|371=54|373=5|115=BEYOND|116=FLOOR|143=-|128=BEHIND|129=DESK|145=HERE|144=THERE
        > app 115=BEHIND|54=Z
        < 3 45=3|371=54|373=5|128=BEHIND|115=-|116=-|144=-|129=-|145=-
        """,
    ),
]

BOTH = [*SEQUENCE, *GARBLED, *CONVERSATION, *RESEND, *RESET, *FIELDS]

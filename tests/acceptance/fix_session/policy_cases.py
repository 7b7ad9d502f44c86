"""What a session's rules add to the cases: who may log on, and how. The password stands in the gateway's environment."""

from __future__ import annotations

from tests.acceptance.fix_session.script import Case, Role

PASSWORD_ENV, PASSWORD = "EMS_TEST_FIX_PASSWORD", "quite-secret"
_US: tuple[Role, ...] = ("acceptor",)
_THEM: tuple[Role, ...] = ("initiator",)
_NAMED = (("username", "desk-7"), ("password_env", PASSWORD_ENV))
_GOOD = f"553=desk-7|554={PASSWORD}"
_BAD_LOGONS = (
    ("no name and no password", ""),
    ("a wrong password", "553=desk-7|554=quite-secre"),
    ("a wrong name", f"553=desk-8|554={PASSWORD}"),
    ("a wrong password and a reset of the numbering", "141=Y|553=desk-7|554=guessed"),
)

POLICY = [
    Case(
        "own",
        "Logon with name and password",
        f"connect\n> A {_GOOD}\n< A 34=1|553=-|554=-\n> 1 112=ON\n< 0 112=ON",
        _US,
        rules=_NAMED,
    ),
    *(
        Case(
            "own",
            f"Logon with {title} ends without a word, and changes no number",
            f"connect\n> A {fields}\nclosed\nnumber 1\nagain A {_GOOD}\n< A 34=1\n> 1 112=ON\n< 0 34=2|112=ON",
            _US,
            rules=_NAMED,
        )
        for title, fields in _BAD_LOGONS
    ),
    Case(
        "own",
        "our Logon gives name and password",
        f"connect\n< A 34=1|553=desk-7|554={PASSWORD}\n> A\n> 1 112=ON\n< 0 112=ON",
        _THEM,
        rules=_NAMED,
    ),
    Case(
        "own",
        "a reset that is not honoured changes nothing",
        "logon\n> 1 112=A\n< 0 34=2|112=A\ndrop\nagain A 34=1|141=Y\n< 5 58=~does not reset\nclosed\nnumber 3\nagain A\n"
        "< A 34=4\n> 1 112=ON\n< 0 112=ON",
        _US,
        rules=(("reset_flag", "refuse"),),
    ),
    Case(
        "own",
        "a reset in mid session that is not honoured",
        "logon\n> A 34=1|141=Y\n< 5 58=~does not reset\nclosed\nnumber 2\nagain A\n< A\n> 1 112=ON\n< 0 112=ON",
        _US,
        rules=(("reset_flag", "refuse"),),
    ),
    *(
        Case(
            "own",
            f"a heartbeat interval of {interval} s is refused",
            f"connect\n> A 108={interval}\n< 5 58=~must be between 5 and 60\nclosed\nnumber 1\nagain A\n< A 108=30",
            _US,
            rules=(("heart_bt_int_min_s", 5), ("heart_bt_int_max_s", 60)),
        )
        for interval in (0, 4, 61, 99999999999)
    ),
    Case(
        "own",
        "the numbering begins again at every Logon",
        "logon\n> 1 112=A\n< 0 34=2\ndrop\nnumber 1\nagain A\n< A 34=1\n> 1 112=ON\n< 0 34=2|112=ON",
        _US,
        config=(("reset", "logon"),),
    ),
    Case(
        "own",
        "a refused Logon is tried again, later each time, and no more after the third",
        "connect\n< A\n> 5 58=no\ngone\nconnect\n< A\n> 5 58=no\ngone\nconnect\n< A\n> 5 58=no\ngone\nalone 5",
        _THEM,
        rules=(("refused_logons_max", 3), ("reconnect_max_s", 1)),
    ),
    Case(
        "own",
        "a session outside its window is shut",
        "connect\n> A\nclosed",
        _US,
        rules=(("start_time", "{later}"), ("end_time", "{last}")),
    ),
]

"""What the peers of the test speak. They think in one vocabulary (FIX 4.4, with ExecType L) and write it as 4.2, 4.4 or 5.0SP2.

Nothing of the system under test is in here: its own reading of the versions is what these peers judge.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from tests.acceptance.fix.matrices import Case

Fields = dict[str, str]  # tag -> value, in the order of the message


class Version(NamedTuple):
    """A version of FIX as a session speaks it."""

    name: str
    begin_string: str
    default_appl: str = ""  # DefaultApplVerID (1137) of a FIXT session

    def write(self, kind: str, fields: Fields) -> Fields:
        """A message of ours in this version."""
        return _write_42(kind, fields) if self.name == "4.2" else fields

    def read(self, fields: Fields) -> Fields:
        """A message of theirs in our vocabulary. Raises ValueError for what this version does not have."""
        return _read_42(fields) if self.name == "4.2" else fields


VERSIONS: Final = {
    version.name: version
    for version in (Version("4.2", "FIX.4.2"), Version("4.4", "FIX.4.4"), Version("5.0SP2", "FIXT.1.1", "9"))
}
_TRANSACTION: Final = {"H": "1", "G": "2", "I": "3"}  # ExecType of today: ExecTransType (20) of then
_TODAY: Final = {code: kind for kind, code in _TRANSACTION.items()}
_REPLACED: Final = "5"  # OrdStatus of an order that was replaced and rests; since FIX 4.3 it is New
_AT_CLOSE: Final = {"1": "5", "2": "B"}  # OrdType, market and limit, with TimeInForce 7: OrdType then
_FILL_OF: Final = {"1": "1", "2": "2"}  # OrdStatus: ExecType of a fill then


def _write_42(kind: str, fields: Fields) -> Fields:
    if kind in ("D", "G"):
        return _close_42(fields) | {"21": "1"}  # HandlInst
    if kind != "8":
        return fields
    exec_type, status = fields["150"], fields["39"]
    if exec_type in ("F", "G", "H"):
        then = _FILL_OF.get(status, "1")
    else:
        then = status if exec_type == "I" else exec_type
    if (exec_type, status) == ("5", "0"):
        status = _REPLACED
    return _close_42(fields) | {"20": _TRANSACTION.get(exec_type, "0"), "150": then, "39": status}


def _close_42(fields: Fields) -> Fields:
    """For the close was an order type."""
    if fields.get("59") != "7":
        return fields
    return {tag: value for tag, value in fields.items() if tag != "59"} | {"40": _AT_CLOSE[fields["40"]]}


def _read_42(fields: Fields) -> Fields:
    if fields.get("40") in _AT_CLOSE.values():
        fields = fields | {"59": "7", "40": next(now for now, then in _AT_CLOSE.items() if then == fields["40"])}
    if fields.get("39") != _REPLACED:
        return _read_report_42(fields) if fields["35"] == "8" else fields
    return _read_report_42(fields) | {"39": "0"} if fields["35"] == "8" else fields | {"39": "0"}


def _read_report_42(fields: Fields) -> Fields:
    transaction, exec_type = fields.get("20", ""), fields["150"]
    if transaction not in ("0", "1", "2", "3"):
        raise ValueError(f"ExecTransType (20) is {transaction!r}")
    if exec_type in ("F", "G", "H", "I", "L"):
        raise ValueError(f"FIX 4.2 has no ExecType (150) {exec_type}")
    if transaction == "0":
        return fields | {"150": "F" if exec_type in ("1", "2") else exec_type}
    if transaction == "3" and exec_type != fields["39"]:
        raise ValueError("the ExecType of a status report is its OrdStatus")
    return fields | {"150": _TODAY[transaction]}


# What a version has no value for, by tag: in messages of the client's, and in reports.
_LACKING: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "4.2": {"18": ("H", "K", "Z"), "378": ("6", "9"), "102": ("6",)},
    "4.4": {},
    "5.0SP2": {},
}


def not_expressible(case: Case, version: str) -> str:
    """Why a version has no words for a case, empty where it has."""
    if version != "4.2":
        return ""
    lacking = _LACKING[version]
    for step in case.steps:
        said = {tag: (value,) for tag, value in step.pairs.items()} | (step.report.fields if step.report else {})
        if step.report is not None and step.report.kind == "triggered":
            return "FIX 4.2 has no ExecType L (triggered)"
        if "636" in said:
            return "FIX 4.2 has no WorkingIndicator (636)"
        for tag, values in said.items():
            if lost := [value for value in values if value in lacking.get(tag, ())]:
                return f"FIX 4.2 has no value {lost[0]} of tag {tag}"
    return ""

"""FIX 4.2 and the canonical vocabulary.

What differs: ExecTransType (20) says bust, correction and status; fills are ExecType 1 and 2; OrdStatus 5 (Replaced)
exists; HandlInst (21) is required; an order for the close is an order type; parties are single tags; reasons (102, 103,
380) are fewer; there is no ExecType L and no AllocationReport; no field above 446 but the users' own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from adapters.fix.dialect import Body, tags_between
from adapters.fix.dialect_42_allocations import to_allocation, to_answer

LAST_TAG: Final = 446  # of the published version
USERS_FIRST_TAG: Final = 5000
_ROLE_TAGS: Final = {"109": "3", "76": "1", "439": "4"}  # ClientID, ExecBroker, ClearingFirm: PartyRole (452)
_TAG_OF_ROLE: Final = {role: tag for tag, role in _ROLE_TAGS.items()}
_USERS_ROLES: Final = 20_000  # a custom of 4.2: the party of role 122 stands in tag 20122
_ROLE_MAX: Final = 999
PARTY_TAGS: Final = tuple(range(_USERS_ROLES + 1, _USERS_ROLES + 200))  # of every PartyRole that is published
_PARTY_TAGS: Final = frozenset({"448", "447", "452", "2376", "802", "523", "803"})
_WITH_PARTIES: Final = frozenset("DFGH8")
_ORDERS: Final = frozenset("DG")
_EXEC_TRANS_OF: Final = {"H": "1", "G": "2", "I": "3"}  # canonical ExecType: ExecTransType (20); of all others 0
_EXEC_TYPE_OF: Final = {code: exec_type for exec_type, code in _EXEC_TRANS_OF.items()}
_FILLS: Final = frozenset("FGH")
_CLOSES: Final = {"5": "1", "A": "1", "B": "2"}  # OrdType of 4.2 for the close: the one that it is with TimeInForce 7
_CLOSE_OF: Final = {"1": "5", "2": "B"}
_REASONS: Final = {  # message: the tag of its reason, how many there are, and the one for all later ones
    "8": ("103", 8, "0"),
    "9": ("102", 3, "2"),
    "j": ("380", 5, "0"),
}


@dataclass(frozen=True, slots=True)
class Fix42:
    """The step between a 4.2 session and canonical text.

    Attributes:
        keep: later tags that the peer takes all the same.
    """

    keep: frozenset[str] = frozenset()

    def inward(self, body: Body) -> None:
        msg_type = body.msg_type
        if msg_type in _ORDERS:
            _from_close(body)
        elif msg_type == "8":
            _from_report(body)
        if msg_type in _WITH_PARTIES:
            _from_role_tags(body)

    def outward(self, body: Body) -> bool:
        msg_type = body.msg_type
        if msg_type in _WITH_PARTIES:
            _to_role_tags(body)
        if msg_type in _ORDERS:
            _to_close(body)
            if not body.get("21"):
                body.put("21", "1")
        elif msg_type == "P":
            to_answer(body)
        elif (msg_type == "8" and not _to_report(body)) or (msg_type == "AS" and not to_allocation(body)):
            return False
        _narrow_reason(body, msg_type)
        body.drop(set(tags_between(body.pairs, LAST_TAG + 1, USERS_FIRST_TAG - 1)) - self.keep)
        return True


def _from_report(body: Body) -> None:
    trans = body.get("20")
    body.drop({"20"})
    if trans in _EXEC_TYPE_OF:
        body.put("150", _EXEC_TYPE_OF[trans])
    elif body.get("150") in ("1", "2"):
        body.put("150", "F")


def _to_report(body: Body) -> bool:
    exec_type, status = body.get("150"), body.get("39")
    if exec_type == "L":
        return False
    if exec_type in _FILLS:
        body.put("150", "1" if body.get("151").strip("0.") else "2")
    elif exec_type == "I":
        body.put("150", status)
    elif exec_type == "5" and status == "0":
        body.put("39", "5")
    body.put_after("20", "17", _EXEC_TRANS_OF.get(exec_type, "0"))
    return True


def _from_close(body: Body) -> None:
    ord_type = body.get("40")
    if ord_type in _CLOSES:
        body.put("40", _CLOSES[ord_type])
        body.put("59", "7")


def _to_close(body: Body) -> None:
    ord_type = body.get("40")
    if body.get("59") == "7" and ord_type in _CLOSE_OF:
        body.put("40", _CLOSE_OF[ord_type])
        body.drop({"59"})


def _from_role_tags(body: Body) -> None:
    """Single tags to the Parties group. They do not say where an id comes from, so PartyIDSource stays empty."""
    roles = dict(_ROLE_TAGS)
    roles.update({tag: str(int(tag) - _USERS_ROLES) for tag in _users_roles(body)})
    parties = [(("448", value), ("452", roles[tag])) for tag, value in body.pairs if tag in roles and value]
    if parties and not body.has("453"):
        body.drop(roles)
        body.add_group("453", parties)


def _users_roles(body: Body) -> set[str]:
    return {tag for tag, _ in body.pairs if len(tag) == 5 and tag.isascii() and tag.isdigit() and tag.startswith("20")}


def _to_role_tags(body: Body) -> None:
    for party in body.take_group("453", _PARTY_TAGS, "448"):
        role = party.get("452", "")
        if role.isascii() and role.isdigit() and 0 < int(role) <= _ROLE_MAX:
            tag = _TAG_OF_ROLE.get(role, str(_USERS_ROLES + int(role)))
            if not body.has(tag):  # 4.2 has room for one of each role
                body.pairs.append((tag, party.get("448", "")))


def _narrow_reason(body: Body, msg_type: str) -> None:
    if msg_type in _REASONS:
        tag, last, other = _REASONS[msg_type]
        reason = body.get(tag)
        if reason and not (reason.isascii() and reason.isdigit() and int(reason) <= last):
            body.put(tag, other)

"""Allocations in FIX 4.2: it has no AllocationReport (AS), there a broker tells what it has calculated with an Allocation (J)
of its own, and it answers instructions (P) as a whole.
"""

from __future__ import annotations

from typing import Final

from adapters.fix.dialect import Body

_REPORT_ONLY: Final = frozenset({"87", "88", "72", "795", "755"})
_ACCOUNTS: Final = frozenset({"78", "79", "161", "467", "776"})
_CALCULATED: Final = {"3": "4", "4": "5"}  # AllocReportType (794), with and without an instruction: AllocTransType (71)
_REJ_CODE_LAST: Final = 7


def to_allocation(body: Body) -> bool:
    """AS as J: the report's id becomes the AllocID, and what it refers to RefAllocID (72): for a new one the client's own.

    False: a report that nothing can be divided has no words there.
    """
    if body.get("87") != "0":
        return False
    own, client, replaced, trans = body.get("755"), body.get("70"), body.get("795"), body.get("71")
    body.drop(_REPORT_ONLY)
    body.put("35", "J")
    body.put("70", own)
    body.put("71", trans if trans != "0" else _CALCULATED.get(body.get("794"), "4"))
    body.put_after("72", "71", replaced or client)
    return True


def to_answer(body: Body) -> None:
    """P: refused is refused; what is wrong with which account is in the text."""
    if body.get("87") == "2":
        body.put("87", "1")
    code = body.get("88")
    if code and int(code) > _REJ_CODE_LAST:
        body.put("88", str(_REJ_CODE_LAST))
    body.drop(_ACCOUNTS)

"""What differs between the FIX versions that the cases run on; `chosen` says which of them a run takes."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version.

    Attributes:
        other: a BeginString that is not its own.
        logon: fields that a Logon needs beside 98 and 108.
        order: an order (D) that is refused at once, whatever the desk knows: its symbol does not exist.
        report: a venue's report (8) about an order that we never sent.
    """

    begin_string: str
    other: str = "FIX.4.3"
    logon: str = ""
    order: str = "11={id}|55=NOSUCH|54=1|38=100|40=2|44=10|59=0|60={now}"
    report: str = "37=V{id}|11={id}|17=X{id}|150=0|39=0|55=ABC|54=1|38=100|151=100|14=0|6=0|60={now}"


_FIX44 = Version(begin_string="FIX.4.4")
VERSIONS = {
    "4.2": replace(_FIX44, begin_string="FIX.4.2", order=f"21=1|{_FIX44.order}", report=f"20=0|{_FIX44.report}"),
    "4.4": _FIX44,
    "5.0SP2": replace(_FIX44, begin_string="FIXT.1.1", logon="1137=9"),
}


def chosen() -> list[str]:
    """FIX 4.4, or what EMS_FIX_VERSIONS names: "all", or names with commas between them."""
    wanted = os.environ.get("EMS_FIX_VERSIONS", "4.4")
    return list(VERSIONS) if wanted == "all" else wanted.split(",")

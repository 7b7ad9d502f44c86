"""A ticket before it is sent: what is wrong beside which field, what the desk would say, and what it would cost.

The desk is asked the same question as for an order, and told not to place it: its rules, its limits and the kill switch answer,
not a copy of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

from domain.refusal import Reason
from domain.values import E9
from ems.api.ports import Ports
from ems.api.verb import Act, Verb
from ems.api.verbs.orders import enter
from ems.tca.pretrade import Setting, estimate

_FIELDS: Final[dict[str, str]] = {
    Reason.UNKNOWN_SYMBOL: "symbol", Reason.UNKNOWN_ACCOUNT: "account", Reason.UNKNOWN_SIDE: "side",
    Reason.QUANTITY_NOT_POSITIVE: "quantity", Reason.QUANTITY_OFF_LOT: "quantity", Reason.LIMIT_MISSING: "price",
    Reason.PRICE_NOT_POSITIVE: "price", Reason.PRICE_OFF_TICK: "price", Reason.ORDER_TYPE_UNSUPPORTED: "price",
    Reason.TIME_IN_FORCE_UNSUPPORTED: "time_in_force", Reason.UNKNOWN_ALGO: "algo", Reason.UNKNOWN_PARAMETER: "parameters",
    Reason.BAD_PARAMETER: "parameters", Reason.END_NOT_AFTER_START: "parameters",
}  # fmt: skip
_MINUTES: Final = (5, 10, 15, 30, 60, 120, 240, 390)  # over which a cost curve is drawn


async def pretrade(verb: Verb, ports: Ports, person: str, typed: Mapping[str, Any]) -> dict[str, Any]:
    """errors: [{field, text}]; verdicts: of risk; curve: [[minutes, mean_bps, low_bps, high_bps]]; missing: what it needs."""
    fields, wrong = verb.read(typed)
    told: dict[str, Any] = {
        "errors": [{"field": name, "text": text} for name, text in wrong.items()], "warnings": [], "verdicts": [], "curve": [],
        "missing": [], "notional": None, "touch": None, "asked": False,
    }  # fmt: skip
    if wrong:
        return told
    act = Act(person, "", {}, fields, "", uuid4().hex, ports)
    answer = await ports.desk(enter(act) | {"check_only": True}, actor=act.actor, command_id=act.command_id)
    if answer.in_doubt:
        return told | {"warnings": ["the desk does not answer: nothing is checked but the form"]}
    said = json.loads(answer.more.get("pretrade", "{}"))
    if not answer.ok:
        field = _FIELDS.get(str(answer.more.get("reason", "")), "")
        told["errors"].append({"field": field, "text": answer.text})
    told |= {"asked": True} | {name: said.get(name) for name in ("verdicts", "notional", "touch")}
    told["verdicts"] = told["verdicts"] or []
    told["warnings"] = [f"{one['check']}: {one['observed']} against {one['limit']}" for one in told["verdicts"]]
    return told | _curve(fields["quantity"], said)


def _curve(quantity_e9: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """The cost by how long it is worked; what is not known is named, and then there is none."""
    adv_e9, spread_bps, volatility_bps = (said.get(name) for name in ("adv_e9", "spread_bps", "volatility_bps"))
    found = [
        (minutes, estimate(Setting(quantity_e9, minutes * 60 * E9, adv_e9, spread_bps, volatility_bps))) for minutes in _MINUTES
    ]
    share = round(100 * quantity_e9 / adv_e9, 3) if adv_e9 else None
    if found[0][1].mean_bps is None:
        return {"curve": [], "missing": list(found[0][1].missing), "adv_pct": share}
    curve = [[minutes, one.mean_bps, one.low_bps, one.high_bps] for minutes, one in found]
    return {"curve": curve, "missing": [], "adv_pct": share}

"""Algo wheels: begun, and weighed anew."""

from __future__ import annotations

from typing import Any, Final

from domain.errors import NumberError
from domain.values import to_e9
from ems.api.verb import REASON, Act, Field, Verb, by_desk
from ems.read_models.topic import Role

WHO: Final[frozenset[Role]] = frozenset({"trader", "quant"})
_ARMS: Final = Field("arms", "Arms", "lines", help="NAME=WEIGHT,ALGO[,PARAMETER=VALUE...], one a line; the weights sum to 1")
_WEIGHTS: Final = Field("weights", "Weights", "lines", help="NAME=WEIGHT of every arm, one a line; they sum to 1")


def _arm(line: str) -> tuple[dict[str, Any], int]:
    name, _, rest = line.partition("=")
    weight, *words = rest.split(",")
    pairs = [word.strip().partition("=")[::2] for word in words]
    if not name.strip() or not pairs or not pairs[0][0]:
        raise ValueError(f"{line}: it is NAME=WEIGHT,ALGO")
    if pairs[0][0].isdecimal():
        return {"name": name.strip(), "fields": [(int(tag), value) for tag, value in pairs]}, to_e9(weight)
    return {"name": name.strip(), "algo": pairs[0][0], "parameters": pairs[1:]}, to_e9(weight)


def _weights(lines: tuple[str, ...]) -> dict[str, int]:
    return {name.strip(): to_e9(weight.strip()) for name, _, weight in (line.partition("=") for line in lines)}


async def _check(act: Act) -> dict[str, str]:
    try:
        for line in act.fields.get("arms") or ():
            _arm(line)
        weights = _weights(act.fields.get("weights") or ())
    except (ValueError, NumberError) as error:
        return {"arms" if "arms" in act.fields else "weights": str(error)}
    arms = act.ports.arms(act.row["wheel"]) if "weights" in act.fields else ()
    return (
        {"weights": f"the wheel's arms are {', '.join(arms)}: each needs its weight"}
        if arms and set(arms) != set(weights)
        else {}
    )


def _open(act: Act) -> dict[str, Any]:
    read = [_arm(line) for line in act.fields["arms"]]
    more = {"arms": [one for one, _ in read], "weights_e9": [weight_e9 for _, weight_e9 in read], "reason": act.reason}
    return {"command": "open_wheel", "wheel": act.fields["wheel"], "seed": act.fields["seed"], **more}


def _reweigh(act: Act) -> dict[str, Any]:
    wheel, weights = act.row["wheel"], _weights(act.fields["weights"])
    return {
        "command": "reweigh_wheel", "wheel": wheel, "weights_e9": [weights[arm] for arm in act.ports.arms(wheel)],
        "reason": act.reason,
    }  # fmt: skip


VERBS: Final = (
    Verb("open_wheel", "Begin a wheel", by_desk(_open), WHO, check=_check, confirm="count",
         fields=(Field("wheel", "Wheel", default="main"), Field("seed", "Seed of the draws"), _ARMS, REASON)),
    Verb("reweigh_wheel", "Other weights", by_desk(_reweigh), WHO, topic="wheels", check=_check, fields=(_WEIGHTS, REASON)),
)  # fmt: skip

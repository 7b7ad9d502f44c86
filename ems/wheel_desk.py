"""The desk's side of algo wheels (`domain.wheel`): an order that asks for one is given its algorithm as it comes; people open
wheels and move their weights.

An order asks by the algorithm "wheel:NAME", or over FIX by TargetStrategy (847) 1010 for the wheel called main. It is assigned
before it is judged: what becomes of it then, a refusal too, is the assignment's outcome.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, TypeVar

from domain import wheel
from domain.commands import Answer, OpenWheel, ReweighWheel
from domain.market_state import MarketState
from domain.messages import NewOrder
from domain.refusal import Refusal
from domain.values import StreamId
from ems.risk import RiskGate
from ems.turn import Turn

_Order = TypeVar("_Order", bound=NewOrder)
MAIN: Final = "main"
_BY_FIX: Final = "847=1010"
_BPS: Final = 10_000


class WheelDesk:
    """Assigns and decides."""

    def __init__(self, markets: Mapping[str, MarketState], risk: RiskGate) -> None:
        self._markets = markets
        self._risk = risk

    def spin(self, turn: Turn, order: _Order, stream: StreamId) -> _Order:
        """The order with its arm's algorithm in place of the wheel; as it was where it names no wheel that turns."""
        name = MAIN if order.algo in ("wheel", _BY_FIX) else order.algo.removeprefix("wheel:")
        found = turn.state.wheels.get(wheel.key(name)) if name != order.algo else None
        if found is None or order.refusal is not None:
            return order
        assigned = wheel.assign(found, stream, self._setting(order))
        turn.apply(found.id, assigned, correlation=stream)
        arm = wheel.arm_of(found, assigned.arm)
        own = dict(arm.parameters)
        parameters = (*arm.parameters, *((key, value) for key, value in order.parameters if key not in own))
        return replace(order, algo=arm.algo, parameters=parameters if arm.algo else (), fields=arm.fields)

    def _setting(self, order: NewOrder) -> wheel.Setting:
        adv_e9, close_e9 = self._risk.data.adv_e9(order.symbol), self._risk.data.reference_price_e9(order.symbol)
        market = self._markets.get(order.symbol)
        mid_e9 = market.mid_e9 if market is not None else None
        spread_e9 = (market.ask_e9 or 0) - (market.bid_e9 or 0) if market is not None and mid_e9 else None
        return wheel.Setting(
            size=order.quantity_e9 / adv_e9 if adv_e9 else None,
            spread_bps=_BPS * spread_e9 / mid_e9 if spread_e9 is not None and mid_e9 else None,
            move_bps=_BPS * abs(mid_e9 - close_e9) / close_e9 if mid_e9 and close_e9 else None,
        )

    def handle(self, turn: Turn, command: OpenWheel | ReweighWheel) -> Answer:
        """Decide one command; the actor of the turn is the command's."""
        if not command.actor.startswith("person:"):
            return Answer(False, f"{command.actor} is not a person")
        stream = wheel.key(command.wheel)
        known = turn.state.wheels.get(stream)
        if isinstance(command, OpenWheel):
            opened = wheel.Opened.model_validate(command.model_dump(include=set(wheel.Opened.model_fields)))
            return self._write(turn, stream, opened, opened.arms)
        if known is None:
            return Answer(False, f"there is no wheel {command.wheel}")
        moved = wheel.Reweighted(
            wheel=command.wheel, weights_e9=command.weights_e9, by="rule" if command.rule else "person", reason=command.reason
        )
        return self._write(turn, stream, moved, known.arms)

    def _write(self, turn: Turn, stream: StreamId, event: wheel.Opened | wheel.Reweighted, arms: tuple[wheel.Arm, ...]) -> Answer:
        refused = wheel.weighed(arms, event.weights_e9)
        if isinstance(refused, Refusal):
            return Answer(False, refused.text)
        turn.apply(stream, event, correlation=stream)
        return Answer(True, "the wheel turns" if isinstance(event, wheel.Opened) else "the weights are moved")

"""The parameters of our algorithms, one model each: what the OMS may send, what the desk reads, what FIXatdl publishes.

On the wire a parameter is an entry of StrategyParametersGrp: name (958), type (959) and value (960). A field of a model
that carries a `Parameter` is one of them; the field's own value is the desk's: integer nanoseconds, fractions and prices
at 1e-9, None where the OMS left it out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Final, NamedTuple

from pydantic import BaseModel, ConfigDict

from domain.errors import NumberError
from domain.refusal import Reason, Refusal
from domain.values import E9, Algo
from domain.wire_parameter import After, FixType, Parameter, Unit, reader


class AlgoParameters(BaseModel):
    """What every algorithm takes."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    algo: ClassVar[Algo]
    rules: ClassVar[tuple[After, ...]] = (After("EndTime", "StartTime", "EndTime must be after StartTime"),)

    start_ns: Annotated[
        int | None,
        Parameter(
            name="StartTime",
            type=FixType.UTC_TIMESTAMP,
            unit=Unit.UTC,
            description="Nothing is sent before this time.",
            absent="at once, or at the open",
        ),
    ] = None
    end_ns: Annotated[
        int | None,
        Parameter(
            name="EndTime",
            type=FixType.UTC_TIMESTAMP,
            unit=Unit.UTC,
            description="The order ends at this time, or at the close if that is earlier.",
            absent="after DurationMinutes, or at the close",
        ),
    ] = None
    duration_ns: Annotated[
        int | None,
        Parameter(
            name="DurationMinutes",
            type=FixType.FLOAT,
            unit=Unit.MINUTES,
            description="How long to work from the start. EndTime wins where both are sent.",
            absent="until EndTime, or the close",
            minimum_e9=1,
            maximum_e9=7 * 24 * 60 * E9,
        ),
    ] = None
    max_participation_e9: Annotated[
        int | None,
        Parameter(
            name="MaxParticipation",
            type=FixType.PERCENTAGE,
            unit=Unit.PERCENT,
            description="A cap on the order's share of the market's volume.",
            absent="no cap",
            minimum_e9=100,
            maximum_e9=100 * E9,
        ),
    ] = None
    would_price_e9: Annotated[
        int | None,
        Parameter(
            name="WouldPrice",
            type=FixType.PRICE,
            unit=Unit.PRICE,
            description="All that is left may trade at once at this price or better.",
            absent="never",
            minimum_e9=1,
        ),
    ] = None
    at_open_e9: Annotated[
        int | None,
        Parameter(
            name="AtOpen",
            type=FixType.PERCENTAGE,
            unit=Unit.PERCENT,
            description="The share that goes into the opening auction. Means nothing once the market is open.",
            absent="nothing",
            minimum_e9=100,
            maximum_e9=100 * E9,
        ),
    ] = None
    at_close_e9: Annotated[
        int | None,
        Parameter(
            name="AtClose",
            type=FixType.PERCENTAGE,
            unit=Unit.PERCENT,
            description="The share left to the closing auction; of adaptive at most. The order must last until the close.",
            absent="nothing",
            minimum_e9=100,
            maximum_e9=100 * E9,
        ),
    ] = None

    # Only an algorithm that aims at a rate, or weighs risk, has these on the wire.
    participation_e9: int | None = None
    urgency_e9: int | None = None
    tail_aversion_e9: int | None = None
    basket_correlation_e9: int | None = None
    basket_cash_e9: int | None = None


class Twap(AlgoParameters):
    """Time-weighted average price: equal parts over equal times."""

    algo = Algo.TWAP


class Vwap(AlgoParameters):
    """Volume-weighted average price: parts that follow the day's usual volume."""

    algo = Algo.VWAP


class Pov(AlgoParameters):
    """Percentage of volume: a constant share of what the market trades."""

    algo = Algo.POV

    participation_e9: Annotated[
        int,
        Parameter(
            name="ParticipationRate",
            type=FixType.PERCENTAGE,
            unit=Unit.PERCENT,
            description="The share of the market's volume to aim at.",
            absent="refused",
            minimum_e9=100,
            maximum_e9=100 * E9,
        ),
    ]


_URGENCY: Final = Parameter(
    name="Urgency",
    type=FixType.FLOAT,
    unit=Unit.NUMBER,
    description="How much waiting's risk weighs beside impact: 1 hardly bends the schedule, 5 trades most of it early.",
    absent="1",
    minimum_e9=1,
    maximum_e9=30 * E9,
)


class AlmgrenChriss(AlgoParameters):
    """Almgren and Chriss: earlier than equal parts, by how much risk weighs beside impact."""

    algo = Algo.AC

    urgency_e9: Annotated[int | None, _URGENCY] = None


class Adaptive(AlgoParameters):
    """Adaptive: parts where the world model foresees the least cost, planned again when the market leaves what it foresaw."""

    algo = Algo.ADAPTIVE

    urgency_e9: Annotated[int | None, _URGENCY] = None
    tail_aversion_e9: Annotated[
        int | None,
        Parameter(
            name="TailAversion",
            type=FixType.FLOAT,
            unit=Unit.NUMBER,
            description="How many times the mean cost of the worst twentieth of the futures is added to the expected cost.",
            absent="0: risk is weighed by Urgency alone",
            minimum_e9=0,
            maximum_e9=10 * E9,
        ),
    ] = None
    basket_correlation_e9: Annotated[
        int | None,
        Parameter(
            name="BasketCorrelation",
            type=FixType.PERCENTAGE,
            unit=Unit.PERCENT,
            description="Planned with the orders of its list that say the same: the correlation assumed between any two.",
            absent="planned by itself",
            minimum_e9=0,
            maximum_e9=95 * E9,
        ),
    ] = None
    basket_cash_e9: Annotated[
        int | None,
        Parameter(
            name="BasketCash",
            type=FixType.AMT,
            unit=Unit.CURRENCY,
            description="What purchases of the basket may exceed its sales by at any time, or sales purchases.",
            absent="no bound",
            minimum_e9=E9,
        ),
    ] = None


MODELS: Final[dict[Algo, type[AlgoParameters]]] = {model.algo: model for model in (Twap, Vwap, Pov, AlmgrenChriss, Adaptive)}


class WireField(NamedTuple):
    """A model's field that is a parameter on the wire."""

    field: str
    parameter: Parameter
    required: bool


def wire_fields(model: type[AlgoParameters]) -> Iterator[WireField]:
    """The parameters of one algorithm, in the order in which they are published."""
    for field, info in model.model_fields.items():
        for parameter in info.metadata:
            if isinstance(parameter, Parameter):
                yield WireField(field, parameter, info.is_required())


def parse(algo: Algo, parameters: tuple[tuple[str, str], ...]) -> AlgoParameters | Refusal:
    """Read the group. Refuses unknown and repeated names, unreadable values, and what the algorithm needs but lacks."""
    readers = _READERS.get(algo, {})
    for name, _ in parameters:
        if name not in readers:
            known = ", ".join(readers) or "none"
            return Refusal(Reason.UNKNOWN_PARAMETER, f"{algo} has no parameter {name!r}; it has {known}")
    values: dict[str, int] = {}
    for name, text in parameters:
        field, read = readers[name]
        if field in values:
            return Refusal(Reason.BAD_PARAMETER, f"the strategy parameter {name} is given twice")
        try:
            values[field] = read(text)
        except NumberError as error:
            return Refusal(Reason.BAD_PARAMETER, f"{name}: {error}")
    for field, parameter in _REQUIRED.get(algo, ()):
        if field not in values:
            return Refusal(Reason.BAD_PARAMETER, f"{algo} needs {parameter.name}, in {parameter.unit}")
    return MODELS[algo](**values) if values else _WITHOUT.get(algo, _NONE)


# Worked out once, because every order is parsed.
_READERS: Final = {
    algo: {wire.parameter.name: (wire.field, reader(wire.parameter)) for wire in wire_fields(model)}
    for algo, model in MODELS.items()
}
_REQUIRED: Final = {
    algo: tuple((wire.field, wire.parameter) for wire in wire_fields(model) if wire.required) for algo, model in MODELS.items()
}
_WITHOUT: Final = {algo: model() for algo, model in MODELS.items() if not _REQUIRED[algo]}
_NONE: Final = AlgoParameters()  # of a direct order, which has none

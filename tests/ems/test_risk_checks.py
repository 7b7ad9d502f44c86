"""Each check one unit over, on the limit, and with its data missing."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from domain import risk_checks
from domain.limit_rules import RULES
from domain.refusal import Reason
from domain.risk import Check, ModelUse, Outcome, RiskOrder, StrategyDisabled, Subject, strategy_key
from domain.risk_data import Restriction
from domain.values import E9, ScopeKind, Side, TimeInForce
from tests.domain.orders import ABC, DAY, NOW_NS
from tests.ems.risk_scene import KNOWN, NOTHING, SCOPES, Scene, market, order

Facts = dict[str, Any]
SELL = {"side": Side.SELL}
LIST = order(subject=Subject.LIST, side=None, quantity_e9=0, open_e9=0, limit_price_e9=None, value_e9=500 * E9)
PARENT = order(subject=Subject.PARENT, automated=False)
BLIND: Facts = {"blind": True, "data": NOTHING}
FIRM: Facts = {}
ACCOUNT: Facts = {"scope": ScopeKind.ACCOUNT, "scope_id": "*"}
WINDOW: Facts = {"window_ns": 60 * E9}


def nothing(scene: Scene) -> Scene:
    return scene.marked()


def unmarked(scene: Scene) -> Scene:
    return scene


def long_and_working(scene: Scene) -> Scene:
    """30 held and 20 reserved to buy, 10 reserved to sell."""
    return scene.marked().working(50, filled=30).working(10, price=120, side=Side.SELL)


def lost(scene: Scene) -> Scene:
    """100 bought at 100, worth 110 and then 90."""
    return scene.marked().working(100, filled=100).marked(110).marked(90)


def two_passed(scene: Scene) -> Scene:
    return scene.marked().passed(order(), 70).passed(order(), 50).passed(order(), 10)


def parents_passed(scene: Scene) -> Scene:
    return scene.marked().passed(PARENT, 50)


def walked(scene: Scene) -> Scene:
    """The middle was 90 at the first order of the window."""
    return scene.marked().passed(order(limit_price_e9=90 * E9), 50, seen=market(89, 91))


class Row(NamedTuple):
    """observed_e9: what the check sees in this scene. A limit of just that is kept, one unit less is broken."""

    check: Check
    unit: str
    observed_e9: int
    judged: RiskOrder = order()
    scene: Callable[[Scene], Scene] = nothing
    of: Facts = FIRM
    missing: Facts = BLIND
    missing_scene: Callable[[Scene], Scene] | None = None


C = Check
ROWS = [
    # check                   unit        observed        order           scene               scope and window
    Row(C.MAX_QUANTITY,       "quantity", 100 * E9),
    Row(C.MAX_NOTIONAL,       "money",    10_000 * E9, missing_scene=unmarked),
    Row(C.ADV_SHARE,          "fraction", E9 // 100),
    Row(C.PRICE_COLLAR,       "fraction", 5 * E9 // 100,  order(limit_price_e9=105 * E9)),
    Row(C.PRICE_COLLAR,       "fraction", 5 * E9 // 100,  order(limit_price_e9=95 * E9, **SELL)),
    Row(C.PRICE_COLLAR,       "fraction", E9 // 100,      order(limit_price_e9=None)),
    Row(C.PRICE_COLLAR,       "fraction", E9 // 10,       order(limit_price_e9=220 * E9, stop_price_e9=200 * E9)),
    Row(C.MAX_NOTIONAL,       "money",    20_000 * E9,    order(limit_price_e9=None, stop_price_e9=200 * E9),
        missing_scene=unmarked),
    Row(C.PRICE_COLLAR_WINDOW, "fraction", 20 * E9 // 90, order(limit_price_e9=110 * E9), walked, WINDOW),
    Row(C.STALE_DATA,         "ns",       3 * E9,         missing={"blind": True}),
    Row(C.CLOCK,              "ns",       2 * E9,         missing={"blind": True}),
    Row(C.PARENT_VALUE,       "money",    20_000 * E9,    PARENT,         parents_passed,     WINDOW, missing_scene=unmarked),
    Row(C.PARENT_VALUE,       "money",    10_500 * E9,    LIST,           parents_passed,     WINDOW),
    Row(C.LIST_VALUE,         "money",    500 * E9,       LIST),
    Row(C.MESSAGE_RATE,       "count",    3 * E9,         order(),        two_passed,         WINDOW),
    Row(C.REPEATED_EXECUTION, "count",    3 * E9,         order(),        two_passed,         WINDOW),
    Row(C.POSITION,           "quantity", 150 * E9,       order(),        long_and_working),
    Row(C.POSITION,           "quantity", 150 * E9,       order(),        long_and_working,   ACCOUNT),
    Row(C.POSITION,           "quantity", 80 * E9,        order(**SELL),  long_and_working),
    Row(C.POSITION,           "money",    15_000 * E9,    order(),        long_and_working, missing_scene=unmarked),
    Row(C.GROSS_EXPOSURE,     "money",    16_200 * E9,    order(),        long_and_working, missing_scene=unmarked),
    Row(C.GROSS_EXPOSURE,     "fraction", 16_200_000,     order(),        long_and_working, missing={"data": NOTHING}),
    Row(C.NET_EXPOSURE,       "money",    15_000 * E9,    order(),        long_and_working, missing_scene=unmarked),
    Row(C.NET_EXPOSURE,       "money",    8_200 * E9,     order(**SELL),  long_and_working, missing_scene=unmarked),
    Row(C.NET_EXPOSURE,       "fraction", 15_000_000,     order(),        long_and_working, ACCOUNT, {"data": NOTHING}),
    Row(C.OPEN_ORDERS,        "money",    13_200 * E9,    order(),        long_and_working, missing_scene=unmarked),
    Row(C.DAILY_LOSS,         "money",    1_000 * E9,     order(),        lost, missing_scene=unmarked),
    Row(C.DAILY_LOSS,         "fraction", 1_000_000,      order(),        lost, ACCOUNT, {"data": NOTHING}),
    Row(C.DRAWDOWN,           "money",    2_000 * E9,     order(),        lost, missing_scene=unmarked),
]  # fmt: skip
AT_3_S: Facts = {"seen": market(time_ns=NOW_NS - 3 * E9)}
AHEAD_2_S: Facts = {"seen": market(time_ns=NOW_NS + 2 * E9)}
SEEN: dict[Check, Facts] = {C.STALE_DATA: AT_3_S, C.CLOCK: AHEAD_2_S}


def _outcome(row: Row, value_e9: int, level: str = "hard") -> Outcome:
    scene = row.scene(Scene().limited(row.check, value_e9, row.unit, level=level, **row.of))
    return scene.verdict(row.check, row.judged, **SEEN.get(row.check, {})).outcome


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.check}-{row.unit}-{row.observed_e9}")
def test_on_the_limit_one_unit_over_and_with_the_data_missing(row: Row) -> None:
    assert _outcome(row, row.observed_e9) is Outcome.PASS
    if row.check is C.LIST_VALUE:
        assert _outcome(row, row.observed_e9 - 1, "soft") is Outcome.HARD, "no person overrides it"
    else:
        assert _outcome(row, row.observed_e9 - 1, "soft") is Outcome.SOFT
    assert _outcome(row, row.observed_e9 - 1) is Outcome.HARD


NEEDS_NOTHING = (C.MAX_QUANTITY, C.MESSAGE_RATE, C.REPEATED_EXECUTION)
MISSING = [
    r for r in ROWS if r.check not in NEEDS_NOTHING and (r.check, r.judged.stop_price_e9 is None) != (C.PRICE_COLLAR, False)
]


@pytest.mark.parametrize("row", MISSING, ids=lambda row: f"{row.check}-{row.unit}-{row.observed_e9}")
def test_what_cannot_be_judged_is_refused(row: Row) -> None:
    scene = (row.missing_scene or row.scene)(Scene().limited(row.check, 10**18, row.unit, **row.of))
    judged = row.judged._replace(value_e9=None) if row.judged.subject is Subject.LIST else row.judged
    verdict = scene.verdict(row.check, judged, **row.missing)
    assert (verdict.outcome, bool(verdict.data)) == (Outcome.MISSING, True)
    assert risk_checks.refusal(verdict).reason is Reason.RISK_DATA_MISSING


def short(quantity: int) -> RiskOrder:
    return order(quantity_e9=quantity, open_e9=quantity, **SELL)


def model(*outputs: float, digest: str = "good") -> RiskOrder:
    return order(model=ModelUse(digest, outputs, -1.0, 1.0))


def listed(until_ns: int) -> Facts:
    return {"data": replace(KNOWN, restrictions=(Restriction("ABC", NOW_NS - 5, until_ns),))}


def halted(until_ns: int | None) -> Facts:
    return {"data": replace(KNOWN, halts=(Restriction("ABC", NOW_NS, until_ns),))}


def own_sell(scene: Scene) -> Scene:
    return scene.marked().working(10, price=101, side=Side.SELL)


def entered(quantity: int) -> Callable[[Scene], Scene]:
    """Clients have asked to buy 1000 of it, and this much is filled or out."""
    return lambda scene: scene.marked().working(quantity, filled=10)


class Flag(NamedTuple):
    """An order that is just right, one that is just wrong, and what must be known to tell them apart."""

    check: Check
    right: tuple[RiskOrder, Facts]
    wrong: tuple[RiskOrder, Facts]
    missing: Facts | None  # None: it needs nothing but the order and the desk's own state
    scene: Callable[[Scene], Scene] = nothing
    of: Facts = FIRM


HELD = ABC.lot_e9
FLAGS = [
    Flag(C.LOT, (order(quantity_e9=10 * E9), {}), (order(quantity_e9=10 * E9 + 1), {}), {"instrument": None}),
    Flag(C.TICK, (order(limit_price_e9=100_010_000_000), {}), (order(limit_price_e9=100_010_000_001), {}), {"instrument": None}),
    Flag(C.CHILD_SUM, (order(released_e9=900 * E9), {}), (order(released_e9=900 * E9 + 1), {}), None),
    Flag(C.ORDERS_OUT, (order(), {}), (order(open_e9=100 * E9 + 1), {}), None, entered(900)),
    Flag(C.RESTRICTED, (order(), listed(NOW_NS)), (order(), listed(NOW_NS + 1)), {"data": NOTHING}),
    Flag(C.HALT, (order(), halted(NOW_NS)), (order(), halted(None)), {"data": NOTHING}),
    Flag(C.SHORT_SALE, (short(200 * E9), {}), (short(200 * E9 + 1), {}), {"data": NOTHING}),
    Flag(C.SHORT_SALE, (short(220 * E9), {}), (short(220 * E9 + 1), {}), {"data": NOTHING}, long_and_working),
    Flag(C.SELF_TRADE, (order(limit_price_e9=101 * E9 - 1), {}), (order(limit_price_e9=101 * E9), {}), None, own_sell),
    Flag(C.SELF_TRADE, (order(), {}), (order(limit_price_e9=None), {}), None, own_sell),
    Flag(C.DUPLICATE, (PARENT._replace(quantity_e9=110 * E9), {}), (PARENT, {}), None, parents_passed, WINDOW),
    Flag(C.MODEL_GUARD, (model(1.0, -1.0), {}), (model(1.0, 1.0000001), {}), {"data": NOTHING}),
    Flag(C.MODEL_GUARD, (model(0.0), {}), (model(float("nan")), {}), {"data": NOTHING}),
    Flag(C.MODEL_GUARD, (model(0.0), {}), (model(0.0, digest="bad"), {}), {"data": NOTHING}),
    Flag(C.MODEL_GUARD, (order(), {}), (model(), {}), {"data": NOTHING}),
    Flag(C.PERMISSION, (order(), {}), (order(scopes=SCOPES._replace(venue="OTHER")), {}), {"data": NOTHING}),
    Flag(C.PERMISSION, (order(), {}), (order(scopes=SCOPES._replace(trader="person:jim")), {}), {"data": NOTHING}),
]


@pytest.mark.parametrize("flag", FLAGS, ids=lambda flag: flag.check)
def test_just_right_just_wrong_and_with_the_data_missing(flag: Flag) -> None:
    def outcome(judged: RiskOrder, facts: Facts) -> Outcome:
        scene = Scene()
        if units := RULES[flag.check].units:
            scene.limited(flag.check, 0, units[0], **flag.of)
        return flag.scene(scene).verdict(flag.check, judged, **facts).outcome

    assert outcome(*flag.right) is Outcome.PASS
    assert outcome(*flag.wrong) is Outcome.HARD
    if flag.missing is not None:
        assert outcome(flag.wrong[0], {**flag.wrong[1], **flag.missing}) is Outcome.MISSING


@pytest.mark.parametrize(
    ("now_ns", "tif", "day", "outcome"),
    [
        (DAY.close_ns - 1, TimeInForce.DAY, DAY, Outcome.PASS),
        (DAY.close_ns, TimeInForce.DAY, DAY, Outcome.HARD),
        (DAY.close_ns, TimeInForce.GTC, DAY, Outcome.PASS),
        (DAY.open_ns, TimeInForce.DAY, None, Outcome.MISSING),
    ],
)
def test_the_session(now_ns: int, tif: TimeInForce, day: Any, outcome: Outcome) -> None:
    scene = Scene()
    scene.now_ns = now_ns
    assert scene.verdict(C.SESSION, order(time_in_force=tif), day=day).outcome is outcome


def test_a_disabled_strategy_trades_nothing_and_others_do() -> None:
    off = StrategyDisabled(strategy="twap", check=C.REPEATED_EXECUTION, text="too often")
    scene = Scene().apply(strategy_key("twap"), off)
    assert scene.verdict(C.STRATEGY, order()).outcome is Outcome.HARD
    assert scene.verdict(C.STRATEGY, order(scopes=SCOPES._replace(strategy="vwap"))).outcome is Outcome.PASS


REDUCING = [C.GROSS_EXPOSURE, C.DAILY_LOSS, C.DRAWDOWN, C.POSITION]


@pytest.mark.parametrize("check", REDUCING)
def test_an_order_that_only_reduces_a_position_passes_and_one_that_turns_it_does_not(check: Check) -> None:
    unit = "quantity" if check is C.POSITION else "money"
    scene = lost(Scene().limited(check, 0, unit))
    assert scene.verdict(check, order(**SELL)).outcome is Outcome.PASS
    turning = order(quantity_e9=100 * E9 + 1, open_e9=100 * E9 + 1, **SELL)
    assert scene.verdict(check, turning).outcome is Outcome.HARD


def test_every_check_has_its_rows() -> None:
    covered = {row.check for row in ROWS} | {flag.check for flag in FLAGS} | {C.SESSION, C.STRATEGY}
    assert covered == set(Check) == set(RULES)
    assert set(risk_checks.JUDGES) == set(Check)


def test_the_page_has_a_row_for_every_check_with_its_units() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "risk.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", page, re.MULTILINE))
    assert set(rows) == set(Check)
    for check, rule in RULES.items():
        assert set(re.findall("quantity|money|fraction|count|ns|flag", rows[check])) == set(rule.units), check

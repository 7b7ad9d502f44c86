"""What the core is shown of an instrument, what it says, and what that makes us want: one row of the journal. Compiled."""

from __future__ import annotations

from typing import Final

from ems.quoting import journal as j
from ems.quoting.compiled import hot, inlined
from ems.quoting.state import (
    BEGIN_NS,
    BEST_ASK,
    BEST_BID,
    EDGE_HALF_TICKS,
    END_NS,
    I64,
    LONG_MAX,
    MID2,
    OPEN,
    POSITION,
    PRICE,
    SIZE_LOTS,
    STEPPED,
    TOXIC_E6,
    UNIT_E4,
    Market,
    Net,
    Own,
)
from ems.quoting.verdicts import (
    COLD,
    CROSSED,
    NO_DECISION,
    TOXIC,
)
from models import inference_layout as lay
from models.compiled import i64
from models.hot_clock import now_ns as clock_ns
from models.inference import ADVANCE, DECIDED_BY, OK, WITH_HEADS, infer
from models.net_contract import ACTION, HEAD, LATENT, OWN_STATE, STEP_EVENTS
from models.observation import EVENTS, observe
from models.observation import PRICE as PRICE_UNIT
from models.quoting import outside, own_state, wanted

_ZERO: Final = i64(0)
_ONE_E9: Final = i64(1_000_000_000)
_RETURN: Final = lay.OUT_HEADS + HEAD["return_mean"]  # its log scale and its tail behind it
_TOXICITY: Final = lay.OUT_HEADS + HEAD["toxicity_logit"]


@inlined
def _left(w: I64, now_ns: int) -> float:
    """The share of the time that is left."""
    if w[END_NS] <= w[BEGIN_NS]:
        return 1.0
    return min(max((w[END_NS] - now_ns) / (w[END_NS] - w[BEGIN_NS]), 0.0), 1.0)


@inlined
def _wider(spread_e9: int) -> float:
    """How many times the distance that the net asks for: an offset of 1 is so many price units, so both sides step back alike."""
    return 1e-9 * spread_e9 if spread_e9 > _ONE_E9 else 1.0


@inlined
def _see(net: Net, m: Market, own: Own, k: int, r: I64, now_ns: int) -> int:
    """Observation and own state of instrument k into net.inputs, the reference into the table. 0, or what is wrong."""
    t, bid, ask = own.table[k], own.orders[k, 0], own.orders[k, 1]
    best_bid, best_ask = outside(m.book.ten[k], bid[PRICE], bid[OPEN], ask[PRICE], ask[OPEN])
    for i in range(4):
        r[j.TOP + i] = m.book.ten[k, 0, i]
    if not observe(m.watch, m.features, m.book, k, net.seen_book, net.seen_tape, net.seen_context):
        return COLD
    if best_bid <= 0 or best_ask <= 0 or best_bid > best_ask:
        return CROSSED
    t[MID2], t[UNIT_E4] = best_bid + best_ask, i64(m.itch.locates[k].unit)
    t[BEST_BID], t[BEST_ASK] = m.book.ten[k, 0, 0], m.book.ten[k, 0, 2]
    unit, left = m.watch.units[k, PRICE_UNIT], _left(own.words, now_ns)
    own_state(t[POSITION], t[LONG_MAX], t[MID2], bid[PRICE], ask[PRICE], unit, left, net.inputs, lay.IN_OWN)
    r[j.WANTED], r[j.WANTED + 2] = best_bid, best_ask
    return 0


@hot
def decide(net: Net, m: Market, own: Own, k: int, r: I64, floats: lay.F32, now_ns: int) -> int:
    """Observe, ask the core, and write what it saw, said and wants into the record: r its words, floats the same bytes. The bits
    of what is wrong."""
    wrong = _see(net, m, own, k, r, now_ns)
    if wrong != 0:
        return wrong
    t, began_ns = own.table[k], r[j.STARTED_NS]
    best_bid, best_ask = r[j.WANTED], r[j.WANTED + 2]
    r[j.WANTED], r[j.WANTED + 2] = 0, 0
    r[j.FEATURED] = clock_ns() - began_ns
    for i in range(lay.IN_OWN):
        floats[j.F_OBSERVATION + i] = net.inputs[i]
    for i in range(OWN_STATE):
        floats[j.F_OWN + i] = net.inputs[lay.IN_OWN + i]
    due = m.watch.ints[k, EVENTS] - t[STEPPED] >= STEP_EVENTS
    asked = WITH_HEADS | (ADVANCE if due else 0)
    r[j.INFERRED] = infer(net.core, net.inputs, net.states[k], net.results, asked, net.times, _ZERO)
    r[j.MODEL] = net.core.control[DECIDED_BY]
    if r[j.INFERRED] != OK:
        return NO_DECISION
    if due:
        t[STEPPED] = m.watch.ints[k, EVENTS]
    for i in range(3):
        r[j.ENCODED + i] = net.times[i] - began_ns
        floats[j.F_FORECAST + i] = net.results[_RETURN + i]
    floats[j.F_FORECAST + 3] = net.results[_TOXICITY]
    for i in range(ACTION):
        floats[j.F_ACTION + i] = net.results[lay.OUT_ACTION + i]
    for i in range(LATENT):
        floats[j.F_Z + i] = net.results[lay.OUT_Z + i]
    bid, ask, bid_lots, ask_lots = wanted(
        t[MID2], best_bid, best_ask, m.watch.units[k, PRICE_UNIT] * _wider(r[j.SPREAD]), net.results, t[SIZE_LOTS],
        t[EDGE_HALF_TICKS],
    )  # fmt: skip
    r[j.WANTED], r[j.WANTED + 1], r[j.WANTED + 2], r[j.WANTED + 3] = bid, bid_lots, ask, ask_lots
    r[j.PRICED] = clock_ns() - began_ns
    return TOXIC if 1e6 * net.results[_TOXICITY] > own.words[TOXIC_E6] else 0

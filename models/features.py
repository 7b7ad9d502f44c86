"""The six microstructure features and the regime of the day, one compiled update for training and for the hot loop.

`update` is called once for every tape record, just after the book has applied it. What it needs to know of the moment before,
it has kept. Everything is per instrument and in fixed memory. Sums that can be are integers, so that nothing drifts.

| value | formula | unit | window |
|---|---|---|---|
| OFI | (dBid - dAsk) / (abs dBid + abs dAsk) | -1 .. 1 | last 10 changes of the best prices or sizes |
| QUEUE | (bid lots - ask lots) / (bid lots + ask lots) at the best prices | -1 .. 1 | now |
| VPIN | mean of abs(buy - sell) / bucket | 0 .. 1 | last 50 full buckets of volume |
| SPREAD | best ask - best bid, weighted by time with a half-life | ticks | half-life, 1 s |
| ARRIVAL | sum over trades of exp(-age / 1 s) / 1 s | trades per second | 1 s |
| SLOPE | least squares of the middle's move on the signed aggressor lots | ticks per lot | last 100 trades |
| REGIME | closed, opening auction, continuous, pre-close, closing auction, halted | 0 .. 5 | now |

A value that cannot be known yet is 0.0, and its bit of `known` is off: nothing here is ever NaN or infinite.

A **trade** is one aggressor: prints (EXECUTE, TRADE) of one event time and one direction. An aggressor's **direction** is the
opposite of the resting side, as the book has it from the tape or from the order; where nobody knows it, Lee and Ready's rule:
a print above the middle before it is a buy, below a sell; at the middle, or without one, the side of the last change of trade
price; a print before any such change has no direction, and counts only as an arrival. Auction prints (CROSS) have no
aggressor and count nowhere.

Everything begins anew with `make_features` and with `reset`, as on a new day. A CLEAR is an empty book, not a new day.
"""

from __future__ import annotations

from domain.tape import Tape
from models import feature_arrays as fa
from models.compiled import i64, inlined
from models.decay import half_lives
from models.feature_arrays import Features
from models.market.layout import HALTED, LAST_PRICE, LAST_SIDE, LAST_SIZE, PRINTS, Book

_LN2 = 0.6931471805599453


@inlined
def _know(f: Features, k: int, value: int, known: bool) -> None:
    if known:
        f.ints[k, fa.KNOWN] |= 1 << value
    else:
        f.ints[k, fa.KNOWN] &= ~(1 << value)


@inlined
def order_flow(f: Features, k: int, bid: int, bid_lots: int, ask: int, ask_lots: int) -> None:
    """Order-flow imbalance, after Cont, Kukanov and Stoikov, "The price impact of order book events" (2014).

    A change of the best bid adds to dBid: its new lots where the price rose, less its old lots where the price fell, the
    difference of its lots where the price stayed; dAsk mirrors it (a lower ask adds). A side that appears has risen from
    nothing, one that vanishes has fallen to it. dBid and dAsk are sums over the last 10 changes.
    OFI = (dBid - dAsk) / sum of the magnitudes of all these deltas. With the plain sum below the line, deltas of opposite
    sign could cancel to nothing; where all are of one sign the two are the same. Zero below the line, which is a market
    in which nothing has changed yet, gives 0.0 and not known. Unit: none, -1 .. 1. Reset: new day.
    """
    s, ring = f.ints[k], f.ofi[k]
    if bid == s[fa.BID] and bid_lots == s[fa.BID_LOTS] and ask == s[fa.ASK] and ask_lots == s[fa.ASK_LOTS]:
        return
    d_bid = i64(0)
    if bid_lots > 0 and (s[fa.BID_LOTS] == 0 or bid >= s[fa.BID]):
        d_bid += bid_lots
    if s[fa.BID_LOTS] > 0 and (bid_lots == 0 or bid <= s[fa.BID]):
        d_bid -= s[fa.BID_LOTS]
    d_ask = i64(0)
    if ask_lots > 0 and (s[fa.ASK_LOTS] == 0 or ask <= s[fa.ASK]):
        d_ask += ask_lots
    if s[fa.ASK_LOTS] > 0 and (ask_lots == 0 or ask >= s[fa.ASK]):
        d_ask -= s[fa.ASK_LOTS]
    at = s[fa.OFI_AT]
    s[fa.OFI_BID] += d_bid - ring[at, 0]
    s[fa.OFI_ASK] += d_ask - ring[at, 1]
    s[fa.OFI_SIZE] += abs(d_bid) + abs(d_ask) - abs(ring[at, 0]) - abs(ring[at, 1])
    ring[at, 0], ring[at, 1] = d_bid, d_ask
    s[fa.OFI_AT] = at + 1 if at + 1 < fa.OFI_CHANGES else 0
    known = s[fa.OFI_SIZE] > 0
    f.values[k, fa.OFI] = (s[fa.OFI_BID] - s[fa.OFI_ASK]) / s[fa.OFI_SIZE] if known else 0.0
    _know(f, k, fa.OFI, known)


@inlined
def queue_imbalance(f: Features, k: int, bid_lots: int, ask_lots: int) -> None:
    """(bid lots - ask lots) / (bid lots + ask lots) at the best prices. One empty side gives +-1, two 0.0 and not known."""
    total = bid_lots + ask_lots
    f.values[k, fa.QUEUE] = (bid_lots - ask_lots) / total if total > 0 else 0.0
    _know(f, k, fa.QUEUE, total > 0)


@inlined
def toxicity(f: Features, k: int, side: int, lots: int) -> None:
    """VPIN, after Easley, Lopez de Prado and O'Hara (2012), with the direction rule of this module in place of theirs.

    Volume is cut into buckets of `bucket_lots`; a print that overfills one goes on into the next. VPIN is the mean of
    abs(buys - sells) / bucket_lots over the last full buckets, at most `buckets` of them. Before the first is full: 0.0 and not
    known. Prints without a direction are left out. Unit: none, 0 .. 1. Reset: new day.
    """
    s, size, n = f.ints[k], f.parameters[k, fa.BUCKET_LOTS], f.vpin.shape[1]
    if side == 0 or lots <= 0:
        return
    whole = i64(0)
    if s[fa.BUCKET] > 0:
        part = min(lots, size - s[fa.BUCKET])
        s[fa.BUCKET] += part
        s[fa.BUCKET_SIGNED] += side * part
        lots -= part
        if s[fa.BUCKET] == size:
            _bucket(f, k, abs(s[fa.BUCKET_SIGNED]))
            s[fa.BUCKET] = 0
            s[fa.BUCKET_SIGNED] = 0
    if lots >= size:
        whole = lots // size
        lots -= whole * size
        for _ in range(min(whole, n)):  # more than the window holds would only overwrite themselves
            _bucket(f, k, size)
    if lots > 0:
        s[fa.BUCKET] = lots
        s[fa.BUCKET_SIGNED] = side * lots


@inlined
def _bucket(f: Features, k: int, imbalance: int) -> None:
    s, n = f.ints[k], f.vpin.shape[1]
    at = s[fa.VPIN_AT]
    s[fa.VPIN_SUM] += imbalance - f.vpin[k, at]
    f.vpin[k, at] = imbalance
    s[fa.VPIN_AT] = at + 1 if at + 1 < n else 0
    s[fa.VPIN_FULL] = min(s[fa.VPIN_FULL] + 1, n)
    f.values[k, fa.VPIN] = s[fa.VPIN_SUM] / (s[fa.VPIN_FULL] * f.parameters[k, fa.BUCKET_LOTS])
    _know(f, k, fa.VPIN, True)


@inlined
def spread_average(f: Features, k: int, now_ns: int) -> None:
    """Time-weighted spread: the spread of the record before has held until now.

    average += (1 - 2^(-dt / half-life)) (spread - average), in ticks. The first spread begins it. Time without two sides, or
    with a crossed book, is left out; a locked book has spread 0. Time that runs backwards is no time. Reset: new day.
    """
    s = f.ints[k]
    if s[fa.BID_LOTS] > 0 and s[fa.ASK_LOTS] > 0 and s[fa.ASK] >= s[fa.BID]:
        spread = float(s[fa.ASK] - s[fa.BID])
        if not s[fa.KNOWN] >> fa.SPREAD & 1:
            f.values[k, fa.SPREAD] = spread
            _know(f, k, fa.SPREAD, True)
        elif now_ns > s[fa.SPREAD_NS]:
            kept = half_lives(now_ns - s[fa.SPREAD_NS], float(f.parameters[k, fa.HALF_LIFE_NS]))
            f.values[k, fa.SPREAD] = spread + kept * (f.values[k, fa.SPREAD] - spread)
    s[fa.SPREAD_NS] = max(s[fa.SPREAD_NS], now_ns)


@inlined
def arrival_rate(f: Features, k: int, now_ns: int, trades: int) -> None:
    """Trades per second: each adds 1 / T and fades as exp(-age / T), T the time constant. Known from the first record on."""
    s = f.ints[k]
    life = float(f.parameters[k, fa.ARRIVAL_LIFE_NS])
    if now_ns > s[fa.ARRIVAL_NS] and f.values[k, fa.ARRIVAL] > 0.0:
        f.values[k, fa.ARRIVAL] *= half_lives(now_ns - s[fa.ARRIVAL_NS], life * _LN2)
    s[fa.ARRIVAL_NS] = max(s[fa.ARRIVAL_NS], now_ns)
    f.values[k, fa.ARRIVAL] += trades * (1e9 / life)
    _know(f, k, fa.ARRIVAL, True)


@inlined
def impact_slope(f: Features, k: int, signed_lots: int, move_half_ticks: int) -> None:
    """Price impact: the slope b of move = a + b lots by least squares over the last 100 trades, in ticks per lot.

    lots: of one aggressor, negative for a sell. move: from the middle just before the trade to the middle just before the next
    one, so a trade enters when the next begins; one without a direction or without both middles does not. The sums
    are taken on and off trade by trade, and formed anew from the window every 100 trades, which ends what rounding has left.
    Fewer than two trades, or all of one size: 0.0 and not known. Reset: new day.
    """
    s, r, ring = f.ints[k], f.reals[k], f.slope[k]
    at, n = s[fa.SLOPE_AT], s[fa.SLOPE_N]
    x, y = float(signed_lots), float(move_half_ticks)
    old_x, old_y = ring[at, 0], ring[at, 1]  # zeros until the window is full
    ring[at, 0], ring[at, 1] = x, y
    r[fa.SX] += x - old_x
    r[fa.SY] += y - old_y
    r[fa.SXX] += x * x - old_x * old_x
    r[fa.SXY] += x * y - old_x * old_y
    n = min(n + 1, fa.SLOPE_TRADES)
    at = at + 1 if at + 1 < fa.SLOPE_TRADES else 0
    s[fa.SLOPE_AT], s[fa.SLOPE_N] = at, n
    if at == 0:
        r[:] = 0.0
        for j in range(fa.SLOPE_TRADES):
            r[fa.SX] += ring[j, 0]
            r[fa.SY] += ring[j, 1]
            r[fa.SXX] += ring[j, 0] * ring[j, 0]
            r[fa.SXY] += ring[j, 0] * ring[j, 1]
    spread_of_x = n * r[fa.SXX] - r[fa.SX] * r[fa.SX]
    known = spread_of_x > 1e-12 * n * r[fa.SXX]
    f.values[k, fa.SLOPE] = 0.5 * (n * r[fa.SXY] - r[fa.SX] * r[fa.SY]) / spread_of_x if known else 0.0
    _know(f, k, fa.SLOPE, known)


@inlined
def _direction(f: Features, k: int, resting: int, half_ticks: int) -> int:
    """+1 for a buyer's print, -1 for a seller's, 0 where nothing tells; and the memory of prices that this takes."""
    s = f.ints[k]
    if s[fa.HAS_PRICE] and half_ticks != s[fa.LAST_PRICE]:
        s[fa.LAST_MOVE] = 1 if half_ticks > s[fa.LAST_PRICE] else -1
    s[fa.LAST_PRICE], s[fa.HAS_PRICE] = half_ticks, 1
    if resting != 0:
        return -1 if resting > 0 else 1
    if s[fa.BID_LOTS] > 0 and s[fa.ASK_LOTS] > 0 and half_ticks != s[fa.BID] + s[fa.ASK]:
        return 1 if half_ticks > s[fa.BID] + s[fa.ASK] else -1
    return s[fa.LAST_MOVE]


@inlined
def _print(f: Features, k: int, now_ns: int, side: int, lots: int) -> int:
    """A print of an aggressor: it begins a trade, or belongs to the one under way. How many trades it begins: 0 or 1."""
    s = f.ints[k]
    toxicity(f, k, side, lots)
    if s[fa.TRADE_LOTS] > 0 and s[fa.TRADE_NS] == now_ns and s[fa.TRADE_SIDE] == side:
        s[fa.TRADE_LOTS] += lots
        return 0
    has_middle = s[fa.BID_LOTS] > 0 and s[fa.ASK_LOTS] > 0
    middle = s[fa.BID] + s[fa.ASK]
    if s[fa.TRADE_LOTS] > 0 and s[fa.TRADE_SIDE] != 0 and s[fa.HAS_MIDDLE] and has_middle:
        impact_slope(f, k, s[fa.TRADE_SIDE] * s[fa.TRADE_LOTS], middle - s[fa.TRADE_MIDDLE])
    s[fa.TRADE_NS], s[fa.TRADE_SIDE], s[fa.TRADE_LOTS] = now_ns, side, lots
    s[fa.TRADE_MIDDLE], s[fa.HAS_MIDDLE] = middle, has_middle
    return 1


@inlined
def regime(f: Features, b: Book, k: int, now_ns: int) -> None:
    """The part of the day by the session's times, or HALT while the tape has halted trading. Always known."""
    day = f.session[k]
    now = fa.CLOSED
    if b.meta[k, HALTED] != 0:
        now = fa.HALT
    elif now_ns >= day[3]:
        now = fa.CLOSING if now_ns < f.end_ns[k] else fa.CLOSED
    elif now_ns >= day[2]:
        now = fa.PRE_CLOSE
    elif now_ns >= day[1]:
        now = fa.CONTINUOUS
    elif now_ns >= day[0]:
        now = fa.OPENING
    f.values[k, fa.REGIME] = now
    _know(f, k, fa.REGIME, True)


@inlined
def update(f: Features, b: Book, tape: Tape, i: int) -> None:
    """Record i of a tape, which the book has just applied, enters the features of its instrument."""
    k, now_ns = i64(tape[i].instrument), tape[i].ts_event_ns
    if k < 0 or k >= f.ints.shape[0]:
        return
    s, last = f.ints[k], b.meta[k]
    spread_average(f, k, now_ns)
    trades = i64(0)
    if last[PRINTS] != s[fa.PRINTS_SEEN]:
        s[fa.PRINTS_SEEN] = last[PRINTS]
        trades = _print(f, k, now_ns, _direction(f, k, last[LAST_SIDE], last[LAST_PRICE]), last[LAST_SIZE])
    arrival_rate(f, k, now_ns, trades)
    bid, bid_lots, ask, ask_lots = b.ten[k, 0, 0], b.ten[k, 0, 1], b.ten[k, 0, 2], b.ten[k, 0, 3]
    order_flow(f, k, bid, bid_lots, ask, ask_lots)
    queue_imbalance(f, k, bid_lots, ask_lots)
    s[fa.BID], s[fa.BID_LOTS], s[fa.ASK], s[fa.ASK_LOTS] = bid, bid_lots, ask, ask_lots
    regime(f, b, k, now_ns)

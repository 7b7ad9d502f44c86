"""The arrays of the features of many instruments, in fixed memory, and the names of their places. See `models.features`."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]

OFI, QUEUE, VPIN, SPREAD, ARRIVAL, SLOPE, REGIME, FEATURES = 0, 1, 2, 3, 4, 5, 6, 7
CLOSED, OPENING, CONTINUOUS, PRE_CLOSE, CLOSING, HALT = 0, 1, 2, 3, 4, 5
OFI_CHANGES: Final = 10
SLOPE_TRADES: Final = 100

# Integers of each instrument.
BID, BID_LOTS, ASK, ASK_LOTS = 0, 1, 2, 3  # the top after the record before
KNOWN: Final = 4  # a bit for each value that is known
OFI_AT, OFI_BID, OFI_ASK, OFI_SIZE = 5, 6, 7, 8  # next place in the ring; sums of the deltas, and of their magnitudes
SPREAD_NS, ARRIVAL_NS = 9, 10  # until when the averages are
BUCKET, BUCKET_SIGNED = 11, 12  # lots in the open bucket, buys less sells of them
VPIN_AT, VPIN_FULL, VPIN_SUM = 13, 14, 15
TRADE_NS, TRADE_SIDE, TRADE_LOTS = 16, 17, 18  # the last trade, which may not be over; 0 lots: there was none
TRADE_MIDDLE, HAS_MIDDLE = 19, 20  # the middle just before it, half ticks
SLOPE_AT, SLOPE_N = 21, 22
LAST_PRICE, HAS_PRICE, LAST_MOVE = 23, 24, 25  # of prints, half ticks; the last change was +1 up, -1 down, 0 not known
PRINTS_SEEN: Final = 26  # of the book's prints
INTS: Final = 32
# Real numbers of each instrument: sums of the least squares.
SX, SY, SXX, SXY, REALS = 0, 1, 2, 3, 4
# Parameters.
BUCKET_LOTS, HALF_LIFE_NS, ARRIVAL_LIFE_NS = 0, 1, 2


class Features(NamedTuple):
    """State and values of K instruments."""

    values: F64  # (K, 7) the features, in the order of the constants
    ints: I64  # (K, INTS)
    reals: F64  # (K, REALS)
    ofi: I64  # (K, 10, 2) last deltas of the best bid and ask
    vpin: I64  # (K, buckets) abs(buy - sell) of the last full buckets
    slope: F64  # (K, 100, 2) signed lots and the middle's move in half ticks
    session: I64  # (K, 4) ns: opening auction begins, continuous trading, pre-close, close; a closing auction follows the close
    end_ns: I64  # (K,) the closing auction's end
    parameters: I64  # (K, 3)


def make_features(
    instruments: int = 1, *, bucket_lots: int = 1000, buckets: int = 50, half_life_ns: int = 10**9, arrival_s: float = 1.0
) -> Features:
    """Features of a new day.

    Args:
        instruments: as many as the book has.
        bucket_lots: VPIN's bucket of volume; a fiftieth of a day's volume is usual. May be set by instrument in `parameters`.
        buckets: VPIN's window, 50 to 200.
        half_life_ns: of the spread's average.
        arrival_s: time constant of the arrival rate.
    """
    assert bucket_lots > 0 and buckets > 0 and half_life_ns > 0 and arrival_s > 0
    k = instruments
    parameters = np.array([bucket_lots, half_life_ns, round(arrival_s * 1e9)], np.int64)
    session = np.zeros((k, 4), np.int64)
    session[:, 2:] = np.iinfo(np.int64).max  # continuous trading until somebody says when the session is
    return Features(
        values=np.zeros((k, FEATURES)),
        ints=np.zeros((k, INTS), np.int64),
        reals=np.zeros((k, REALS)),
        ofi=np.zeros((k, OFI_CHANGES, 2), np.int64),
        vpin=np.zeros((k, buckets), np.int64),
        slope=np.zeros((k, SLOPE_TRADES, 2)),
        session=session,
        end_ns=np.full(k, np.iinfo(np.int64).max),
        parameters=np.tile(parameters, (k, 1)),
    )


def reset(f: Features, k: int) -> None:
    """Begin a new day for instrument k; parameters and session stay."""
    for part in (f.values, f.ints, f.reals, f.ofi, f.vpin, f.slope):
        part[k] = 0

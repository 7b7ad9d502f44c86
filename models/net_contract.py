"""The net contract: what goes into the nets, what comes out, and what the tensors of a weights file are called.

One **observation** is made at a decision moment by `models.observation.observe`, in training and in the hot loop alike:

| array | shape | what |
|---|---|---|
| book | (40,) | 10 levels x [bid_px, bid_sz, ask_px, ask_sz]: signed distance from the middle, lots; a missing level is 0, 0 |
| tape | (3, 50) | rows [price, size, direction] of the last 50 trades, oldest first, zeros before the first; price as above |
| context | (18,) | the six features, their six known bits, the regime of the day as one of six |

Distances are in price units and lots in size units, which `models.observation` keeps for each instrument: running averages of
what the middle moves in ten events and of the lots at the best prices. An instrument that ticks in dollars and one that ticks
in tenths of a cent therefore look alike. Both are compressed: x -> sign(x) log2(1 + abs(x)) by our own series.

`normalise` turns an observation into what the encoder reads: (x - mean) / scale by the statistics of the model version, and 0
where a level, a trade or a feature is missing, so that what is not known is as if it were average.

**Action**, (4,): for the quoter [bid_offset, ask_offset, bid_size_factor, ask_size_factor], offsets in price units, factors of
the configured size. For the scheduler the same places are [participation, aggression, 0, 0]: the share of the volume that is
taken, and which part of it crosses the spread. On a tape that was only watched it is 0.

**Own state**, (4,), what the controller sees beside z: inventory over its limit, own bid's and own ask's distance from the
middle in price units (0 without a quote), share of the time that is left.

**Units of the heads**: moves, toxicity and fills are logits; returns are in price units, spreads, volumes, depths and the
volatility are compressed as above; all in the price and size unit of the moment at which the forecast begins. What is known
at that moment is not forecast: a path of spread or depth is what stands there plus the heads' change along the rollout
(`models.losses.anchored`).
"""

from __future__ import annotations

from typing import Final

CONTRACT_VERSION: Final = 1

LEVELS: Final = 10
BOOK: Final = 4 * LEVELS
TAPE_ROWS: Final = 3
TRADES: Final = 50
FEATURE_NAMES: Final = ("ofi", "queue", "vpin", "spread", "arrival", "slope")
FEATURES: Final = len(FEATURE_NAMES)
REGIMES: Final = 6
CONTEXT: Final = 2 * FEATURES + REGIMES
LATENT: Final = 128
ACTION: Final = 4
OWN_STATE: Final = 4
NOISE: Final = 16  # dimensions of the transition's chance

BOOK_HIDDEN: Final = 128
BOOK_OUT: Final = 64
TAPE_OUT: Final = 32
KERNEL: Final = 5
TRUNK: Final = 64
LAYER_NORM_EPS: Final = 1e-5  # torch's

MOVE_EVENTS: Final = (10, 20, 50, 100)  # horizons of the moves of the middle, in events
STEP_EVENTS: Final = 10  # one step of the dynamics

# Columns of the heads. A quantity's mean, log scale and tail t are a distribution: with a standard normal n and
# k = softplus(t), a draw is mean + 2^log_scale x sinh(k n) / k: the greater k, the heavier both tails (Johnson 1949).
HEADS: Final = (
    *(f"move_{k}_{way}" for k in MOVE_EVENTS for way in ("down", "flat", "up")),  # logits of three classes
    "return_mean",  # of the middle in the next step, price units
    "return_log_scale",
    "return_tail",
    "spread_mean",  # now
    "spread_log_scale",
    "spread_tail",
    "volume_mean",  # traded in the next step
    "volume_log_scale",
    "volume_tail",
    "depth_bid_mean",  # lots of the visible levels now, up to ten
    "depth_bid_log_scale",
    "depth_bid_tail",
    "depth_ask_mean",
    "depth_ask_log_scale",
    "depth_ask_tail",
    "log_volatility",  # of the next 100 events: mean move of the middle in ten events, compressed
    "toxicity_logit",  # that the middle is half a spread further the way of the last trade in 50 events
    "fill_bid_logit",  # that an order at the back of the best bid's queue trades within 100 events
    "fill_ask_logit",
)
N_HEADS: Final = len(HEADS)
HEAD: Final = {name: place for place, name in enumerate(HEADS)}
QUANTITIES: Final = ("return", "spread", "volume", "depth_bid", "depth_ask")  # those with a mean, a log scale and a tail


def tensor_shapes() -> dict[str, tuple[int, ...]]:
    """Name -> shape of every tensor of a weights file; all are float32."""
    h, z = BOOK_HIDDEN, LATENT
    layers: dict[str, tuple[int, ...]] = {
        "encoder.book1": (h, BOOK),
        "encoder.book2": (BOOK_OUT, h),
        "encoder.tape": (TAPE_OUT, TAPE_ROWS, KERNEL),
        "encoder.fusion": (z, BOOK_OUT + TAPE_OUT + CONTEXT),
        "encoder.norm": (z,),
        "dynamics.norm": (z,),
        "dynamics.noise_scale": (NOISE, z),
        "heads.trunk": (TRUNK, z),
        "heads.out": (N_HEADS, TRUNK),
        "controller.actor1": (128, z + OWN_STATE),
        "controller.actor2": (64, 128),
        "controller.actor3": (ACTION, 64),
        "controller.critic1": (128, z + OWN_STATE),
        "controller.critic2": (1, 128),
    }
    shapes: dict[str, tuple[int, ...]] = {}
    for name, shape in layers.items():
        shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    shapes |= {
        "dynamics.gru.weight_ih": (3 * z, z + ACTION),
        "dynamics.gru.weight_hh": (3 * z, z),
        "dynamics.gru.bias_ih": (3 * z,),
        "dynamics.gru.bias_hh": (3 * z,),
        "dynamics.noise_out": (z, NOISE),
    }
    for name, size in (("book", (BOOK,)), ("tape", (TAPE_ROWS,)), ("context", (CONTEXT,))):
        shapes |= {f"norm.{name}_mean": size, f"norm.{name}_scale": size}
    return dict(sorted(shapes.items()))

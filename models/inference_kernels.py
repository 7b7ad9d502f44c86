"""The layers of the nets in compiled code: one vector at a time, no mathematics library, no allocation.

Weights lie in one flat array of float32 as `models.inference_layout` packs them; activations in one work array. Every function
takes places in these arrays. A sum over inputs begins with the bias and adds in the order of the inputs, each product fused
into the sum, so that the bits depend on nothing but the numbers.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from models.compiled import hot, inlined
from models.inference_layout import F32, PANEL, VECTOR
from models.vectors import Vector, add_exponent, fma, greatest, least, load, magnitude, root, spread, spread_at, store, sum_of

_f = np.float32

_LOG2_E, _REST = _f(1.4426950216293335), _f(1.925963033500011e-08)  # log2(e) in two parts
_MAGIC, _LIMIT = _f(12_582_912.0), _f(80.0)  # 1.5 x 2^23: adding it rounds to whole numbers
# 2^f on [-0.5, 0.5] to a relative 9e-8: least largest error with the constant held at 1, found by Lawson's iteration.
_C1, _C2, _C3 = _f(0.6931470036506653), _f(0.24022242426872253), _f(0.05550733581185341)
_C4, _C5 = _f(0.009671512991189957), _f(0.001326472731307149)
_A3, _A5, _A7, _A9, _A11, _A13 = _f(2 / 3), _f(2 / 5), _f(2 / 7), _f(2 / 9), _f(2 / 11), _f(2 / 13)  # of 2 artanh
_INPUTS_AT_ONCE: Final = 66  # 17 KB of weights
_ZERO, _ONE, _TWO, _MINUS, _LOW = _f(0.0), _f(1.0), _f(2.0), _f(-1.0), _f(-80.0)


@inlined
def sigmoid(x: Vector) -> Vector:
    """1 / (1 + exp(-x)), to a relative 3e-7; x beyond +-80 as if it were 80."""
    x = greatest(least(x, spread(_LIMIT)), spread(_LOW))
    shifted = fma(x, spread(-_LOG2_E), spread(_MAGIC))
    f = fma(x, spread(-_LOG2_E), spread(_MAGIC) - shifted)
    f = fma(x, spread(-_REST), f)
    y = fma(f, spread(_C5), spread(_C4))
    y = fma(f, y, spread(_C3))
    y = fma(f, y, spread(_C2))
    y = fma(f, y, spread(_C1))
    y = fma(f, y, spread(_ONE))
    return spread(_ONE) / (spread(_ONE) + add_exponent(y, shifted))


@inlined
def silu(x: Vector) -> Vector:
    """x sigmoid(x)."""
    return x * sigmoid(x)


@inlined
def tanh(x: Vector) -> Vector:
    """2 sigmoid(2x) - 1, to an absolute 3e-7."""
    return fma(spread(_TWO), sigmoid(x + x), spread(_MINUS))


@inlined
def dense(w: F32, at: int, n_in: int, panels: int, x: F32, x_at: int, out: F32, out_at: int) -> None:
    """out = W x + b, 64 outputs a panel. w[at:]: per panel b (64,), then a row (64,) for every input."""
    for _ in range(panels):
        a, b, c, d = load(w, at), load(w, at + 16), load(w, at + 32), load(w, at + 48)
        at += PANEL
        for i in range(n_in):
            v = spread_at(x, x_at + i)
            a = fma(load(w, at), v, a)
            b = fma(load(w, at + 16), v, b)
            c = fma(load(w, at + 32), v, c)
            d = fma(load(w, at + 48), v, d)
            at += PANEL
        store(out, out_at, a)
        store(out, out_at + 16, b)
        store(out, out_at + 32, c)
        store(out, out_at + 48, d)
        out_at += PANEL


@inlined
def dense_narrow(w: F32, at: int, n_in: int, panels: int, x: F32, x_at: int, out: F32, out_at: int) -> None:
    """As `dense`, 16 outputs a panel, n_in a multiple of 4: four sums over every fourth input, then theirs."""
    zero = spread(_f(0.0))
    for _ in range(panels):
        a, b, c, d = load(w, at), zero, zero, zero
        at += VECTOR
        for i in range(x_at, x_at + n_in, 4):
            a = fma(load(w, at), spread_at(x, i), a)
            b = fma(load(w, at + 16), spread_at(x, i + 1), b)
            c = fma(load(w, at + 32), spread_at(x, i + 2), c)
            d = fma(load(w, at + 48), spread_at(x, i + 3), d)
            at += 4 * VECTOR
        store(out, out_at, (a + b) + (c + d))
        out_at += VECTOR


@inlined
def silu_all(x: F32, at: int, n: int) -> None:
    """SiLU in place over x[at : at + n], n a multiple of 16."""
    for i in range(at, at + n, 16):
        store(x, i, silu(load(x, i)))


@inlined
def convolve(w: F32, at: int, x: F32, x_at: int, width: int, out: F32, out_at: int) -> None:
    """Mean over positions of SiLU(conv), 3 rows -> 32 channels, kernel 5.

    Args:
        w: at `at`, the bias (32,), then for each row and place of the kernel the channels (32,).
        x: at `x_at`, three rows of `width` with two zeros at both ends: `width` - 4 positions, a multiple of 5.
    """
    low, high = spread(_f(0.0)), spread(_f(0.0))
    for position in range(x_at, x_at + width - 4, 5):
        a0 = b0 = c0 = d0 = e0 = load(w, at)
        a1 = b1 = c1 = d1 = e1 = load(w, at + 16)
        tap = at + 32
        for row in range(3):
            for i in range(position + row * width, position + row * width + 5):
                w0, w1 = load(w, tap), load(w, tap + 16)
                tap += 32
                v = spread_at(x, i)
                a0, a1 = fma(w0, v, a0), fma(w1, v, a1)
                v = spread_at(x, i + 1)
                b0, b1 = fma(w0, v, b0), fma(w1, v, b1)
                v = spread_at(x, i + 2)
                c0, c1 = fma(w0, v, c0), fma(w1, v, c1)
                v = spread_at(x, i + 3)
                d0, d1 = fma(w0, v, d0), fma(w1, v, d1)
                v = spread_at(x, i + 4)
                e0, e1 = fma(w0, v, e0), fma(w1, v, e1)
        low = low + (silu(a0) + silu(b0)) + (silu(c0) + silu(d0)) + silu(e0)
        high = high + (silu(a1) + silu(b1)) + (silu(c1) + silu(d1)) + silu(e1)
    share = spread(_ONE / _f(width - 4))
    store(out, out_at, low * share)
    store(out, out_at + 16, high * share)


@inlined
def layer_norm(w: F32, at: int, x: F32, x_at: int, n: int, eps: Any, out: F32, out_at: int) -> None:
    """(x - mean) / sqrt(variance + eps) x gain + bias, over x[x_at : x_at + n]. w at `at`: gain (n,), bias (n,)."""
    total = spread(_f(0.0))
    for i in range(x_at, x_at + n, 16):
        total = total + load(x, i)
    mean = spread(sum_of(total) / _f(n))
    square = spread(_f(0.0))
    for i in range(x_at, x_at + n, 16):
        d = load(x, i) - mean
        square = fma(d, d, square)
    scale = spread(_ONE) / root(spread(sum_of(square) / _f(n) + eps))
    for i in range(0, n, 16):
        store(out, out_at + i, fma((load(x, x_at + i) - mean) * scale, load(w, at + i), load(w, at + n + i)))


@inlined
def gru(w: F32, at: int, n_in: int, n: int, x: F32, x_at: int, gates: F32, gates_at: int, out: F32, out_at: int) -> None:
    """A gated recurrent unit, as torch.nn.GRUCell: the new hidden state.

    r = sigmoid(.), u = sigmoid(.), c = tanh(Wi x + bi + r (Wh h + bh)), h' = c + u (h - c).

    Args:
        w: at `at`, three dense layers one behind the other: r and u (2n outputs) of input and hidden state together, c of the
            input, c of the hidden state.
        x: at `x_at`, the input (n_in,), then the hidden state (n,).
        gates: room for 4n.
    """
    dense(w, at, n_in + n, 2 * n // PANEL, x, x_at, gates, gates_at)
    at += 2 * n * (n_in + n + 1)
    dense(w, at, n_in, n // PANEL, x, x_at, gates, gates_at + 2 * n)
    at += n * (n_in + 1)
    dense(w, at, n, n // PANEL, x, x_at + n_in, gates, gates_at + 3 * n)
    gated(n, x, x_at + n_in, gates, gates_at, out, out_at)


@inlined
def gated(n: int, h: F32, h_at: int, gates: F32, gates_at: int, out: F32, out_at: int) -> None:
    """The end of `gru`: gates (4n,) and the hidden state (n,) into the new one."""
    for i in range(0, n, 16):
        g = gates_at + i
        r, u = sigmoid(load(gates, g)), sigmoid(load(gates, g + n))
        c = tanh(fma(r, load(gates, g + 3 * n), load(gates, g + 2 * n)))
        store(out, out_at + i, fma(u, load(h, h_at + i) - c, c))


@inlined
def softplus(x: Vector) -> Vector:
    """log(1 + exp(x)) = max(x, 0) + log(1 + e), e = exp(-|x|), to an absolute 3e-7.

    log(1 + e) = 2 artanh(t), t = e / (2 + e) <= 1/3, by its series.
    """
    s = sigmoid(magnitude(x))  # 1 / (1 + e)
    t = (spread(_ONE) - s) / (spread(_ONE) + s)
    square = t * t
    y = fma(square, spread(_A13), spread(_A11))
    y = fma(square, y, spread(_A9))
    y = fma(square, y, spread(_A7))
    y = fma(square, y, spread(_A5))
    y = fma(square, y, spread(_A3))
    y = fma(square, y, spread(_TWO))
    return fma(t, y, greatest(x, spread(_ZERO)))


@hot
def dense_rows(
    w: F32, at: int, n_in: int, panels: int, x: F32, x_at: int, x_row: int, out: F32, out_at: int, out_row: int, rows: int
) -> None:  # fmt: skip
    """`dense` without its bias, out += W x for many rows, bit for bit as one row would be; rows a multiple of 4.

    Four rows and 64 outputs at once, 16 sums in registers; a few inputs at a time, so that their weights stay in the cache while
    all rows pass. The sums lie in `out` between.

    Args:
        x_row, out_row: from one row to the next.
    """
    for panel in range(panels):
        begin = at + panel * PANEL * (n_in + 1) + PANEL
        for first in range(0, n_in, _INPUTS_AT_ONCE):
            last = min(first + _INPUTS_AT_ONCE, n_in)
            for row in range(0, rows, 4):
                _tile(w, begin, first, last, x, x_at + row * x_row, x_row, out, out_at + panel * PANEL + row * out_row, out_row)


@inlined
def _tile(w: F32, at: int, first: int, last: int, x: F32, x_at: int, x_row: int, out: F32, o: int, out_row: int) -> None:
    p, q, r = o + out_row, o + 2 * out_row, o + 3 * out_row
    a0, a1, a2, a3 = load(out, o), load(out, o + 16), load(out, o + 32), load(out, o + 48)
    b0, b1, b2, b3 = load(out, p), load(out, p + 16), load(out, p + 32), load(out, p + 48)
    c0, c1, c2, c3 = load(out, q), load(out, q + 16), load(out, q + 32), load(out, q + 48)
    d0, d1, d2, d3 = load(out, r), load(out, r + 16), load(out, r + 32), load(out, r + 48)
    for i in range(first, last):
        f = at + i * PANEL
        w0, w1, w2, w3 = load(w, f), load(w, f + 16), load(w, f + 32), load(w, f + 48)
        v = spread_at(x, x_at + i)
        a0, a1, a2, a3 = fma(w0, v, a0), fma(w1, v, a1), fma(w2, v, a2), fma(w3, v, a3)
        v = spread_at(x, x_at + x_row + i)
        b0, b1, b2, b3 = fma(w0, v, b0), fma(w1, v, b1), fma(w2, v, b2), fma(w3, v, b3)
        v = spread_at(x, x_at + 2 * x_row + i)
        c0, c1, c2, c3 = fma(w0, v, c0), fma(w1, v, c1), fma(w2, v, c2), fma(w3, v, c3)
        v = spread_at(x, x_at + 3 * x_row + i)
        d0, d1, d2, d3 = fma(w0, v, d0), fma(w1, v, d1), fma(w2, v, d2), fma(w3, v, d3)
    _four(out, o, a0, a1, a2, a3)
    _four(out, p, b0, b1, b2, b3)
    _four(out, q, c0, c1, c2, c3)
    _four(out, r, d0, d1, d2, d3)


@inlined
def _four(out: F32, at: int, a: Vector, b: Vector, c: Vector, d: Vector) -> None:
    store(out, at, a)
    store(out, at + 16, b)
    store(out, at + 32, c)
    store(out, at + 48, d)


@inlined
def biases(w: F32, at: int, n_in: int, panels: int, out: F32, out_at: int, out_row: int, rows: int) -> None:
    """The beginning of every sum of a dense layer into each row."""
    for panel in range(panels):
        b = at + panel * PANEL * (n_in + 1)
        v0, v1, v2, v3 = load(w, b), load(w, b + 16), load(w, b + 32), load(w, b + 48)
        for row in range(rows):
            _four(out, out_at + panel * PANEL + row * out_row, v0, v1, v2, v3)

"""The live-order table against a plain dictionary, over restarts."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from adapters.fix.live_orders import TEXT_BYTES_MAX, LiveOrder, LiveOrders

SLOTS = 8
SCOPE = (1, 2, 3, 4, 5, 6, 7, 2**64 - 1)
KEYS = st.sampled_from([b"A", b"B", b"CC", b"DDD", b"E" * 40, b"F", b"G", b"H", b"I", b"J"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), KEYS, st.binary(max_size=TEXT_BYTES_MAX - 40)),
        st.tuples(st.just("forget"), KEYS, st.just(b"")),
        st.tuples(st.just("reopen"), st.just(b""), st.just(b"")),
    ),
    max_size=40,
)


@given(STEPS)
def test_it_holds_what_a_dictionary_holds(steps: list[tuple[str, bytes, bytes]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "table"
        table, model = LiveOrders(path, SLOTS), {}
        for what, key, text in steps:
            if what == "reopen":
                table.close()
                table = LiveOrders(path, SLOTS)
            elif what == "forget":
                table.forget(key)
                model.pop(key, None)
            else:
                refusal = table.add(LiveOrder(key, 3, SCOPE, text))
                assert bool(refusal) == (key not in model and len(model) == SLOTS)
                if not refusal:
                    model.setdefault(key, text)
            assert {order.key: order.cancel_text for order in table} == model
            assert all((order.slot, order.scope) == (3, SCOPE) for order in table)


def test_an_order_whose_cancel_does_not_fit_is_refused(tmp_path: Path) -> None:
    table = LiveOrders(tmp_path / "table", SLOTS)
    assert "longer than" in table.add(LiveOrder(b"A", 0, SCOPE, b"x" * TEXT_BYTES_MAX))
    assert len(table) == 0


def test_only_the_named_stay(tmp_path: Path) -> None:
    table = LiveOrders(tmp_path / "table", SLOTS)
    for key in (b"A", b"B", b"C"):
        table.add(LiveOrder(key, 0, SCOPE, b"cancel"))
    assert table.keep_only(frozenset({b"B", b"unknown"})) == 2
    assert [order.key for order in table] == [b"B"]

"""An order that waits for a trader: taken, worked by hand in the browser, and told to the client that sent it over FIX."""

from __future__ import annotations

from tests.console.conftest import Desks, Running
from tests.console.tab import Tab
from tests.console.test_trading import steer


def staged(tab: Tab, order: str, key: str, **fields: str) -> None:
    """Do something to an order that waits."""
    tab.go("care")
    tab.select("orders_staged", order)
    tab.press(key)
    tab.dialog(**{"reason": "a test asks for it", **fields})
    tab.submit()


def test_a_staged_order_is_taken_and_worked_by_hand(desks: Desks, running: Running) -> None:
    sent = running.send("--qty", "60000", "--algo", "twap", "--minutes", "60", "--cl-ord-id", "LARGE")
    assert sent.returncode == 0, sent.stderr
    tara, tom = desks.of("tara", "care"), desks.of("tom", "care")
    order = tara.row("orders_staged", quantity="60,000", rule="large")
    tara.picture("care-staged")
    staged(tara, order, "c")
    tom.until("Tom sees whose it is", lambda: tom.says("orders_staged", order, "owner") == "tara")
    staged(tara, order, "a", algo="manual")
    tara.until("it waits no more", lambda: order not in tara.rows("orders_staged"))
    parent = tara.row("parents", quantity="60,000")
    assert tara.says("parents", parent, "worked") == "by hand"
    steer(tara, parent, "l", quantity="500", price="1")
    child = tara.row("children", limit_px="1", quantity="500")
    tara.until("the venue has it", lambda: tara.says("children", child, "status") == "new")
    tara.go("care")
    tara.picture("care-by-hand")


def test_what_waits_is_rejected_and_the_client_is_told(desks: Desks, running: Running) -> None:
    sent = running.send("--qty", "70000", "--algo", "twap", "--minutes", "60", "--cl-ord-id", "LARGER")
    assert sent.returncode == 0, sent.stderr
    tab = desks.of("tara", "care")
    order = tab.row("orders_staged", quantity="70,000")
    staged(tab, order, "x")
    tab.until("it waits no more", lambda: order not in tab.rows("orders_staged"))
    assert "done" in tab.until("the page says so", tab.last_command)

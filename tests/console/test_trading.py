"""A trader at the console: sees orders worked, enters one from the ticket, steers it, works it by hand; two on one order."""

from __future__ import annotations

from tests.console.conftest import CLIENT, FIRST_QUANTITY, Desks
from tests.console.tab import Tab, number


def steer(tab: Tab, order: str, key: str, **fields: str) -> None:
    """Do something to an order by its key."""
    tab.go("blotter")
    tab.select("parents", order)
    tab.press(key)
    tab.dialog(**{"reason": "a test asks for it", **fields})
    tab.submit()


def test_a_client_s_order_is_seen_being_worked(desks: Desks) -> None:
    tab = desks.of("vera")
    order = tab.row("parents", quantity=FIRST_QUANTITY)
    before = number(tab.says("parents", order, "filled"))
    tab.until("more of it is filled", lambda: number(tab.says("parents", order, "filled")) > before)
    tab.select("parents", order)
    tab.until("its children are beside it", lambda: tab.rows("children"))


def test_the_door_wants_a_name_and_its_password(desks: Desks) -> None:
    tab = desks.stranger()
    tab.page.goto(tab.url + "/")
    tab.page.get_by_role("button", name="Sign in").click()
    assert tab.page.locator("[name=user]").get_attribute("aria-invalid") == "true"
    tab.page.locator("[name=user]").fill("tara")
    tab.page.locator("[name=password]").fill("not her password")
    tab.page.get_by_role("button", name="Sign in").click()
    tab.page.get_by_text("that is not a name and its password").wait_for()
    assert tab.close("a stranger") == []


def test_an_order_from_the_ticket_is_steered_and_worked_by_hand(desks: Desks) -> None:
    tab = desks.of("tara", "ticket")
    for name, text in {"client": CLIENT, "symbol": "DEMO", "quantity": "1k7"}.items():
        tab.page.locator(f"form.described [name={name}]").fill(text)
    tab.page.locator("form.described [name=side]").select_option("buy")
    tab.page.locator("form.described [name=algo]").select_option("twap")
    send = tab.page.get_by_role("button", name="Send buy order")
    send.click()
    wrong = tab.page.locator("form.described [name=quantity]")
    assert wrong.get_attribute("aria-invalid") == "true", "a wrong quantity is refused beside its field, before it is sent"
    wrong.fill("1,700")
    send.click()
    tab.picture("ticket-sent")
    tab.go("blotter")
    order = tab.row("parents", quantity="1,700", side="▲ Buy")
    steer(tab, order, "e", quantity="1,800")
    tab.until("it is amended", lambda: number(tab.says("parents", order, "quantity")) == 1_800)
    steer(tab, order, "p")
    tab.until("it is paused", lambda: tab.says("parents", order, "worked") == "paused")
    steer(tab, order, "r")
    tab.until("it is worked again", lambda: tab.says("parents", order, "worked") == "algo")
    steer(tab, order, "t")
    tab.until("it is hers", lambda: tab.says("parents", order, "worked") == "by hand")
    steer(tab, order, "l", quantity="100", price="1")
    child = tab.row("children", limit_px="1", quantity="100")
    assert tab.says("children", child, "side") == "▲ Buy"
    steer(tab, order, "r")
    tab.picture("blotter-worked")
    steer(tab, order, "Delete")
    tab.until("it is canceled", lambda: "cancel" in tab.says("parents", order, "status").lower())


def test_two_at_one_order_see_the_same(desks: Desks) -> None:
    tara, tom = desks.of("tara"), desks.of("tom")
    order = tara.row("parents", quantity=FIRST_QUANTITY)
    assert tom.row("parents", quantity=FIRST_QUANTITY) == order
    steer(tara, order, "p")
    tom.until("Tom sees it", lambda: tom.says("parents", order, "worked") == "paused")
    tom.select("parents", order)
    tom.press("p")
    tom.page.get_by_text("Pause: not for this row as they stand").or_(tom.page.get_by_text("Pause: not for this row")).wait_for()
    steer(tom, order, "r")
    tara.until("Tara sees it", lambda: tara.says("parents", order, "worked") == "algo")
    assert tara.says("parents", order, "filled") == tom.says("parents", order, "filled")

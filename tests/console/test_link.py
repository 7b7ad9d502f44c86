"""What a page does when its socket, its server or its place in the stream is lost; and the morning replayed."""

from __future__ import annotations

import csv
import io

import psutil

from tests.console.conftest import FIRST_QUANTITY, Desks, Running
from tests.console.tab import Tab, number

# Before the page's own code: its sockets in reach, and messages that never arrive.
SOCKETS = """
window.__sockets = [];
window.__drop = 0;
window.WebSocket = class extends WebSocket {
  constructor(...all) {
    super(...all);
    window.__sockets.push(this);
    this.addEventListener("message", (event) => {
      if (window.__drop > 0 && JSON.parse(event.data).t === "upd") {
        window.__drop -= 1;
        event.stopImmediatePropagation();
      }
    });
  }
};
"""


def in_reach(desks: Desks) -> Tab:
    tab = desks.stranger()
    tab.context.add_init_script(SOCKETS)
    desks.sign_in(tab, "vera")
    return tab


def whole(tab: Tab, order: str) -> bool:
    """Does the row say what the server's file of the table says?"""
    shown = tab.rows("parents").get(order, {})
    rows = list(csv.DictReader(io.StringIO(tab.context.request.get("/api/export/parents.csv").text())))
    served = next(row for row in rows if row["order_id"] == shown.get("order_id"))
    return number(shown["filled"]) == number(served["filled"])


def test_a_gap_and_a_lost_socket_are_made_good(desks: Desks) -> None:
    tab = in_reach(desks)
    order = tab.row("parents", quantity=FIRST_QUANTITY)
    tab.page.evaluate("window.__drop = 3")
    tab.until("messages were lost", lambda: tab.page.evaluate("window.__drop") == 0)
    tab.until("nothing is missing", lambda: whole(tab, order))
    before = tab.page.evaluate("window.__sockets.length")
    tab.page.evaluate("window.__sockets.at(-1).close()")
    tab.until("it comes back by itself", lambda: tab.page.evaluate("window.__sockets.length") > before)
    tab.live()
    tab.until("nothing is missing", lambda: whole(tab, order))
    assert tab.close("vera, cut off") == []


def test_a_server_that_dies_is_loud_and_its_return_quiet(desks: Desks, running: Running) -> None:
    tab = desks.of("vera")
    order = tab.row("parents", quantity=FIRST_QUANTITY)
    (server,) = (int(line.split()[0]) for line in running.left_over() if "ems _api " in line)
    psutil.Process(server).kill()
    tab.page.get_by_text("NOT CONNECTED").wait_for()
    tab.picture("not-connected")
    tab.page.get_by_text("NOT CONNECTED").wait_for(state="detached", timeout=60_000)
    tab.live()
    tab.complaints[:] = [line for line in tab.complaints if "ERR_CONNECTION_REFUSED" not in line and "WebSocket" not in line]
    tab.until("nothing is missing", lambda: whole(tab, order))


def test_the_morning_is_replayed_and_commands_are_off(desks: Desks) -> None:
    tab = desks.of("eve")
    order = tab.row("parents", quantity=FIRST_QUANTITY)
    now = tab.until("it is being filled", lambda: number(tab.says("parents", order, "filled")))
    events = tab.context.request.get(f"/api/orders/{order}").json()["events"]
    accepted = next(each for each in events if each["topic"] == "parent_order.accepted.v1")
    tab.go("replay")
    tab.page.get_by_label("As of event").fill(str(accepted["seq"]))
    tab.page.get_by_role("button", name="Show", exact=True).first.click()
    tab.page.get_by_text("Commands are off").wait_for()
    tab.go("blotter")
    tab.until("less of it is filled", lambda: order in tab.rows("parents") and number(tab.says("parents", order, "filled")) < now)
    tab.picture("replay")
    tab.select("parents", order)
    tab.press("p")
    tab.page.get_by_text("this is a replay: commands are off").wait_for()
    tab.page.get_by_role("button", name="Back to now").click()
    tab.until("it is now again", lambda: number(tab.says("parents", order, "filled")) >= now)

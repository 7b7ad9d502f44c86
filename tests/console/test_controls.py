"""The kill switch in two people's hands, what each role may not do, and what entitlements hide."""

from __future__ import annotations

from typing import Any

import pytest

from tests.console.conftest import CLIENT, FIRST_QUANTITY, Desks
from tests.console.tab import Tab, number


def act(tab: Tab, topic: str, row: str, verb: str, word: str = "", **fields: str) -> None:
    """Choose a verb from the menu of a row, fill its dialog in, confirm it."""
    tab.select(topic, row)
    tab.page.locator(f'section.grid-pane:has([data-topic="{topic}"]) button[aria-haspopup="menu"]').click()
    tab.page.get_by_role("menuitem", name=verb).click()
    confirm(tab, word, **fields)


def confirm(tab: Tab, word: str = "", **fields: str) -> None:
    dialog = tab.dialog(**{"reason": "a test asks for it", **fields})
    if word:
        assert dialog.locator("button.primary").is_disabled(), "a typed word comes first"
        dialog.locator("#verb-word").fill(word)
    tab.submit()


def test_one_stops_a_client_s_orders_and_two_arm_them_again(desks: Desks) -> None:
    rita, rolf, tara = desks.of("rita", "controls"), desks.of("rolf", "controls"), desks.of("tara")
    order = tara.row("parents", quantity=FIRST_QUANTITY)
    rita.press("K")
    confirm(rita, "KILL", kind="client", id=CLIENT)
    scope = rita.row("kills", level="hard")
    rita.picture("controls-killed")
    rita.page.get_by_text("Proof of flat").wait_for()
    before = tara.says("parents", order, "filled")
    act(rita, "kills", scope, "Arm again", "REARM")
    question = rolf.row("approvals", state="open")
    rita.row("approvals", state="open")
    act(rita, "approvals", question, "Agree")
    assert "refused" in rita.until("who asked may not agree", rita.last_command).lower()
    act(rolf, "approvals", question, "Agree")
    rolf.until("it is armed", lambda: rolf.says("approvals", question, "state") == "approved")
    act(rita, "kills", scope, "Let paused orders work")
    tara.until("its order is worked again", lambda: number(tara.says("parents", order, "filled")) > number(before))
    rolf.picture("controls-armed")


def asked(tab: Tab, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, str]:
    """A request of the page's own session, as a page would send it."""
    answer = tab.context.request.fetch(path, method=method, data=body, headers=headers)
    return answer.status, answer.text()


@pytest.mark.parametrize("person", ["vera", "tara", "rita", "quinn", "otto", "adam", "audrey"])
def test_what_a_role_may_not_do_is_neither_offered_nor_done(desks: Desks, person: str) -> None:
    tab, eve = desks.of(person), desks.of("eve")
    every = {verb["verb"] for verb in eve.context.request.get("/api/catalogue").json()["verbs"]}
    own = {verb["verb"] for verb in tab.context.request.get("/api/catalogue").json()["verbs"]}
    assert own < every
    csrf = tab.context.request.get("/api/session").json()["csrf"]
    for verb in sorted(every - own):
        headers = {"X-CSRF": csrf, "Idempotency-Key": f"{person}-{verb}"}
        status, text = asked(tab, "POST", f"/api/commands/{verb}", {"rows": [], "fields": {}}, **headers)
        assert status == 403, (verb, text)
    offered = set(tab.page.locator("header.top button.danger").all_inner_texts())
    assert person in ("tara", "rita", "otto") or offered == set()


def test_a_page_without_its_word_changes_nothing(desks: Desks) -> None:
    tab = desks.of("tara")
    assert (
        asked(tab, "POST", "/api/commands/pause", {"rows": [], "fields": {}}, **{"Idempotency-Key": "without-the-word"})[0] == 403
    )


def test_who_is_entitled_to_nothing_sees_no_order(desks: Desks) -> None:
    order = desks.of("vera").row("parents", quantity=FIRST_QUANTITY)
    tab = desks.of("nobby")
    tab.page.get_by_text("Nothing here").first.wait_for()
    assert tab.rows("parents") == {}
    assert asked(tab, "GET", f"/api/orders/{order}")[0] in (403, 404)
    status, text = asked(tab, "GET", "/api/export/parents.csv")
    assert status == 200 and len(text.splitlines()) == 1

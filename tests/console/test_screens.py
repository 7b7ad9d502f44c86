"""Every screen: drawn, without a complaint, without a breach of accessibility, in both colours, and kept as a picture."""

from __future__ import annotations

from tests.console.conftest import Desks
from tests.console.tab import Tab


def screens(tab: Tab) -> list[str]:
    """As the list at the left names them."""
    links = tab.page.locator("nav.rail a")
    links.first.wait_for()
    return [str(place) for place in links.evaluate_all("links => links.map((link) => link.getAttribute('href').slice(2))")]


def test_every_screen_is_whole_and_can_be_read_by_everybody(desks: Desks) -> None:
    tab = desks.of("eve")
    names = screens(tab)
    assert len(names) > 3
    wrong = []
    for screen in names:
        tab.go(screen)
        tab.page.wait_for_timeout(200)
        tab.picture(screen)
        wrong += [f"{screen}: {line}" for line in tab.breaches()]
    assert wrong == []


def test_the_light_colours_too(desks: Desks) -> None:
    tab = desks.of("eve")
    tab.page.get_by_role("button", name="Use the light colours").click()
    tab.picture("blotter-light")
    wrong = tab.breaches()
    tab.page.get_by_role("button", name="Use the dark colours").click()
    assert wrong == []


def test_the_door_too(desks: Desks) -> None:
    tab = desks.stranger()
    tab.page.goto(tab.url + "/")
    tab.page.get_by_role("button", name="Sign in").wait_for()
    tab.picture("sign-in")
    assert tab.breaches() == []
    assert tab.close("nobody yet") == []

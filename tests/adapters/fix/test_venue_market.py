"""The venue's market data desk: what a subscriber is sent, in which order."""

from __future__ import annotations

import threading
from collections.abc import Callable

import quickfix as fix

from adapters.fix.venue_market import MarketDataDesk
from domain.ports_venue import Depth, Snapshot

SESSION = "FIX.4.4:SIM->EMS-MD"


def touch(time_ns: int) -> Snapshot:
    """A market's state; known by its time."""
    return Snapshot("TEST", time_ns, 99, 1, 101, 1, 100, 1, volume_e9=0, notional_e9=0)


class Venue:
    """Answers a question with a state, and lets something happen before the answer leaves."""

    def __init__(self) -> None:
        self.state: Snapshot | None = touch(1)
        self.meanwhile: Callable[[], None] = lambda: None

    def snapshot(self, symbol: str) -> Snapshot | None:
        state = self.state
        self.meanwhile()
        return state

    def depth(self, symbol: str) -> Depth | None:
        return None


def desk() -> tuple[MarketDataDesk, list[tuple[str, int]]]:
    """A desk with one session, and what was sent: its request (or MsgType) and its time."""
    sent: list[tuple[str, int]] = []

    def send(message: fix.Message, session: str) -> None:
        assert session == SESSION
        text = dict(part.split("=", 1) for part in message.toString().split("\x01") if part)
        sent.append((text["262"] if text["35"] == "W" else text["35"], int(text.get("5060", "0"))))

    return MarketDataDesk(send, {SESSION}), sent


def ask(desk: MarketDataDesk, venue: Venue, action: str, request_id: str = "r") -> None:
    desk.request({262: request_id, 263: action}, ["TEST"], SESSION, venue)  # type: ignore[arg-type]


def test_an_answer_that_a_publication_has_overtaken_is_left_out() -> None:
    market, sent = desk()
    venue = Venue()
    venue.meanwhile = lambda: market.publish([touch(2)])
    ask(market, venue, "1")
    assert sent == [("r", 2)], "the newer state came first, and for this subscription"
    market.publish([touch(3)])
    assert sent[1:] == [("r", 3)]


def test_a_subscription_is_answered_at_once_and_a_question_always() -> None:
    market, sent = desk()
    venue = Venue()
    ask(market, venue, "1")
    assert sent == [("r", 1)]
    market.publish([touch(5)])
    ask(market, venue, "0", "q")
    assert sent[2:] == [("q", 1)], "a question has its answer, whatever was published"
    ask(market, venue, "2")
    market.publish([touch(6)])
    assert len(sent) == 3, "who has unsubscribed hears nothing"


def test_an_unknown_symbol_is_refused_and_leaves_no_subscription() -> None:
    market, sent = desk()
    venue = Venue()
    venue.state = None
    ask(market, venue, "1")
    market.publish([touch(2)])
    assert sent == [("Y", 0)]


def test_a_session_that_ends_while_a_touch_is_sent_is_not_waited_for() -> None:
    """The engine ends a session under a lock that senders need: `gone` must not wait for a sender."""
    holding, sending, ended = threading.Event(), threading.Event(), threading.Event()

    def send(message: fix.Message, session: str) -> None:
        if holding.is_set():
            sending.set()
            assert ended.wait(10), "the session's end waits for a message that waits for it"

    market = MarketDataDesk(send, {SESSION})
    ask(market, Venue(), "1")
    holding.set()
    sender = threading.Thread(target=market.publish, args=([touch(2)],))
    sender.start()
    assert sending.wait(10)
    ending = threading.Thread(target=market.gone, args=(SESSION,))
    ending.start()
    ending.join(5)
    assert not ending.is_alive()
    ended.set()
    sender.join(10)

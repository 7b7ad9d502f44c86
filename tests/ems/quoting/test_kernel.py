"""The quoter's kernel against a market and a venue made by chance: what may never be seen at the venue's socket is never seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from adapters.shm.latch import SharedLatch
from domain.kill_latch import Slot
from domain.kill_scope import FIRM, Scope
from domain.kill_table import Level
from domain.values import ScopeKind
from ems.quoting import journal as j
from ems.quoting import state as s
from ems.quoting import verdicts as v
from ems.quoting.feed import renewed
from ems.quoting.held import Held
from tests.ems.quoting.kernel_room import SECOND, SYMBOLS, Room, call, make_quoter

SEEDS = range(3)
STEPS = 400


@pytest.fixture
def quoting() -> Room:
    room = Room(11)
    room.warm()
    assert room.judge.orders, "it quotes"
    return room


def day(room: Room, steps: int = STEPS, *, odd: float = 0.03) -> None:
    """Market and venue at their own pace; now and then bytes that neither should have sent; the process puts it right."""
    chance = room.chance
    for _ in range(steps):
        datagrams = room.market.step()
        if chance.random() < odd:
            datagrams = disturbed(room, datagrams)
        for datagram in datagrams:
            room.datagram(datagram)
        for _ in range(chance.randrange(3)):
            room.venue.work()
        if chance.random() < 0.3:
            room.venue.trade()
        while room.venue.outbox and chance.random() < 0.7:
            room.report(room.venue.outbox.popleft())
        if chance.random() < odd:
            room.report(room.venue.odd(), true=False)
        if chance.random() < 0.2:
            room.timer()
        for k, symbol in SYMBOLS.items():
            if not room.q.own.words[s.OUT_OF_STEP]:
                assert room.q.own.table[k, s.POSITION] == room.judge.position.get(symbol, 0)
            room.judge.within_limits(symbol)
        if room.q.own.words[s.OUT_OF_STEP] and chance.random() < 0.3:
            room.resynchronise()
            renewed(room.q)


def disturbed(room: Room, datagrams: list[bytes]) -> list[bytes]:
    """Lost and told again, in another order, twice, or not of this session."""
    match room.chance.randrange(4):
        case 0:
            later = [each for _ in range(3) for each in room.market.step(odd=0.0)]
            return [*later[:1], *datagrams, *later]
        case 1:
            return [*datagrams, *datagrams]
        case 2:
            return [bytes(room.chance.randrange(256) for _ in range(room.chance.randrange(60))), *datagrams]
        case _:
            return [b"OTHER     " + datagrams[0][10:], *datagrams]


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_market_and_venue_do_no_rule_is_broken(seed: int) -> None:
    room = Room(seed, messages_per_s=200)
    room.warm()
    day(room)
    assert room.judge.sent["enter"] > 50 and room.judge.sent["cancel"] > 20 and room.judge.sent["replace"] > 20
    assert room.venue.match > 20
    words = room.q.own.words
    for i, at_ns in enumerate(room.sent_ns):
        later = [each for each in room.sent_ns[i:] if each - at_ns <= SECOND // 10]
        assert len(later) <= (words[s.BURST_NS] + SECOND // 10) // words[s.EMISSION_NS] + 1


@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_inputs_from_a_copied_state_give_the_same_records_and_bytes_by_its_address_too(seed: int) -> None:
    room = Room(seed + 20)
    room.warm()
    twin = make_quoter()
    s.copy_into(room.q, twin)
    room.calls.clear()
    first, seen = int(room.q.call.place[j.NEXT]), []
    keep = room._call

    def kept(kind: str, data: bytes) -> bytes:
        before = int(room.q.call.place[j.NEXT])
        sent = keep(kind, data)
        seen.append((sent, compared(room.q, before)))
        return sent

    room._call = kept  # type: ignore[method-assign]
    steady(room, 150)
    assert int(room.q.call.place[j.NEXT]) - first >= 150
    out, held = np.zeros(j.OUTPUT_BYTES, np.uint8), Held(twin)
    for (kind, data, now_ns, why), expected in zip(room.calls, seen, strict=True):
        twin.own.words[s.SUSPENDED] = why
        before = int(twin.call.place[j.NEXT])
        n = call(held, kind, data, now_ns, out)
        assert (out[:n].tobytes(), compared(twin, before)) == expected
    for ours, theirs in zip(s.parts_of(room.q), s.parts_of(twin), strict=True):
        assert ours.tobytes() == theirs.tobytes()


def steady(room: Room, steps: int) -> None:
    """Datagrams, reports and the timer, without the process."""
    for _ in range(steps):
        for datagram in room.market.step():
            room.datagram(datagram)
        room.venue.work()
        room.venue.trade()
        while room.venue.outbox:
            room.report(room.venue.outbox.popleft())
        room.timer()


def compared(q: s.Quoter, first: int) -> list[bytes]:
    """What a re-run must give again of the records from `first` on."""
    found = []
    for number in range(first, int(q.call.place[j.NEXT])):
        slot = (number - 1) % len(q.call.records.words)
        words, raw = q.call.records.words[slot], q.call.records.bytes[slot]
        assert j.whole(words, number)
        parts = [raw[j.COMPARED : j.B_OUTPUT], raw[j.B_OUTPUT : j.B_OUTPUT + words[j.OUTPUT_LENGTH]]]
        parts.append(raw[j.B_INPUT : j.B_INPUT + words[j.INPUT_LENGTH]])
        if words[j.INFERRED] == 0:
            parts.append(raw[4 * j.F_OBSERVATION :])
        found.append(b"".join(part.tobytes() for part in parts))
    return found


def test_a_kill_lets_nothing_but_cancels_leave_and_takes_everything_out(tmp_path: Path) -> None:
    latch = SharedLatch(tmp_path / "latch")
    latch.build([Slot(FIRM)])
    words = np.memmap(tmp_path / "latch", np.int64, "r")
    mine, other = Scope(ScopeKind.STRATEGY, "making"), Scope(ScopeKind.STRATEGY, "other")
    room = Room(5, latch=np.asarray(words), scopes=np.array([mine.digest], np.uint64).view(np.int64))
    room.warm()
    assert len(room.judge.orders) > 1
    latch.change(other, lambda slot: slot.tripped(Level.HARD, 1, 1))
    latch.change(FIRM, lambda slot: slot)
    for datagram in room.market.step(odd=0.0):
        room.datagram(datagram)
    assert room.record()["kill"] == 0 and not room.record()["verdict"] & v.KILLED
    room.settle()
    for scope in (mine, FIRM):
        latch.change(scope, lambda slot: slot.tripped(Level.HARD, 7, 1))
        room.stop = True
        room.timer()
        assert room.record()["kill"] == Level.HARD and v.names_of(int(room.record()["verdict"]))[0] == "killed"
        room.settle()
        assert not room.venue.live and not room.q.own.words[s.LIVE]
        for _ in range(20):
            for datagram in room.market.step(odd=0.0):
                assert room.datagram(datagram) == b""
        latch.change(scope, lambda slot: slot.rearmed(7, 2))
        room.stop = False
        for _ in range(20):
            for datagram in room.market.step(odd=0.0):
                room.datagram(datagram)
            room.settle()
        assert room.venue.live, "re-armed, it quotes again"
    Path(tmp_path / "latch").write_bytes(bytes(words.nbytes))
    room.stop = True
    room.timer()
    assert room.record()["kill"] == Level.HARD, "a latch without a head is none"


@pytest.mark.parametrize("what", "gap garbage halt crossed silence late suspended unknown_fill toxic end".split())
def test_what_may_be_wrong_pulls_every_quote_within_one_call(quoting: Room, what: str) -> None:
    room, market, names = quoting, quoting.market, {
        "gap": "gap", "garbage": "no_feed", "halt": "closed", "crossed": "crossed", "silence": "stale", "late": "stale",
        "suspended": "suspended", "unknown_fill": "out_of_step", "toxic": "toxic", "end": "no_feed",
    }  # fmt: skip
    k = 1 if room.q.own.orders[1].any() else 2
    symbols = {SYMBOLS[k]} if what in ("halt", "crossed", "toxic") else set(SYMBOLS.values())
    room.stop = what not in ("halt", "crossed", "toxic")
    told: list[bytes] = []
    match what:
        case "gap":
            market.step(odd=0.0)
            told = market.step(odd=0.0)
        case "garbage":
            told = [b"\x07" * 33]
        case "halt":
            told = market._say([(market.now_ns, 0, 0, 0, 1, k, 0, 9, 0)])
        case "crossed":
            told = market._say([market._add(k, 1, market.mid[k] + 9, 100)])
        case "silence":
            market.ns += 4 * SECOND
            room.timer()
        case "late":
            told = market.step(odd=0.0)
            market.ns += 2 * SECOND
        case "suspended":
            room.q.own.words[s.SUSPENDED] = 4
            told = market.step(odd=0.0)
        case "unknown_fill":
            room.report(room.venue._bytes("executed", user_ref_num=77_777, quantity=5, match_number=9), true=False)
        case "toxic":
            room.q.own.words[s.TOXIC_E6] = -100_000_000
            told = market._say([market._add(k, 1, market.mid[k] - 3, 100)])
        case "end":
            told = [market.sender.end()]
    for datagram in told:
        room.datagram(datagram)
    assert names[what] in v.names_of(int(room.record()["verdict"]))
    asked = {message.number("user_ref_num") for message in room.venue.inbox if message.name == "cancel"}
    assert {ref for ref, order in room.judge.orders.items() if order.symbol in symbols} <= asked
    assert asked


def test_after_a_gap_is_filled_it_quotes_again(quoting: Room) -> None:
    room = quoting
    missing, later = room.market.step(odd=0.0), room.market.step(odd=0.0)
    room.stop = True
    for datagram in later:
        room.datagram(datagram)
    room.settle()
    assert not room.venue.live
    room.stop = False
    for datagram in [*missing, *later, *room.market.step(odd=0.0), *room.market.step(odd=0.0), *room.market.step(odd=0.0)]:
        room.datagram(datagram)
    room.settle()
    assert room.venue.live


def test_cancels_need_no_budget_and_no_limit(quoting: Room) -> None:
    room = quoting
    room.q.own.words[s.PAID_UNTIL_NS] = 2**61
    room.q.own.table[:, s.SIZE_MAX] = room.q.own.table[:, s.LONG_MAX] = room.q.own.table[:, s.SHORT_MAX] = 0
    room.q.own.words[s.SUSPENDED], room.stop = 1, True
    room.timer()
    room.settle()
    assert not room.venue.live and not room.q.own.words[s.LIVE]
    assert not room.q.own.table[:, [s.BUYING, s.SELLING]].any(), "nothing is reserved for what is gone"


def test_a_cancel_that_is_not_answered_is_asked_again_and_known(quoting: Room) -> None:
    room = quoting
    room.q.own.words[s.SUSPENDED], room.stop = 1, True
    assert room.timer()
    assert room.timer() == b"", "once is enough"
    room.market.ns += 2 * SECOND
    assert room.timer()
    assert room.q.own.words[s.OUT_OF_STEP] & s.UNANSWERED


def test_a_full_journal_does_nothing(quoting: Room) -> None:
    room = quoting
    room.q.call.place[j.ROOM_UNTIL] = room.q.call.place[j.NEXT] - 1
    before = [part.tobytes() for part in s.parts_of(room.q)]
    (datagram, *_) = room.market.step(odd=0.0)
    assert call(room.q, "datagram", datagram, room.market.now_ns, room.out) == -1
    assert call(room.q, "timer", b"", room.market.now_ns, room.out) == -1
    assert [part.tobytes() for part in s.parts_of(room.q)] == before


def test_a_quote_at_the_firms_own_price_is_not_sent() -> None:
    firm = np.zeros((3, j.N_EXPOSURE), np.int64)
    room = Room(3, firm=firm)
    firm[:, s.FIRM_ASK_E4] = 1  # somebody of the firm sells at next to nothing: whatever we bid would meet it
    room.warm()
    assert {order.side for order in room.judge.orders.values()} == {"S"}
    assert (room.record()["exposure"][s.FIRM_ASK_E4]) == 1

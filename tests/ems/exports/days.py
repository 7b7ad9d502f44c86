"""Days to export: a real desk's, with every kind of order life, and a quoter's and an allocation's events beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from domain import allocation as al
from domain import kill_switch as ks
from domain import limits as lm
from domain import model_version as mv
from domain import quote as q
from domain.allocation_terms import BookedOrder, Share, Terms
from domain.catalogue import TOPICS
from domain.event import Entry, Event, Meta
from domain.risk import Check
from domain.stored import Decoder
from domain.values import E9, ScopeKind, Side, StreamId
from ems.exports.book import Fact
from ems.exports.day import fact_of
from ems.exports.settings import AccountTerms, CatSettings, Destination, ReportingSettings
from tests.ems.direct import replace, venue_refuses, venue_replaces
from tests.ems.room import Room

ZONE = ZoneInfo("America/New_York")
SETTINGS = ReportingSettings(
    lei="529900T8BM49AURSDO55",
    cat=CatSettings(
        submitter="1234", imid="TEST", department="A", trading_session="REG", affiliate=False, solicited=False,
        display_instruction=False, negotiated=False,
    ),
    destinations={
        "VENUE": Destination(id="XNAS", type="E", session="S1", mic="XNAS"), "MM": Destination(id="XNAS", type="E", session="Q1")
    },
    accounts={
        "ACC": AccountTerms(fdid="FD-1", holder="I", capacity="A", lei="5493001KJTIIGC8Y1R12"),
        "FUND": AccountTerms(fdid="FD-2", holder="I"), "MM": AccountTerms(fdid="FD-3", holder="O", capacity="P"),
    },
)  # fmt: skip


async def busy_day() -> Room:
    """A desk's day: a direct order replaced and canceled, one refused by its venue, one worked by an algorithm in children."""
    room = await Room().open()
    await room.order(cl_ord_id="A1", algo="", parameters=(), quantity_e9=10_000 * E9)
    await room.report("new", order_id="V1")
    await room.fill(2_000, "X1")
    await replace(room, "A2", "A1", 8_000)
    await venue_replaces(room)
    await replace(room, "A3", "A2", 9_000)
    await venue_refuses(room, "replace")
    room.clock.ns += 1_234_567
    await room.cancel("A4", "A2")
    await room.report("canceled")
    await room.client_order("B1", quantity_e9=500 * E9)
    await room.report("rejected", text="closed")
    await worked(room)
    await beside(room)
    return room


async def worked(room: Room) -> None:
    """An algorithm's order: two children, one filled, one canceled by us, the rest by the client."""
    await room.order(cl_ord_id="C1", quantity_e9=1_000 * E9)
    await room.plan(400, 600)
    await room.wait(0)
    await room.report("new", order_id="V9")
    await room.fill(400, "X2")
    await room.wait(61)
    await room.report("new", order_id="V10", number=2)
    await room.cancel("C2", "C1")
    await room.report("canceled", number=2)


async def beside(room: Room) -> None:
    """What others write: a limit, a model, a kill switch, a quoter, an allocation."""
    now_ns, parent = room.clock.ns, room.parent()
    limit = lm.LimitSet(
        check=Check.MAX_QUANTITY, scope=ScopeKind.FIRM, scope_id="", applies="any", level="hard", value_e9=E9, unit="quantity",
        window_ns=0, from_ns=0, until_ns=None, approver="bob", reason="review",
    )  # fmt: skip
    await put(room, lm.key_of(limit), [limit], actor="person:ann")
    card = mv.ModelCard(digest="ab" * 32, model="world-model", contract=1, step="interval", data=(), metrics=(("mcc", 0.1),))
    await put(room, mv.key(), [mv.Registered(card=card, person="ann", reason="trained", at_ns=now_ns)], actor="person:ann")
    drill = ks.Suspended(scope="strategy:ems-drill", source="drill", reason="drill", at_ns=now_ns)
    await put(room, ks.key(), [drill], actor="system:drill")
    await put(room, q.key("MM", "2026-11-27", "1"), quoted(now_ns), actor="system:quoter")
    await put(room, al.key("OMS", "2026-11-27", "L1"), allocated(parent.id), actor="client:OMS")


def quoted(now_ns: int) -> list[Event]:
    opened = q.Opened(
        quoter="MM", trade_date="2026-11-27", run="1", instruments=(), weights_sha256="", environment_sha256="",
        configuration="{}", configuration_sha256="", checkpoint_sha256="", record_bytes=1,
    )  # fmt: skip
    place = {"symbol": "ABC", "quantity_e9": 100 * E9, "price_e9": 99 * E9, "at_ns": now_ns}
    return [
        opened,
        q.OrderPlaced(record=1, ref=1, side=Side.BUY, **place),
        q.OrderReplaced(record=2, replaced=1, ref=2, quantity_e9=100 * E9, price_e9=98 * E9, at_ns=now_ns),
        q.CancelSent(record=3, ref=2, quantity_e9=0, at_ns=now_ns),
        q.Answered(record=4, ref=2, answer=q.Answer.CANCELED, quantity_e9=100 * E9, at_ns=now_ns),
    ]


def allocated(parent: StreamId) -> list[Event]:
    booked = BookedOrder(parent=parent, cl_ord_id="C1", order_id="O1")
    shares = (Share(account="ACC", quantity_e9=300 * E9), Share(account="FUND", quantity_e9=100 * E9))
    terms = Terms(alloc_id="L1", instrument="ABC", side=Side.BUY, orders=(booked,), shares=shares)
    parts = tuple(
        al.Part(account=name, individual_id="", quantity_e9=quantity * E9, net_money_e9=None)
        for name, quantity in (("ACC", 300), ("FUND", 100))
    )
    report = al.Reported(
        number=1, action="new", ref_number=0, cause="terms", text="", executed_e9=400 * E9, executed_notional_e18=0,
        quantity_e9=400 * E9, average_price_e9=100 * E9, price_decimals=4, rounding_e18=0, rounding_max_e18=0, rule="as asked",
        currency="USD", gross_e9=None, net_money_e9=None, orders=(), parts=parts,
    )  # fmt: skip
    return [al.Accepted(client_session="OMS", trade_date="2026-11-27", terms=terms), report]


async def put(room: Room, stream: StreamId, events: Sequence[Event], *, actor: str, at_ns: int = 0) -> None:
    """Events of another writer."""
    meta = Meta(at_ns or room.clock.ns, actor, stream, "command:test", "test")
    await room.log.append([Entry(stream, len(await room.log.read(stream)), tuple(events), meta)])


async def facts(room: Room) -> list[Fact]:
    """The whole log, as an export reads it."""
    decoder, found = Decoder(TOPICS), []
    async for page in room.log.read_rows():
        found += [fact_of(row, decoder) for row in page]
    return found


def changed(settings: ReportingSettings, part: str, **values: Any) -> ReportingSettings:
    """The firm's words with others in one part."""
    return settings.model_copy(update={part: getattr(settings, part).model_copy(update=values)})

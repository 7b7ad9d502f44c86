"""The table [quoting] of the configuration: what is quoted, where, within which limits, and how its journal is kept."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Port = Annotated[int, Field(ge=1, le=65535)]
Lots = Annotated[int, Field(ge=1, le=1_000_000)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Address(_Table):
    """Where something is."""

    host: str = "127.0.0.1"
    port: Port

    @property
    def pair(self) -> tuple[str, int]:
        """For sockets."""
        return self.host, self.port


class QuotedInstrument(_Table):
    """One instrument. locate: its number in the feed. edge_half_ticks: least distance from the middle. position_lots: of before
    the venue's day. quotes_max: messages in a second."""

    symbol: str
    locate: Annotated[int, Field(ge=1, le=65_535)]
    size_lots: Lots = 100
    edge_half_ticks: Annotated[int, Field(ge=1)] = 1
    inventory_max_lots: Lots = 1_000
    order_max_lots: Lots = 500
    collar_bp: Annotated[float, Field(gt=0, le=5_000)] = 200
    position_lots: int = 0
    quotes_max: Annotated[int, Field(ge=1, le=10_000)] = 200


class JournalSettings(_Table):
    """The quoter's journal.

    Attributes:
        slots: of the ring, rounded up to a power of two; at 20,000 inferences in a second 65,536 last for three seconds.
        seal_s: how long a record waits for its segment to fill.
        retention_gb: of sealed segments; the oldest go first. 0: nothing goes.
        state_every_s: how often the state is kept, at a moment in which nothing has come: from there calls are made again.
    """

    slots: Annotated[int, Field(ge=256, le=1 << 24)] = 65_536
    seal_s: Annotated[float, Field(gt=0, le=60)] = 1.0
    retention_gb: Annotated[float, Field(ge=0)] = 500.0
    state_every_s: Annotated[float, Field(gt=0)] = 60.0


class QuotingSettings(_Table):
    """Market making.

    Attributes:
        name: of the quoter: its strategy to the kill switch, and part of its stream.
        feed: where the venue's datagrams come. group: their multicast group, "" without. again: who repeats missing messages.
        venue: where orders go; username and password of the account, which should cancel on disconnect.
        weights: digest of the model version; "": the champion.
        stale_s: how long the feed may be silent; late_s: how old what it says may be, 0: any.
        messages_per_s: of all instruments together; cancels are free.
        worst_lots, worst_notional: of all instruments: held and open at its worst.
        toxicity_logit: above it quotes are pulled.
        busy_poll: never sleep. core: the processor to run on, -1: any.
    """

    name: str = "maker"
    instruments: Annotated[tuple[QuotedInstrument, ...], Field(min_length=1)]
    feed: Address
    group: str = ""
    again: Address | None = None
    venue: Address
    username: Annotated[str, Field(min_length=1, max_length=6)]
    password: Annotated[str, Field(min_length=1, max_length=10)]
    weights: str = ""
    stale_s: Annotated[float, Field(gt=0, le=60)] = 3.0
    late_s: Annotated[float, Field(ge=0, le=60)] = 1.0
    messages_per_s: Annotated[int, Field(ge=1, le=1_000_000)] = 1_000
    worst_lots: Annotated[int, Field(ge=1)] = 100_000
    worst_notional: Annotated[int, Field(ge=1)] = 10_000_000
    toxicity_logit: float = 2.0
    exposure_max_s: Annotated[float, Field(ge=0, le=60)] = 2.0  # how old the firm's numbers may be; 0: they are not asked for
    busy_poll: bool = False
    core: Annotated[int, Field(ge=-1)] = -1
    journal: JournalSettings = JournalSettings()

    @model_validator(mode="after")
    def _apart(self) -> Self:
        for what in ("symbol", "locate"):
            found = [getattr(each, what) for each in self.instruments]
            if twice := [one for one in found if found.count(one) > 1]:
                raise ValueError(f"two quoted instruments have the {what} {twice[0]}")
        return self

    def public_json(self) -> str:
        """For the log: everything but the password."""
        return self.model_dump_json(exclude={"password"})

    @property
    def slots(self) -> int:
        """Of the ring: a power of two."""
        return 1 << (self.journal.slots - 1).bit_length()

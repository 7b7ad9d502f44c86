"""The tables [clock] and [venue] of the configuration: whose time it is, and the simulated market beside the desk."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ClockSettings(_Table):
    """wall: the system's time. tape: a day that begins at `start` and passes `speed` times as fast as the wall."""

    kind: Literal["wall", "tape"] = "wall"
    start: datetime | None = None
    speed: Annotated[float, Field(gt=0, le=3600)] = 1.0

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "tape" and (self.start is None or self.start.tzinfo is None):
            raise ValueError("a tape clock needs a start with its time zone, such as 2012-06-21T13:30:00Z")
        if self.kind == "wall" and (self.start is not None or self.speed != 1.0):
            raise ValueError("start and speed are for a tape clock")
        return self


class OuchSettings(_Table):
    """OUCH 5.0 over SoupBinTCP at the simulated venue, beside its FIX. Account names are sessions of the venue, like CompIDs."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)]
    accounts: Annotated[Mapping[str, str], Field(min_length=1)]  # name (six characters) = password (ten): a simulated venue's
    firm: str = "EMSX"
    cancel_on_disconnect: bool = True
    no_self_match: bool = True  # an account's resting order is canceled rather than traded with by its own


class VenueSettings(_Table):
    """A simulated venue that is started beside the desk; for PAPER only. Without a tape its flow is generated."""

    comp_id: str = "SIM"
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)]
    symbols: Annotated[tuple[str, ...], Field(min_length=1)]
    tape: Path | None = None
    seed: int = 7
    prices: Mapping[str, Annotated[float, Field(gt=0)]] = {}  # where the generated flow of a symbol begins, 100 by default
    auctions: bool = False  # an opening and a closing auction where the calendar has them
    collar_ticks: Annotated[int, Field(gt=0)] | None = None  # further from the last trade stands a volatility auction
    listeners: tuple[str, ...] = ()  # CompIDs that may log on for market data, beside those of its clients
    itch: str = ""  # HOST:PORT (or a multicast group's) that its orders are published to as ITCH over MoldUDP64; "": nowhere
    itch_interface: str = "127.0.0.1"  # address of the interface by which a multicast group is reached
    ouch: OuchSettings | None = None
    publish_every_s: Annotated[float, Field(gt=0, le=86_400)] = 0.05

    @model_validator(mode="after")
    def _addressed(self) -> Self:
        if self.itch:
            address(self.itch)
        return self


class ObserverSettings(_Table):
    """What the adaptive algorithm foresees by: a listener's session to a venue's market data, of every level and trade."""

    comp_id: str
    target_comp_id: str
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)]
    symbols: Annotated[tuple[str, ...], Field(min_length=1)]
    every_s: Annotated[float, Field(gt=0, le=60)] = 0.25  # of the wall, between two observations of a market


def address(text: str) -> tuple[str, int]:
    """HOST:PORT. Raises ValueError for anything else."""
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdecimal()) or not 0 < int(port[:6]) < 65_536:
        raise ValueError(f"{text!r} is no HOST:PORT such as 127.0.0.1:26400")
    return host, int(port)

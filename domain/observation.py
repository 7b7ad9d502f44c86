"""What the nets see of a market, on its way to the desk and into the plans that rest on it."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from domain.standing import Standing


class Observation(BaseModel):
    """What the nets see of a market at a moment, and what its units are worth."""

    model_config = ConfigDict(frozen=True)

    time_ns: int
    arrays: str  # book (40,), tape (3, 50), context (18,), little-endian float32 in base64
    price_unit_e9: int
    size_unit_e9: int
    step_ns: int  # how long ten events have lately taken
    hidden: str = ""  # (128,) the dynamics' own state, little-endian float32 in base64; "": none yet
    weights_sha256: str = ""  # the version that looked, and that plans on it: the state is its own; "": the shipped champion

    @property
    def sha256(self) -> str:
        """Of the arrays and the state, as they are written here."""
        return hashlib.sha256(f"{self.arrays} {self.hidden}".encode()).hexdigest()


class Observed(NamedTuple):
    """An input of the desk. Not durable: the next one replaces it, and a plan keeps what it used."""

    instrument: str
    observation: Observation
    latent: tuple[float, ...]  # (128,) where the model that plans places it
    fills: tuple[float, float] | None = None  # that an order at the back of the best bid, ask is filled within 100 events
    beside: tuple[tuple[str, str], ...] = ()  # digest and state, as `Observation.hidden`, of the versions that only look on
    standing: Standing | None = None  # how the forecasts of this market have lately stood the test; None: nobody judges them

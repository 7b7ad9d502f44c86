"""What the desk knows of one market at one moment: the touch, and what has traded since the session began."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class MarketState(BaseModel):
    """Top of book and cumulative trading of one instrument.

    A side without orders has price None and size 0. volume_e9 (shares) and notional_e9 (currency) accumulate
    over the session, so that two states bound an interval: its VWAP is the ratio of the differences.
    """

    model_config = ConfigDict(frozen=True)

    instrument: str
    time_ns: int
    bid_e9: int | None = None
    bid_size_e9: int = 0
    ask_e9: int | None = None
    ask_size_e9: int = 0
    last_e9: int | None = None
    volume_e9: int = 0
    notional_e9: int = 0

    @property
    def mid_e9(self) -> int | None:
        """Mean of bid and ask; None unless both sides are there."""
        if self.bid_e9 is None or self.ask_e9 is None:
            return None
        return (self.bid_e9 + self.ask_e9) // 2

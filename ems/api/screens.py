"""The screens: which tables are looked at together, and what draws them."""

from __future__ import annotations

from typing import Final

from ems.read_models.topic import Screen

SCREENS: Final = (
    Screen("blotter", "Blotter", "1", "trade", ("parents", "children", "fills"), "blotter"),
    Screen("fills", "Fills", "f", "trade", ("fills",)),
    Screen("alerts", "Alerts", "a", "watch", ("alerts",)),
)

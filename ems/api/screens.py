"""The screens: which tables are looked at together, and what draws them."""

from __future__ import annotations

from typing import Final

from ems.read_models.topic import Screen

SCREENS: Final = (
    Screen("blotter", "Blotter", "1", "trade", ("parents", "children", "fills"), "blotter"),
    Screen("ticket", "Ticket", "2", "trade", ("parents",), "ticket", ("enter_order",)),
    Screen("schedule", "Schedule", "3", "trade", ("parents", "plans"), "schedule"),
    Screen("order", "Order", "4", "trade", ("parents",), "order"),
    Screen("ladder", "Ladder", "l", "trade", ("ladder",), "ladder"),
    Screen("care", "Care", "w", "trade", ("orders_staged", "parents", "children", "blocks"), "blotter"),
    Screen("fills", "Fills", "5", "trade", ("fills",)),
    Screen("baskets", "Baskets", "6", "trade", ("baskets", "parents")),
    Screen("allocations", "Allocations", "7", "trade", ("allocations",)),
    Screen("tca", "Costs", "t", "judge", ("tca",), "tca"),
    Screen("wheels", "Algo wheels", "8", "judge", ("wheels",), verbs=("open_wheel",)),
    Screen("quoting", "Quoting", "q", "make", ("quoters", "quotes"), "quoting"),
    Screen("controls", "Controls", "9", "guard",
           ("kills", "suspensions", "limits", "limit_proposals", "strategies", "risk_refusals", "overrides", "approvals"),
           "controls", ("kill_soft", "kill_hard", "kill_panic", "kill_drill", "set_limit")),
    Screen("alerts", "Alerts", "a", "guard", ("alerts", "monitoring")),
    Screen("models", "Models", "m", "judge", ("models", "model_decisions")),
    Screen("replay", "Replay", "y", "judge", ("parents", "children", "fills"), "replay"),
    Screen("sessions", "FIX sessions", "x", "run", ("sessions", "processes"), "sessions"),
    Screen("days", "Start of day", "d", "run", ("days",), "day"),
    Screen("search", "Audit", "u", "guard", ("reads", "commands"), "search"),
    Screen("accounts", "Accounts", "c", "run", ("accounts", "tokens"), verbs=("account_make", "token_make")),
)  # fmt: skip

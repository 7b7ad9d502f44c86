"""The day that a desk runs with, and what takes its place while it runs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final, cast

import structlog

from adapters.reference import manifest
from domain import model_version as mv
from domain.day_checks import REFERENCE_TABLES
from domain.errors import LogError, ReferenceDataError
from domain.ports import EventLog, RiskData
from domain.risk_data import RiskFacts
from ems.bootstrap.day import amended, risk_data
from ems.config import Settings
from ems.model_registry import allowed, registry

_log = structlog.get_logger("day")
EVERY_S: Final = 5.0
WORLD_MODEL: Final = "world-model"
_ANSWERS: Final = tuple(name for name, found in vars(RiskData).items() if callable(found) and not name.startswith("_"))


class RunningDay:
    """One for a process that looks for itself. Facts are exchanged between two decisions, on its own loop.

    Args:
        within: where the files of an amended day are laid out, by default beside those in use, which is the desk's own place.

    Raises:
        ReferenceDataError: the files that the settings name are not what their manifest says.
    """

    def __init__(self, settings: Settings, within: Path | None = None) -> None:
        self._settings = settings
        self._within = within
        self._day, self._models = risk_data(settings), mv.NOTHING
        self.facts = CurrentFacts(allowed(self._day, self._models))  # no model trades before the log was looked into

    @property
    def name(self) -> str:
        """Of the folder in use, "" for the built-in sample."""
        return self._settings.instruments.name if self._settings.instruments is not None else ""

    def champion(self) -> str:
        """The version of the world model that decides, "" where none is known yet."""
        return self._models.holder(WORLD_MODEL, mv.Alias.CHAMPION) or ""

    def shadows(self) -> tuple[str, ...]:
        """The versions of the world model that plan beside it without effect."""
        held = {self._models.holder(WORLD_MODEL, alias) for alias in (mv.Alias.CHALLENGER, mv.Alias.SHADOW)}
        return tuple(sorted(digest for digest in held if digest and digest != self.champion()))

    async def watch(self, log: EventLog) -> None:
        """Take what is loaded for the day in place of what is in use, until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            await self.look(log)

    async def look(self, log: EventLog) -> None:
        """Once. What cannot be taken is told of, and what is in use stays."""
        running = self._settings.instruments
        try:
            found, models = await amended(self._settings, log, self._within), await registry(log)
        except (LogError, ReferenceDataError) as error:
            _log.error("what is loaded for the day cannot be taken; the desk goes on with what it has", error=str(error))
            return
        if found is None or running is None:
            if models.version != self._models.version:
                self._models = models
                self.facts.take(allowed(self._day, models))
            return
        folder, facts = found
        if not same_instruments(running, folder):
            _log.critical("the day's instruments or calendars were amended: start the system again for them", folder=folder.name)
        self._day, self._models = facts, models
        self.facts.take(allowed(facts, models))
        self._settings = self._settings.model_copy(update={"instruments": folder})
        _log.warning("the desk works with an amended day", folder=folder.name)


def same_instruments(one: Path, other: Path) -> bool:
    """Are the tables that a desk reads only when it starts (instruments, calendars) the same in two folders of a day?"""
    was, now = (manifest.read(folder).files for folder in (one, other))
    return all(was[table].sha256 == now[table].sha256 for table in REFERENCE_TABLES)


class CurrentFacts:
    """Port `RiskData` whose facts may be exchanged between two decisions. A call costs what it costs of the facts."""

    def __init__(self, facts: RiskFacts) -> None:
        self.take(facts)

    def take(self, facts: RiskFacts) -> None:
        """Answer with these from now on."""
        self.taken = facts
        for name in _ANSWERS:
            setattr(self, name, getattr(facts, name))

    @property
    def port(self) -> RiskData:
        """As the desk is given it."""
        return cast(RiskData, self)

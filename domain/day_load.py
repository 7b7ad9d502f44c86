"""What a trade date began with: the manifest of its files, and the stream that remembers which files were loaded.

The files themselves are kept by their checksums; the event names them, so that whoever replays the day finds the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from domain.day_rows import Currency, Day, Digest, Mic, Text
from domain.errors import ReferenceDataError
from domain.event import Event
from domain.values import StreamId, stream_id


class Problem(NamedTuple):
    """Why a day does not open."""

    where: str  # "positions.csv line 4, column symbol"
    what: str
    todo: str

    def sentence(self) -> str:
        """For a person."""
        return f"{self.where}: {self.what}; {self.todo}"


class ManifestFile(BaseModel):
    """One file as its maker describes it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str  # beside the manifest
    sha256: Digest
    rows: int = Field(ge=0, strict=True)
    as_of: Day  # the trade date that it was made for
    source: Text


class Manifest(BaseModel):
    """The files of one trade date. Amounts across currencies are counted in the base currency.

    Attributes:
        calendar: the market whose trading days are the firm's.
        new_listings: instruments that have neither a previous close nor an average volume yet.
        files: by table.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    trade_date: Day
    base_currency: Currency
    calendar: Mic
    new_listings: tuple[Text, ...] = ()
    files: dict[str, ManifestFile]

    @field_validator("files")
    @classmethod
    def _beside_it(cls, files: dict[str, ManifestFile]) -> dict[str, ManifestFile]:
        for table, entry in files.items():
            if entry.file not in (f"{table}.csv", f"{table}.parquet"):
                raise ValueError(f"the file of {table} is {table}.csv or {table}.parquet beside the manifest")
        return files

    @classmethod
    def read(cls, name: str, values: Mapping[str, Any]) -> Self:
        """A manifest from parsed TOML or JSON. Raises ReferenceDataError with everything that is wrong with it."""
        try:
            return cls.model_validate(values)
        except ValidationError as cause:
            found = [f"{name}, {'.'.join(map(str, e['loc'])) or 'the whole'}: {_said(e)}" for e in cause.errors()]
            raise ReferenceDataError("; ".join(found[:5])) from cause


def _said(error: Mapping[str, Any]) -> str:
    return str(error["ctx"]["error"]) if error["type"] == "value_error" else str(error["msg"])


# ----------------------------------------------------------------------------------------------- events


class LoadedFile(BaseModel):
    """A file that was loaded. Its bytes are kept under their SHA-256."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    table: str
    file: str
    sha256: str
    rows: int
    as_of: str
    source: str


class Loaded(Event):
    """A trade date begins, or (amends above 0) goes on, with these files."""

    TOPIC: ClassVar[str] = "reference.loaded.v1"
    trade_date: str
    base_currency: str
    calendar: str
    new_listings: tuple[str, ...]
    files: tuple[LoadedFile, ...]  # by table
    person: str
    amends: int  # the version of this stream that it takes the place of; 0: the first of the day
    reason: str  # of an amendment

    @model_validator(mode="after")
    def _amended_for_a_reason(self) -> Self:
        if (self.amends > 0) != bool(self.reason):
            raise ValueError("an amendment, and nothing else, has a reason")
        return self

    def manifest(self) -> Manifest:
        """The manifest that it was loaded by, without its comments."""
        entries = {file.table: file.model_dump(exclude={"table"}) for file in self.files}
        head = self.model_dump(include={"trade_date", "base_currency", "calendar", "new_listings"})
        return Manifest.model_validate({**head, "files": entries})


EVENTS = (Loaded,)


class DayLoad(NamedTuple):
    """What a trade date works with now."""

    id: StreamId
    version: int
    loaded: Loaded


def key(trade_date: str) -> StreamId:
    """The stream of a trade date's reference data."""
    return stream_id("reference", trade_date)


def evolve(state: DayLoad | None, event: Event, *, stream: StreamId) -> DayLoad:
    """Fold one event."""
    assert isinstance(event, Loaded), event.TOPIC
    return DayLoad(stream, 1 if state is None else state.version + 1, event)


# --------------------------------------------------------------------------------------------- decision


class Load(NamedTuple):
    """The wish to work a day with these files. amend: although others were loaded for it before."""

    manifest: Manifest
    person: str
    amend: bool = False
    reason: str = ""


def decide(state: DayLoad | None, load: Load) -> Loaded | Problem | None:
    """The event, or why there may be none; None where the day works with these files already."""
    on = load.manifest.trade_date
    if state is None and load.amend:
        return Problem("the day", f"nothing is loaded for {on} that could be amended", "leave --amend out")
    if state is None:
        return _loaded(load, 0)
    if not (changed := _changed(load.manifest, state.loaded.manifest())):
        return None
    other = f"{on} is open with other files, loaded by {state.loaded.person}: {', '.join(changed)} would change"
    if not load.amend:
        return Problem("the day", other, "if that is meant, give --amend with --reason and --person")
    if not load.reason or not load.person:
        return Problem("the day", other, "an amendment needs --reason and --person")
    return _loaded(load, state.version)


def _changed(new: Manifest, old: Manifest) -> list[str]:
    """What a day would be worked with otherwise. Who made a file, and when, is not among it."""
    terms = [name for name in ("base_currency", "calendar") if getattr(new, name) != getattr(old, name)]
    if set(new.new_listings) != set(old.new_listings):
        terms.append("new_listings")
    now, then = ({table: entry.sha256 for table, entry in one.files.items()} for one in (new, old))
    return terms + sorted(table for table in now.keys() | then.keys() if now.get(table) != then.get(table))


def _loaded(load: Load, amends: int) -> Loaded:
    manifest = load.manifest
    files = [
        LoadedFile(table=table, **entry.model_dump(exclude={"as_of"}), as_of=entry.as_of.isoformat())
        for table, entry in sorted(manifest.files.items())
    ]
    return Loaded(
        trade_date=manifest.trade_date.isoformat(),
        base_currency=manifest.base_currency,
        calendar=manifest.calendar,
        new_listings=tuple(sorted(manifest.new_listings)),
        files=tuple(files),
        person=load.person,
        amends=amends,
        reason=load.reason,
    )

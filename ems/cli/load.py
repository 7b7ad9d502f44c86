"""`ems load`: the start of day."""

from __future__ import annotations

import getpass
import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from domain.errors import ConfigError

if TYPE_CHECKING:
    from ems.bootstrap.load import Report
    from ems.config import Settings

REFUSED: Final = 2
_PROBLEMS_SHOWN: Final = 100
_DEFAULT: Final = Path("ems.toml")


def load(
    directory: Annotated[str, typer.Argument(help="The directory of the day's files; or the word sample.")],
    into: Annotated[Path | None, typer.Argument(help="After sample: the new directory to write.")] = None,
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")] = _DEFAULT,
    trade_date: Annotated[str, typer.Option(help="Such as 2026-11-27; today by default.")] = "",
    check: Annotated[bool, typer.Option("--check", help="Only check; nothing is loaded.")] = False,
    amend: Annotated[bool, typer.Option("--amend", help="Although other files were loaded for the day.")] = False,
    reason: Annotated[str, typer.Option(help="Of an amendment.")] = "",
    person: Annotated[str, typer.Option(help="Who loads; an amendment must say it.")] = "",
    manifest: Annotated[bool, typer.Option("--manifest", help="Only write the manifest of the directory.")] = False,
    base_currency: Annotated[str, typer.Option(help="With --manifest: what amounts are counted in.")] = "",
    calendar: Annotated[str, typer.Option(help="With --manifest: the MIC whose trading days are the firm's.")] = "",
    source: Annotated[str, typer.Option(help="With --manifest: where the files come from.")] = "",
    json_output: Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")] = False,
) -> None:
    """Open the day: check its files and record what was loaded. Exit 2 where something is missing, stale or wrong.

    `ems load sample DIRECTORY` writes an example that loads; `ems load DIRECTORY --manifest` writes a manifest.
    """
    from ems.bootstrap import load as start
    from ems.bootstrap.day import today

    settings = _settings(config, needed=not (check or manifest or directory == "sample"))
    on = _date(trade_date) or today(settings)
    if directory == "sample":
        if into is None:
            raise ConfigError("ems load sample needs a new directory to write (./sample for one of that name)")
        start.write_sample(into, on)
        typer.echo(f"wrote {into} for {on}; next: ems load {into} --check")
        return
    if into is not None:
        raise ConfigError(f"there is one directory to load, and {into} is another")
    folder = Path(directory)
    if manifest:
        made = start.write_manifest(folder, on, base_currency=base_currency, calendar=calendar, source=source)
        typer.echo(f"wrote the manifest of {folder} for {on}: {len(made.files)} files")
        return
    person = _said("--person", person) or ("" if amend else _user())
    wish = start.Wish(folder, on, check, amend, person, _said("--reason", reason))
    report = _load(settings, wish, quiet=json_output)
    if json_output:
        typer.echo(json.dumps(as_json(report)))
    else:
        _show(report)
    raise typer.Exit(REFUSED if report.problems else 0)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError) as cause:
        raise ConfigError("this system has no name for you; give --person") from cause


def _said(option: str, text: str) -> str:
    """What goes into the log for ever, and onto screens."""
    from domain.cells import plain_text

    try:
        return plain_text(text) if text else ""
    except ValueError as cause:
        raise ConfigError(f"{option} {cause}") from cause


def _settings(path: Path, *, needed: bool) -> Settings:
    from ems.config import Settings, load

    return load(path) if needed or path.exists() or path != _DEFAULT else Settings()


def _date(text: str) -> date | None:
    from domain.cells import iso_day

    try:
        found = iso_day(text) if text else None
    except ValueError as cause:
        raise ConfigError(f"--trade-date {cause}") from cause
    assert found is None or isinstance(found, date)
    return found


def _load(settings: Settings, wish: Any, *, quiet: bool) -> Report:
    import structlog
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from ems.bootstrap.load import load_day

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        task = progress.add_task("reading", total=None)
        return load_day(settings, wish, lambda file: progress.update(task, description=f"checking {file}"))


def as_json(report: Report) -> dict[str, Any]:
    """A report for machines."""
    from ems.bootstrap.load import action_cells

    checked = report.checked
    outcome = report.outcome
    files = {} if checked.manifest is None else checked.manifest.model_dump(mode="json")["files"]
    return {
        "trade_date": report.trade_date.isoformat(),
        "outcome": "refused" if report.problems else "checked" if outcome is None else outcome.kind,
        "version": 0 if outcome is None else outcome.version,
        "problems": [problem._asdict() for problem in report.problems],
        "files": files,
        "actions": action_cells(report),
        "carried_orders": report.carried,
    }


def _show(report: Report) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ems.bootstrap.load import action_cells

    console = Console()
    checked = report.checked
    if checked.manifest is not None:
        table = Table("file", "rows", "as of", "SHA-256", "source", title=f"start of day {report.trade_date}")
        for file in checked.manifest.files.values():
            cells = (file.file, str(file.rows), str(file.as_of), file.sha256[:12], file.source)
            table.add_row(*map(Text, cells), style="" if file.file in checked.contents else "red")  # as they are: no markup
        console.print(table)
    for action in action_cells(report):
        typer.echo(f"takes effect: {', '.join(f'{name} {cell}' for name, cell in action.items() if cell)}")
    for order in report.carried:
        typer.echo(f"decide: {' '.join(f'{name}={value}' for name, value in order.items() if value)} is of the old terms")
    for problem in report.problems[:_PROBLEMS_SHOWN]:
        typer.echo(f"ems: {problem.sentence()}", err=True)
    if (more := len(report.problems) - _PROBLEMS_SHOWN) > 0:
        typer.echo(f"ems: and {more} more", err=True)
    typer.echo(_sentence(report), err=bool(report.problems))


def _sentence(report: Report) -> str:
    on, outcome = report.trade_date, report.outcome
    if report.problems:
        return f"ems: {on} does not open with these files; problems: {len(report.problems)}"
    if outcome is None:
        return f"{on} can be opened with these files; nothing was loaded"
    match outcome.kind:
        case "loaded":
            return f"{on} is open"
        case "amended":
            return f"{on} goes on with these files (version {outcome.version}): restart what runs to use them"
        case "unchanged":
            return f"{on} is open with these files already, loaded by {outcome.loaded.person}; nothing has changed"

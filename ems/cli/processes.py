"""Hidden commands: what the supervisor starts."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from domain.errors import ConfigError, EmsError, ReferenceDataError

RuntimeOption = Annotated[Path, typer.Option("--runtime", help="The run's file in the state directory.")]
FAILED, REFUSED = 1, 2


def add(app: typer.Typer) -> None:
    """Add one hidden command for each process."""
    runners = {
        "prepare": _prepare, "postgres": _postgres, "venue": _venue, "desk": _desk, "watchdog": _watchdog, "api": _api,
        "prepare_quoter": _prepare_quoter, "quoter": _quoter, "quote_journal": _quote_journal,
        "audit_watch": _audit_watch, "monitor": _monitor,
        "sealer": _sealer,
        "tracer": _tracer,
    }  # fmt: skip
    for name, runner in runners.items():
        app.command(f"_{name}", hidden=True)(_command(name, runner))
    app.command("_gateway", hidden=True)(_gateway)


def _command(name: str, runner: Callable[[Path], int]) -> Callable[[Path], None]:
    def command(runtime: RuntimeOption) -> None:
        _end_as(name, runtime, lambda: runner(runtime))

    command.__doc__ = f"The {name} process."
    return command


def _end_as(name: str, runtime: Path, run: Callable[[], int]) -> NoReturn:
    """Run a process to its end; what it raised is its last line."""
    from ems.bootstrap.logs import log_json

    log_json(name, state=runtime.parent)
    try:
        status = run()
    except (ConfigError, ReferenceDataError) as error:
        logging.getLogger(name).critical("%s", error)
        status = REFUSED
    except EmsError as error:
        logging.getLogger(name).critical("%s", error, exc_info=True)
        status = FAILED
    raise typer.Exit(status)


def _prepare(runtime: Path) -> int:
    from ems import lifeline
    from ems.bootstrap.venue import prepare

    lifeline.watch()
    return prepare(runtime)


def _postgres(runtime: Path) -> int:
    from ems.bootstrap.database import run_keeper

    return run_keeper(runtime)


def _venue(runtime: Path) -> int:
    from ems.bootstrap.venue import run

    run(runtime)


def _gateway(runtime: RuntimeOption, group: Annotated[str, typer.Option("--group", help="The session group.")] = "main") -> None:
    """The gateway process of a session group."""

    def run_group() -> int:
        from ems.bootstrap.gateway import run

        return run(runtime, group)

    from ems.bootstrap.runtime import of_group

    _end_as(of_group("gateway", group), runtime, run_group)


def _desk(runtime: Path) -> int:
    from ems.bootstrap.desk import run_desk

    return run_desk(runtime)


def _watchdog(runtime: Path) -> int:
    from ems.bootstrap.watchdog import run

    return run(runtime)


def _api(runtime: Path) -> int:
    from ems.bootstrap.api import run

    return run(runtime)


def _prepare_quoter(runtime: Path) -> int:
    from ems.bootstrap.quoter import prepare

    return prepare(runtime)


def _quoter(runtime: Path) -> int:
    from ems.bootstrap.quoter import run

    return run(runtime)


def _monitor(runtime: Path) -> int:
    from ems.bootstrap.monitor import run

    return run(runtime)


def _audit_watch(runtime: Path) -> int:
    from ems.bootstrap.audit_watch import run

    return run(runtime)


def _quote_journal(runtime: Path) -> int:
    from ems.bootstrap.quote_journal import run

    return run(runtime)


def _sealer(runtime: Path) -> int:
    from ems.bootstrap.sealing import run

    return run(runtime)


def _tracer(runtime: Path) -> int:
    from ems.bootstrap.tracer import run

    return run(runtime)

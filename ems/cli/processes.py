"""Hidden commands: what the supervisor starts."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from domain.errors import ConfigError, EmsError, ReferenceDataError

RuntimeOption = Annotated[Path, typer.Option("--runtime", help="The run's file in the state directory.")]
FAILED, REFUSED = 1, 2


def add(app: typer.Typer) -> None:
    """Add one hidden command for each process."""
    runners = {"prepare": _prepare, "postgres": _postgres, "venue": _venue, "gateway": _gateway, "desk": _desk, "api": _api}
    for name, runner in runners.items():
        app.command(f"_{name}", hidden=True)(_command(name, runner))


def _command(name: str, runner: Callable[[Path], int]) -> Callable[[Path], None]:
    def command(runtime: RuntimeOption) -> None:
        from ems.bootstrap.logs import log_json

        log_json(name)
        try:
            status = runner(runtime)
        except (ConfigError, ReferenceDataError) as error:
            logging.getLogger(name).critical("%s", error)
            status = REFUSED
        except EmsError as error:
            logging.getLogger(name).critical("%s", error, exc_info=True)
            status = FAILED
        raise typer.Exit(status)

    command.__doc__ = f"The {name} process."
    return command


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


def _gateway(runtime: Path) -> int:
    from ems.bootstrap.gateway import run

    return run(runtime)


def _desk(runtime: Path) -> int:
    from ems.bootstrap.desk import run_desk

    return run_desk(runtime)


def _api(runtime: Path) -> int:
    from ems.bootstrap.api import run

    return run(runtime)

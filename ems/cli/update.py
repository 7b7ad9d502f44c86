"""`ems update`: models that go on learning beside the desk, and within which bounds one may take the champion's place."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from domain import model_update as mu
from domain.errors import ConfigError
from domain.values import E9
from ems.cli.kill import CONFIG, ConfigOption, JsonOption, PersonOption, SecretOption, end, say, secret_of, settings_of

app = typer.Typer(no_args_is_help=True)
WhyOption = Annotated[str, typer.Option("--reason", "-r", help="Why, for the log.")]
_DAY_NS = 86_400 * E9


@app.command()
def run(
    tapes: Annotated[list[Path], typer.Option("--tape", help="A stored tape; may be repeated, in the order of its days.")],
    follow: Annotated[bool, typer.Option("--follow", help="Go on looking for windows that are over, once a minute.")] = False,
    minutes: Annotated[int, typer.Option(min=1, help="How long a window of data lasts.")] = 60,
    config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Take every window of data that was not taken yet: judge, promote inside the envelope, learn."""
    settings = settings_of(config)

    async def once() -> dict[str, Any]:
        from ems.bootstrap import kill, updating

        runtime = kill.runtime_of(settings)
        async with kill.log_of(runtime) as log:
            lasts_ns, shown = minutes * 60 * E9, (lambda *_: None) if json_output else _shown
            found = await updating.run(log, runtime, tapes, shown, lasts_ns=lasts_ns)
            return {"windows": found} | await updating.status(log)

    while True:
        told = asyncio.run(once())
        say(told, json_output, _lines(told))
        if not follow:
            return
        time.sleep(60)


@app.command()
def status(config: ConfigOption = CONFIG, json_output: JsonOption = False) -> None:
    """The copy that learns, how it stands against the champion, and the envelope."""

    async def asked() -> dict[str, Any]:
        from ems.bootstrap import kill, updating

        async with kill.log_of(kill.runtime_of(settings_of(config))) as log:
            return await updating.status(log)

    told = asyncio.run(asked())
    say(told, json_output, _lines(told))


@app.command()
def propose(
    person: PersonOption, reason: WhyOption,
    distance: Annotated[float, typer.Option(help="How far weights may be from today's champion's, relative.")] = 0.005,
    per_day: Annotated[int, typer.Option(help="How many promotions a day.")] = 2,
    days: Annotated[int, typer.Option(min=1, max=90, help="How long the envelope holds.")] = 30,
    secret_file: SecretOption = None, config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """The first of two people says within which bounds a version may take the champion's place on its own."""

    def decide(_: mu.Updating, champion: str, at_ns: int) -> Any:
        return mu.propose(
            "world-model", champion, distance_max=distance, per_day=per_day, until_ns=at_ns + days * _DAY_NS, person=person,
            reason=reason, at_ns=at_ns,
        )  # fmt: skip

    _end(decide, "proposed: a second, different person must agree", person, secret_file, config, json_output=json_output)


@app.command()
def agree(
    person: PersonOption, reason: WhyOption, secret_file: SecretOption = None, config: ConfigOption = CONFIG,
    json_output: JsonOption = False,
) -> None:  # fmt: skip
    """The second person says the same."""

    def decide(state: mu.Updating, _: str, at_ns: int) -> Any:
        return mu.agree(state, person=person, reason=reason, at_ns=at_ns)

    _end(decide, "the envelope holds", person, secret_file, config, json_output=json_output)


@app.command()
def revoke(
    person: PersonOption, reason: WhyOption, secret_file: SecretOption = None, config: ConfigOption = CONFIG,
    json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Nothing takes a place on its own any more. One person is enough."""

    def decide(state: mu.Updating, _: str, at_ns: int) -> Any:
        return mu.revoke(state, person=person, reason=reason, at_ns=at_ns)

    _end(decide, "there is no envelope any more", person, secret_file, config, json_output=json_output)


def _end(
    decide: Callable[[mu.Updating, str, int], Any], done: str, person: str, secret_file: Path | None, config: Path, *,
    json_output: bool,
) -> None:  # fmt: skip
    settings = settings_of(config)

    async def said() -> Any:
        from ems.bootstrap import kill, updating
        from ems.persons import Persons

        runtime = kill.runtime_of(settings)
        if (refused := Persons(runtime.persons).authenticate(person, secret_of(secret_file))) is not None:
            raise ConfigError(refused.text)
        async with kill.log_of(runtime) as log:
            return await updating.say(runtime, log, decide, person)

    decided = asyncio.run(said())
    refused = isinstance(decided, mu.Refused)
    end({"ok": not refused, "text": decided.text if refused else done}, json_output)


def _shown(window: Any, came: str) -> None:
    typer.echo(f"{window.source} until {window.to_ns}: {came}")


def _lines(told: dict[str, Any]) -> list[str]:
    found, envelope = told["so_far"], told["envelope"]
    lines = [f"champion {told['champion'][:12] or '-'}, copy {told['copy'][:12] or '-'} after {told['updates']} windows"]
    if found["low"] is not None:
        lines.append(
            f"gain {found['gain_bps']:.3g} bp a block in [{found['low']:.3g}, {found['high']:.3g}], {found['blocks']} blocks, "
            f"daily Sharpe {found['daily_sharpe_gain']:+.2f}: {found['verdict']}"
        )
    lines.append("no envelope: people promote" if not envelope or not envelope["holds"] else f"envelope of {envelope['persons']}")
    return lines

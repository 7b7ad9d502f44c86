"""`ems audit enroll`, `subject` and `erase`: people behind the opaque ids that events carry."""

from __future__ import annotations

import asyncio
import getpass
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from domain.errors import ConfigError
from domain.party import Kind
from ems.cli.kill import CONFIG, ConfigOption, JsonOption, PersonOption, ReasonOption, SecretOption, say, secret_of, settings_of

SubjectArgument = Annotated[str, typer.Argument(help="The opaque id: S- and 24 hexadecimal digits.")]
DataOption = Annotated[list[str], typer.Option("--data", help="NAME=VALUE of what is kept, as often as needed.")]
PurposeOption = Annotated[str, typer.Option("--purpose", help="What for: it is kept with who read what.")]
_KINDS: Final[dict[str, Kind]] = {"client": "client", "person": "person", "algorithm": "algorithm"}
SecondOption = Annotated[str, typer.Option("--second", help="The second person, who agrees.")]
SecondSecret = Annotated[Path | None, typer.Option("--second-secret-file", help="The second person's secret; asked for.")]


def enroll(
    data: DataOption, reason: ReasonOption, config: ConfigOption = CONFIG, json_output: JsonOption = False
) -> None:  # fmt: skip
    """Keep what is known of a person, encrypted under a key of their own, and print the opaque id for events to carry."""
    from ems.bootstrap import subjects

    pairs = dict(one.partition("=")[::2] for one in data)
    if "" in pairs or "" in pairs.values():
        raise ConfigError("--data is NAME=VALUE, such as name='Jane Doe'")
    subject = asyncio.run(subjects.enroll(settings_of(config), pairs, person=getpass.getuser(), reason=reason))
    say({"subject": subject}, json_output, [subject])


def subject(
    subject: SubjectArgument, purpose: PurposeOption, config: ConfigOption = CONFIG, json_output: JsonOption = False
) -> None:  # fmt: skip
    """Show what is kept of a person. That you read it is written into the log first."""
    from ems.bootstrap import subjects

    told = asyncio.run(subjects.show(settings_of(config), subject, person=getpass.getuser(), purpose=purpose))
    say(told, json_output, [f"{name}: {value}" for name, value in told.items()])


def erase(
    subject: SubjectArgument, person: PersonOption, second: SecondOption, reason: ReasonOption, secret_file: SecretOption = None,
    second_secret_file: SecondSecret = None, config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Destroy a person's key: what is kept of them is unreadable from now on, in every copy. Two people, each with a secret.

    The log stays as it is and proves itself as before: it never held more than the opaque id.
    """
    from ems.bootstrap import subjects

    settings = settings_of(config)
    _both(settings, (person, secret_file), (second, second_secret_file))
    told = asyncio.run(subjects.erase(settings, subject, (person, second), reason=reason))
    say(told, json_output, [f"{subject} is erased, by {person} and {second}"])


def code(
    short_code: Annotated[str, typer.Argument(help="The short code that orders carry.")],
    kind: Annotated[str, typer.Argument(help="client, person or algorithm.")],
    long_code: Annotated[str, typer.Argument(help="An LEI, a subject's opaque id, an algorithm's designation.")],
    person: PersonOption, second: SecondOption, reason: ReasonOption, secret_file: SecretOption = None,
    second_secret_file: SecondSecret = None, config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Say what a short code stands for from now on. Two people, each with a secret; an algorithm's never changes."""
    from ems.bootstrap import codes

    if kind not in _KINDS:
        raise ConfigError(f"{kind!r} is none of {', '.join(_KINDS)}")
    settings = settings_of(config)
    _both(settings, (person, secret_file), (second, second_secret_file))
    told = asyncio.run(codes.put(settings, short_code, _KINDS[kind], long_code, (person, second), reason=reason))
    say(told, json_output, [f"{short_code} is {kind} {long_code} from now on"])


def codes(config: ConfigOption = CONFIG, json_output: JsonOption = False) -> None:
    """List what every short code stands for and stood for."""
    from ems.bootstrap import codes as known

    found = asyncio.run(known.history(settings_of(config)))
    lines = [f"{one['from']}  {one['short_code']}  {one['kind']} {one['long_code']}  by {one['person']}" for one in found]
    say({"codes": found}, json_output, lines or ["no code is known"])


def _both(settings: Any, *who: tuple[str, Path | None]) -> None:
    """Each shows a secret. Raises ConfigError."""
    from ems.bootstrap import kill
    from ems.persons import Persons

    persons = Persons(kill.runtime_of(settings).persons)
    for name, file in who:
        if (refused := persons.authenticate(name, secret_of(file, f"secret of {name}: "))) is not None:
            raise ConfigError(refused.text)


def add(app: typer.Typer) -> None:
    """Put the commands in their group."""
    for command in (enroll, subject, erase, code, codes):
        app.command()(command)

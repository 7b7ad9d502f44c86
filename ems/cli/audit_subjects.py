"""`ems audit enroll`, `subject` and `erase`: people behind the opaque ids that events carry."""

from __future__ import annotations

import asyncio
import getpass
from pathlib import Path
from typing import Annotated

import typer

from domain.errors import ConfigError
from ems.cli.kill import CONFIG, ConfigOption, JsonOption, PersonOption, ReasonOption, SecretOption, say, secret_of, settings_of

SubjectArgument = Annotated[str, typer.Argument(help="The opaque id: S- and 24 hexadecimal digits.")]
DataOption = Annotated[list[str], typer.Option("--data", help="NAME=VALUE of what is kept, as often as needed.")]
PurposeOption = Annotated[str, typer.Option("--purpose", help="What for: it is kept with who read what.")]
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
    from ems.bootstrap import kill, subjects
    from ems.persons import Persons

    settings = settings_of(config)
    persons = Persons(kill.runtime_of(settings).persons)
    for who, file in ((person, secret_file), (second, second_secret_file)):
        if (refused := persons.authenticate(who, secret_of(file, f"secret of {who}: "))) is not None:
            raise ConfigError(refused.text)
    told = asyncio.run(subjects.erase(settings, subject, (person, second), reason=reason))
    say(told, json_output, [f"{subject} is erased, by {person} and {second}"])


def add(app: typer.Typer) -> None:
    """Put the commands in their group."""
    for command in (enroll, subject, erase):
        app.command()(command)

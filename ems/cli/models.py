"""`ems models`: which versions of our models there are, which of them decides, and on whose word."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from domain import model_lineage as ml
from domain import model_version as mv
from domain.errors import ConfigError
from domain.event import Event
from domain.model_version import Alias, ModelRefusal, Registry
from ems.cli.kill import CONFIG, ConfigOption, JsonOption, PersonOption, SecretOption, end, say, secret_of, settings_of

app = typer.Typer(no_args_is_help=True)
DigestArgument = Annotated[str, typer.Argument(help="A version's digest, or the beginning of it.")]
KindOption = Annotated[str, typer.Option("--model", "-m", help="The kind that aliases are of: world-model, scheduler.")]
AliasOption = Annotated[Alias, typer.Option("--alias", "-a", help="Champion and challenger may trade; a shadow does not.")]
WhyOption = Annotated[str, typer.Option("--reason", "-r", help="Why, for the log.")]
Decide = Callable[[Registry, int], Event | ModelRefusal]


@app.command("list")
def list_(config: ConfigOption = CONFIG, json_output: JsonOption = False) -> None:
    """Every version with its aliases, who registered it, and why it was retired where it was."""
    told = asyncio.run(_list(settings_of(config)))
    lines = [
        f"{one['digest'][:12]}  {one['model']:<12} {', '.join(one['aliases']) or '-':<20} {one['person']}"
        f"{'  RETIRED: ' + one['retired'] if one['retired'] else ''}"
        for one in told["versions"]
    ]
    say(told, json_output, lines or ["no version is registered"])


@app.command()
def register(
    weights: Annotated[Path, typer.Argument(help="A weights file, as `ems train` writes it.")],
    person: PersonOption, reason: WhyOption, model: KindOption = "world-model",
    figures: Annotated[Path | None, typer.Option(help="What `ems evaluate ... --out` wrote; the file's own otherwise.")] = None,
    secret_file: SecretOption = None, config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """A version is known from now on. The file is read whole, checked and kept under its digest."""
    from ems.bootstrap import models
    from ems.bootstrap.model_signing import keep

    settings = settings_of(config)
    card = models.card_of(weights, model, figures)
    lineage = models.lineage_of(weights, card)
    signed = (lineage, *keep(settings.state_directory / "models", weights, card, lineage))  # first: what is registered is here

    def decide(state: Registry, at_ns: int) -> Event | ModelRefusal:
        return mv.register(state, card, person=person, reason=reason, at_ns=at_ns)

    told = asyncio.run(_say(settings, decide, person, secret_file, f"{card.digest[:12]} is registered", signed))
    end(told | {"digest": card.digest}, json_output)


@app.command()
def sign(
    weights: Annotated[Path, typer.Argument(help="The weights file of a version that is registered.")],
    person: PersonOption, secret_file: SecretOption = None, config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Keep and sign a version that the registry knows: one from before weights were signed, or whose file was lost."""
    from ems import model_registry
    from ems.bootstrap import kill, models
    from ems.bootstrap.model_signing import keep
    from ems.persons import Persons

    settings, digest = settings_of(config), models.card_of(weights, "unknown").digest
    runtime = kill.runtime_of(settings)
    if (refused := Persons(runtime.persons).authenticate(person, secret_of(secret_file))) is not None:
        end({"ok": False, "reason": refused.reason.value, "text": refused.text}, json_output)

    async def known() -> Registry:
        async with kill.log_of(runtime) as log:
            return await model_registry.registry(log)

    state = asyncio.run(known())
    if (unknown := mv.refusal(state, digest, trades=False)) is not None:
        end({"ok": False, "reason": unknown.reason.value, "text": unknown.text}, json_output)
    card = state.versions[digest].card
    public_key, _ = keep(settings.state_directory / "models", weights, card, models.lineage_of(weights, card))
    end({"ok": True, "text": f"{digest[:12]} is kept and signed", "digest": digest, "public_key": public_key}, json_output)


@app.command()
def promote(
    digest: DigestArgument, person: PersonOption, reason: WhyOption, alias: AliasOption = Alias.CHAMPION,
    secret_file: SecretOption = None, config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """An alias goes to a version. For champion: another person than who registered it."""

    def decide(state: Registry, at_ns: int) -> Event | ModelRefusal:
        return mv.promote(state, _whole(state, digest), alias, person=person, reason=reason, at_ns=at_ns)

    _end(decide, person, secret_file, f"{digest[:12]} is {alias}", config, json_output)


@app.command()
def rollback(
    person: PersonOption, reason: WhyOption, model: KindOption = "world-model", alias: AliasOption = Alias.CHAMPION,
    secret_file: SecretOption = None, config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """An alias goes back to the version that had it before. One person, for it was agreed to once."""

    def decide(state: Registry, at_ns: int) -> Event | ModelRefusal:
        return mv.roll_back(state, model, alias, person=person, reason=reason, at_ns=at_ns)

    _end(decide, person, secret_file, f"{alias} of {model} is who it was before", config, json_output)


@app.command()
def retire(
    digest: DigestArgument, person: PersonOption, reason: WhyOption, secret_file: SecretOption = None,
    config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """A version decides nothing any more, for ever. A running desk knows within seconds."""

    def decide(state: Registry, at_ns: int) -> Event | ModelRefusal:
        return mv.retire(state, _whole(state, digest), person=person, reason=reason, at_ns=at_ns)

    _end(decide, person, secret_file, f"{digest[:12]} is retired", config, json_output)


@app.command()
def mirror(
    to: Annotated[str, typer.Option(help="MLflow's database or server, as sqlite:///var/mlflow.db: its own, never the log's.")],
    config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Bring an MLflow registry to what the log says: versions, tags, aliases. Needs the extra `registry`."""
    from ems.bootstrap import kill, models

    count = asyncio.run(models.mirror(kill.runtime_of(settings_of(config)), to))
    end({"ok": True, "text": f"{to} has {count} versions", "versions": count}, json_output)


# ------------------------------------------------------------------------------------------------ helpers


def _end(decide: Decide, person: str, secret_file: Path | None, done: str, config: Path, json_output: bool) -> None:
    end(asyncio.run(_say(settings_of(config), decide, person, secret_file, done)), json_output)


def _whole(state: Registry, digest: str) -> str:
    """The one version whose digest begins so; what was said where none or several do."""
    if not re.fullmatch("[0-9a-f]{6,64}", digest):
        raise ConfigError(f"{digest!r} is no digest: 6 to 64 hexadecimal digits, as `ems models list` prints them")
    found = [known for known in state.versions if known.startswith(digest)]
    if len(found) > 1:
        raise ConfigError(f"{len(found)} versions begin with {digest}: say more of it")
    return found[0] if found else digest


async def _say(
    settings: Any, decide: Decide, person: str, secret_file: Path | None, done: str, signed: Any = None
) -> dict[str, Any]:
    from ems import model_registry
    from ems.bootstrap import kill
    from ems.bootstrap.build import build_digest
    from ems.persons import Persons

    runtime = kill.runtime_of(settings)
    refused = Persons(runtime.persons).authenticate(person, secret_of(secret_file))
    if refused is not None:
        return {"ok": False, "reason": refused.reason.value, "text": refused.text}
    async with kill.log_of(runtime) as log:
        decided = await model_registry.say(log, runtime.clock(), decide, person=person, build=build_digest(), signed=signed)
    if isinstance(decided, ModelRefusal):
        return {"ok": False, "reason": decided.reason.value, "text": decided.text}
    return {"ok": True, "text": done}


async def _list(settings: Any) -> dict[str, Any]:
    from ems.bootstrap import kill

    async with kill.log_of(kill.runtime_of(settings)) as log:
        events = [one.event for one in await log.read(mv.key())]
    state, lineages = mv.fold(events), ml.fold(events)
    versions = [
        {
            "digest": digest, "model": one.card.model, "aliases": [alias.value for alias in state.aliases(digest)],
            "person": one.person, "at_ns": one.at_ns, "retired": one.retired, "data": dict(one.card.data),
            "metrics": dict(one.card.metrics), "archived": digest in lineages.archived,
            "lineage": lineages.traced[digest].lineage.model_dump(mode="json") if digest in lineages.traced else None,
            "signed_by": lineages.traced[digest].public_key if digest in lineages.traced else "",
        }
        for digest, one in state.versions.items()
    ]  # fmt: skip
    algos = {name: {"code_sha256": one.code_sha256, "build": one.build} for name, one in lineages.algos.items()}
    return {"versions": versions, "algos": algos}

"""`ems risk`: what limits there are and what people do about them. The desk decides; every word is an event with two names."""

from __future__ import annotations

import asyncio
import math
import secrets
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.errors import ConfigError, NumberError
from domain.kill_refusal import KillRefusal
from domain.kill_scope import Scope, parse
from ems.cli.kill import CONFIG, ConfigOption, JsonOption, PersonOption, SecretOption, end, say, secret_of, settings_of

app = typer.Typer(no_args_is_help=True)
CheckArgument = Annotated[str, typer.Argument(help="A check of docs/risk.md, as max_notional.")]
ScopeOption = Annotated[str, typer.Option("--scope", "-s", help="firm, or one with a name, as client:OMS1; account:* for each.")]
AppliesOption = Annotated[str, typer.Option(help="What it judges: parent, child, or any.")]
LevelOption = Annotated[str, typer.Option(help="hard: nobody overrides it. soft: a second person may, once an order.")]
ReasonOption = Annotated[str, typer.Option("--reason", "-r", help="Why, for the log.")]
ApproverOption = Annotated[str, typer.Option("--approver", "-a", help="The second, different person.")]
SecondOption = Annotated[str, typer.Option("--approver", "-a", help="The second person; none: the first of two runs.")]
ApproverSecretOption = Annotated[
    Path | None, typer.Option("--approver-secret-file", help="The approver's secret's file; asked for.")
]
ValueOption = Annotated[str, typer.Option("--value", help="In the check's unit; money in the firm's currency, ages in seconds.")]
UnitOption = Annotated[str, typer.Option(help="Where the check has two: quantity or money, money or fraction.")]
WindowOption = Annotated[float, typer.Option(help="Seconds looked back, for a check that has a window.")]
FromOption = Annotated[str, typer.Option("--from", help="UTC, as 2026-03-02T14:30; now by default.")]
UntilOption = Annotated[str, typer.Option("--until", help="UTC; until it is set anew by default.")]
_E9 = 1_000_000_000


@app.command()
def limits(config: ConfigOption = CONFIG, json_output: JsonOption = False) -> None:
    """Every limit in force with who approved it, which strategies a check has disabled, and how many orders wait for risk."""
    told = asyncio.run(_ask(settings_of(config), {"limits": True}))
    found = told.get("limits")
    if found is None:
        end({"ok": False, "text": told.get("text", "the desk does not answer")}, json_output)
    lines = [
        f"{one['check']} {one['scope']} {one['applies']} {one['level']}: {one['value']} {one['unit']}"
        f"{' in ' + one['window_s'] + ' s' if one['window_s'] != '0' else ''} ({one['approver']}: {one['reason']})"
        for one in found["limits"]
    ]
    lines += [
        f"proposed by {one['by']}: {one['check']} {one['scope']} {one['applies']} {one['level']}: "
        f"{'to end' if one['value'] is None else one['value']} ({one['reason']})"
        for one in found["proposed"]
    ]
    lines += [f"disabled: {strategy}: {why}" for strategy, why in found["disabled"].items()]
    say(found, json_output, [*lines, f"{found['blocked']} orders wait for risk to let a child pass"])


@app.command("set")
def set_(
    check: CheckArgument, value: ValueOption, person: PersonOption, reason: ReasonOption,
    approver: SecondOption = "", scope: ScopeOption = "firm", applies: AppliesOption = "any", level: LevelOption = "hard",
    unit: UnitOption = "", window_s: WindowOption = 0, begins: FromOption = "", until: UntilOption = "",
    secret_file: SecretOption = None, approver_secret_file: ApproverSecretOption = None, config: ConfigOption = CONFIG,
    json_output: JsonOption = False,
) -> None:  # fmt: skip
    """A limit's next version: the person asks, the approver agrees, both with their secrets (`ems kill enroll`).

    Without an approver it is proposed; it is in force when another person has run the same within an hour.
    For a flag, as restricted or self_trade, the value is 0. It stays over a restart, until the configuration says something new.
    """
    given = {
        "command": "set_limit", **_limit(check, scope, applies, level), "value_e9": _e9(value), "unit": unit or _unit(check),
        "window_ns": _window_ns(window_s), "from_ns": _time_ns(begins) or 0, "until_ns": _time_ns(until),
    }  # fmt: skip
    _approved(given, person, secret_file, approver, approver_secret_file, reason, config, json_output)


@app.command()
def retire(
    check: CheckArgument, person: PersonOption, reason: ReasonOption, approver: SecondOption = "", scope: ScopeOption = "firm",
    applies: AppliesOption = "any", level: LevelOption = "hard", secret_file: SecretOption = None,
    approver_secret_file: ApproverSecretOption = None, config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """The end of a limit, by two people, together or one after the other as for set.

    The check is not judged any more where no other limit says so.
    """
    given = {"command": "retire_limit", **_limit(check, scope, applies, level)}
    _approved(given, person, secret_file, approver, approver_secret_file, reason, config, json_output)


@app.command()
def override(
    session: Annotated[str, typer.Argument(help="The client session of the refused order.")],
    cl_ord_id: Annotated[str, typer.Argument(help="The refused order's ClOrdID, of today.")],
    person: PersonOption, approver: ApproverOption, reason: ReasonOption,
    minutes: Annotated[int, typer.Option(help="How long the client has to send it again.")] = 15,
    secret_file: SecretOption = None, approver_secret_file: ApproverSecretOption = None, config: ConfigOption = CONFIG,
    json_output: JsonOption = False,
) -> None:  # fmt: skip
    """One order that is the same in everything as a refused one may pass the soft limits that refused it, by two people.

    The client sends it again under a new ClOrdID. A hard limit, and what cannot be judged, nobody overrides.
    """
    given = {"command": "grant_override", "client_session": session, "cl_ord_id": cl_ord_id, "minutes": minutes}
    _approved(given, person, secret_file, approver, approver_secret_file, reason, config, json_output)


@app.command()
def enable(
    strategy: Annotated[str, typer.Argument(help="As `ems risk limits` names it.")], person: PersonOption, reason: ReasonOption,
    secret_file: SecretOption = None, config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """A strategy that repeated_execution or child_sum has disabled may trade again. One person, with a secret and a reason."""
    given = {"command": "enable_strategy", "strategy": strategy, "secrets": {person: secret_of(secret_file)}}
    end(_told(settings_of(config), given, person, reason), json_output)


# ------------------------------------------------------------------------------------------------ helpers


def _approved(
    given: dict[str, Any], person: str, secret_file: Path | None, approver: str, approver_file: Path | None, reason: str,
    config: Path, json_output: bool,
) -> None:  # fmt: skip
    """Send what two people want, and their secrets: the desk looks whether they are who they say they are."""
    secrets = {person: secret_of(secret_file, f"{person}'s secret: ")}
    secrets |= {approver: secret_of(approver_file, f"{approver}'s secret: ")} if approver not in ("", person) else {}
    given |= {"approver": f"person:{approver}" if approver else None, "secrets": secrets}
    end(_told(settings_of(config), given, person, reason), json_output)


def _told(settings: Any, given: dict[str, Any], person: str, reason: str) -> dict[str, Any]:
    return asyncio.run(
        _ask(settings, given | {"command_id": secrets.token_hex(8), "actor": f"person:{person}", "reason": reason})
    )


async def _ask(settings: Any, question: dict[str, Any]) -> dict[str, Any]:
    from ems.bootstrap.kill import runtime_of
    from ems.health import ask_socket

    answer = await ask_socket(runtime_of(settings).socket("desk"), question, timeout_s=15)
    return {"ok": False, "text": "the desk does not answer"} if answer is None else dict(answer)


def _limit(check: str, scope: str, applies: str, level: str) -> dict[str, Any]:
    found = parse(scope)
    if not isinstance(found, Scope):
        assert isinstance(found, KillRefusal)
        raise ConfigError(found.text)
    return {"check": check, "scope": found.kind.value, "scope_id": found.id, "applies": applies, "level": level}


def _unit(check: str) -> str:
    """The first that a check has."""
    from domain.limit_rules import RULES
    from domain.risk import Check

    if check not in list(Check):
        raise ConfigError(f"there is no check {check!r}: {', '.join(Check)}")
    return next(iter(RULES[Check(check)].units), "flag")


def _e9(text: str) -> int:
    from domain.values import to_e9

    try:
        return to_e9(Decimal(text))
    except (InvalidOperation, NumberError) as cause:
        raise ConfigError(f"--value {text!r} is not a number") from cause


def _window_ns(window_s: float) -> int:
    if not math.isfinite(window_s):
        raise ConfigError(f"a window is a number of seconds, not {window_s}")
    return int(window_s * _E9)


def _time_ns(text: str) -> int | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as cause:
        raise ConfigError(f"{text!r} is not a time, such as 2026-03-02T14:30") from cause
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()) * _E9

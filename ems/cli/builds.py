"""`ems build`: which builds may run beside each other, and two people's word for a rolling upgrade."""

from __future__ import annotations

import asyncio
import re
from typing import Annotated, Any

import typer

from domain.errors import ConfigError
from ems.cli.kill import CONFIG, ConfigOption, JsonOption, PersonOption, SecretOption, end, say, secret_of, settings_of

app = typer.Typer(no_args_is_help=True)
DigestArgument = Annotated[str, typer.Argument(help="The build's digest, as `ems build show` prints it where it is installed.")]
WhyOption = Annotated[str, typer.Option("--reason", "-r", help="Why builds are mixed, for the log.")]
HoursOption = Annotated[int, typer.Option(help="For how long; a stale process that starts later is refused.")]


@app.command()
def show(config: ConfigOption = CONFIG, json_output: JsonOption = False) -> None:
    """This installation's build, the builds of the processes that are up here, and which may be mixed now and until when.

    A desk whose build differs from one that is up does not open, and a gateway does not serve a desk of another build, unless
    two people have approved it. Where everything is stopped before the new code starts, nothing is mixed and nobody is asked.
    """
    told = asyncio.run(_show(settings_of(config)))
    lines = [f"installed: {told['installed']}", *(f"up: {name} {build}" for name, build in told["up"].items())]
    lines += [f"approved by {', '.join(by)}: {digest}" for digest, by in told["approved_by"].items()]
    say(told, json_output, lines)


@app.command()
def approve(
    digest: DigestArgument, person: PersonOption, reason: WhyOption, hours: HoursOption = 24,
    secret_file: SecretOption = None, config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """A build may open beside others for a while: two different people run this, each with a secret (`ems kill enroll`).

    It needs the log. For a rolling upgrade: approve the new build, then restart one process after the other.
    """
    if not re.fullmatch("[0-9a-f]{16}", digest):
        raise ConfigError(f"{digest!r} is no build: 16 hexadecimal digits, as `ems build show` prints them")
    end(asyncio.run(_approve(settings_of(config), digest, person, secret_of(secret_file), reason, hours)), json_output)


async def _show(settings: Any) -> dict[str, Any]:
    from ems.bootstrap import kill
    from ems.bootstrap.build import build_digest
    from ems.bootstrap.health import health
    from ems.builds import approvals

    runtime = kill.runtime_of(settings)
    processes = {name: part.get("build") for name, part in (await health(runtime)).items() if isinstance(part, dict)}
    async with kill.log_of(runtime) as log:
        state = await approvals(log)
    now_ns = runtime.clock().now_ns()
    return {
        "installed": build_digest(),
        "up": {name: build for name, build in processes.items() if build},
        "mixable": sorted(state.approved(now_ns)),
        "approved_by": {
            digest: {person: until_ns for person, until_ns in by.items() if until_ns > now_ns}
            for digest, by in state.persons.items()
            if any(until_ns > now_ns for until_ns in by.values())
        },
    }


async def _approve(settings: Any, digest: str, person: str, secret: str, reason: str, hours: int) -> dict[str, Any]:
    from domain.kill_refusal import KillRefusal
    from ems import builds
    from ems.bootstrap import kill
    from ems.bootstrap.build import build_digest
    from ems.persons import Persons

    runtime = kill.runtime_of(settings)
    refusal = Persons(runtime.persons).authenticate(person, secret)
    if refusal is not None:
        return {"ok": False, "reason": refusal.reason.value, "text": refusal.text}
    async with kill.log_of(runtime) as log:
        clock = runtime.clock()
        decided = await builds.approve(log, clock, digest, person=person, reason=reason, hours=hours, build=build_digest())
        state = await builds.approvals(log)
    if isinstance(decided, KillRefusal):
        return {"ok": False, "reason": decided.reason.value, "text": decided.text}
    mixable = digest in state.approved(clock.now_ns())
    text = f"{digest} may open beside others" if mixable else f"{person} approves {digest}; a second, different person must agree"
    return {"ok": True, "mixable": mixable, "text": text}

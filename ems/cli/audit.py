"""`ems audit`: orders explained, the log folded again, decisions computed again and held against others."""

from __future__ import annotations

import asyncio
import getpass
from typing import Annotated

import typer

from ems.cli import audit_explain, audit_export, audit_replay, audit_seal, audit_subjects, audit_whatif
from ems.cli.kill import CONFIG, ConfigOption, JsonOption, say, settings_of

app = typer.Typer(no_args_is_help=True)
app.command()(audit_explain.explain)
app.command()(audit_replay.replay)
app.command()(audit_whatif.whatif)
audit_seal.add(app)
audit_export.add(app)
audit_subjects.add(app)
StreamArgument = Annotated[str, typer.Argument(help="A decision's stream.")]


@app.command()
def reproduce(
    decision: Annotated[str, typer.Option(help="One decision's stream; all by default.")] = "",
    config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Compute every plan and every decision of a net again, from the log alone. Exit 1 where one differs or cannot be.

    bit_exact: every stored number again. decision_equal: numbers differ, what was decided does not; so it may be on another
    machine: what is different here is printed. Outputs stay facts: nothing is changed by this.
    """
    from ems.bootstrap import audit, kill, models

    runtime = kill.runtime_of(settings_of(config))
    told = asyncio.run(audit.reproduce(runtime.app_dsn, models.kept_in(runtime), decision))
    lines = [f"{name}: {value}" for name, value in told.items() if name not in ("failed", "environments")]
    for digest, different in told["environments"].items():
        lines.append(f"environment {digest[:12]}: {'is not kept here' if different is None else 'differs here'}")
        lines += [f"    {name}: {here or '-'} here, {there or '-'} there" for name, (here, there) in (different or {}).items()]
    say(told, json_output, [*lines, *(f"{stream}: {why}" for stream, why in told["failed"].items())])
    raise typer.Exit(1 if told["failed"] else 0)


@app.command()
def attribute(
    decision: StreamArgument,
    output: Annotated[str, typer.Option(help="action_0 to action_3, or a head, as move_10_up.")] = "action_0",
    config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """What each of the six features did to a net's decision, stored beside it. Needs the extra `inference`."""
    from ems.bootstrap import audit, kill, models

    runtime = kill.runtime_of(settings_of(config))
    why = asyncio.run(
        audit.attribute(
            runtime.app_dsn, models.kept_in(runtime), decision, output, now_ns=runtime.clock().now_ns(), person=getpass.getuser()
        )
    )
    lines = [f"{why.output}: {why.value:.5f}, and {why.baseline:.5f} where nothing is known"]
    lines += [f"  {name:<8} {part:+.5f}" for name, part in sorted(why.features.items(), key=lambda one: -abs(one[1]))]
    say(why.model_dump(), json_output, lines)

"""`ems audit verify`, `prove` and `key`: the sealed log, checked and proved."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer

from ems.cli.kill import CONFIG, ConfigOption, JsonOption, say, settings_of

FAULTS_SHOWN = 20
NOT_PROVED = 2
KeyOption = Annotated[Path | None, typer.Option("--key", help="The public key that you kept; by default the one beside the log.")]
AnchorOption = Annotated[Path | None, typer.Option("--anchor", help="A copy of an anchor that you kept: a file or directory.")]
BundleOption = Annotated[Path | None, typer.Option("--bundle", help="An exported bundle in place of the database.")]
SeqArgument = Annotated[int, typer.Argument(help="The event's sequence number.")]


def verify(
    bundle: BundleOption = None, anchor: AnchorOption = None, key: KeyOption = None, config: ConfigOption = CONFIG,
    json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Check that nothing was changed: every stored byte, every link of the chain, the root of every signed head, the anchors.

    Exit 0: it is proved. Exit 1: something is wrong; each fault is told with stream, version and sequence number. Exit 2: it
    could not be checked, or no signed head vouches for it yet.
    """
    from ems.bootstrap import kill, sealing

    runtime = kill.runtime_of(settings_of(config)) if bundle is None or key is None else None
    if bundle is not None:
        report = asyncio.run(sealing.bundle_verified(bundle, runtime, key, anchor))
    else:
        assert runtime is not None
        report = asyncio.run(sealing.verified(runtime, key, anchor))
    lines = [f"{fault.text}{_place(fault.stream, fault.version)}" for fault in report.faults[:FAULTS_SHOWN]]
    if len(report.faults) > FAULTS_SHOWN:
        lines.append(f"and {len(report.faults) - FAULTS_SHOWN} more")
    lines += [f"note: {text}" for text in report.warnings]
    heads = ", ".join(f"{number} of {name}" for name, number in report.heads.items())
    wrong = f"{len(report.faults)} faults" if report.faults else "nothing is proved"
    verdict = "nothing was changed" if report.ok else wrong
    lines.append(f"{verdict}: {report.events} events, sealed up to event {report.sealed}; last head: {heads}")
    say(report.to_json(), json_output, lines)
    raise typer.Exit(1 if report.faults else 0 if report.ok else NOT_PROVED)


def prove(seq: SeqArgument, key: KeyOption = None, config: ConfigOption = CONFIG) -> None:
    """Print the proofs of one event as JSON: that it is in the log a signed head vouches for, and that the last head continues
    that one. `deploy/verify_bundle.py --proof FILE --key FILE` checks it without anything of this system.
    """
    from ems.bootstrap import kill, sealing

    typer.echo(json.dumps(asyncio.run(sealing.proved(kill.runtime_of(settings_of(config)), key, seq)), indent=1))


def public_key(config: ConfigOption = CONFIG) -> None:
    """Print the public key that the log is sealed with: to be kept by whoever will check it."""
    from ems.bootstrap import kill, sealing

    typer.echo(sealing.verifier(kill.runtime_of(settings_of(config)), None).public_key.hex())


def add(app: typer.Typer) -> None:
    """Put the commands in their group."""
    app.command()(verify)
    app.command()(prove)
    app.command("key")(public_key)


def _place(stream: str, version: int) -> str:
    return f" (stream {stream}, version {version})" if stream else ""

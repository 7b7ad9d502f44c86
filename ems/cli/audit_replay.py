"""`ems audit replay`: whole days again, without snapshots, without network."""

from __future__ import annotations

import asyncio
import getpass
from typing import Annotated

import typer

from ems.cli.audit_explain import BundleOption, DsnOption, KeyOption
from ems.cli.kill import CONFIG, ConfigOption, JsonOption, say


def replay(
    until: Annotated[str, typer.Option(help="Fold up to this event or time; the end by default.")] = "",
    digest_every: Annotated[int, typer.Option(min=0, help="A digest of the state after each so many events.")] = 0,
    step: Annotated[int, typer.Option(min=0, max=10_000, help="Show the last so many events, with the digest after each.")] = 0,
    network: Annotated[bool, typer.Option("--network/--no-network", help="Leave the folding process its network.")] = False,
    config: ConfigOption = CONFIG, database: DsnOption = "", bundle: BundleOption = None, key: KeyOption = None,
    json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Fold the log from its first event, without snapshots, in a process that has no network; verify its chain on the way.

    The same events give the same digests on every machine: hold a bundle's against the database's. Exit 2 where an event is
    missing, altered or out of place, which is named.
    """
    from ems.bootstrap.audit_replay import replayed
    from ems.bootstrap.audit_source import Place

    told = asyncio.run(
        replayed(Place(config, database, tuple(bundle or ()), key), until, digest_every, step, getpass.getuser(), network=network)
    )
    lines = [f"{row['seq']:>9}  {row['time']}  {row['topic']:<32} {row['digest']}" for row in told["steps"]]
    lines += [f"after event {seq}: {digest}" for seq, digest in told["digests"]]
    counts = ", ".join(f"{told[name]} {name}" for name in ("parents", "children", "fills"))
    lines += [
        f"events 1 to {told['seq']} of the {told['source']}: {counts}; {told['events_per_s']:,} events/s, verified on the way",
        f"chain {told['hash']}",
        f"Merkle root {told['root']}",
        f"network of the folding process: {told['network']}",
    ]
    say(told, json_output, lines)

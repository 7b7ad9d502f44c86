"""`ems release`: what a release is made of, signed and checked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)
DirectoryArgument = Annotated[Path, typer.Argument(help="Where the wheel, its bill and the pinned versions lie.")]


@app.callback()
def release() -> None:
    """What a release is made of, signed and checked."""


@app.command()
def sbom(out: Annotated[Path | None, typer.Option("--out", help="Where to write it; the screen without.")] = None) -> None:
    """The bill of materials of this environment: CycloneDX 1.6 JSON, the same for the same environment."""
    from ems.bootstrap.release import text_of_bill

    text = text_of_bill()
    if out is None:
        typer.echo(text, nl=False)
    else:
        out.write_text(text, "utf-8")


@app.command()
def keygen(path: Annotated[Path, typer.Argument(help="The private key's file; none may be there.")]) -> None:
    """Make a signing key; prints its public half, to be given away before the first release."""
    from ems.bootstrap.release import make_key

    typer.echo(make_key(path))


@app.command()
def sign(
    directory: DirectoryArgument,
    key: Annotated[Path, typer.Option("--key", help="The private key: its owner's alone to read.")],
) -> None:
    """Sign everything that lies in a directory: writes release.json, release.sig and release.pub there."""
    from ems.bootstrap.release import MANIFEST, SIGNATURE
    from ems.bootstrap.release import sign as write

    files = [path for path in directory.iterdir() if path.name not in (MANIFEST, SIGNATURE, "release.pub")]
    told = write(directory, key, files)
    typer.echo(f"signed {told['version']}, build {told['build']}: {', '.join(told['files'])}")


@app.command()
def verify(
    directory: DirectoryArgument,
    key: Annotated[Path, typer.Option("--key", help="The public key as you were given it, not as it came with the release.")],
) -> None:
    """Check a signed release. Exit 2 and a sentence when anything is changed, missing, added or not signed by this key."""
    from ems.bootstrap.release import verify as check

    told = check(directory, key)
    typer.echo(f"{told['version']}, build {told['build']}: {len(told['files'])} files, all as they were signed")

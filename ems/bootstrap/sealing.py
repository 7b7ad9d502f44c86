"""Sealing put together: the sealer's process with its key and anchors, and what `ems audit` asks of the sealed log."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any, Final

import structlog

from adapters.anchor.files import FileAnchor, WormAnchor
from adapters.anchor.stamps import StampAnchor, TimeStamps
from adapters.clock import WallClock
from adapters.postgres.sealed_log import PostgresSealedLog
from adapters.signing.ed25519 import KeySigner, KeyVerifier, write_public
from domain.errors import SealError
from domain.ports_sealing import Anchor
from ems import lifeline
from ems.bootstrap.led import led_here
from ems.bootstrap.runtime import Runtime
from ems.bootstrap.tasks import until_first
from ems.bundle_log import BundleLog
from ems.health import StatusSocket
from ems.log_proof import prove
from ems.sealer import Sealer
from ems.verification import Report, verify

_log = structlog.get_logger("sealer")
_NICE: Final = 10  # a desk that wants the processor gets it


def directory(runtime: Runtime) -> Path:
    """Where key and anchors lie unless the configuration says otherwise."""
    return runtime.state / "sealing"


def private_key(runtime: Runtime) -> Path:
    """The private key's file."""
    return runtime.settings.sealing.key_file or directory(runtime) / "private.key"


def public_key(runtime: Runtime) -> Path:
    """The public key's file, beside the private one."""
    return private_key(runtime).with_name("public.key")


def anchors(runtime: Runtime) -> list[Anchor]:
    """Those that are configured, the file that takes each head first. Raises SealError."""
    settings = runtime.settings.sealing
    found: list[Anchor] = [FileAnchor(settings.anchor_file or directory(runtime) / "heads.jsonl")]
    if settings.worm_directory is not None:
        found.append(WormAnchor(settings.worm_directory, every_s=settings.worm_every_s))
    if settings.tsa_url and settings.tsa_certificate is not None:
        stamps = TimeStamps(settings.tsa_url, settings.tsa_certificate)
        found.append(StampAnchor(settings.tsa_directory or directory(runtime) / "stamps", stamps, every_s=settings.tsa_every_s))
    return found


def signer(runtime: Runtime) -> KeySigner:
    """The sealing key; made at the first start. Raises SealError: it is gone or cannot be read."""
    private, public = private_key(runtime), public_key(runtime)
    if private.exists():
        key = KeySigner.of_file(private)
    elif public.exists():
        raise SealError(f"the sealing key {private} is gone, and {public} says that there was one: bring it back")
    else:
        key = KeySigner.made(private)
        _log.warning("a sealing key was made: give its public key to whoever will check the log", public_key=key.public_key.hex())
    write_public(public, key.public_key)
    return key


# ------------------------------------------------------------------------------------------------ the process


def run(runtime_file: Path) -> int:
    """Seal until SIGTERM; the process's exit status."""
    runtime = Runtime.load(runtime_file)
    lifeline.watch()
    os.nice(_NICE)
    asyncio.run(_seal(runtime))
    return 0


async def _seal(runtime: Runtime) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    sealer: Sealer | None = None
    said: dict[str, Any] = {"up": True, "state": "starting"}
    status = StatusSocket(runtime.socket("sealer"), lambda _: {"pid": os.getpid(), **(sealer.status() if sealer else said)})
    await status.start()
    try:
        await until_first(led_here(runtime), stop.wait())
        if stop.is_set():
            return
        async with PostgresSealedLog(runtime.app_dsn) as log:
            key = signer(runtime)
            sealer = Sealer(log, key, KeyVerifier(key.public_key), anchors(runtime), WallClock())
            await until_first(sealer.run(stop), led_here(runtime, is_=False))  # it starts again, and waits
    except SealError as error:  # a key that is not to be used: a person's to mend, and no reason to stop the desk
        _log.critical("not sealing: %s", error)
        said |= {"up": False, "state": f"not sealing: {error}"}
        await stop.wait()
    finally:
        await status.close()


# ------------------------------------------------------------------------------------------------ asking


def verifier(runtime: Runtime, key: Path | None) -> KeyVerifier:
    """By a public key that somebody kept, or by the one beside the private key. Raises SealError."""
    return KeyVerifier.of_file(key or public_key(runtime))


async def verified(runtime: Runtime, key: Path | None, anchor: Path | None) -> Report:
    """The log of a run against its anchors, or against a copy of an anchor that somebody kept.

    Raises:
        SealError: the key cannot be read.
        LogError: the database cannot be read.
    """
    against = anchors(runtime) if anchor is None else [kept(anchor)]
    async with PostgresSealedLog(runtime.app_dsn) as log:
        return await verify(log, against, verifier(runtime, key))


async def bundle_verified(bundle: Path, runtime: Runtime | None, key: Path | None, anchor: Path | None) -> Report:
    """An exported bundle, by itself or against a copy of an anchor; no database is asked.

    Raises:
        SealError: the key cannot be read, or the bundle's manifest, signature or files are not what they should be.
    """
    if key is None:
        assert runtime is not None
        key = public_key(runtime)
    checker = KeyVerifier.of_file(key)
    log = BundleLog.opened(bundle, checker)
    try:
        return await verify(log, [] if anchor is None else [kept(anchor)], checker)
    finally:
        log.close()


def kept(path: Path) -> Anchor:
    """An anchor by its file or directory. Raises SealError where there is none."""
    if path.is_dir():
        return WormAnchor(path, name=str(path))
    if not path.exists():
        raise SealError(f"there is no anchor {path}")
    return FileAnchor(path, name=str(path))


async def proved(runtime: Runtime, key: Path | None, seq: int) -> dict[str, Any]:
    """The proofs of one event. Raises as `ems.log_proof.prove`."""
    async with PostgresSealedLog(runtime.app_dsn) as log:
        return await prove(log, seq, verifier(runtime, key))

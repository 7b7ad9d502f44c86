"""A day of the log as one signed archive: the files of an export put together."""

from __future__ import annotations

import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from adapters.exports.archive import pack
from adapters.exports.folder import Folder, digest_of
from domain.errors import ExportError
from domain.sealing import SignedHead, Signer
from ems.exports.archive import FORMAT as ARCHIVE
from ems.exports.archive import Part, write_part
from ems.exports.day import FORMAT, DayExport, Written, manifest, manifest_bytes
from ems.exports.ports import StoredLog
from ems.exports.settings import ReportingSettings


class Exported(NamedTuple):
    """What was written."""

    file: Path
    sha256: str
    manifest: dict[str, Any]
    predicted: dict[str, Any]

    def told(self) -> dict[str, Any]:
        """For people and machines."""
        events = self.manifest["events"]
        return {
            "file": str(self.file), "sha256": self.sha256, "day": self.manifest["day"], "events": events["count"],
            "first_seq": events["first_seq"], "last_seq": events["last_seq"], "files": len(self.manifest["files"]),
            "heads": self.manifest["heads"], "sealed_to": self.manifest["sealed_to"], "key": self.manifest["key"]["id"],
            "predicted_errors": self.predicted.get("errors", 0), "predicted_by_code": self.predicted.get("by_code", {}),
        }  # fmt: skip


async def export_day(
    log: StoredLog,
    to: Path,
    *,
    day: str,
    zone: ZoneInfo,
    settings: ReportingSettings,
    signer: Signer,
    heads: Sequence[SignedHead] = (),
) -> Exported:
    """Write a day's bundle, whole or not at all.

    Raises:
        ConfigError: nothing happened on that day.
        ExportError: the file cannot be written.
        LogError: the log cannot be read, or does not continue itself.
    """

    async def fill(out: Folder) -> Written:
        return await DayExport(log, out, settings, day=day, zone=zone).run(heads)

    return await _packed(fill, to, day=day, zone=zone, signer=signer, kind=FORMAT)


async def archive_part(
    log: StoredLog, part: Part, to: Path, *, zone: ZoneInfo, signer: Signer, heads: Sequence[SignedHead]
) -> Exported:  # fmt: skip
    """Write a day's part of the log with its proofs. Raises as export_day."""

    async def fill(out: Folder) -> Written:
        return await write_part(log, part, out, heads)

    return await _packed(fill, to, day=part.day, zone=zone, signer=signer, kind=ARCHIVE)


async def _packed(
    fill: Callable[[Folder], Awaitable[Written]], to: Path, *, day: str, zone: ZoneInfo, signer: Signer, kind: str
) -> Exported:  # fmt: skip
    try:
        with tempfile.TemporaryDirectory(prefix=".bundle-", dir=to.parent) as home:
            folder = Path(home)
            with Folder(folder) as out:
                written = await fill(out)
            files = Folder(folder).files()
            told = manifest(written, files, day=day, zone=zone.key, public_key=signer.public_key, kind=kind)
            signed = manifest_bytes(told)
            (folder / "manifest.json").write_bytes(signed)
            (folder / "manifest.sig").write_bytes(signer.sign(signed))
            pack(folder, to)
    except OSError as cause:
        raise ExportError(f"{to} cannot be written: {cause}") from cause
    return Exported(to, digest_of(to), told, written.predicted)

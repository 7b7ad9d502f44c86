"""A day of the log as one signed archive: the files of an export put together."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from adapters.exports.archive import pack
from adapters.exports.folder import Folder, digest_of
from domain.errors import ExportError
from domain.sealing import SignedHead, Signer
from ems.exports.day import DayExport, manifest, manifest_bytes
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
            "predicted_errors": self.predicted["errors"], "predicted_by_code": self.predicted["by_code"],
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
    try:
        with tempfile.TemporaryDirectory(prefix=".bundle-", dir=to.parent) as home:
            folder = Path(home)
            with Folder(folder) as out:
                written = await DayExport(log, out, settings, day=day, zone=zone).run(heads)
            told = manifest(written, Folder(folder).files(), day=day, zone=zone.key, public_key=signer.public_key)
            signed = manifest_bytes(told)
            (folder / "manifest.json").write_bytes(signed)
            (folder / "manifest.sig").write_bytes(signer.sign(signed))
            pack(folder, to)
    except OSError as cause:
        raise ExportError(f"{to} cannot be written: {cause}") from cause
    return Exported(to, digest_of(to), told, written.predicted)

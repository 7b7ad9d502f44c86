"""The [observe] table of the configuration: what is shown of the system, and to whom."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field


class ObserveSettings(BaseModel):
    """Metrics, traces, health.

    Attributes:
        metrics_token_file: what a scraper shows at /metrics, as `Authorization: Bearer`; none: made in the state directory.
        trace_share: of the orders, whose way is traced: 0 none, and then nothing of it runs; 1 all.
        trace_url: where traces go by OTLP over HTTP, such as http://127.0.0.1:4318/v1/traces.
        trace_file: or a file of JSON lines that they are appended to.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    metrics_token_file: Path | None = None
    trace_share: Annotated[float, Field(ge=0, le=1)] = 0.0
    trace_url: str = ""
    trace_file: Path | None = None

    def under(self, folder: Path) -> ObserveSettings:
        """With paths taken from a folder."""
        paths = {"metrics_token_file": self.metrics_token_file, "trace_file": self.trace_file}
        return self.model_copy(update={name: (folder / path).resolve() for name, path in paths.items() if path is not None})


OBSERVE_DEFAULT: Final = ObserveSettings()

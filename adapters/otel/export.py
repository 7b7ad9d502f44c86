"""Spans out: to a collector by OTLP over HTTP, or as lines of a file. The SDK's tracer is not used: ids and times are given."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.status import Status, StatusCode

_log = logging.getLogger(__name__)
_KINDS = {"fix.in": SpanKind.SERVER, "fix.out": SpanKind.CLIENT}


class Spanned(Protocol):
    """A span as it is given: `ems.traces.Span`."""

    @property
    def name(self) -> str: ...
    @property
    def trace_id(self) -> int: ...
    @property
    def span_id(self) -> int: ...
    @property
    def parent_id(self) -> int: ...
    @property
    def start_ns(self) -> int: ...
    @property
    def end_ns(self) -> int: ...
    @property
    def attributes(self) -> Mapping[str, str | int | float | bool]: ...


class Exporter:
    """One way out, chosen by what is given.

    Args:
        url: of a collector; "" for none. file: to append to; None for none.
    """

    def __init__(self, service: str, build: str, *, url: str = "", file: Path | None = None) -> None:
        self._resource = Resource.create({"service.name": service, "service.version": build})
        self._ways: list[SpanExporter] = []
        if url:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            self._ways.append(OTLPSpanExporter(endpoint=url, timeout=5))
        if file is not None:
            self._ways.append(_Lines(file))

    def send(self, spans: Iterable[Spanned]) -> bool:
        """Whether all ways took them; what one did not take is not sent again."""
        made = [self._made(span) for span in spans]
        taken = [way.export(made) is SpanExportResult.SUCCESS for way in self._ways]
        return all(taken)

    def close(self) -> None:
        """What is on its way leaves."""
        for way in self._ways:
            way.shutdown()

    def _made(self, span: Spanned) -> ReadableSpan:
        parent = None if not span.parent_id else self._context(span.trace_id, span.parent_id)
        return ReadableSpan(
            span.name, self._context(span.trace_id, span.span_id), parent=parent, resource=self._resource,
            attributes=dict(span.attributes), kind=_KINDS.get(span.name, SpanKind.INTERNAL), start_time=span.start_ns,
            end_time=span.end_ns, status=Status(StatusCode.UNSET),
        )  # fmt: skip

    @staticmethod
    def _context(trace_id: int, span_id: int) -> SpanContext:
        return SpanContext(trace_id, span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))


class _Lines(SpanExporter):
    """One JSON object a span."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def export(self, spans: Iterable[ReadableSpan]) -> SpanExportResult:
        """Append."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a") as file:
                file.writelines(json.dumps(json.loads(span.to_json())) + "\n" for span in spans)
        except OSError as error:
            _log.warning("spans are lost, %s cannot be written: %s", self._path, error)
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Nothing is held."""

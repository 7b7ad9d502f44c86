"""Every event as a page: its topic, what it says of itself, its fields with their types, and a stored example."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pydantic.fields import FieldInfo

from domain.catalogue import TOPICS
from domain.event import Event

HEAD: Final = """\
# Every event, field by field

Made of the code by `make docs`: what stands here is what is stored. [Events](events.md) says in words what each topic means and
which key its stream has. A topic keeps its fields for ever; what is added later has a default, so that what was stored before
reads as it did. `_e9` is a fixed-point integer at 1e-9, `_ns` nanoseconds since 1970 UTC.
"""
_OURS: Final = re.compile(r"\b(?:\w+\.)+(\w+)")


def page(samples: Path) -> str:
    """The whole page. samples: a folder with `<topic>.json` of a stored event each; a topic without one shows none."""
    return HEAD + "".join(f"\n## {stream}\n" + "".join(map("".join, parts)) for stream, parts in _by_stream(samples))


def _by_stream(samples: Path) -> Iterator[tuple[str, list[Iterator[str]]]]:
    streams: dict[str, list[Iterator[str]]] = {}
    for topic in sorted(TOPICS):
        streams.setdefault(topic.partition(".")[0], []).append(part(topic, TOPICS[topic], samples / f"{topic}.json"))
    yield from streams.items()


def part(topic: str, event: type[Event], sample: Path) -> Iterator[str]:
    """One topic: heading, the class's own words, a table of fields, the example."""
    yield f"\n### `{topic}`\n\n{' '.join((event.__doc__ or '').partition('Attributes:')[0].split())}\n\n"
    if event.model_fields:
        yield "| field | type | |\n|---|---|---|\n"
        yield from (
            f"| `{name}` | `{type_of(info.annotation)}` | {absent(info)} |\n" for name, info in event.model_fields.items()
        )
    if sample.exists():
        yield '\n??? example "as it is stored"\n    ```json\n'
        yield "".join(f"    {line}\n" for line in sample.read_text("utf-8").splitlines()) + "    ```\n"


def type_of(annotation: Any) -> str:
    """A type as the code writes it, without the modules' names; a bar is escaped, because it stands in a table."""
    text = annotation.__name__ if isinstance(annotation, type) and not hasattr(annotation, "__args__") else str(annotation)
    return _OURS.sub(r"\1", text).replace("NoneType", "None").replace("|", "\\|")


def absent(info: FieldInfo) -> str:
    """What holds where a stored event lacks the field."""
    if info.is_required():
        return ""
    default = info.get_default(call_default_factory=True, validated_data={})
    return f"`{str(default)[:60]}` if it is missing".replace("|", "\\|")

"""The tickets of our algorithms and of brokers', from their FIXatdl files, as a browser draws them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from adapters.fixatdl.document import Document, Strategy
from adapters.fixatdl.read import read
from ems.bootstrap.algos import broker_algos, published
from ems.config import Settings

_LINE = "line"  # where it stands in its file: for who wrote it, not for who fills it in


def tickets(settings: Settings) -> list[Mapping[str, Any]]:
    """Every strategy with its parameters, controls and rules. Ours go first. Raises ReferenceDataError as brokers' files do."""
    own = read("EMS", published().encode())
    found = [_ticket(own, strategy, "EMS", "") for strategy in own.strategies]
    for broker in settings.brokers:
        for name, document in broker_algos(broker.atdl).items():
            found += [_ticket(document, strategy, name, broker.session) for strategy in document.strategies]
    return found


def _ticket(document: Document, strategy: Strategy, provider: str, session: str) -> Mapping[str, Any]:
    return {
        "provider": provider, "session": session, "identifier_tag": document.strategy_identifier_tag, "sha256": document.sha256,
        "tag_957_support": document.tag_957_support, "change_strategy_on_cxl_rpl": document.change_strategy_on_cxl_rpl,
        **_plain(asdict(strategy)),
    }  # fmt: skip


def _plain(value: Any) -> Any:
    """Without line numbers, all the way down."""
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items() if name != _LINE}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value

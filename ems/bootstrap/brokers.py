"""Port `BrokerAlgos` over the brokers' FIXatdl files: which algorithm an order is for, and its parameters by the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

from adapters.fix.dialect_42 import LAST_TAG, USERS_FIRST_TAG
from adapters.fix.fields import cut
from adapters.fix.instruction_fields import instructions_text
from adapters.fix.profile_steps import own_tags
from adapters.fix.vocabulary import ALGO_OF
from adapters.fixatdl.apply import Applied, apply
from adapters.fixatdl.day import Day
from adapters.fixatdl.document import Document, Strategy
from adapters.fixatdl.given import Given, given
from domain.errors import ConfigError
from domain.instructions import PLAIN, Basket, StrategyFields
from domain.messages import NewOrder
from domain.refusal import Reason, Refusal
from ems.bootstrap.algos import broker_algos
from ems.bootstrap.profiles import begin_string, profile_of
from ems.config import Settings

_TARGET_STRATEGY: Final = 847
_FIX_NAMES: Final = {  # what rules may ask of the order, by tag
    1: "Account", 15: "Currency", 18: "ExecInst", 21: "HandlInst", 22: "SecurityIDSource", 38: "OrderQty", 40: "OrdType",
    44: "Price", 48: "SecurityID", 54: "Side", 55: "Symbol", 59: "TimeInForce", 60: "TransactTime", 99: "StopPx",
    100: "ExDestination", 110: "MinQty", 111: "MaxFloor", 126: "ExpireTime", 152: "CashOrderQty", 167: "SecurityType",
    168: "EffectiveTime", 207: "SecurityExchange", 211: "PegOffsetValue", 432: "ExpireDate",
}  # fmt: skip


class _Algo(NamedTuple):
    session: str
    document: Document
    strategy: Strategy


class FixatdlBrokers:
    """By venue session, the files of the broker behind it."""

    def __init__(self, documents: Mapping[str, Sequence[Document]]) -> None:
        """Raises ConfigError where two algorithms of one broker cannot be told apart."""
        self._sessions = frozenset(documents)
        self._by_code: dict[tuple[int, str], list[_Algo]] = {}
        for session, files in documents.items():
            for document in files:
                for strategy in document.strategies:
                    self._add(_Algo(session, document, strategy))
        self._tags = frozenset(tag for tag, _ in self._by_code)

    def _add(self, algo: _Algo) -> None:
        code = (algo.document.strategy_identifier_tag, algo.strategy.wire_value)
        known = self._by_code.setdefault(code, [])
        for other in known:
            if other.session == algo.session:
                both = f"{other.strategy.name} in {other.document.file} and {algo.strategy.name} in {algo.document.file}"
                raise ConfigError(f"{both} are both {code[0]}={code[1]}: an order could not say which it means")
        known.append(algo)

    def check(
        self,
        order: NewOrder,
        *,
        trade_date: str,
        routed: str,
        original: StrategyFields | None = None,
        basket: Basket | None = None,
    ) -> StrategyFields | Refusal | None:
        """As `domain.ports.BrokerAlgos`."""
        algo = self._meant(order, routed, original)
        if not isinstance(algo, _Algo):
            return algo
        if original is not None and (original.session, original.name) != (algo.session, algo.strategy.name):
            if original.session != algo.session or not algo.document.change_strategy_on_cxl_rpl:
                said = f"the order is for {original.name} of {original.session} and stays with it"
                return Refusal(Reason.NOT_AMENDABLE, said)
            original = None
        if not algo.strategy.works_baskets():
            basket = None
        elif basket is None and original is not None:
            basket = original.basket
        read = given(algo.strategy, order.fields)
        if not isinstance(read, Given):
            return _one(read)
        applied = apply(
            algo.document,
            algo.strategy,
            read.values,
            order=_asked_of(order),
            day=Day(date.fromisoformat(trade_date)),
            basket=basket,
            original=None if original is None else dict(original.values),
        )
        if not isinstance(applied, Applied):
            return _one(applied)
        carried = _carried(algo, order, read, applied)
        return carried if isinstance(carried, Refusal) else carried.model_copy(update={"basket": basket})

    def _meant(self, order: NewOrder, routed: str, original: StrategyFields | None) -> _Algo | Refusal | None:
        """The algorithm that the order's identifier names.

        Several brokers may use one identifier, and so may we: ExDestination (100) says which broker is meant. Where it does
        not, ours goes first, then the broker of the order that is replaced, then the one that the instrument's orders go to.
        """
        if order.algo in ALGO_OF.values():
            codes = [code for code in order.fields if code[0] == _TARGET_STRATEGY]
        else:
            codes = [code for code in order.fields if code[0] in self._tags]
        found = [algo for code in codes for algo in self._by_code.get(code, ())]
        route = (order.instructions or PLAIN).route
        if route in self._sessions:
            named = [algo for algo in found if algo.session == route]
            return named[0] if named else self._unknown(order, codes, f"an algorithm of {route}")
        if order.algo in ALGO_OF.values() or not found:
            return self._unknown(order, codes, "an algorithm of a broker's")
        for session in (original.session if original is not None else "", routed):
            for algo in found:
                if algo.session == session:
                    return algo
        if len({algo.session for algo in found}) > 1:
            said = " and ".join(sorted({algo.session for algo in found}))
            return Refusal(Reason.UNKNOWN_ALGO, f"{said} both have this algorithm: ExDestination (100) must say which")
        return found[0]

    def _unknown(self, order: NewOrder, codes: Sequence[tuple[int, str]], said: str) -> Refusal | None:
        """An order that names an algorithm which nobody has must not be worked as one that names none."""
        if order.algo in ALGO_OF.values() or not (codes or order.algo):
            return None
        named = f"{codes[0][0]}={codes[0][1]}" if codes else order.algo
        return Refusal(Reason.UNKNOWN_ALGO, f"{named} is neither one of our algorithms nor {said}")


def _one(refusals: Sequence[Refusal]) -> Refusal:
    """The name of the first, and what all of them say."""
    return Refusal(refusals[0].reason, "; ".join(refusal.text for refusal in refusals))


def _asked_of(order: NewOrder) -> dict[str, str | None]:
    """The order's own fields by their FIX names; None for those that it does not have."""
    found: dict[str, str | None] = dict.fromkeys(_FIX_NAMES.values())
    for tag, text in order.fields:
        if tag in _FIX_NAMES:
            found[_FIX_NAMES[tag]] = text
    return found


def _carried(algo: _Algo, order: NewOrder, read: Given, applied: Applied) -> StrategyFields | Refusal:
    """What the order carries beside its ordinary fields. One of those it already says, and no file may say it otherwise."""
    own = {"40", "59", *cut(instructions_text(order.instructions or PLAIN))} - {"100", ""}
    if order.limit_price_e9 is not None:
        own.add("44")
    sent = dict(order.fields)
    tags = []
    for tag, text in applied.tags:
        if str(tag) not in own:
            tags.append((tag, text))
        elif sent.get(tag, "0" if tag == 59 else "") != text:
            said = f"{algo.strategy.name} wants {text} in the tag {tag}, and the order says {sent.get(tag, 'nothing')}"
            return Refusal(Reason.BAD_PARAMETER, said)
    return StrategyFields(
        session=algo.session,
        name=algo.strategy.name,
        values=tuple(read.values.items()),
        tags=tuple(tags),
        parameters=applied.parameters,
        unchecked=applied.unchecked,
        rules=algo.document.sha256,
    )


def brokers(settings: Settings) -> FixatdlBrokers:
    """Every broker's files, each read whole.

    Raises:
        ReferenceDataError: a file is refused, with its line and reason.
        ConfigError: algorithms that cannot be told apart, or that the broker's session has no fields for.
    """
    documents = _documents(settings)
    for session in settings.sessions:
        if session.name in documents and begin_string(session) == "FIX.4.2":
            profile = profile_of(session)
            _speakable_in_42(session.name, documents[session.name], own_tags(profile) if profile is not None else ())
    return FixatdlBrokers(documents)


def _documents(settings: Settings) -> dict[str, tuple[Document, ...]]:
    return {broker.session: tuple(broker_algos(broker.atdl).values()) for broker in settings.brokers}


def order_tags(settings: Settings) -> frozenset[int]:
    """Every tag that an order for some broker's algorithm may have. Raises as brokers does."""
    return frozenset(tag for files in _documents(settings).values() for document in files for tag, _ in _tags(document))


def _tags(document: Document) -> Iterator[tuple[int, str]]:
    """The tags that a file's orders carry, and whose each is."""
    identifiers = (document.strategy_identifier_tag, document.version_identifier_tag, document.draft_flag_identifier_tag)
    yield from ((tag, "what identifies the strategy") for tag in identifiers if tag is not None)
    for strategy in document.strategies:
        yield from ((tag, f"the basket of {strategy.name}") for tag in strategy.basket_tags() if tag is not None)
        yield from ((p.fix_tag, f"{p.name} of {strategy.name}") for p in strategy.of_order() if p.fix_tag is not None)


def _speakable_in_42(session: str, documents: Sequence[Document], kept: Sequence[int]) -> None:
    """FIX 4.2 ends at 446 and has no StrategyParametersGrp: what it cannot carry would not be sent, and nobody would know."""
    for document in documents:
        for tag, whose in _tags(document):
            if LAST_TAG < tag < USERS_FIRST_TAG and tag not in kept:
                said = f"{whose} in {document.file} is sent in {tag}, which FIX 4.2 does not have"
                raise ConfigError(f"the broker of {session}: {said}: name it in the keep of the session's profile")
        for strategy in document.strategies:
            for parameter in strategy.of_order():
                if parameter.fix_tag is None:
                    said = f"{parameter.name} of {strategy.name} in {document.file} has no fixTag"
                    raise ConfigError(f"the broker of {session}: {said}, and FIX 4.2 has no StrategyParametersGrp (957)")

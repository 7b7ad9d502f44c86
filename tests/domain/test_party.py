"""Short codes: what they stand for has a history, and an algorithm's never changes."""

from __future__ import annotations

from domain.party import NOTHING, Coded, Codes, Kind, code, fold

LEI, OTHER_LEI = "529900T8BM49AURSDO55", "5493001KJTIIGC8Y1R12"


def said(
    state: Codes, short: str, kind: Kind, long: str, at_ns: int = 1, approver: str = "bob", reason: str = "new"
) -> Coded | str:
    return code(state, short, kind, long, person="ann", approver=approver, reason=reason, at_ns=at_ns)


def known(*events: Coded | str) -> Codes:
    return fold([event for event in events if isinstance(event, Coded)])


def test_a_clients_code_may_be_corrected_and_what_it_stood_for_stays_known() -> None:
    first = said(NOTHING, "7", "client", LEI)
    second = said(known(first), "7", "client", OTHER_LEI, at_ns=10)
    codes = known(first, second)
    assert [found.long_code if (found := codes.at("7", at_ns)) else "" for at_ns in (0, 1, 9, 10)] == ["", LEI, LEI, OTHER_LEI]


def test_an_algorithms_code_stands_for_one_code_for_ever() -> None:
    codes = known(said(NOTHING, "9", "algorithm", "TWAPXABC"))
    assert said(codes, "9", "algorithm", "TWAPXDEF") == "9 stands for TWAPXABC for ever: other code has another designation"
    assert said(codes, "10", "algorithm", "TWAPXABC") == "TWAPXABC is 9 already"
    assert said(codes, "9", "person", "S-1") == "9 is of a kind that never changes: algorithm, not person"


def test_what_is_refused() -> None:
    assert isinstance(said(NOTHING, "7", "client", "nobody"), str)
    assert isinstance(said(NOTHING, "7", "client", LEI, approver="ann"), str)
    assert isinstance(said(NOTHING, "7", "client", LEI, reason=" "), str)

"""Every session-level case, against our gateway as acceptor and as initiator, through sockets and without an engine."""

from __future__ import annotations

import asyncio

import pytest

from tests.acceptance.fix_session.acceptor_cases import ACCEPTOR
from tests.acceptance.fix_session.cases import BOTH
from tests.acceptance.fix_session.initiator_cases import INITIATOR
from tests.acceptance.fix_session.kit import play
from tests.acceptance.fix_session.policy_cases import POLICY
from tests.acceptance.fix_session.script import Case, Role
from tests.acceptance.fix_session.versions import VERSIONS, chosen

Told = dict[tuple[Role, Case], str]
ROLES: tuple[Role, ...] = ("acceptor", "initiator")
CASES = [(role, case) for role in ROLES for case in [*ACCEPTOR, *INITIATOR, *BOTH, *POLICY] if role in case.roles]


@pytest.fixture(scope="module")
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Told]:
    """What each case came to: those of a version are played side by side, on one gateway."""
    wanted: dict[str, list[tuple[Role, Case]]] = {}
    for item in request.session.items:
        called = getattr(item, "callspec", None)
        if called is not None and item.fspath == request.fspath:
            wanted.setdefault(called.params["version"], []).append((called.params["role"], called.params["case"]))
    return {
        version: asyncio.run(play(tmp_path_factory.mktemp("fix"), VERSIONS[version], cases)) for version, cases in wanted.items()
    }


@pytest.mark.parametrize("version", chosen())
@pytest.mark.parametrize(("role", "case"), CASES, ids=[f"{role} {case.name}" for role, case in CASES])
def test_a_session_does_what_the_case_says(told: dict[str, Told], version: str, role: Role, case: Case) -> None:
    assert told[version][role, case] == "", told[version][role, case]


def test_no_case_is_there_twice() -> None:
    assert len(set(CASES)) == len(CASES)

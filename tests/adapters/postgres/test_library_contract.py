"""The `eventsourcing` library's own contract of an application recorder, on our schema, as the role that may only append.

Not run: its tests of a bare aggregate recorder (they demand that no notification ids are returned) and of tracking
and process recorders (the factory refuses to make them).
"""

from __future__ import annotations

import pytest
from eventsourcing.persistence import ApplicationRecorder

from adapters.postgres.recorder import LogRecorder

pytest.importorskip("Crypto", reason="the library's contract imports its cipher: pip install pycryptodome")

from eventsourcing.tests.persistence import ApplicationRecorderTestCase


class TestLibraryContract(ApplicationRecorderTestCase[ApplicationRecorder]):
    """Every test of the library's, with the subscription test that it leaves optional."""

    @pytest.fixture(autouse=True)
    def _recorder(self, recorder: LogRecorder) -> None:
        self.recorder = recorder

    def create_recorder(self) -> ApplicationRecorder:
        return self.recorder

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


del ApplicationRecorderTestCase  # or it would be collected by itself

"""A stored decision keeps its digest when its events are given fields."""

from __future__ import annotations

import hashlib
import json

from domain.decision import Planned, is_digest_of, request_sha256
from tests.house import ROOT

SAMPLE = ROOT / "tests" / "golden" / "decision.planned.v1.json"


def test_a_request_is_known_by_its_digest_of_today_and_by_that_of_the_day_when_it_was_stored() -> None:
    told = json.loads(SAMPLE.read_text("utf-8"))
    today = Planned.model_validate(told).request
    assert is_digest_of(request_sha256(today), today)
    told["request"].pop("models")  # as before the field was added
    told["request"]["observation"].pop("weights_sha256")
    stored = json.dumps(told["request"], separators=(",", ":"), ensure_ascii=False)
    earlier = Planned.model_validate(told).request
    digest = hashlib.sha256(stored.encode()).hexdigest()
    assert is_digest_of(digest, earlier) and digest != request_sha256(earlier)
    assert not is_digest_of(digest, earlier.model_copy(update={"remaining_e9": earlier.remaining_e9 + 1}))

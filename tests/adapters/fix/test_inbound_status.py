"""OrdStatus from a venue reaches the domain as the domain's word: a status answer is judged by it."""

from __future__ import annotations

import pytest

from adapters.fix.inbound import Origin, read
from domain.messages import VenueCancelReject, VenueReport
from domain.order_life import OrdStatus

VENUE = Origin(session="SIM", role="venue", reset_epoch=0, frame=1)


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("0", OrdStatus.NEW),
        ("1", OrdStatus.PARTIALLY_FILLED),
        ("2", OrdStatus.FILLED),
        ("3", OrdStatus.DONE_FOR_DAY),
        ("4", OrdStatus.CANCELED),
        ("6", OrdStatus.PENDING_CANCEL),
        ("8", OrdStatus.REJECTED),
        ("A", OrdStatus.PENDING_NEW),
        ("C", OrdStatus.EXPIRED),
        ("E", OrdStatus.PENDING_REPLACE),
        ("7", OrdStatus.STOPPED),
        ("9", OrdStatus.SUSPENDED),
        ("B", "B"),  # calculated: no word for it, so as sent
    ],
)
def test_a_venues_order_status_is_the_domains_word(code: str, word: str) -> None:
    report = read(f"35=8\x0134=2\x0111=C1\x0117=0\x01150=I\x0139={code}\x0114=0\x01151=1\x01", VENUE)
    assert isinstance(report, VenueReport)
    assert report.ord_status == word
    reject = read(f"35=9\x0134=3\x0111=C1C1\x0141=C1\x0139={code}\x01434=1\x01102=0\x01", VENUE)
    assert isinstance(reject, VenueCancelReject)
    assert reject.ord_status == word

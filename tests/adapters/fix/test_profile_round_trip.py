"""Nothing is lost between two ends that speak a profile: what was meant is what is read, where the profile can say it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.fix.inbound import Origin, read
from adapters.fix.outbound import write
from adapters.fix.profile import Profile
from domain.instructions import Instructions
from domain.messages import Inbound
from domain.sending import Outbound, ParentReport, SendChild
from tests.adapters.fix import made
from tests.adapters.fix.made import apart_from_text, on_the_wire
from tests.adapters.fix.test_dialect import in_42
from tests.adapters.fix.test_profile_steps import CLIENT, PROFILES, VENUE, dialect

SYMBOLS = st.sampled_from(["AMZN", "VOD", "DEMO", "SPY"])
ACCOUNTS = st.sampled_from(["FUND-1", "FUND-2"])


def agreed(profile: Profile) -> dict[str, Any]:
    return {
        "ord_type": st.sampled_from(profile.orders.types),
        "time_in_force": st.sampled_from(profile.orders.times),
        "instrument": SYMBOLS,
        "account": ACCOUNTS,
    }


def way(message: Outbound, name: str, origin: Origin) -> Inbound:
    text = dialect(PROFILES[name]).outward(write(message))
    return apart_from_text(read(on_the_wire(text, PROFILES[name].version), origin, dialect(PROFILES[name])))


def meant(message: Outbound, origin: Origin) -> Any:
    return apart_from_text(read(f"{write(message)}34=2\x01", origin))


@given(st.data(), made.CHILDREN | made.REPLACES)
def test_orders_of_northgate_arrive_as_they_were_meant(data: st.DataObject, message: SendChild) -> None:
    message = replace(message, **{name: data.draw(values) for name, values in agreed(PROFILES["northgate"]).items()})
    if message.instructions is not None:
        message = replace(message, instructions=message.instructions.model_copy(update={"route": "DARK"}))
    expected = meant(message, CLIENT)
    known = in_42(expected.instructions) or Instructions()
    known = known.model_copy(update={"handl_inst": known.handl_inst or "1"})
    assert way(message, "northgate", CLIENT) == replace(expected, instructions=known)


@given(st.data(), made.CHILDREN | made.REPLACES)
def test_orders_of_harbour_arrive_as_they_were_meant(data: st.DataObject, message: SendChild) -> None:
    message = replace(message, **{name: data.draw(values) for name, values in agreed(PROFILES["harbour"]).items()})
    if message.instructions is not None:  # Harbour takes no attributes and no HandlInst on a new order
        message = replace(message, instructions=message.instructions.model_copy(update={"attributes": (), "handl_inst": ""}))
    assert way(message, "harbour", CLIENT) == meant(message, CLIENT)


@pytest.mark.parametrize("name", PROFILES)
@given(made.CANCELS | made.QUERIES | made.NOTICES, SYMBOLS)
def test_requests_arrive_as_they_were_meant(name: str, message: Any, symbol: str) -> None:
    message = replace(message, instrument=symbol)
    assert way(message, name, CLIENT) == meant(message, CLIENT)


@pytest.mark.parametrize("name", PROFILES)
@given(report=made.REPORTS, symbol=SYMBOLS, account=ACCOUNTS)
def test_reports_arrive_as_they_were_meant(name: str, report: ParentReport, symbol: str, account: str) -> None:
    if report.exec_kind in (*PROFILES[name].suppress.reports, "triggered", "replaced"):
        report = replace(report, exec_kind="new")
    known: dict[str, Any] = {
        "ord_rej_reason": None,
        "working": None,
        "text": "",
    }  # fewer reasons in 4.2, and Northgate takes no text
    report = replace(report, symbol=symbol, account=account, **known)
    assert way(report, name, VENUE) == meant(report, VENUE)

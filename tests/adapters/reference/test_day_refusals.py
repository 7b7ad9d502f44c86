"""Everything that keeps a day from opening has a sentence that names it and says what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.reference.start_of_day import ROW_PROBLEMS_MAX
from tests.adapters.reference.day_files import CLOSE, add, append, drop, edit, sentences

REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "a position in nothing": (
        add("positions", f"HOUSE,ZZZ,5,{CLOSE}"),
        r"positions.csv line 13, column symbol: there is no instrument 'ZZZ'; add it to instruments, or a rename to it",
    ),
    "a restriction of nothing": (
        add("restricted", "list,ZZZ,2026-11-24T00:00:00Z,,merger"),
        r"restricted.csv line \d+, column symbol: there is no instrument 'ZZZ'; add it",
    ),
    "a halt of nothing": (
        add("halts", "ZZZ,2026-11-24T00:00:00Z,,news"),
        r"halts.csv line \d+, column symbol: there is no instrument 'ZZZ'; add it",
    ),
    "a permission for nothing": (
        add("permissions", "OMS1,*,ZZZ,*"),
        r"permissions.csv line \d+, column symbol: there is no instrument 'ZZZ'; add it",
    ),
    "a permission twice": (
        add("permissions", "*,*,*,*"),
        r"permissions.csv line \d+, column who: \*, \*, \*, \* is there twice",
    ),
    "a position twice": (
        add("positions", f"HOUSE,AMZN,7,{CLOSE}"),
        r"positions.csv line 13, column account: HOUSE, AMZN is there twice, first in positions.csv line 10; take one",
    ),
    "a position under both names": (
        lambda folder: (
            append(folder, "corporate_actions", "CA-9,AMZN,rename,2026-11-24,,,,,OLD"),
            append(folder, "positions", f"HOUSE,OLD,7,{CLOSE}"),
        ),
        r"positions.csv line \d+, column account: HOUSE, AMZN is there twice, first in positions.csv line \d+; take one",
    ),
    "a locate's id twice": (
        add("locates", f"LOC-1,HOUSE,JPM,7,2026-11-24,{CLOSE}"),
        r"locates.csv line \d+, column id: LOC-1 is there twice, first in locates.csv line \d+; take one of them out",
    ),
    "a model twice": (
        lambda folder: append(folder, "models", (folder / "models.csv").read_text().splitlines()[-1]),
        r"models.csv line \d+, column digest: [0-9a-f]{64} is there twice",
    ),
    "a currency without a rate": (
        drop("fx_rates", "GBX"),
        r"fx_rates: GBX, the currency of VOD, has no rate; add it to fx_rates",
    ),
    "cash in a currency without a rate": (
        add("cash", "firm,,JPY,5"),
        r"cash.csv line \d+, column currency: JPY has no rate; add it to fx_rates",
    ),
    "a base currency that is not worth one": (
        edit("fx_rates", "USD,1,", "USD,1.01,"),
        r"fx_rates.csv line \d+, column rate: USD is the base currency: its rate is 1; put 1, or take the row out",
    ),
    "a stale rate": (
        edit("fx_rates", f"GBX,0.0131,{CLOSE}", "GBX,0.0131,2026-11-20"),
        r"fx_rates.csv line \d+, column as_of: is stale: it is of 2026-11-20, and the last trading day is 2026-11-23; ask",
    ),
    "a stale price": (
        edit("prices", f"AMZN,220.5,{CLOSE}", "AMZN,220.5,2026-11-20"),
        r"prices.csv line \d+, column as_of: is stale: it is of 2026-11-20, and the last trading day is 2026-11-23; ask",
    ),
    "a price of tomorrow": (
        edit("prices", f"AMZN,220.5,{CLOSE}", "AMZN,220.5,2026-11-25"),
        r"prices.csv line \d+, column as_of: 2026-11-25 is after the trade date 2026-11-24; ask the source which day",
    ),
    "no price": (
        drop("prices", "AMZN"),
        r"prices: AMZN has no close; add it; if it was listed today, name it among new_listings in the manifest",
    ),
    "no volume": (
        drop("volumes", "AMZN"),
        r"volumes: AMZN has no average daily volume; add it; if it was listed today",
    ),
    "an expired locate": (
        edit("locates", f"2026-11-24,{CLOSE}", f"2026-11-23,{CLOSE}"),
        r"locates.csv line \d+, column expires: is stale: it expired on 2026-11-23; locate again, or take the row out",
    ),
    "no capital of the firm": (
        drop("capital", "firm"),
        r"capital: the firm has no stated capital; add a row of scope_kind firm",
    ),
    "capital in another currency": (
        edit("capital", "desk,desk,USD", "desk,desk,EUR"),
        r"capital.csv line \d+, column currency: capital is stated in USD, not in EUR; state it in USD",
    ),
    "fees of a market without a calendar": (
        add("fees", "XXXX,add,USD,0,0,0"),
        r"fees.csv line \d+, column mic: there is no calendar of 'XXXX'; add it to calendars",
    ),
    "a rename to nothing": (
        add("corporate_actions", "CA-9,NEW,rename,2026-11-24,,,,,OLD"),
        r"corporate_actions.csv line \d+, column symbol: there is no instrument 'NEW'",
    ),
    "a name that was given up and is still there": (
        add("corporate_actions", "CA-9,AMZN,rename,2026-11-24,,,,,AAPL"),
        r"corporate_actions.csv line \d+, column old_symbol: 'AAPL' is AMZN now, and an instrument still has the name",
    ),
    "a coming rename of nothing": (
        add("corporate_actions", "CA-9,NEW,rename,2026-12-24,,,,,OLD"),
        r"corporate_actions.csv line \d+, column old_symbol: there is no instrument 'OLD'; add it to instruments",
    ),
    "one name that became two": (
        add("corporate_actions", "CA-8,AMZN,rename,2026-11-24,,,,,OLD", "CA-9,BAC,rename,2026-11-24,,,,,OLD"),
        r"corporate_actions.csv line \d+, column old_symbol: 'OLD' became AMZN already; take one of them out",
    ),
    "a split that leaves no exact price": (
        add("corporate_actions", "CA-9,AMZN,split,2026-11-24,13,1,,,"),
        r"prices.csv line \d+, column close: the split of AMZN, 13 for 1, leaves no exact number .* of the close 220.5; give the",
    ),
    "a split that leaves no exact position": (
        add("corporate_actions", "CA-9,AMZN,split,2026-11-24,1,3,,,"),
        r"positions.csv line \d+, column quantity: the split of AMZN, 1 for 3, leaves no exact number at 1e-9 of the quantity",
    ),
    "an instrument table that contradicts itself": (
        edit("identifiers", "AMZN,ric,AMZN.O", "AMZN,ric,AAPL.O"),
        r"the instrument tables: AAPL and AMZN both claim the ric AAPL.O; mend the file, then run ems load --manifest",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_day_does_not_open_and_says_why(folder: Path, case: str) -> None:
    breaking, why = REFUSED[case]
    breaking(folder)
    found = sentences(folder)
    assert any(re.match(why, sentence) for sentence in found), found


BAD_CELLS: dict[str, tuple[str, str, str]] = {
    "minus zero": ("positions", f"HOUSE,AMZN,-0,{CLOSE}", r"column quantity: '-0' is minus zero"),
    "not a number": ("positions", f"HOUSE,AMZN,NaN,{CLOSE}", r"column quantity: 'NaN' is not a decimal number"),
    "infinite": ("positions", f"HOUSE,AMZN,-inf,{CLOSE}", r"column quantity: '-inf' is not a decimal number"),
    "an exponent": ("positions", f"HOUSE,AMZN,1e400,{CLOSE}", r"column quantity: '1e400' is not a decimal number"),
    "too large": ("positions", f"HOUSE,AMZN,9999999999,{CLOSE}", r"column quantity: '9999999999' is too large"),
    "too fine": ("positions", f"HOUSE,AMZN,0.0000000001,{CLOSE}", r"column quantity: '0.0000000001' is not a decimal"),
    "other digits": ("positions", f"HOUSE,AMZN,\u0661\u0662,{CLOSE}", "column quantity: '\u0661\u0662' is not a decimal number"),
    "a grouped number": ("positions", f"HOUSE,AMZN,1_000,{CLOSE}", r"column quantity: '1_000' is not a decimal number"),
    "a formula": ("positions", f'"=HYPERLINK(""x"")",AMZN,1,{CLOSE}', r"column account: '=HYPERLINK\(.*' begins like a"),
    "a control character": ("positions", f"HO\x1bUSE,AMZN,1,{CLOSE}", r"column account: 'HO\\x1bUSE' holds a character"),
    "a text too long": ("positions", f"{'H' * 300},AMZN,1,{CLOSE}", r"column account: has 300 characters, 200 are allowed"),
    "no account": ("positions", f",AMZN,1,{CLOSE}", r"column account: is empty"),
    "no such date": ("positions", "HOUSE,AMZN,1,2026-02-30", r"column as_of: '2026-02-30' is not a date"),
    "another form of date": ("positions", "HOUSE,AMZN,1,20261123", r"column as_of: '20261123' is not a date"),
    "a date of another age": ("positions", "HOUSE,AMZN,1,9999-12-31", r"column as_of: '9999-12-31' is not between"),
    "a scope of no kind": ("capital", "planet,earth,USD,1", r"column scope_kind: must be 'firm', 'desk', .*, not 'planet'"),
    "a firm with a name": ("cash", "firm,ours,USD,1", r"column scope_id: the firm has no scope_id"),
    "no capital": ("capital", "desk,other,USD,0", r"column capital: must be greater than 0, not '0'"),
    "no currency": ("cash", "firm,,usd,1", r"column currency: must match pattern .*, not 'usd'"),
    "half a split": ("corporate_actions", "C,AMZN,split,2026-11-24,2,,,,", r"column kind: a split needs new_shares and old"),
    "a split by nothing": ("corporate_actions", "C,AMZN,split,2026-11-24,2,0,,,", r"column old_shares: '0' is not a whole"),
    "a dividend of a split": ("corporate_actions", "C,AMZN,dividend,2026-11-24,2,1,1,USD,", r"column kind: a dividend needs"),
    "a name for itself": ("corporate_actions", "C,AMZN,rename,2026-11-24,,,,,AMZN", r"column kind: a rename needs two names"),
    "a moment of nowhere": ("restricted", "l,AMZN,2026-11-24T10:00:00,,r", r"column begins: '2026-11-24T10:00:00' is not a mom"),
    "an end before its begin": ("restricted", "l,AMZN,2026-11-24T10:00:00Z,2026-11-24T11:30:00+02:00,r", r"column ends: it ends"),
    "no digest": ("models", "abc,a model", r"column digest: must match pattern .*, not 'abc'"),
}


@pytest.mark.parametrize("case", BAD_CELLS)
def test_a_bad_cell_is_named_by_file_line_and_column(folder: Path, case: str) -> None:
    table, line, why = BAD_CELLS[case]
    append(folder, table, line)
    number = len((folder / f"{table}.csv").read_text().splitlines())
    found = sentences(folder)
    assert len(found) == 1 and re.match(rf"{table}\.csv line {number}, {why}", found[0]), found
    assert found[0].endswith("mend the file or ask the built-in sample for another, then run ems load --manifest")


def test_every_bad_cell_is_told_up_to_a_number(folder: Path) -> None:
    append(folder, "positions", *[f"HOUSE,AMZN,x,{number}" for number in range(3)])
    assert len(sentences(folder)) == 6
    append(folder, "positions", *[f"HOUSE,AMZN,x,{CLOSE}"] * 200)
    found = sentences(folder)
    assert len(found) == ROW_PROBLEMS_MAX + 3 + 1 and "more than 50 rows are wrong" in found[-1]

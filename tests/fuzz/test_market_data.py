"""Spoiled market data by the thousand: the decoders read and write nothing beyond what they were given, and never fail.

EMS_FUZZ_TAPE_MESSAGES says how many; EMS_FUZZ_SEED repeats a run (it is printed where one fails).
"""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from adapters.marketdata.binance import BinanceReader, Terms
from adapters.marketdata.itch_layout import Fault, make_state
from adapters.marketdata.lobster import read_pair
from adapters.marketdata.mold import MoldSender, make_mold
from adapters.marketdata.pcap import read_itch_capture
from domain.errors import ConfigError, ReferenceDataError
from ems.bootstrap.tape import Wanted, convert, feed_of
from tests.adapters.marketdata.itch_bytes import MIDNIGHT_NS, framed, mixed, spoiled
from tests.adapters.marketdata.test_mold import capture_of, ethernet

MESSAGES = int(os.environ.get("EMS_FUZZ_TAPE_MESSAGES", "20000"))
SEED = int(os.environ.get("EMS_FUZZ_SEED", "0")) or int(time.time())
OTHERS = max(50, MESSAGES // 1_000)  # rounds of the decoders that are Python
NO_BAR: Callable[[int, int], None] = lambda done, of: None  # noqa: E731
ROOT = Path(__file__).resolve().parents[2]


def refusal(read: Callable[..., Any], *arguments: Any) -> str:
    """Why it was refused, "" where it was read; any other error fails the test."""
    try:
        read(*arguments)
    except (ConfigError, ReferenceDataError) as refused:
        return str(refused)
    return ""


def guarded(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.fuzz.itch_guarded", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=900)


def test_one_byte_beyond_the_end_would_be_noticed() -> None:
    done = guarded("overrun")
    assert done.returncode < 0 and "reading the last eight bytes: 0" in done.stdout and "one byte beyond" not in done.stdout


def test_spoiled_itch_is_decoded_within_its_bytes() -> None:
    done = guarded(str(SEED), str(MESSAGES))
    assert done.returncode == 0, f"seed {SEED}: exit {done.returncode}\n{done.stderr}"
    found = json.loads(done.stdout)
    assert found["messages"] >= MESSAGES and found["records"] > MESSAGES // 20
    met = {kind for kind, times in found["faults"].items() if times}
    assert met == {fault.name.lower() for fault in Fault}, f"seed {SEED}: every kind of fault occurs"


@pytest.mark.parametrize("turn", range(4))
def test_spoiled_captures_are_read_or_refused(turn: int) -> None:
    random = Random(f"{SEED} {turn}")
    datagrams = MoldSender("DAY", size_max=300).packets(framed(*mixed(random, 60)))
    whole = capture_of([ethernet(datagram) for datagram in datagrams])
    for _ in range(OTHERS):
        why = refusal(read_itch_capture, spoiled(random, whole), make_state(MIDNIGHT_NS), make_mold())
        assert not why or "pcap" in why, f"seed {SEED}: {why}"


def test_spoiled_lines_of_binance_never_fail() -> None:
    random = Random(SEED)
    reader = BinanceReader({"BTC": Terms(1, 1)}, held_max=100)
    levels = [["61773.6", "1001"], ["61776.4", "0"]]
    diff = {"e": "depthUpdate", "E": 5, "T": 4, "s": "BTC", "U": 1, "u": 5, "pu": 0, "b": levels, "a": levels}
    kinds = [{"stream": "x", "data": diff}, {"lastUpdateId": 4, "bids": levels, "asks": levels},
             {"e": "trade", "E": 5, "T": 4, "s": "BTC", "p": "1.5", "q": "2", "m": True}]  # fmt: skip
    for i in range(20 * OTHERS):
        line = bytearray(f"{1_723_161_256_000_000_000 + i} {json.dumps(random.choice(kinds))}".encode())
        for _ in range(random.randint(1, 3)):
            line[random.randrange(len(line))] = random.choice(b'0123456789"[]{}:,.-eE \x00\xff')
        reader.line(line.decode("utf-8", "replace"))
    day = reader.day()
    assert reader.faults["malformed"][0] > OTHERS, f"seed {SEED}"
    assert (day.tape["price_ticks"] >= 0).all() and (day.tape["size_lots"] >= 0).all()


def test_spoiled_lobster_files_are_read_or_refused() -> None:
    random = Random(SEED)
    messages = b"34200.017459617,5,0,1,2238250,-1\n34200.18960767,1,11885113,21,2238100,1\n34200.5,4,11885113,21,2238100,1\n"
    book = b"2239500,100,2231800,100\n2239500,100,2238100,21\n2239500,100,2231800,100\n"
    for _ in range(OTHERS):
        why = refusal(read_pair, spoiled(random, messages), spoiled(random, book), "XYZ_2012-06-21")
        assert not why or why.startswith("XYZ_2012-06-21"), f"seed {SEED}: {why}"


def test_spoiled_compression_is_read_or_refused(tmp_path: Path) -> None:
    random = Random(SEED)
    packed = gzip.compress(framed(*mixed(random, 300)))
    source = tmp_path / "day"
    for i in range(min(OTHERS, 300)):
        source.write_bytes(spoiled(random, packed))
        why = refusal(lambda to: convert([source], to, Wanted(feed_of(source), "2012-06-21"), NO_BAR), tmp_path / str(i))
        assert not why or re.search(r"cannot be read|say --feed|pcap", why), f"seed {SEED}: {why}"

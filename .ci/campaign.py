"""The full figures, each against its bar: benches, simulated days, kills. Prints a table; exit 1 if a bar is missed.

What each command printed is kept under var/campaign/. Run it on a machine that has nothing else to do.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "var" / "campaign"
BIN = Path(sys.executable).parent

Figures = dict[str, Any]


class Bar(NamedTuple):
    """A figure and what it is held against; holds says whether it is met, None that it is only shown."""

    what: str
    figure: Callable[[Figures], str]
    holds: Callable[[Figures], bool] | None


class Row(NamedTuple):
    """A line of the table; met is None where there is no bar."""

    what: str
    figure: str
    met: bool | None


FEATURE_BUDGETS_US = {"ofi": 1, "qi": 1, "vpin": 5, "spread": 1, "arrival": 1, "slope": 10}

BENCHES: dict[str, list[Bar]] = {
    "log": [
        Bar(
            "group commit >= 20 x the library's recorder",
            lambda f: f"{f['group_commit_eps'] / f['library_eps']:.1f} x",
            lambda f: f["group_commit_eps"] >= 20 * f["library_eps"],
        ),
        Bar(
            "group commit >= 0.3 x raw COPY",
            lambda f: f"{f['group_commit_eps'] / f['copy_eps']:.2f} x",
            lambda f: f["group_commit_eps"] >= 0.3 * f["copy_eps"],
        ),
        Bar("sealing >= 0.9 x without", lambda f: f"{f['sealed_eps_ratio']:.2f} x", lambda f: f["sealed_eps_ratio"] >= 0.9),
        Bar("sealing p99 <= 1.2 x without", lambda f: f"{f['sealed_p99_ratio']:.2f} x", lambda f: f["sealed_p99_ratio"] <= 1.2),
        Bar("append p99 <= 10 ms", lambda f: f"{f['p99_ms']:.2f} ms", lambda f: f["p99_ms"] <= 10),
        Bar(
            "durability is on",
            lambda f: f"{f['synchronous_commit']}, {f['full_page_writes']}",
            lambda f: {f["synchronous_commit"], f["full_page_writes"]} <= {"on", True},
        ),
    ],
    "fix": [
        Bar(
            "order to durable New p50 <= 8 x echo + 2 x commit",
            lambda f: f"{f['p50_us']:.0f} us of {8 * f['echo_p50_us'] + 2 * f['commit_p50_us']:.0f} us",
            lambda f: f["p50_us"] <= 8 * f["echo_p50_us"] + 2 * f["commit_p50_us"],
        ),
        Bar(
            "pipelined orders >= 0.3 x echo",
            lambda f: f"{f['orders_per_s'] / f['echo_per_s']:.2f} x",
            lambda f: f["orders_per_s"] >= 0.3 * f["echo_per_s"],
        ),
        Bar(
            "order in to child out",
            lambda f: f"p50 {f['child_out_p50_us']:.0f} us, p99 {f['child_out_p99_us']:.0f} us",
            None,
        ),
    ],
    "features": [
        Bar(
            "each feature p99 within its budget",
            lambda f: ", ".join(f"{name} {f[f'{name}_p99_us']:.2f} us" for name in FEATURE_BUDGETS_US),
            lambda f: all(f[f"{name}_p99_us"] <= budget for name, budget in FEATURE_BUDGETS_US.items()),
        ),
        Bar("all with the book vector p99 <= 1 us", lambda f: f"{f['all_p99_us']:.2f} us", lambda f: f["all_p99_us"] <= 1),
    ],
    "inference": [
        *(
            Bar(
                f"encode + step + act p50 <= {share} x {peer}",
                lambda f, peer=peer: f"{f['core_p50_us']:.1f} us of {f[f'{peer}_p50_us']:.1f} us",
                lambda f, peer=peer, share=share: f["core_p50_us"] <= share * f[f"{peer}_p50_us"],
            )
            for peer, share in (("onnxruntime", 0.45), ("aotinductor", 0.3), ("eager", 0.15))
        ),
        Bar(
            "p99 <= 2 x p50",
            lambda f: f"{f['core_p99_us']:.1f} us of {f['core_p50_us']:.1f} us",
            lambda f: f["core_p99_us"] <= 2 * f["core_p50_us"],
        ),
        Bar("as torch to 0.00001", lambda f: f"{f['max_abs_diff']:.1e}", lambda f: f["max_abs_diff"] <= 1e-5),
        Bar(
            "nothing allocated, every NaN and infinity caught",
            lambda f: f"{f['allocations']}, {f['nonfinite_caught']}",
            lambda f: f["allocations"] == 0 and f["nonfinite_caught"] is True,
        ),
    ],
    "plan": [
        Bar("500 x 20 rollouts with all heads <= 40 ms", lambda f: f"{f['rollout_ms']:.1f} ms", lambda f: f["rollout_ms"] <= 40),
        Bar(
            "<= 2.5 x a bare GRU's",
            lambda f: f"{f['rollout_ms'] / f['gru_ms']:.2f} x",
            lambda f: f["rollout_ms"] <= 2.5 * f["gru_ms"],
        ),
    ],
    "replay": [
        Bar("1,000,000 events", lambda f: f"{f['events']:,}", lambda f: f["events"] >= 1_000_000),
        Bar("fold >= 100,000 events/s", lambda f: f"{f['events_per_s']:,.0f}", lambda f: f["events_per_s"] >= 100_000),
        Bar("chain, root and fold >= 0.85 x", lambda f: f"{f['verify_ratio']:.2f} x", lambda f: f["verify_ratio"] >= 0.85),
        Bar("explain an order <= 1 s", lambda f: f"{f['explain_ms']:.0f} ms", lambda f: f["explain_ms"] <= 1_000),
        Bar("memory < 1 GB", lambda f: f"{f['rss_mb']:.0f} MB", lambda f: f["rss_mb"] < 1_000),
        Bar("digest equals the live one", lambda f: str(f["digest_equal"]), lambda f: f["digest_equal"] in (True, 1)),
        Bar("restart with 10,000 working orders", lambda f: f"{f['restart_s']:.2f} s", None),
    ],
    "tape": [
        Bar("decode >= 20,000,000 messages/s", lambda f: f"{f['decode_eps']:,}", lambda f: f["decode_eps"] >= 20_000_000),
        Bar("to the book >= 5,000,000 messages/s", lambda f: f"{f['book_eps']:,}", lambda f: f["book_eps"] >= 5_000_000),
        Bar("a datagram's message to the book p99 <= 0.5 us", lambda f: f"{f['p99_us']:.2f} us", lambda f: f["p99_us"] <= 0.5),
        Bar(
            "beside itchfeed and meatpy",
            lambda f: f"{f['itchfeed_eps'] or 0:,} and {f['meatpy_eps'] or 0:,} messages/s",
            None,
        ),
    ],
    "risk": [
        Bar("all checks of a child p99 <= 60 us", lambda f: f"{f['p99_us']:.0f} us", lambda f: f["p99_us"] <= 60),
        Bar(
            "p50 beside 10,000 working orders <= 1.5 x beside 100",
            lambda f: f"{f['p50_us_10000'] / f['p50_us_100']:.2f} x",
            lambda f: f["p50_us_10000"] <= 1.5 * f["p50_us_100"],
        ),
        Bar("the quoter's checks <= 0.5 us", lambda f: f"{f['hot_us']:.3f} us", lambda f: f["hot_us"] <= 0.5),
    ],
    "console": [
        Bar(
            "publish to paint p50 <= 40 ms, p99 <= 90 ms",
            lambda f: f"{f['p50_ms']:.1f} ms, {f['p99_ms']:.1f} ms",
            lambda f: f["p50_ms"] <= 40 and f["p99_ms"] <= 90,
        ),
        Bar(
            "a venue's fill at the gateway to its paint p50 <= 60 ms",
            lambda f: f"{f['fill_to_paint_p50_ms']:.1f} ms",
            lambda f: f["fill_to_paint_p50_ms"] <= 60,
        ),
        Bar("no row lost or stale", lambda f: f"{f['stale_rows']}", lambda f: f["stale_rows"] == 0),
        Bar("the server <= 10 % of a core", lambda f: f"{f['server_cpu_pct']:.1f} %", lambda f: f["server_cpu_pct"] <= 10),
        Bar(
            "clients that do not read cost <= 10 MB",
            lambda f: f"{f['rss_growth_stalled_mb']:.1f} MB, without them {f['rss_growth_mb']:.1f} MB",
            lambda f: f["rss_growth_stalled_mb"] - f["rss_growth_mb"] <= 10,
        ),
        Bar("first load <= 350 KB", lambda f: f"{f['first_load_kb']:.0f} KB", lambda f: f["first_load_kb"] <= 350),
        Bar("no external request", lambda f: f"{f['external_requests']}", lambda f: f["external_requests"] == 0),
        Bar("no error in the browser's console", lambda f: f"{f['console_errors']}", lambda f: f["console_errors"] == 0),
    ],
}
SOAK = [
    Bar(
        "all invariants hold, no lag grows, memory flat",
        lambda f: "; ".join(f["failed"]) or "all holds",
        lambda f: not f["failed"],
    ),
    Bar("the load was kept", lambda f: f"{f['behind_s']:.2f} s behind", lambda f: f["behind_s"] <= 1),
    Bar("GB a session, bytes an event", lambda f: f"{f['gb_per_day']:.2f}, {f['bytes_per_event']}", None),
]
# What a long test prints as a JSON object is held against these.
PRINTED: dict[str, list[Bar]] = {
    "failover": [
        Bar(
            f"{what} lost, orders answered and filled again <= 10 s",
            lambda f, key=key: f"{f['resumed_s'][key]:.1f} s, {f['led'][key]} leads",
            lambda f, key=key: f["resumed_s"][key] <= 10,
        )
        for what, key in (("Postgres", "postgres"), ("the leader stopped, its host", "stopped_leader"), ("the desk", "desk"))
    ],
    "patroni": [Bar("node of the primary lost <= 35 s", lambda f: f"{f['node_lost_s']:.1f} s", lambda f: f["node_lost_s"] <= 35)],
}
# Longer than in `make test`: how many simulated days, how many kills; and the seconds they may take.
TESTS: dict[str, tuple[str, dict[str, str], float]] = {
    "simulation": ("tests/simulation", {"EMS_SIMULATION_SEEDS": "2000"}, 600),
    "demo": ("tests/acceptance/test_demo.py", {"EMS_DEMO_FULL": "1"}, 900),
    "fix_session": ("tests/acceptance/fix_session", {"EMS_FIX_VERSIONS": "all"}, 120),
    "order_states": ("tests/acceptance/fix", {"EMS_FIX_VERSIONS": "all", "EMS_FIX_WALKS": "300"}, 600),
    "fuzz": ("tests/fuzz", {"EMS_FUZZ_MESSAGES": "200000"}, 900),
    "fuzz_tape": ("tests/fuzz/test_market_data.py", {"EMS_FUZZ_TAPE_MESSAGES": "1000000"}, 300),
    "kill": ("tests/acceptance/test_kill.py", {"EMS_KILL_WORKING": "1000"}, 240),
    "tamper": ("tests/acceptance/test_tamper.py", {"EMS_SEAL_WRITE_S": "600", "EMS_TAMPERINGS": "2000"}, 1500),
    "failover": ("tests/acceptance/test_failover.py", {"EMS_FAILOVER_ORDERS_S": "300"}, 900),
    "patroni": ("tests/acceptance/test_patroni.py", {}, 300),
    "kill9": ("tests/acceptance/test_kill9.py", {"EMS_KILL9_CYCLES": "60"}, 3600),
}
VERDICTS = {True: "met", False: "MISSED", None: "-"}


def main() -> int:
    """Run everything, whatever fails on the way. 0 if every bar is met."""
    KEPT.mkdir(parents=True, exist_ok=True)
    rows = [row for subject, bars in BENCHES.items() for row in bench(subject, bars)]
    rows += bench("soak", SOAK, ("soak", "--minutes", os.environ.get("EMS_SOAK_MINUTES", "60")))
    for name, arguments in TESTS.items():
        rows.append(long_test(name, *arguments))
        rows += [judge(name, bar, printed(name)) for bar in PRINTED.get(name, ())]
    width = max(len(row.what) for row in rows)
    print()
    for row in rows:
        print(f"{VERDICTS[row.met]:<7} {row.what:<{width}}  {row.figure}")
    return 1 if any(row.met is False for row in rows) else 0


def bench(subject: str, bars: list[Bar], words: tuple[str, ...] = ()) -> list[Row]:
    """One `ems bench`, or the command of these words, judged. What fails or leaves a key out misses the bars that need it."""
    words = words or ("bench", subject)
    print(f"ems {' '.join(words)} ...", flush=True)
    done = subprocess.run([BIN / "ems", *words, "--json"], cwd=ROOT, capture_output=True, text=True, check=False)
    (KEPT / f"bench-{subject}.json").write_text(done.stdout, "utf-8")
    (KEPT / f"bench-{subject}.log").write_text(done.stderr, "utf-8")
    try:
        figures: Figures = json.loads(done.stdout)
    except ValueError:
        return [Row(f"{subject}: all of it", f"exit {done.returncode} and no JSON: see the log under {KEPT}", False)]
    return [judge(subject, bar, figures) for bar in bars]


def judge(subject: str, bar: Bar, figures: Figures) -> Row:
    """One figure against its bar."""
    try:
        return Row(f"{subject}: {bar.what}", bar.figure(figures), bar.holds and bar.holds(figures))
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        return Row(f"{subject}: {bar.what}", f"{type(error).__name__} {error}", False)


def long_test(name: str, target: str, settings: dict[str, str], limit_s: float) -> Row:
    """One long test in a pytest of its own, its output kept. What the environment sets already stays."""
    environment = settings | os.environ
    told = " ".join(f"{key}={environment[key]}" for key in settings)
    print(f"{told} pytest {target} ...", flush=True)
    began = time.monotonic()
    with (KEPT / f"{name}.log").open("w", encoding="utf-8") as log:
        command = [sys.executable, "-m", "pytest", "-q", "-rP", "--color=no", target]
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT, check=False)
    took_s = time.monotonic() - began
    last = next((line for line in reversed((KEPT / f"{name}.log").read_text("utf-8").splitlines()) if line.strip()), "")
    return Row(
        f"{name}: {told or target}, <= {limit_s:.0f} s", f"{last} ({took_s:.0f} s)", done.returncode == 0 and took_s <= limit_s
    )


def printed(name: str) -> Figures:
    """The figures that a long test printed, none if it did not get so far."""
    lines = (KEPT / f"{name}.log").read_text("utf-8").splitlines()
    return next((json.loads(line) for line in lines if line.startswith("{")), {})


if __name__ == "__main__":
    sys.exit(main())

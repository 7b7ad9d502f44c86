"""`ems train world-model` and `ems evaluate forecast`: stored tapes to examples, to weights, to figures."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from domain.errors import ConfigError
from domain.ports_spread import Mapper
from domain.values import E9
from ems.bootstrap import drift
from ems.bootstrap.build import code_sha256
from ems.bootstrap.tape import Wanted, convert, feed_of
from models import evaluate, train
from models.card import card
from models.dataset import Examples, Session, examples
from models.drift_reference import beside
from models.net_contract import LEVELS
from models.pictures import draw_curves, draw_forecasts
from models.spread import IN_PROCESS
from models.tape_store import StoredTape, open_tape
from models.train import Training
from models.weights_store import write_weights

# Recorded files that the shipped version was made from: a tape's name -> files that continue one another.
RECORDED: Final = {
    "amzn-20120621": ("lobster/LOBSTER_SampleFile_AMZN_2012-06-21_5.zip",),
    "aapl-20120621": ("lobster/LOBSTER_SampleFile_AAPL_2012-06-21_1.zip",),
    "bac-20131007": ("equity_ticks/bac/20131007_quote.zip",),
    "bac-20131008": ("equity_ticks/bac/20131008_quote.zip",),
    "ibm-20131007": ("equity_ticks/ibm/20131007_quote.zip",),
    "ibm-20131008": ("equity_ticks/ibm/20131008_quote.zip",),
    "usdm-btcusdt-20230404": (
        "crypto_l2/binance_usdm_btcusdt_20230404.jsonl.gz",
        "crypto_l2/binance_usdm_btcusdt_20230405.jsonl.gz",
    ),
    "usdm-btcusdt-20240808": ("crypto_l2/binance_usdm_btcusdt_20240808.jsonl.gz",),
    "spot-btcusdt-20240808": ("crypto_l2/binance_spot_btcusdt_20240808.jsonl.gz",),
    "spot-ethusdt-20240808": ("crypto_l2/binance_spot_ethusdt_20240808.jsonl.gz",),
    "coinm-btcusd-20240808": ("crypto_l2/binance_coinm_btcusd_perp_20240808.jsonl.gz",),
}
KEPT: Final = Path("var/tapes")
_NEW_YORK: Final = ZoneInfo("America/New_York")
_DAY_FEEDS: Final = frozenset({"itch", "pcap", "lobster", "lean"})  # of markets that open and close
_PRE_CLOSE: Final = timedelta(minutes=15)
_AUCTION: Final = timedelta(minutes=5)
Told = Callable[[str, int, int, float], None]  # what is being done, how far, of how much, loss


class Made(NamedTuple):
    """A trained version: its weights file and digest. unmonitored: why it has no drift reference, "" where it has one."""

    weights: Path
    digest: str
    best_batch: int
    unmonitored: str = ""


def data_directory() -> Path:
    """Where recorded market data lies: EMS_DATA, or beside the repository."""
    return Path(os.environ.get("EMS_DATA") or Path(__file__).resolve().parents[2] / ".." / "shared" / "data")


def recorded_tapes(told: Told, kept: Path = KEPT) -> list[Path]:
    """The recorded files as stored tapes, converted once.

    Raises:
        ConfigError: the data directory has none of them.
    """
    data, found = data_directory(), []
    for n, (name, sources) in enumerate(RECORDED.items()):
        paths = [data / source for source in sources]
        if not all(path.exists() for path in paths):
            continue
        tape = kept / name
        if not tape.exists():
            kept.mkdir(parents=True, exist_ok=True)
            told(f"converting {name}", n, len(RECORDED), 0.0)
            convert(paths, tape, Wanted(feed_of(paths[0])), lambda *_: None)
        found.append(tape)
    if not found:
        raise ConfigError("recorded market data is not here: say --tapes, or where it is by EMS_DATA")
    return found


def examples_of(tapes: Sequence[Path], told: Told) -> list[Examples]:
    """What the tapes teach. Raises TapeError where one is none, or too short."""
    found = []
    for n, path in enumerate(tapes):
        told(f"reading {path.name}", n, len(tapes), 0.0)
        stored = open_tape(path)
        found.append(examples(stored, levels=levels_of(stored), session=session_of(stored)))
    return found


def levels_of(stored: StoredTape) -> int:
    """How many levels a side a tape's feed tells."""
    source = stored.header.source
    if source.feed == "lean":
        return 1
    named = re.search(r"_(\d+)\.zip", source.name) if source.feed == "lobster" else None
    return min(LEVELS, int(named[1])) if named else LEVELS


def session_of(stored: StoredTape) -> Session | None:
    """The hours of the American markets on a tape's day; None for a market that never closes. Half days are not known here."""
    if stored.header.source.feed not in _DAY_FEEDS:
        return None
    day = datetime.fromtimestamp(stored.header.first_ns // E9, UTC).astimezone(_NEW_YORK).date()
    opens, closes = (datetime.combine(day, at, _NEW_YORK) for at in (time(9, 30), time(16, 0)))
    times = opens - _AUCTION, opens, closes - _PRE_CLOSE, closes, closes + _AUCTION
    return Session(*(int(moment.timestamp()) * E9 for moment in times))


def train_world_model(
    tapes: Sequence[Path], out: Path, told: Told, *, seed: int, batches: int, figures: Path | None = None, resume: bool = False
) -> Made:
    """Train on tapes and write `world-model.safetensors`, its card, its curves and, where the tapes are days enough of one
    market, its drift reference into a directory.

    Args:
        figures: what `ems evaluate forecast --out` wrote, for the card.
        resume: go on with the directory's checkpoint.

    Raises:
        ConfigError: the figures cannot be read.
        TapeError, WeightsError: a tape, or a checkpoint, is not what it must be.
    """
    judged, how = _figures(figures), Training(seed=seed, batches=batches)
    out.mkdir(parents=True, exist_ok=True)
    checkpoint = out / "checkpoint.pt"
    if not resume:
        checkpoint.unlink(missing_ok=True)
    files = examples_of(tapes, told)
    trained = train.train(files, how, checkpoint=checkpoint, progress=lambda *done: told("training", *done))
    weights = out / "world-model.safetensors"
    data = json.dumps({one.name: one.digest for one in files})
    said = {"seed": str(how.seed), "data": data, "code": code_sha256(), "trained_until": max(one.day for one in files)}
    digest = write_weights(weights, train.tensors(trained.model, how.seed), said)
    (out / "world-model.md").write_text(card(trained, how, files, digest, judged), "utf-8")
    draw_curves(trained.history, out / "world-model.png")
    checkpoint.unlink(missing_ok=True)
    unmonitored = ""
    try:
        drift.reference(tapes, beside(weights), weights)
    except ConfigError as error:
        unmonitored = str(error)
    return Made(weights, digest, trained.best_batch, unmonitored)


def evaluate_forecast(
    tapes: Sequence[Path],
    told: Told,
    *,
    seed: int,
    batches: int,
    out: Path | None = None,
    recalibrated: bool = False,
    mapper: Mapper = IN_PROCESS,
) -> dict[str, Any]:
    """Leave every day out once. The figures; also as JSON and PNG in a directory, where one is named. mapper: who trains."""
    files, how = examples_of(tapes, told), Training(seed=seed, batches=batches)
    found = evaluate.leave_days_out(files, how, told, recalibrated=recalibrated, mapper=mapper)
    figures = evaluate.report(found)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "forecast.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
        draw_forecasts(figures, out / "forecast.png")
    return figures


def _figures(path: Path | None) -> dict[str, Any] | None:
    if path is None:
        return None
    try:
        told: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return told
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error

"""`ems drill update`: would a better version be promoted, would one that is no better, and can a corrupted day get through?

Three parts, all through the updater as it runs, with its events in a log in memory and an envelope of two people:

- **power and false promotions**: only the decision is judged. Each run is a day of hourly windows of blocks whose scores are made
  by chance: heavy tails (Student's t with 4 degrees) and noise that comes in clusters, both versions earning the same market's
  luck. Truly better means: the gain's mean is EFFECT of its standard deviation a block; null means 0. No net is in it.
- **real nets**: the world model on a tape, scores and steps as they are. A champion that was damaged on purpose against the
  shipped one (better), the shipped one against itself with weights moved by chance as far as learning moves them (null), and
  the shipped one that goes on learning (told, not judged: nobody knows the truth).
- **a poisoned day**: windows of the same tape with one thing wrong each, which the updater must refuse to learn of.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from adapters.memory.event_log import MemoryEventLog
from domain import model_update as mu
from domain import model_version as mv
from domain.catalogue import TOPICS
from domain.event import Entry, Event, Meta
from domain.model_lineage import Figure, Lineage
from domain.model_version import ModelCard
from domain.tape import Kind, Status, Tape, tape_of
from ems.bench.output import emit
from ems.bootstrap.forecasts import recorded_tapes
from ems.bootstrap.updating import Part, WorldModelNets, windows
from ems.updater import Gone, Told, Updater, Window
from models import online
from models.online import rows_of
from models.tape_store import StoredTape, open_tape
from models.weights_store import CHAMPION, read_weights, write_weights

MODEL: Final = "world-model"
HOURS: Final = 24
BLOCKS: Final = 100  # a window: what an hour of the recorded tapes has
EFFECT: Final = 0.15
_HOUR_NS: Final = 3_600_000_000_000
_BASE_BP, _NOISE_BP, _APART_BP = 0.003, 0.01, 0.0005  # of a block on the recorded tapes, about
Windows = Sequence[Window]


class _Clock:
    def __init__(self) -> None:
        self.ns = 1_795_000_000_000_000_000

    def now_ns(self) -> int:
        self.ns += 1_000_000
        return self.ns


class Scored:
    """Port `Nets` without any: the champion earns what its market gives, every copy that and a gain."""

    def __init__(self, effect: float, seed: int) -> None:
        self._effect, self._chance, self._made = effect, np.random.default_rng([seed, round(1e6 * effect)]), 0
        self._told: dict[int, tuple[Any, Any]] = {}
        self.champion = "a" * 64

    def has(self, digest: str) -> bool:
        """All are here."""
        return True

    def faults(self, window: Window) -> tuple[str, ...]:
        """None."""
        return ()

    def judge(self, digest: str, window: Window) -> Told:
        """The window's scores, made when they are first asked for."""
        if window.from_ns not in self._told:
            heat = np.exp(0.5 * self._chance.standard_normal() + np.cumsum(0.05 * self._chance.standard_normal(BLOCKS)))
            base = _BASE_BP + _NOISE_BP * heat * self._chance.standard_t(4, BLOCKS) / np.sqrt(2)
            gain = heat * self._chance.standard_t(4, BLOCKS) / np.sqrt(2)
            self._told[window.from_ns] = base, base + _APART_BP * (gain + self._effect)
        return Told(self._told[window.from_ns][digest != self.champion].tolist(), 1.0)

    def learn(self, digest: str, window: Window) -> Gone:
        """Another digest."""
        self._made += 1
        return Gone(f"{self._made:064x}", "d" * 64, 10_000, 10_000, 7, 10, 1.0, 1.0)

    def distance(self, one: str, other: str) -> float:
        """Within the envelope."""
        return 0.001

    def admit(self, card: ModelCard, parent: str, figures: tuple[Figure, ...]) -> tuple[Lineage, str, str]:
        """Unsigned."""
        return Lineage(code_sha256="", seed=7, universe=(), trained_until="", parent=parent, figures=figures), "", ""


async def day(nets: Any, champion: str, found: Windows, *, hours: int = HOURS) -> list[Event]:
    """Windows through the updater, until a place is taken or there are no more; the kind's events."""
    clock = _Clock()
    log = MemoryEventLog(TOPICS, clock)
    card = ModelCard(digest=champion, model=MODEL, contract=1, step="events:10", data=(), metrics=(("made", 0.0),))
    said = {"person": "system:shipped", "reason": "the drill's", "at_ns": clock.now_ns()}
    begun = (
        mv.Registered(card=card, **said),
        mv.Promoted(digest=champion, model=MODEL, alias=mv.Alias.CHAMPION, replaces="", **said),
    )
    at_ns = clock.now_ns()
    until_ns = at_ns + 30 * 24 * _HOUR_NS
    envelope = mu.propose(
        MODEL, champion, distance_max=1.0, per_day=1, until_ns=until_ns, person="one", reason="the drill's", at_ns=at_ns
    )
    assert not isinstance(envelope, mu.Refused)
    agreed = mu.EnvelopeAgreed(person="other", reason="the drill's", at_ns=at_ns)
    for stream, events in ((mv.key(), begun), (mu.key(MODEL), (envelope, agreed))):
        await log.append([Entry(stream, 0, events, Meta(at_ns, "system:drill", stream, "drill", "drill"))])
    updater = Updater(log, clock, nets, model=MODEL, build="drill")
    for window in found[:hours]:
        if await updater.take(window) == "took_place":
            break
    return [one.event for one in await log.read(mu.key(MODEL))]


def promoted(events: Sequence[Event]) -> bool:
    """Did a copy take the place?"""
    return any(isinstance(one, mu.TookPlace) for one in events)


def decisions(effect: float, runs: int, *, seed: int = 0) -> int:
    """How many of so many days of made scores promote."""
    found = [Window("made", n * _HOUR_NS, (n + 1) * _HOUR_NS, None) for n in range(HOURS)]

    async def all_days() -> int:
        count = 0
        for n in range(runs):
            nets = Scored(effect, 1_000 * seed + n)
            count += promoted(await day(nets, nets.champion, found))
        return count

    return asyncio.run(all_days())


# ------------------------------------------------------------------------------------------ real nets


class Offered(WorldModelNets):
    """The real nets, but that what is learnt is a version that was made beforehand."""

    def __init__(self, room: Path, offered: str) -> None:
        super().__init__(room / "kept", room)
        self._offered = offered

    def learn(self, digest: str, window: Window) -> Gone:
        """The offered version."""
        self.buffer.add(window.data.examples)
        return Gone(self._offered, "d" * 64, len(window.data.examples), len(self.buffer), 0, 0, 0.0, 0.0)


def moved(share: float, seed: int) -> dict[str, Any]:
    """The shipped version with all trainable weights moved by chance, so far relative to their norm."""
    tensors = dict(read_weights(CHAMPION).tensors)
    chance = np.random.default_rng(seed)
    for name, value in tensors.items():
        if not name.startswith("norm."):
            scale = share * np.sqrt(np.mean(np.square(value)))
            tensors[name] = (value + scale * chance.standard_normal(value.shape)).astype(np.float32)
    return tensors


def _written(room: Path, tensors: dict[str, Any]) -> str:
    new = room / "new.safetensors"
    digest = write_weights(new, tensors, {"seed": "0", "data": "{}", "code": "", "trained_until": ""})
    new.rename(room / f"{digest}.safetensors")
    return digest


def real(tape: StoredTape, *, better: int, null: int, lasts_ns: int) -> dict[str, Any]:
    """Judged on a tape by the nets themselves. better, null: how many runs of each."""
    found = list(windows(tape, lasts_ns))
    shipped = dict(read_weights(CHAMPION).tensors)
    told: dict[str, Any] = {"tape": tape.path.name, "windows": len(found), "better_promoted": 0, "null_promoted": 0}
    for number in range(better + null):
        with tempfile.TemporaryDirectory() as name:
            room, truly = Path(name), number < better
            one, other = _written(room, moved(1.0 if truly else 0.001, number)), _written(room, shipped)
            champion, offered = (one, other) if truly else (other, one)
            events = asyncio.run(day(Offered(room, offered), champion, found))
            told["better_promoted" if truly else "null_promoted"] += promoted(events)
    with tempfile.TemporaryDirectory() as name:
        room = Path(name)
        champion = _written(room, shipped)
        events = asyncio.run(day(WorldModelNets(room / "kept", room), champion, found))
        learnt = [one for one in events if isinstance(one, mu.Trained)]
        judged = [one for one in events if isinstance(one, mu.Judged)]
        told["learning"] = {
            "updates": len(learnt), "loss_before": [round(one.loss_before, 5) for one in learnt],
            "loss_after": [round(one.loss_after, 5) for one in learnt], "distance": learnt[-1].distance if learnt else 0.0,
            "verdicts": [one.verdict for one in judged], "low_bps": judged[-1].low if judged else None,
            "refused": [one.reasons for one in events if isinstance(one, mu.DataRefused)],
            "daily_sharpe_gain": judged[-1].sharpe_gain if judged else None, "promoted": promoted(events),
        }  # fmt: skip
    return told | {"better": better, "null": null}


# ----------------------------------------------------------------------------------------- poisoned day


def _part(window: Window, tape: Tape | None = None, **changed: Any) -> Window:
    """The window with other records, or with other examples."""
    part: Part = window.data
    return window._replace(data=Part(part.tape if tape is None else tape, replace(part.examples, **changed)))


def _scaled(window: Window) -> Window:
    states = window.data.examples.states.copy()
    states[:, :4] *= 100
    return _part(window, states=states)


def _gap(window: Window) -> Window:
    tape = window.data.tape
    at_ns = int(tape["ts_recv_ns"][len(tape) // 2])
    lost = tape_of([(at_ns, at_ns, 17, 0, int(Status.LOST), 0, 0, int(Kind.STATUS), 0)])
    return _part(window, np.concatenate([tape[: len(tape) // 2], lost, tape[len(tape) // 2 :]]))


def _crossed(window: Window) -> Window:
    tape = window.data.tape.copy()
    asks = tape["side"] < 0 if (tape["side"] < 0).any() else tape["side"] == tape["side"].max()
    tape["price_ticks"][asks] -= int(4 * window.data.examples.states[:, 1].max() + 4)
    return _part(window, tape)


def _backward(window: Window) -> Window:
    return _part(window, window.data.tape[np.random.default_rng(0).permutation(len(window.data.tape))])


def _no_number(window: Window) -> Window:
    book = window.data.examples.book.copy()
    book[len(book) // 2, 0] = np.nan
    return _part(window, book=book)


def _shifted(window: Window) -> Window:
    book = window.data.examples.book.copy()
    book[:, 1::2] += 10.0  # a thousand times the lots, compressed
    return _part(window, book=book)


def _short(window: Window) -> Window:
    return window._replace(data=Part(window.data.tape, rows_of(window.data.examples, np.arange(50))))


POISON: Final[dict[str, Callable[[Window], Window]]] = {
    "prices a hundredfold": _scaled, "messages lost": _gap, "a crossed book": _crossed, "time in disorder": _backward,
    "no number": _no_number, "sizes a thousandfold": _shifted, "nearly nothing": _short,
}  # fmt: skip


def poisoned(tape: StoredTape, lasts_ns: int) -> dict[str, Any]:
    """Which poison was refused, with the reasons: two good windows, then each bad one in place of the third."""
    found = list(windows(tape, lasts_ns))[:3]
    told: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        room = Path(name)
        champion = _written(room, dict(read_weights(CHAMPION).tensors))
        for poison, spoil in POISON.items():
            events = asyncio.run(day(Offered(room, champion), champion, [*found[:2], spoil(found[2])]))
            last = events[-1]
            told[poison] = list(last.reasons) if isinstance(last, mu.DataRefused) else []
        good = asyncio.run(day(Offered(room, champion), champion, found))
        told["nothing wrong"] = [one.reasons for one in good if isinstance(one, mu.DataRefused)]
    return told


def run(*, better: int = 50, null: int = 200, real_runs: int = 3, tapes: Sequence[Path] = ()) -> dict[str, Any]:
    """The figures. Without recorded tapes the parts with real nets are missing, and said to be."""
    power, false = decisions(EFFECT, better), decisions(0.0, null, seed=1)
    found: dict[str, Any] = {
        "power": power / better, "false_promotion": false / null, "better_runs": better, "null_runs": null,
        "effect_sd_a_block": EFFECT, "blocks_a_run": BLOCKS * HOURS, "nets": [],
    }  # fmt: skip
    lasts_ns = online.WINDOW_NS
    for path in tapes or [one for one in recorded_tapes(lambda *_: None) if one.name.startswith("bac")][:1]:
        tape = open_tape(path)
        found["nets"].append(real(tape, better=real_runs, null=real_runs, lasts_ns=lasts_ns))
        found["poisoned"] = poisoned(tape, lasts_ns)
    bad = {name: reasons for name, reasons in found.get("poisoned", {}).items() if name != "nothing wrong"}
    found["poison_refused"] = sum(bool(reasons) for reasons in bad.values())
    found["poison"] = len(bad)
    return found


def main(json_output: bool) -> int:
    """0 where power is 80 % or more, false promotions are 5 % or fewer, and every poison was refused."""
    found = run()
    emit(found, json_output)
    whole = found["power"] >= 0.8 and found["false_promotion"] <= 0.05 and found["poison_refused"] == found["poison"] > 0
    return 0 if whole else 1

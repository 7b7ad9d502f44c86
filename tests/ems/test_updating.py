"""The updater with its real nets on a made tape: windows that know nothing of one another, few steps, poison refused."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from domain import model_update as mu
from domain.errors import WeightsError
from domain.model_lineage import Lineage
from ems.bench import drill_update as drill
from ems.bootstrap import model_signing
from ems.bootstrap.updating import WorldModelNets, windows
from models import online, online_data
from models.dataset import AHEAD, event_times, examples
from models.drift_reference import Day, Reference, bare, beside
from models.online import Buffer, Update
from models.sight import sights
from models.tape_store import open_tape
from models.weights_store import CHAMPION, read_weights, write_weights
from tests.domain.model_cards import card
from tests.models.made_tapes import made_tape, stored
from tests.models.nets_made import nets

LASTS_NS = 110 * 10**9
SMALL = Update(recent=300, steps=3, size=4, samples=2)


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stored(tmp_path_factory.mktemp("tape") / "made", made_tape(64_000)).path


def test_windows_are_whole_and_no_label_reaches_into_the_next(tape: Path) -> None:
    found = list(windows(open_tape(tape), LASTS_NS))
    whole = open_tape(tape).records(0, 1 << 20)
    times_ns = event_times(whole)
    assert len(found) >= 3
    for one, later in pairwise(found):
        assert one.to_ns == later.from_ns == one.from_ns + LASTS_NS
        rows = one.data.examples
        assert len(rows) > 100
        assert times_ns[rows.at[0]] >= one.from_ns and times_ns[rows.at[-1] + AHEAD] < one.to_ns
        assert (one.data.tape["ts_event_ns"] < one.to_ns).all()


def test_the_buffer_keeps_the_newest_and_gives_the_most_recent(tape: Path) -> None:
    one = examples(open_tape(tape), levels=2)
    buffer = Buffer(capacity=250)
    for begin in (0, 100, 200):
        buffer.add(online.rows_of(one, np.arange(begin, begin + 100)))
    assert len(buffer) == 250 and buffer.windows[0].at[0] == one.at[50]
    recent = buffer.recent(120)
    assert np.array_equal(np.concatenate([each.at for each in recent]), one.at[180:300])


def test_ten_steps_make_another_version_that_is_near_and_fits_what_it_learnt_a_little_better(tape: Path) -> None:
    first, second = list(windows(open_tape(tape), LASTS_NS))[:2]
    tensors = read_weights(CHAMPION).tensors
    done = online.learn(tensors, [first.data.examples], SMALL)
    again = online.learn(tensors, [first.data.examples], SMALL)
    assert done.loss_after < done.loss_before and done.data_sha256 == again.data_sha256
    assert all(np.array_equal(done.tensors[name], again.tensors[name]) for name in tensors)
    assert 0 < online.distance(done.tensors, tensors) < 1e-3
    same = [name for name in tensors if np.array_equal(done.tensors[name], tensors[name])]
    assert all(name.startswith(("norm.", "actor", "critic")) or "controller" in name for name in same), same
    found = online.scores(online.loaded(tensors), second.data.examples)
    moments = -(-len(second.data.examples) // 4)
    assert found.log_loss.shape == (moments,) and found.earned.shape == (moments // 10,)
    assert np.isfinite(found.earned).all() and (found.log_loss > 0).all()


def test_every_poison_is_refused_and_a_good_window_is_not(tape: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(online_data, "REFERENCE_MIN", 500)  # two windows of a short tape are the reference
    told = drill.poisoned(open_tape(tape), LASTS_NS)
    assert told.pop("nothing wrong") == []
    assert [poison for poison, reasons in told.items() if not reasons] == []


async def test_the_real_nets_through_the_updater(tape: Path, tmp_path: Path) -> None:
    made = nets().tensors | {name: value for name, value in read_weights(CHAMPION).tensors.items() if name.startswith("norm.")}
    champion = write_weights(tmp_path / "new.safetensors", made, {"data": "{}"})
    (tmp_path / "new.safetensors").rename(tmp_path / f"{champion}.safetensors")
    usual = bare([a_day()], champion, "made")
    usual.write(beside(tmp_path / f"{champion}.safetensors"))
    found = list(windows(open_tape(tape), LASTS_NS))[:3]
    events = await drill.day(WorldModelNets(tmp_path / "kept", tmp_path, SMALL), champion, found)
    learnt = [one for one in events if isinstance(one, mu.Trained)]
    assert len(learnt) == len(found) and learnt[1].begun == learnt[0].digest
    assert read_weights(tmp_path / f"{learnt[-1].digest}.safetensors", learnt[-1].digest).metadata["parent"] == learnt[-2].digest
    assert len([one for one in events if isinstance(one, mu.Judged)]) == len(found) - 1
    handed = Reference.read(beside(tmp_path / f"{learnt[-1].digest}.safetensors"), learnt[-1].digest)
    assert handed._replace(weights_sha256=champion) == usual, "a copy is judged by what was usual for the one it comes from"


def a_day() -> Day:
    """Twenty forecasts."""
    chance = np.random.default_rng(1)
    columns = [chance.normal(size=20) for _ in range(4)]
    return Day(np.arange(20), *columns, chance.normal(size=(20, 6)), np.ones((20, 6), np.bool_))


def test_kept_weights_are_read_only_with_a_signature_that_holds(tmp_path: Path) -> None:
    found, kept = nets(), tmp_path / "models"
    file = tmp_path / "made.safetensors"
    write_weights(file, found.tensors, {})
    lineage = Lineage(code_sha256="", seed=1, universe=(), trained_until="")
    bare([a_day()], found.digest, "made").write(beside(file))
    public, signature = model_signing.keep(kept, file, card(digest=found.digest), lineage)
    assert (len(public), len(signature)) == (64, 128)
    assert model_signing.keep(kept, file, card(digest=found.digest), lineage) == (public, signature)
    look = sights(kept, model_signing.verified)
    assert look(found.digest).digest == found.digest and look(found.digest).unmonitored == "", "its reference is kept with it"
    said = kept / f"{found.digest}.signed.json"
    whole = said.read_text()
    for spoiled in (whole.replace("mcc_gain", "mcc_gains"), whole.replace(signature, "00" * 64), "{}", ""):
        said.write_text(spoiled)
        with pytest.raises(WeightsError, match=r"signed|signature"):
            sights(kept, model_signing.verified)(found.digest)
    said.unlink()
    with pytest.raises(WeightsError, match="no signature"):
        sights(kept, model_signing.verified)(found.digest)
    said.write_text(whole)
    (tmp_path / "model-signing.pub").write_text("11" * 32 + "\n")
    with pytest.raises(WeightsError, match=r"not what was signed|no signature"):
        sights(kept, model_signing.verified)(found.digest)

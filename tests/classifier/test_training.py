"""Training learns, resumes bit for bit after being killed, and refuses what would waste an hour."""

import os
import signal
import subprocess
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import ndimage

from ivfnb import cache, files, images
from ivfnb.classifier import appraisal, patches, training
from ivfnb.classifier.training import TrainConfig, checkpoints, loading, run

RUN = """
import sys
from dataclasses import replace
from test_training import CONFIG, photographs, save_final
from ivfnb.classifier import patches, training
samples = patches.PatchDataset(patches.make_index(photographs(), 12, 0))
save_final(training.train(replace(CONFIG, batch_size=4, workers=int(sys.argv[2])), samples, folder=sys.argv[1]), sys.argv[1])
"""
CONFIG = TrainConfig(batch_size=16, epochs=2, precision="float32", threads=1, checkpoint_seconds=0, seed=3)


def photographs():
    rng = np.random.default_rng(0)
    return [ndimage.gaussian_filter(rng.normal(128, 300, (128, 128)), 1.0).clip(0, 255).astype(np.uint8) for _ in range(4)]


def kept(folder):
    """The one checkpoint of a folder."""
    (found,) = folder.glob("eresnet-*.pt")
    return found


def save_final(history, folder):
    """The final weights in full precision."""
    torch.save(history.net.state_dict(), f"{folder}/final.pt")


@pytest.fixture(scope="module")
def samples():
    return patches.PatchDataset(patches.make_index(photographs(), 96, 0))


@pytest.fixture(scope="module")
def few(samples):
    return patches.PatchDataset(samples.index[:32])


def test_it_learns(samples):
    history = training.train(TrainConfig(batch_size=16, epochs=4, seed=0), samples, validation=samples)
    assert len(history.log) == 24
    assert history.log["loss"].iloc[-4:].mean() < 0.5 * history.log["loss"].iloc[0]
    assert history.validation["accuracy"].iloc[-1] > 0.9
    outcome = appraisal.evaluate_classifier(history.net, samples)
    assert outcome["right"].mean() == history.validation["accuracy"].iloc[-1]
    assert np.array_equal((outcome["probability"] > 0.5).astype(int) == outcome["order"], outcome["right"])


def test_killed_and_resumed_is_bit_identical(tmp_path):
    """kill -9 in the middle, the same command again: the same bits as a run left alone, whatever processes cut the samples."""
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(str(Path(__file__).parents[level]) for level in (0, 1)),
    }
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()
    command = [sys.executable, "-c", RUN]
    subprocess.run([*command, str(whole), "0"], env=environment, check=True, capture_output=True)
    process = subprocess.Popen([*command, str(broken), "0"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(broken.glob("eresnet-*.pt")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = torch.load(kept(broken), weights_only=True)["done"]
    assert 0 < done < 6, "it was killed in the middle"
    assert not (broken / "final.pt").exists()
    subprocess.run([*command, str(broken), "1"], env=environment, check=True, capture_output=True)
    one, other = (torch.load(folder / "final.pt", weights_only=True) for folder in (whole, broken))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_worker_processes_change_nothing(few):
    """Batches, their order and so every bit of the log are those of one process."""
    one, two = (training.train(replace(CONFIG, epochs=1, workers=workers), few) for workers in (0, 2))
    assert one.log.equals(two.log)
    assert all(torch.equal(a, b) for a, b in zip(one.net.state_dict().values(), two.net.state_dict().values(), strict=True))


def test_samples_cut_on_the_device_are_those_cut_on_the_host(few):
    """The same batches in the same order, and so the same bits of a run, where no CUDA device is needed for it."""
    one, two = (training.train(replace(CONFIG, epochs=1, cut=cut), few) for cut in ("host", "device"))
    assert one.log.equals(two.log)
    assert not one.log.isna().any(axis=None)
    assert all(torch.equal(a, b) for a, b in zip(one.net.state_dict().values(), two.net.state_dict().values(), strict=True))


def test_losses_that_a_device_owes_are_read_in_the_end(few, monkeypatch):
    """On an accelerator losses are read now and then; the log holds them all the same."""
    now = training.train(replace(CONFIG, epochs=2), few)
    monkeypatch.setattr(run, "UNREAD", 3)
    monkeypatch.setattr(run, "_reads_at_once", lambda device: False)
    assert training.train(replace(CONFIG, epochs=2), few).log.equals(now.log)


def test_checkpoints_come_by_time(samples, tmp_path, monkeypatch):
    saved = []
    monkeypatch.setattr(torch, "save", lambda state, _: saved.append(state["done"]))
    clock = iter(range(0, 10_000, 25))  # every look at the clock is 25 seconds later
    monkeypatch.setattr(run.time, "monotonic", lambda: next(clock))
    config = replace(CONFIG, batch_size=8, epochs=1, checkpoint_seconds=60.0)
    training.train(config, patches.PatchDataset(samples.index[:80]), folder=tmp_path)
    assert saved == [3, 6, 9, 10]


@pytest.mark.parametrize(("n", "done"), [(65, 0), (65, 3), (64, 4), (70, 7), (70, 14), (66, 15)])
def test_what_remains_is_what_was_not_done(n, done):
    config = replace(CONFIG, epochs=3)
    every = [batch for epoch in range(3) for batch in training.batches(n, 16, config.seed, epoch)]
    assert loading.steps(n, 16) * 3 == len(every)
    rest = list(loading.remaining(n, config, done))
    assert len(rest) == len(every) - done
    assert all(np.array_equal(a, b) for a, b in zip(rest, every[done:], strict=True))


def test_scales(monkeypatch):
    assert training.at_scale("given", (5, 4, 3)) == (5, 4, 3)
    assert training.at_scale("published", (5, 4, 3)) == (1_000_000, 300_000, 30)
    for cuda, expected in ((False, (5, 4, 3)), (True, (1_000_000, 300_000, 30))):
        monkeypatch.setattr(torch.cuda, "is_available", lambda cuda=cuda: cuda)
        assert training.at_scale("auto", (5, 4, 3)) == expected
    with pytest.raises(ValueError, match="scale: found 'big', expected one of"):
        training.at_scale("big", (5, 4, 3))


def test_a_finished_run_is_not_repeated(few, tmp_path):
    first = training.train(CONFIG, few, folder=tmp_path)
    again = training.train(CONFIG, few, folder=tmp_path)
    assert all(torch.equal(a, b) for a, b in zip(first.net.state_dict().values(), again.net.state_dict().values(), strict=True))
    assert again.log.equals(first.log)


@pytest.fixture
def steps_done(monkeypatch):
    """How many steps of each training were done, not read from a checkpoint."""
    counted, cut = [], loading.cut

    def counting(*given):
        counted.append(0)
        for batch in cut(*given):
            counted[-1] += 1
            yield batch

    monkeypatch.setattr(loading, "cut", counting)
    return counted


TINY = TrainConfig(batch_size=4, threads=1)


def test_another_run_begins_anew_beside_a_finished_one(few, tmp_path, steps_done):
    """Another seed, other samples or other code: nothing of the first run gets into the second, and both are kept."""
    tiny = patches.PatchDataset(few.index[:8])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first = training.train(replace(TINY, seed=3), tiny, folder=tmp_path)
        second = training.train(replace(TINY, seed=4), tiny, folder=tmp_path)
        again = training.train(replace(TINY, seed=3), tiny, folder=tmp_path)
    assert steps_done == [2, 2, 0]
    assert again.log.equals(first.log)
    assert not again.log.equals(second.log)
    assert again.samples_per_second == first.samples_per_second, "of the run that was, not of reading it"
    assert len(list(tmp_path.glob("eresnet-*.pt"))) == len(list(tmp_path.glob("eresnet-*.csv"))) == 2
    assert second.log.equals(training.train(replace(TINY, seed=4), tiny).log)


def test_other_samples_have_a_checkpoint_of_their_own(tmp_path, steps_done):
    """As many samples, of other photographs or cut otherwise: weights of the first know nothing of these."""
    photos = photographs()
    drawn = (photos, 0), ([*photos], 0), ([255 - photo for photo in photos], 0), (photos, 1)
    indices = [patches.make_index(given, 8, seed) for given, seed in drawn]
    kept_then = []
    for index in indices:
        training.train(TINY, patches.PatchDataset(index), folder=tmp_path)
        kept_then.append(len(list(tmp_path.glob("eresnet-*.pt"))))
    assert kept_then == [1, 1, 2, 3]
    assert steps_done == [2, 0, 2, 2]


def test_a_validation_on_other_samples_is_made_anew(few, tmp_path, steps_done):
    """What a finished run says of photographs it was not trained on is said of those that are asked for."""
    tiny, flat = patches.PatchDataset(few.index[:8]), np.full((64, 64), 90, np.uint8)  # on flat blocks half of the answers are wrong
    others = patches.PatchDataset(few.index[8:16]), patches.PatchDataset(patches.make_index([flat], 8, 0))
    found = [training.train(TINY, tiny, validation, tmp_path).validation["loss"].item() for validation in (*others, others[0])]
    assert steps_done == [2, 2, 0]
    assert found[0] == found[2] != found[1]
    assert training.train(TINY, tiny, folder=tmp_path).validation.empty


def test_a_training_does_not_outlive_its_code(few, tmp_path, steps_done, monkeypatch):
    for code in (cache.code_hash, cache.code_hash, lambda *modules: "of a later commit"):
        monkeypatch.setattr(cache, "code_hash", code)
        training.train(TINY, patches.PatchDataset(few.index[:8]), folder=tmp_path)
    assert steps_done == [2, 0, 2]


def test_an_unfinished_run_of_other_settings_is_told_of(few, tmp_path, monkeypatch):
    """Nobody waits in vain for the run that they meant to go on with."""
    config, tiny = replace(TINY, checkpoint_seconds=0), patches.PatchDataset(few.index[:8])

    def killed(path, state):
        write(path, state)
        raise KeyboardInterrupt

    write = checkpoints.write
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "write", killed)
        with pytest.raises(KeyboardInterrupt):
            training.train(config, tiny, folder=tmp_path)
    left = kept(tmp_path)
    (tmp_path / "eresnet-0123456789.pt").write_bytes(b"does not read")
    with pytest.warns(training.CheckpointWarning, match="not finished") as told:
        training.train(replace(config, seed=9), tiny, folder=tmp_path)
    assert [str(each.message).split(": ")[0] for each in told] == [str(left)]
    assert "with other ['seed']; this one begins anew" in str(told[0].message)
    assert len(training.train(config, tiny, folder=tmp_path).log) == 2
    assert torch.load(left, weights_only=True)["finished"] is True


def test_a_run_that_lost_patience_is_finished(few, tmp_path, monkeypatch):
    monkeypatch.setattr(run, "_out_of_patience", lambda checks, patience: len(checks) == 1)
    tiny = patches.PatchDataset(few.index[:8])
    training.train(replace(TINY, epochs=3, patience=1), tiny, tiny, tmp_path)
    state = torch.load(kept(tmp_path), weights_only=True)
    assert (state["done"], state["finished"]) == (2, True)


def test_samples_of_files_are_told_by_their_content(tmp_path):
    for name in ("a.png", "b.png"):
        images.write_image(tmp_path / name, photographs()[0])
    images.write_image(tmp_path / "c.png", photographs()[1])
    identities = [patches.samples_of([tmp_path / name], 8, seed=0).identity() for name in ("a.png", "b.png", "c.png")]
    assert identities[0] == identities[1] != identities[2]
    assert patches.PatchDataset(patches.make_index([tmp_path / "a.png"], 8, 0), "clipped").identity() != identities[0]


def spoil(state, **changes):
    return {**state, **changes}


SPOILT = {
    "weights that are not finite": lambda s: spoil(
        s, net={**s["net"], "head.3.weight": torch.full_like(s["net"]["head.3.weight"], torch.nan)}
    ),
    "999 steps done": lambda s: spoil(s, done=999),
    "1 steps done, 0 in the log": lambda s: spoil(s, log=[]),
    "-1 steps done": lambda s: spoil(s, done=-1),
    "0.0 seconds for 1 steps": lambda s: spoil(s, seconds=0.0),
    "something else than a state": lambda s: {name: part for name, part in s.items() if name != "schedule"},
    "a log of something else": lambda s: spoil(s, log=[1]),
    "a state of another network": lambda s: spoil(s, net={"weight": torch.zeros(3)}),
    r"found a checkpoint made with other \['seed'\]": lambda s: spoil(s, wanted={**s["wanted"], "seed": 9}),
    "found something else than a state with": lambda s: [s],
}


@pytest.fixture(scope="module")
def state(few, tmp_path_factory):
    """A good checkpoint, its name, and the samples of the run that made it."""
    folder = tmp_path_factory.mktemp("good")
    training.train(TrainConfig(batch_size=32, threads=1), few, folder=folder)
    return torch.load(kept(folder), weights_only=True), kept(folder).name, few


@pytest.mark.parametrize("message", SPOILT)
def test_a_state_that_cannot_be_is_refused(state, tmp_path, message):
    good, name, samples = state
    torch.save(SPOILT[message](good), tmp_path / name)
    with pytest.raises(ValueError, match=message) as raised:
        training.train(TrainConfig(batch_size=32, threads=1), samples, folder=tmp_path)
    assert str(tmp_path / name) in str(raised.value)


@pytest.mark.parametrize("content", [b"", b"PK\3\4 and no more", b"\x80\x02cos\ngetcwd\n)R."])
def test_a_file_that_is_no_checkpoint_is_refused(state, tmp_path, content):
    _, name, samples = state
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match="found no checkpoint that reads"):
        training.train(TrainConfig(batch_size=32, threads=1), samples, folder=tmp_path)


def test_a_full_disk_leaves_the_earlier_checkpoint_and_nothing_else(state, tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    path = tmp_path / "checkpoint.pt"
    checkpoints.write(path, state[0])
    before = path.read_bytes()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left on device") as raised:
        checkpoints.write(path, state[0])
    assert files.trouble(raised.value).startswith(f"{path}: the disk is full")
    assert path.read_bytes() == before
    assert [left.name for left in tmp_path.iterdir()] == ["checkpoint.pt"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"optimiser": "adam"}, "optimiser: found 'adam'"),
        ({"epochs": 0}, "epochs"),
        ({"precision": "half"}, "precision"),
        ({"workers": -1}, "workers, checkpoint_seconds: found -1"),
        ({"checkpoint_seconds": -1.0}, "workers, checkpoint_seconds: found None and -1"),
        ({"cut": "gpu"}, "cut: found 'gpu'"),
    ],
)
def test_bad_configurations(settings, message):
    with pytest.raises(ValueError, match=message):
        training.TrainConfig(**settings)


def test_one_sample_is_too_few(samples):
    with pytest.raises(ValueError, match="samples: found 1, expected at least 2"):
        training.train(CONFIG, patches.PatchDataset(samples.index[:1]))


def test_batches_are_a_permutation():
    cut = training.batches(65, 16, seed=0, epoch=0)
    assert [len(batch) for batch in cut] == [16] * 4, "a last batch of one is dropped"
    assert len(np.unique(np.concatenate(cut))) == 64
    assert not np.array_equal(cut[0], training.batches(65, 16, 0, 1)[0])


def test_early_stop():
    checks = [{"loss": loss} for loss in (1.0, 0.5, 0.6, 0.7)]
    assert run._out_of_patience(checks, 2)
    assert not run._out_of_patience(checks, 3)
    assert not run._out_of_patience(checks, None)

"""The tidy table: values are the metrics' own, results are remembered by content, one bad image does not lose the rest."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from ivfnb import cache, evaluation, images, paths
from ivfnb.classifier import network, windows
from ivfnb.datasets import FusedImage, dataset
from ivfnb.evaluation import known
from ivfnb.evaluation.external import EvaluationWarning
from ivfnb.evaluation.methods import Method
from ivfnb.evaluation.scores import COLUMNS
from ivfnb.fusion import Protocol, fuse
from ivfnb.metrics import ELEVEN, score

NO_NETWORK = Protocol(classifier="none")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IVFNB_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def pairs():
    return dataset("sample")[:2]


def test_values_are_the_metrics_own(pairs):
    frame = evaluation.evaluate(pairs, [evaluation.by_protocol("ours", NO_NETWORK), evaluation.by_baseline("Mean")])
    assert list(frame.columns) == COLUMNS
    assert len(frame) == 2 * 2 * len(ELEVEN)
    assert not frame["value"].isna().any()
    pair = pairs[1]
    fused = fuse(pair.infrared, pair.visible, None, NO_NETWORK).fused
    row = frame[(frame["method"] == "ours") & (frame["id"] == pair.id)].set_index("metric")["value"]
    assert row.to_dict() == score(fused, pair.infrared, pair.visible)


def test_remembered_by_content(pairs):
    calls = []

    def counted(pair):
        calls.append(pair.id)
        return images.to_uint8((pair.infrared.astype(float) + pair.visible) / 2)

    first = evaluation.evaluate(pairs, [Method("mean", counted, "test", key="mean")], ["EN"])
    again = evaluation.evaluate(pairs, [Method("mean", counted, "test", key="mean")], ["EN"])
    assert first.equals(again)
    assert len(calls) == 2, "the second run fused nothing"
    evaluation.evaluate(pairs, [Method("mean", counted, "test", key="another mean")], ["EN"])
    assert len(calls) == 4, "another key is another method"


def test_the_same_windows_are_judged_once(pairs, monkeypatch):
    calls, judge = [], windows.window_scores

    def counted(*arguments):
        calls.append(arguments)
        return judge(*arguments)

    monkeypatch.setattr(windows, "window_scores", counted)
    protocols = Protocol(stride=16), Protocol(stride=16, ssr="none"), Protocol(stride=16, ssr="none", enhance_visible="none")
    shown = [evaluation.fused_image(evaluation.by_protocol(str(i), each), pairs[0]) for i, each in enumerate(protocols)]
    assert len(calls) == 2, "what follows the judgement needs no new one; another visible image does"
    net = network.load("eresnet-gradients")
    for protocol, remembered in zip(protocols, shown, strict=True):
        assert np.array_equal(fuse(pairs[0].infrared, pairs[0].visible, net, protocol).fused, remembered)


def test_one_bad_image_is_named_and_the_rest_goes_on(pairs):
    good = images.to_uint8(pairs[0].infrared)
    few = [FusedImage(pairs[0].id, good)]
    with pytest.warns(EvaluationWarning, match=f"sample, partial, pair {pairs[1].id}: no image"):
        frame = evaluation.evaluate(pairs, [evaluation.by_images("partial", few)], ["EN", "SD"])
    assert set(frame["id"]) == {pairs[0].id}
    assert set(frame["source"]) == {"published images"}

    def broken(pair):
        raise ValueError("nothing to see")

    with pytest.warns(EvaluationWarning, match="nothing to see"):
        assert evaluation.evaluate(pairs, [Method("broken", broken, "test")], ["EN"]).empty


def test_sources_are_fitted():
    infrared, visible = (np.random.default_rng(seed).integers(0, 256, (70, 90), dtype=np.uint8) for seed in (0, 1))
    assert evaluation.fit_sources(infrared, infrared, visible, "standard")[2] == "same size"
    cropped, _, fit = evaluation.fit_sources(infrared[:68, :88], infrared, visible, "standard")
    assert fit == "cropped"
    assert np.array_equal(cropped, infrared[:68, :88]), "crops are compared with crops, never with resized sources"
    resized, _, fit = evaluation.fit_sources(np.zeros((140, 180)), infrared, visible, "standard")
    assert fit == "resized"
    assert resized.shape == (140, 180)
    assert evaluation.fit_sources(np.zeros((140, 180)), infrared, visible, "as_released")[0] is infrared, "the evaluator resizes by itself"


def test_unknown_baseline_is_named():
    with pytest.raises(ValueError, match="found 'Median', expected one of Mean"):
        evaluation.by_baseline("Median")


def test_workers_give_the_same(pairs):
    method = evaluation.by_baseline("Mean")
    assert evaluation.evaluate(pairs, [method], n_jobs=2).equals(evaluation.evaluate(pairs, [method], n_jobs=1))


def test_extra_values(pairs):
    extra = {"brightest": lambda fused, pair: fused.max(), "red": lambda fused, pair: pair.infrared[0, 0]}
    frame = evaluation.evaluate(pairs[:1], [evaluation.by_baseline("Mean")], ["EN"], extra=extra)
    values = frame.set_index("metric")["value"]
    assert list(values.index) == ["EN", "brightest", "red"]
    assert values["red"] == pairs[0].infrared[0, 0]


def test_an_extra_with_a_key_is_remembered(pairs):
    calls = []

    def brightest(fused, pair):
        calls.append(pair.id)
        return fused.max()

    method = evaluation.by_baseline("Mean")
    for key in ("first", "first", "second"):
        frame = evaluation.evaluate(pairs, [method], ["EN"], extra={"brightest": evaluation.Extra(brightest, key)})
        assert frame.loc[frame["metric"] == "brightest", "value"].tolist() == [evaluation.fused_image(method, p).max() for p in pairs]
    assert len(calls) == 4, "once a pair and key"


def test_several_conventions_in_one_call(pairs):
    methods = [evaluation.by_baseline("Mean"), evaluation.by_baseline("Maximum")]
    both = evaluation.evaluate(pairs, methods, convention=("standard", "as_released"))
    apart = [evaluation.evaluate(pairs, methods, convention=each) for each in ("standard", "as_released")]
    assert both.equals(pd.concat(apart, ignore_index=True))
    with pytest.raises(ValueError, match="found 'guess', expected some of"):
        evaluation.evaluate(pairs, methods, convention="guess")


def test_what_is_remembered_is_not_scored_again(pairs, monkeypatch):
    method = evaluation.by_baseline("Mean")
    first = evaluation.evaluate(pairs, [method], ["EN", "SCD"])

    def never(*arguments):
        raise AssertionError("scored again")

    monkeypatch.setattr(known, "score", never)
    assert evaluation.evaluate(pairs, [method], ["EN", "SCD"]).equals(first)


def test_similarity_of_two_methods(pairs):
    mean = evaluation.by_baseline("Mean")
    assert evaluation.likenesses(pairs, mean, mean).tolist() == [1.0, 1.0]
    cropped = Method("cropped", lambda pair: evaluation.fused_image(mean, pair)[:-5, :-3], "test")
    assert evaluation.likenesses(pairs, cropped, mean).tolist() == [1.0, 1.0], "crops are compared with crops"
    assert evaluation.likenesses(pairs, mean, cropped.limited([pairs[1].id])).index.tolist() == [pairs[1].id]
    halved = Method("halved", lambda pair: images.resize(evaluation.fused_image(mean, pair), (200, 200)), "test")
    assert evaluation.likenesses(pairs, mean, halved).between(0.5, 1).all(), "the first is resized to the second"
    values = evaluation.evaluate(pairs, [mean], ["EN"], extra={"SSIM": evaluation.likeness_to(halved)})
    assert values.loc[values["metric"] == "SSIM", "value"].tolist() == evaluation.likenesses(pairs, mean, halved).tolist()


def test_code_hash_covers_what_a_fusion_imports():
    """Every module of this package that is loaded when a pair is fused takes part in the hash; what only scores or draws does not."""
    code = """
import sys
from ivfnb import fusion
from ivfnb.classifier import network
from ivfnb.datasets import dataset
pair = dataset("sample")[0]
before = set(sys.modules)
fusion.fuse(pair.infrared[:64, :64], pair.visible[:64, :64], network.load())
print(*(name for name in sys.modules if name.startswith("ivfnb.") and not name.startswith("ivfnb.datasets")))
"""
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    hashed = cache.sources("ivfnb.fusion.pipeline")
    assert {"ivfnb.fusion.pipeline", "ivfnb.classifier.dense", "ivfnb.enhance.hdrc"} <= set(loaded)
    files = {sys.modules[name].__file__ if name in sys.modules else cache._source(name).as_posix() for name in loaded}
    assert files <= {file.as_posix() for file in hashed}
    rooms = {file.parent.name for file in hashed}
    assert not rooms & {"metrics", "evaluation", "report", "commands", "baselines", "datasets"}


def test_a_baseline_is_hashed_without_the_others():
    files = {file.name for file in cache.sources("ivfnb.baselines.mdlatlrr")}
    assert {"mdlatlrr.py", "pair.py", "arrays.py"} <= files
    assert not files & {"convsr.py", "cbf.py", "pipeline.py"}


def test_a_learned_baseline_depends_on_its_file(tmp_path, monkeypatch):
    before = evaluation.by_baseline("MDLatLRR").key
    (tmp_path / "data" / "weights").mkdir(parents=True)
    (tmp_path / "data" / "weights" / "mdlatlrr.npz").write_bytes(b"learned anew")
    monkeypatch.setattr(paths, "root", lambda: tmp_path)
    assert evaluation.by_baseline("MDLatLRR").key != before

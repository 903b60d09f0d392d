"""The tidy table: values are the metrics' own, results are remembered by content, one bad image does not lose the rest."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from ivfnb import evaluate, images, network, paths, weightmap
from ivfnb.datasets import FusedImage, dataset
from ivfnb.evaluate import COLUMNS, EvaluationWarning, Method
from ivfnb.fusion import Protocol, fuse
from ivfnb.metrics import PAPER, score

NO_NETWORK = Protocol(classifier="none")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IVFNB_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def pairs():
    return dataset("sample")[:2]


def test_values_are_the_metrics_own(pairs):
    frame = evaluate.evaluate(pairs, [evaluate.by_protocol("ours", NO_NETWORK), evaluate.by_baseline("Mean")])
    assert list(frame.columns) == COLUMNS
    assert len(frame) == 2 * 2 * len(PAPER)
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

    first = evaluate.evaluate(pairs, [Method("mean", counted, "test", key="mean")], ["EN"])
    again = evaluate.evaluate(pairs, [Method("mean", counted, "test", key="mean")], ["EN"])
    assert first.equals(again)
    assert len(calls) == 2, "the second run fused nothing"
    evaluate.evaluate(pairs, [Method("mean", counted, "test", key="another mean")], ["EN"])
    assert len(calls) == 4, "another key is another method"


def test_the_same_windows_are_judged_once(pairs, monkeypatch):
    calls, judge = [], weightmap.window_scores

    def counted(*arguments):
        calls.append(arguments)
        return judge(*arguments)

    monkeypatch.setattr(weightmap, "window_scores", counted)
    protocols = Protocol(stride=16), Protocol(stride=16, ssr="none"), Protocol(stride=16, ssr="none", enhance_visible="none")
    shown = [evaluate.fused_image(evaluate.by_protocol(str(i), each), pairs[0]) for i, each in enumerate(protocols)]
    assert len(calls) == 2, "what follows the judgement needs no new one; another visible image does"
    net = network.load("eresnet-gradients")
    for protocol, remembered in zip(protocols, shown, strict=True):
        assert np.array_equal(fuse(pairs[0].infrared, pairs[0].visible, net, protocol).fused, remembered)


def test_one_bad_image_is_named_and_the_rest_goes_on(pairs):
    good = images.to_uint8(pairs[0].infrared)
    few = [FusedImage(pairs[0].id, good)]
    with pytest.warns(EvaluationWarning, match=f"sample, partial, pair {pairs[1].id}: no image"):
        frame = evaluate.evaluate(pairs, [evaluate.by_images("partial", few)], ["EN", "SD"])
    assert set(frame["id"]) == {pairs[0].id}
    assert set(frame["source"]) == {"published images"}

    def broken(pair):
        raise ValueError("nothing to see")

    with pytest.warns(EvaluationWarning, match="nothing to see"):
        assert evaluate.evaluate(pairs, [Method("broken", broken, "test")], ["EN"]).empty


def test_sources_are_fitted():
    infrared, visible = (np.random.default_rng(seed).integers(0, 256, (70, 90), dtype=np.uint8) for seed in (0, 1))
    assert evaluate.fit_sources(infrared, infrared, visible, "standard")[2] == "same size"
    cropped, _, fit = evaluate.fit_sources(infrared[:68, :88], infrared, visible, "standard")
    assert fit == "cropped"
    assert np.array_equal(cropped, infrared[:68, :88]), "crops are compared with crops, never with resized sources"
    resized, _, fit = evaluate.fit_sources(np.zeros((140, 180)), infrared, visible, "standard")
    assert fit == "resized"
    assert resized.shape == (140, 180)
    assert evaluate.fit_sources(np.zeros((140, 180)), infrared, visible, "as_released")[0] is infrared, "the evaluator resizes by itself"


def test_unknown_baseline_is_named():
    with pytest.raises(ValueError, match="found 'Median', expected one of Mean"):
        evaluate.by_baseline("Median")


def test_workers_give_the_same(pairs):
    method = evaluate.by_baseline("Mean")
    assert evaluate.evaluate(pairs, [method], n_jobs=2).equals(evaluate.evaluate(pairs, [method], n_jobs=1))


def test_extra_values(pairs):
    extra = {"brightest": lambda fused, pair: fused.max(), "red": lambda fused, pair: pair.infrared[0, 0]}
    frame = evaluate.evaluate(pairs[:1], [evaluate.by_baseline("Mean")], ["EN"], extra=extra)
    values = frame.set_index("metric")["value"]
    assert list(values.index) == ["EN", "brightest", "red"]
    assert values["red"] == pairs[0].infrared[0, 0]


def test_an_extra_with_a_key_is_remembered(pairs):
    calls = []

    def brightest(fused, pair):
        calls.append(pair.id)
        return fused.max()

    method = evaluate.by_baseline("Mean")
    for key in ("first", "first", "second"):
        frame = evaluate.evaluate(pairs, [method], ["EN"], extra={"brightest": evaluate.Extra(brightest, key)})
        assert frame.loc[frame["metric"] == "brightest", "value"].tolist() == [evaluate.fused_image(method, p).max() for p in pairs]
    assert len(calls) == 4, "once a pair and key"


def test_several_conventions_in_one_call(pairs):
    methods = [evaluate.by_baseline("Mean"), evaluate.by_baseline("Maximum")]
    both = evaluate.evaluate(pairs, methods, convention=("standard", "as_released"))
    apart = [evaluate.evaluate(pairs, methods, convention=each) for each in ("standard", "as_released")]
    assert both.equals(pd.concat(apart, ignore_index=True))
    with pytest.raises(ValueError, match="found 'guess', expected some of"):
        evaluate.evaluate(pairs, methods, convention="guess")


def test_what_is_remembered_is_not_scored_again(pairs, monkeypatch):
    method = evaluate.by_baseline("Mean")
    first = evaluate.evaluate(pairs, [method], ["EN", "SCD"])

    def never(*arguments):
        raise AssertionError("scored again")

    monkeypatch.setattr(evaluate, "score", never)
    assert evaluate.evaluate(pairs, [method], ["EN", "SCD"]).equals(first)


def test_similarity_of_two_methods(pairs):
    mean = evaluate.by_baseline("Mean")
    assert evaluate.similarity(pairs, mean, mean).tolist() == [1.0, 1.0]
    cropped = Method("cropped", lambda pair: evaluate.fused_image(mean, pair)[:-5, :-3], "test")
    assert evaluate.similarity(pairs, cropped, mean).tolist() == [1.0, 1.0], "crops are compared with crops"
    assert evaluate.similarity(pairs, mean, cropped.limited([pairs[1].id])).index.tolist() == [pairs[1].id]
    halved = Method("halved", lambda pair: images.resize(evaluate.fused_image(mean, pair), (200, 200)), "test")
    assert evaluate.similarity(pairs, mean, halved).between(0.5, 1).all(), "the first is resized to the second"
    values = evaluate.evaluate(pairs, [mean], ["EN"], extra={"SSIM": evaluate.likeness_to(halved)})
    assert values.loc[values["metric"] == "SSIM", "value"].tolist() == evaluate.similarity(pairs, mean, halved).tolist()


def test_code_hash_covers_the_fusion():
    """The modules that make a fused image are all hashed: what fusing imports is none of those left out."""
    code = "import sys\nfrom ivfnb import fusion, network, weightmap\nfrom ivfnb.baselines import BASELINES\nprint(*sys.modules)"
    imported = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    parts = {name.split(".")[1] for name in imported if name.startswith("ivfnb.")}
    assert {"fusion", "network", "images"} <= parts
    assert not parts & set(evaluate.NOT_FUSING)


def test_a_learned_baseline_depends_on_its_file(tmp_path, monkeypatch):
    before = evaluate.by_baseline("MDLatLRR").key
    (tmp_path / "data" / "weights").mkdir(parents=True)
    (tmp_path / "data" / "weights" / "mdlatlrr.npz").write_bytes(b"learned anew")
    monkeypatch.setattr(paths, "root", lambda: tmp_path)
    assert evaluate.by_baseline("MDLatLRR").key != before

"""Ways to get fused images: sizes that can be compared, a user's folder with bad files, what fusing took."""

import time
import warnings

import numpy as np
import pytest

from ivfnb import evaluation, images, paths, report
from ivfnb.datasets import FusedImage, dataset
from ivfnb.evaluation.external import EvaluationWarning, external
from ivfnb.evaluation.methods import Method


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("IVFNB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("IVFNB_RESULTS", str(tmp_path / "results"))


@pytest.fixture
def pairs():
    return dataset("sample")


@pytest.mark.parametrize(
    ("shape", "how"),
    [
        ((300, 400), "same size"),
        ((296, 400), "cropped"),
        ((285, 385), "cropped"),
        ((150, 200), "reduced"),
        ((100, 133), "reduced"),
        ((456, 456), "released size"),
        ((301, 400), "enlarged"),
        ((600, 800), "enlarged"),
        ((290, 416), "enlarged"),
        ((150, 300), "distorted"),
        ((200, 200), "distorted"),
    ],
)
def test_fit(shape, how):
    assert evaluation.fit(shape, (300, 400)) == how


def put(pair, folder, image=None):
    image = images.to_uint8((pair.infrared.astype(float) + images.to_gray(pair.visible)) / 2) if image is None else image
    return images.write_image(folder / f"{pair.id}.png", image)


def test_external_folder_with_a_missing_an_oversized_and_a_corrupt_image(pairs):
    """The row appears with its coverage and three named warnings."""
    folder = paths.results_dir("external") / "MyNet" / "sample"
    missing, oversized, corrupt, *good = pairs
    height, width = oversized.infrared.shape
    put(oversized, folder, np.zeros((height + 20, width + 20), np.uint8))
    for pair in (corrupt, *good):
        put(pair, folder)
    whole = (folder / f"{corrupt.id}.png").read_bytes()
    (folder / f"{corrupt.id}.png").write_bytes(whole[: len(whole) // 2])
    (method,) = external(pairs)
    with pytest.warns(EvaluationWarning) as caught:
        frame = evaluation.evaluate(pairs, [method, evaluation.by_baseline("Mean")], ["EN", "Nabf"])
    messages = sorted(str(each.message) for each in caught)
    assert len(messages) == 3
    by_id = {pair.id: next(text for text in messages if f"MyNet (external), pair {pair.id}" in text) for pair in pairs[:3]}
    assert "no image" in by_id[missing.id]
    assert f"enlarged image of {width + 20}x{height + 20} pixels, expected the pair's {width}x{height}" in by_id[oversized.id]
    assert f"{corrupt.id}.png" in by_id[corrupt.id]
    assert "no whole image" in by_id[corrupt.id]
    means = report.means(frame).droplevel("dataset")
    assert means.loc["MyNet (external)", "pairs"] == len(pairs) - 3
    assert means.loc["Mean", "pairs"] == len(pairs)
    ours, same = (frame[(frame["method"] == name) & frame["id"].isin([p.id for p in good])] for name in ("MyNet (external)", "Mean"))
    assert ours["value"].to_numpy() == pytest.approx(same["value"].to_numpy()), "the files hold the plain mean"
    assert set(ours["source"]) == {"user's folder"}


def test_external_folders_of_other_sets_are_no_rows(pairs):
    folder = paths.results_dir("external")
    put(pairs[0], folder / "OtherNet" / "tno21")
    assert external(pairs) == []
    put(pairs[0], folder / "OtherNet" / "sample")
    put(pairs[1], folder / "ANet" / "sample")
    assert [method.name for method in external(pairs)] == ["ANet (external)", "OtherNet (external)"]


def test_external_names_files_of_no_pair(pairs):
    folder = paths.results_dir("external") / "MyNet" / "sample"
    put(pairs[0], folder)
    images.write_image(folder / "photo_17.png", pairs[0].infrared)
    with pytest.warns(EvaluationWarning, match=r"1 files of no pair, such as photo_17.png, expected names such as astronaut.png"):
        external(pairs)
    (folder / "photo_17.png").unlink()
    put(pairs[1], folder)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        external(pairs[:1])  # images of pairs outside the slice are no strangers


def test_reduced_and_cropped_external_images_are_scored(pairs):
    folder, pair = paths.results_dir("external") / "Small" / "sample", pairs[0]
    height, width = pair.infrared.shape
    put(pair, folder, images.resize(pair.infrared, (height // 2, width // 2), "area"))
    put(pairs[1], folder, pairs[1].infrared[:-4, :-8])
    frame = evaluation.evaluate(pairs[:2], external(pairs[:2]), ["EN"])
    assert frame["fit"].tolist() == ["resized", "cropped"]


def test_limited_methods_are_silent_about_other_pairs(pairs):
    method = evaluation.by_baseline("Mean").limited([pairs[1].id])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frame = evaluation.evaluate(pairs[:3], [method], ["EN"])
    assert frame["id"].tolist() == [pairs[1].id]


def test_seconds_are_those_of_the_fusing_and_survive(pairs):
    def slow(pair):
        time.sleep(0.2)
        return pair.infrared

    method = Method("slow", slow, "test", key="slow")
    read = evaluation.by_images("read", [FusedImage(pairs[0].id, pairs[0].infrared)])
    first = evaluation.evaluate(pairs[:1], [method, read], ["EN"])
    assert np.isnan(first["seconds"].iloc[1]), "what was read was not fused"
    again = evaluation.evaluate(pairs[:1], [method], ["EN"])
    assert first["seconds"].iloc[0] >= 0.2
    assert again["seconds"].iloc[0] == first["seconds"].iloc[0]


def test_remembered_judgements_count_as_seconds(pairs, monkeypatch):
    """A protocol that finds its windows judged already is charged for them all the same."""
    from ivfnb.classifier import windows
    from ivfnb.fusion.protocol import Protocol

    judge = windows.window_scores

    def slow(*arguments):
        time.sleep(1.0)
        return judge(*arguments)

    monkeypatch.setattr(windows, "window_scores", slow)
    chosen = [evaluation.by_protocol(name, Protocol(stride=16, ssr=ssr)) for name, ssr in (("a", "single"), ("b", "none"))]
    seconds = evaluation.evaluate(pairs[:1], chosen, ["EN"])["seconds"]
    assert (seconds >= 1.0).all()


def test_side_by_side_has_one_size(pairs):
    small = Method("small", lambda pair: pair.infrared[::2, ::2], "test")
    shown = evaluation.side_by_side(pairs[0], [small, small.limited([]), evaluation.by_images("absent", [])])
    assert list(shown) == ["infrared", "visible", "small"]
    assert {image.shape for image in shown.values()} == {pairs[0].infrared.shape}

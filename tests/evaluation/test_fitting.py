"""Crop against resize, decided by content."""

import numpy as np
import pytest

from ivfnb import datasets, evaluation, images, metrics
from ivfnb.datasets import FusedImage, ImagePair, dataset
from ivfnb.evaluation import fitting


@pytest.fixture(scope="module")
def pair():
    whole = dataset("sample")["sentinel2"]
    return whole.infrared[:205, :299], whole.visible[:205, :299]


def fused_of(infrared, visible):
    return images.to_uint8(0.4 * infrared + 0.6 * visible)


SMALLER = [(200, 296), (192, 288), (204, 298), (205, 290), (190, 284), (204, 299)]


@pytest.mark.parametrize("shape", SMALLER)
def test_a_crop_is_told_from_a_resized_image_of_the_same_size(pair, shape):
    infrared, visible = pair
    crop = fused_of(*pair)[: shape[0], : shape[1]]
    resized = images.matlab_imresize(fused_of(*pair), shape)
    assert fitting.fit(shape, infrared.shape) == "cropped", "by its size alone it may be either"
    cut, _, how = evaluation.fit_sources(crop, infrared, visible, "standard")
    assert how == "cropped"
    np.testing.assert_array_equal(cut, infrared[: shape[0], : shape[1]])
    for convention, same in (("standard", False), ("as_released", True)):
        found, _, how = evaluation.fit_sources(resized, infrared, visible, convention)
        assert how == "resized"
        assert (found is infrared) == same, "the released evaluator resizes by itself"


def test_other_interpolations_enhancements_and_single_sources_are_told_too(pair):
    infrared, visible = pair
    for kind in ("bilinear", "area"):
        small = images.resize(visible, (192, 288), kind)
        assert evaluation.fit_sources(small, infrared, visible, "standard")[2] == "resized"
    inverted = 255 - fused_of(*pair)[:196, :290]
    assert evaluation.fit_sources(inverted, infrared, visible, "standard")[2] == "cropped"
    flat = np.full((196, 290), 90, np.uint8)
    assert evaluation.fit_sources(flat, infrared, visible, "standard")[2] == "cropped", "nothing tells: as before"


def test_the_caller_may_say_which(pair):
    infrared, visible = pair
    crop = fused_of(*pair)[:192, :288]
    assert evaluation.fit_sources(crop, infrared, visible, "standard", "resize")[2] == "resized"
    assert evaluation.fit_sources(crop[:100], infrared, visible, "standard", "crop")[0].shape == (100, 288)
    with pytest.raises(ValueError, match="fit: found 'crop' for a fused image of 300x205 pixels, expected at most 299x205"):
        evaluation.fit_sources(np.zeros((205, 300)), infrared, visible, "standard", "crop")
    with pytest.raises(ValueError, match=r"fit: found 'cut', expected one of \('content', 'crop', 'resize'\)"):
        evaluation.fit_sources(crop, infrared, visible, "standard", "cut")


def test_the_table_says_what_was_done_and_scores_follow(pair, tmp_path, monkeypatch):
    monkeypatch.setenv("IVFNB_CACHE", str(tmp_path))
    infrared, visible = pair
    small = images.matlab_imresize(fused_of(*pair), (192, 288))
    images.write_image(tmp_path / "ir" / "x.png", infrared)
    images.write_image(tmp_path / "vis" / "x.png", visible)
    data = dataset("folder", infrared=tmp_path / "ir", visible=tmp_path / "vis")
    method = evaluation.by_images("resized", [FusedImage("x", small)])
    table = {by: evaluation.evaluate(data, [method], ["Qabf", "SCD"], fit=by).set_index("metric") for by in ("content", "resize", "crop")}
    assert {by: set(rows.fit) for by, rows in table.items()} == {"content": {"resized"}, "resize": {"resized"}, "crop": {"cropped"}}
    right = metrics.score(small, *(images.matlab_imresize(source, (192, 288)) for source in pair), ["Qabf", "SCD"])
    assert table["content"].value.to_dict() == right
    assert table["crop"].value["Qabf"] < 0.7 * right["Qabf"]
    with pytest.raises(ValueError, match="fit: found 'cut'"):
        evaluation.evaluate(data, [method], fit="cut")


def test_published_images_that_were_resized_by_a_few_pixels():
    if "published-vifb21/U2Fusion" not in datasets.available() and "vifb21" not in datasets.available():
        pytest.skip("needs the benchmark's pairs (IVFNB_DATA)")
    pair: ImagePair = dataset("vifb21")["fight"]
    height, width = (size // 16 * 16 for size in pair.infrared.shape)
    resized = images.matlab_imresize(images.to_uint8(0.5 * pair.infrared + 0.5 * pair.visible), (height, width))
    assert evaluation.fit_sources(resized, pair.infrared, pair.visible, "standard")[2] == "resized"

"""Notebook 3's tables and charts."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest

from ivfnb import enhance, report
from ivfnb.datasets import ImagePair, dataset


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def sample():
    return dataset("sample")


def test_stages_are_those_of_the_enhancements(sample):
    found = report.stages(sample["chelsea"], 40.0)
    assert list(found) == list(report.STAGES)
    np.testing.assert_array_equal(found["stretched"], enhance.stretch(sample["chelsea"].infrared))
    np.testing.assert_array_equal(found["after SSR"], enhance.ssr((found["stretched"] + found["HDRC"]) / 2, 40.0))


def test_spread_is_the_deviation_of_each_stage(sample):
    (row,) = report.spread_by_stage([sample[2:3]]).to_dict("records")
    found = report.stages(sample["chelsea"])
    assert row["id"] == "chelsea"
    assert row["HDRC"] == found["HDRC"].std()
    assert row["one curve explains"] == enhance.explained_by_level(found["mean of both"], found["after SSR"])


def test_charts_have_a_row_for_each_pair(sample):
    pairs = [sample["chelsea"], sample["sentinel2"]]
    histograms = report.histogram_chart(pairs).axes
    assert [axis.get_title() for axis in histograms[::2]] == ["chelsea: infrared, stretched", "sentinel2: infrared, stretched"]
    maps = report.contrast_montage(pairs, "Local contrast").axes
    assert len(maps) == 8
    mean = enhance.local_contrast(sample["chelsea"].visible).mean()
    assert maps[2].get_title() == f"visible: mean {mean:.1f}"
    curves = report.curve_chart({"a": sample["chelsea"].infrared}, (300.0, 15.0)).axes
    assert [axis.get_title() for axis in curves] == ["a: SSR, sigma 300 pixels", "a: SSR, sigma 15 pixels"]


def test_differences_to_other_enhanced_images():
    ramp = np.tile(np.arange(256, dtype=np.uint8), (64, 1))
    source = ImagePair("01", ramp, ramp)
    theirs = ImagePair("01", ramp + (ramp < 128), enhance.hdrc(ramp).round().astype(np.uint8))
    found = report.differences_to_authors([source], [theirs], quality=100)
    assert found.loc[("01", "infrared"), "before JPEG, mean"] == 0.5
    assert found.loc[("01", "visible"), "before JPEG, mean"] == 0
    assert found.loc[("01", "infrared"), "pixels that differ"] >= 64 * 100

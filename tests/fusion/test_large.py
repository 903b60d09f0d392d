"""Large images: worked on in bands, with the same numbers, in bounded memory."""

import subprocess
import sys

import numpy as np
import pytest

from ivfnb import enhance, fusion, images, metrics
from ivfnb.datasets import dataset
from ivfnb.fusion import weightmap
from ivfnb.images import arrays
from ivfnb.metrics import planes

ENERGY = {"classifier": "gradient_energy"}
PROTOCOLS = {
    "paper": fusion.Protocol(**ENERGY),
    "distance": fusion.Protocol(**ENERGY, weighting="distance", stretch=True, eight_bit=True, clip="percentile", ssr="multi"),
    "another size": fusion.Protocol(**ENERGY, size=(150, 170), jpeg_quality=75, eight_bit=True, classifier_infrared="original"),
}


@pytest.fixture(scope="module")
def pair():
    whole = dataset("sample", color=True)["astronaut"]
    return whole.infrared[:301, :333], whole.visible[:301, :333]


@pytest.mark.parametrize("name", PROTOCOLS)
@pytest.mark.parametrize("kind", ["colour", "grey", "floating point"])
def test_bands_change_no_bit_of_a_fused_image(pair, name, kind, monkeypatch):
    infrared, visible = pair
    visible = {"colour": visible, "grey": visible[..., 1], "floating point": visible * 0.9 + 0.3}[kind]
    whole = fusion.fuse(infrared, visible, protocol=PROTOCOLS[name])
    monkeypatch.setattr(arrays, "BAND", 7 * 333)
    banded = fusion.fuse(infrared, visible, protocol=PROTOCOLS[name])
    for part in ("fused", "weight_map", "enhanced_infrared", "enhanced_visible", "blended", "stretched", "votes"):
        np.testing.assert_array_equal(getattr(banded, part), getattr(whole, part), err_msg=part)


def test_bands_change_metrics_in_the_last_bits_alone(pair, monkeypatch):
    infrared, visible = pair
    gray = images.to_gray(visible)
    fused = images.to_uint8(0.4 * infrared + 0.6 * gray)
    names = ["EI", "Qabf", "Nabf", "VIFF", "VIF"]
    whole = metrics.score(fused, infrared, gray, names)
    monkeypatch.setattr(planes, "LARGE", 1)
    for rows in (1, 7, 64):
        monkeypatch.setattr(arrays, "BAND", rows * 333)
        assert metrics.score(fused, infrared, gray, names) == pytest.approx(whole, rel=1e-12)


MEASURED = """
import resource
import numpy as np
from ivfnb import fusion, metrics
rng = np.random.default_rng(0)
infrared, visible = (rng.integers(0, 256, (2000, 2200), dtype=np.uint8) for _ in range(2))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
kept = {what}
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / infrared.size)
"""
# Bytes a pixel: 20 million pixels then fit 2 GB (fuse) and 2.5 GB (score) beside the 0.3 GB of the libraries.
BOUNDS = {
    "fusion.fuse(infrared, visible, protocol=fusion.Protocol(classifier='gradient_energy'))": 75,
    "fusion.fuse(infrared, np.dstack([visible] * 3), protocol=fusion.Protocol(classifier='gradient_energy'))": 80,
    "metrics.score(visible, infrared, visible)": 75,
}


@pytest.mark.parametrize("what", BOUNDS)
def test_memory_a_pixel_is_bounded(what):
    done = subprocess.run([sys.executable, "-c", MEASURED.format(what=what)], capture_output=True, text=True, check=True)
    assert float(done.stdout) < BOUNDS[what]


def test_the_weight_map_and_the_stretch_of_the_retinex_are_what_they_were():
    """By their formulas in one piece."""
    scores = np.random.default_rng(1).normal(size=(2, 6, 9, 2))
    shape = (32 + 5 * 8, 32 + 8 * 8)
    window = weightmap.visible_probabilities(scores).mean(axis=0)
    total, count = np.zeros(shape), np.zeros(shape)
    for row in range(6):
        for column in range(9):
            total[8 * row : 8 * row + 32, 8 * column : 8 * column + 32] += window[row, column]
            count[8 * row : 8 * row + 32, 8 * column : 8 * column + 32] += 1
    np.testing.assert_allclose(weightmap.weight_map(scores, shape), total / count, rtol=1e-13)
    image = np.random.default_rng(2).uniform(0, 255, (50, 60))
    before = image.copy()
    enhance.ssr(image, 9.0)
    np.testing.assert_array_equal(image, before, err_msg="the caller's image is left alone")

"""What holds for every comparison method, whatever it does inside."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from skimage import data

from ivfnb.baselines import BASELINES, COMPETITORS, Competitor, Variant, convsr, register, rows_of_paper
from ivfnb.baselines.common.convolution import Convolution
from ivfnb.images import ImageError

NAMES = [name for name, baseline in BASELINES.items() if not baseline.competitor.fetched]  # learned ones have tests of their own
REFERENCES = ["Mean", "Maximum", "Laplacian pyramid"]
# Exchanging the sources changes nothing; the infrared guides Structaware's map, and HybridMSD gives the sources different parts.
SYMMETRIC = [name for name in NAMES if not name.startswith(("Structaware", "HybridMSD"))]
# What a sparse code leaves out is lost, and details that are added more than once are no longer the source's.
LIGHT = [f"ivfnb.baselines.{name}" for name in ("description", "common", "common.weights", "registry")]
EXACT = [name for name in NAMES if not name.startswith("ConvSR") and name != "MDLatLRR (accumulated)"]


@pytest.fixture(scope="module")
def photographs():
    return data.camera()[100:175, 200:291], data.coins()[50:125, 100:191]


def noise(shape, seed=0):
    return np.random.default_rng(seed).uniform(0, 255, (2, *shape))


def test_the_17_of_the_paper_and_the_references_are_described_once():
    assert [competitor.row for competitor in rows_of_paper()] == list(range(1, 18))
    assert {competitor.name for competitor in rows_of_paper() if competitor.function} | set(REFERENCES) <= set(BASELINES)
    assert [competitor.name for competitor in COMPETITORS.values() if competitor.reference] == REFERENCES
    for name, baseline in BASELINES.items():
        assert baseline.name == name
        assert baseline.citation
        assert baseline.doi.startswith("10.") or name in ("Mean", "Maximum")


def test_what_cannot_be_registered_is_refused():
    with pytest.raises(ValueError, match=r"CBF: found a method of this name already"):
        register(Competitor("CBF", np.maximum, "Nobody 2024"))
    with pytest.raises(ValueError, match=r"other: found row 1 of the paper taken already"):
        register(Competitor("other", np.maximum, "Nobody 2024", row=1))
    with pytest.raises(ValueError, match="found cost 'cheap', expected one of"):
        Competitor("other", np.maximum, "Nobody 2024", cost="cheap")
    with pytest.raises(ValueError, match="expected one of both"):
        Competitor("other", None, "Nobody 2024")
    with pytest.raises(ValueError, match="published images of tno21, expected sets in `published`"):
        Competitor("other", np.maximum, "Nobody 2024", variants=(Variant(published=("tno21",)),))
    assert "other" not in COMPETITORS


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(2, 2), (2, 9), (17, 5), (33, 61)])
def test_any_size(name, shape):
    fused = BASELINES[name].fuse(*noise(shape))
    assert fused.shape == shape
    assert fused.dtype == np.float64
    assert 0 <= fused.min() <= fused.max() <= 255


@pytest.mark.parametrize("name", SYMMETRIC)
def test_exchanged_sources_give_the_same(name, photographs):
    infrared, visible = photographs
    np.testing.assert_allclose(BASELINES[name].fuse(infrared, visible), BASELINES[name].fuse(visible, infrared), atol=1e-3)


def test_hybridmsd_exchanged_is_hybridmsd_of_exchanged_sources(photographs):
    infrared, visible = photographs
    plain, exchanged = BASELINES["HybridMSD"].fuse(infrared, visible), BASELINES["HybridMSD (exchanged)"].fuse(infrared, visible)
    np.testing.assert_array_equal(exchanged, BASELINES["HybridMSD"].fuse(visible, infrared))
    assert np.abs(plain - exchanged).max() > 1


def test_structaware_takes_the_same_sources_whichever_guides(photographs):
    infrared, visible = photographs
    fuse = BASELINES["Structaware"].fuse
    nearer = [np.abs(fused - infrared) < np.abs(fused - visible) for fused in (fuse(infrared, visible), fuse(visible, infrared))]
    assert 0.2 < nearer[0].mean() < 0.8
    assert np.mean(nearer[0] == nearer[1]) > 0.8  # the guide moves the borders between the two


@pytest.mark.parametrize("name", EXACT)
def test_identical_sources_come_back(name, photographs):
    for image in photographs:
        assert np.abs(BASELINES[name].fuse(image, image) - image).max() < 1e-3


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("ConvSR")])
def test_convsr_gives_identical_sources_back_up_to_its_code(name, photographs):
    """Lost is what no filter finds more of than the sparsity: the condition of the code's optimum, so no exact code would keep it."""
    for image in photographs:
        difference = BASELINES[name].fuse(image, image) - image
        assert np.abs(difference).mean() < 1
        assert np.abs(difference).max() < 10
        found = Convolution(convsr.dictionary(), image.shape)
        windows = found.windows((difference / 255).astype(np.float32))
        largest = max(np.abs(found.correlate(windows, block)).max() for block in found.blocks)
        assert 0.9 * convsr.SPARSITY < largest < 1.25 * convsr.SPARSITY  # the code stops at residuals of 1e-3


@pytest.mark.parametrize("name", NAMES)
def test_constant_sources(name):
    infrared, visible = np.full((37, 50), 10.0), np.full((37, 50), 200.0)
    same, fused = BASELINES[name].fuse(visible, visible), BASELINES[name].fuse(infrared, visible)
    # The learned projection lets a little of the mean through: the accumulated details then count it twice.
    tolerance = 4 if name == "MDLatLRR (accumulated)" else 1e-3
    assert np.abs(same - visible).max() < tolerance
    expected = {"Maximum": 200, "Structaware": 200, "HybridMSD": 200, "HybridMSD (exchanged)": 10, "ConvSR (multi-focus)": 200}
    assert np.abs(fused - expected.get(name, 105)).max() < (6 if name.startswith("MDLatLRR") else 1e-6)


@pytest.mark.parametrize("name", ["Mean", "CBF", "Structaware"])
def test_means_stay_between_their_sources(name):
    infrared, visible = noise((40, 31))
    fused = BASELINES[name].fuse(infrared, visible)
    assert (fused >= np.minimum(infrared, visible) - 1e-9).all()
    assert (fused <= np.maximum(infrared, visible) + 1e-9).all()


@pytest.mark.parametrize("name", NAMES)
def test_type_of_the_levels_does_not_matter_and_sources_stay_as_they_are(name, photographs):
    before = [image.copy() for image in photographs]
    floating = [image.astype(np.float32) for image in photographs]
    fused = BASELINES[name].fuse(*photographs)
    np.testing.assert_array_equal(fused, BASELINES[name].fuse(*floating))
    np.testing.assert_array_equal(fused, pickle.loads(pickle.dumps(BASELINES[name])).fuse(*photographs))
    for image, copy in zip(photographs, before, strict=True):
        np.testing.assert_array_equal(image, copy)


@pytest.mark.parametrize("name", NAMES)
def test_bad_sources_are_named(name):
    image, fuse = np.zeros((8, 8)), BASELINES[name].fuse
    for infrared, visible, message in [
        (image, np.zeros((8, 9)), r"visible: found shape \(8, 9\), expected .*\(8, 8\)"),
        (np.zeros((8, 8, 3)), image, "infrared: found an array of shape"),
        (image, image + 256, "visible: found levels from 256"),
        (np.zeros((1, 8)), np.zeros((1, 8)), "infrared: found shape .* expected at least 2x2"),
    ]:
        with pytest.raises(ImageError, match=message):
            fuse(infrared, visible)


def test_bad_parameters_are_named():
    image = np.zeros((8, 8))
    for name, parameters, message in [
        ("Laplacian pyramid", {"levels": 0}, "levels: found 0"),
        ("MDLatLRR", {"levels": 0}, "levels: found 0"),
        ("MDLatLRR", {"details": "twice"}, "details: found 'twice', expected one of"),
        ("ConvSR", {"mode": "focus"}, "mode: found 'focus', expected one of"),
    ]:
        with pytest.raises(ValueError, match=message):
            BASELINES[name].fuse(image, image, **parameters)


def test_importing_the_room_loads_no_method():
    code = "import sys, ivfnb.baselines; print(*(m for m in sys.modules if m.startswith(('ivfnb.baselines.', 'torch', 'scipy'))))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {name.removeprefix("ivfnb.baselines.") for name in loaded} == {"common", "common.weights", "description", "registry"}


def test_laplacian_pyramid_keeps_the_sharper_half():
    flat, texture = np.full((64, 64), 100.0), 100 + 20 * np.random.default_rng(0).standard_normal((64, 64)).clip(-3, 3)
    fused = BASELINES["Laplacian pyramid"].fuse(flat, texture)
    assert np.corrcoef(fused.ravel(), texture.ravel())[0, 1] > 0.99
    assert np.std(fused) > 0.95 * np.std(texture)

import os

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage
from skimage import exposure

from ivfnb import datasets, enhance, images
from ivfnb.enhance import filters, retinex
from ivfnb.images import ImageError
from ivfnb.images.threads import threads

GRAY = arrays.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40)))


@pytest.fixture(scope="module")
def scene() -> np.ndarray:
    """Smooth light over texture, 61x83, with both extremes present."""
    random = np.random.default_rng(7)
    light = ndimage.gaussian_filter(random.uniform(0, 1, (61, 83)), 12)
    image = 200 * (light - light.min()) / np.ptp(light) + 25 * random.uniform(0, 1, light.shape)
    return image.astype(np.uint8)


def compared(ours: np.ndarray, reference: np.ndarray) -> float:
    """Largest difference, both at the reference's float32: its own rounding is 8e-6 at level 255."""
    return float(np.abs(ours.astype(np.float32) - reference).max())


# --- stretch and levels ---


@pytest.mark.parametrize("pair", ["01", "03", "08", "17", "21"])
def test_stretch_and_hdrc_equal_the_reference(golden, pair):
    with np.load(golden / "enhance" / f"tno{pair}.npz") as expected:
        assert compared(enhance.stretch(expected["infrared"]), expected["stretch"]) == 0
        ours = enhance.hdrc(expected["visible"])
        if pair in ("01", "17"):  # sizes that the subsampling does not divide: the reference repeats the border sample where MATLAB mirrors
            assert np.abs(ours - expected["hdrc"]).mean() <= 0.5
        else:
            assert compared(ours, expected["hdrc"]) <= 1e-6


def test_enhancement_equals_the_authors_published_images(shared_data):
    try:
        enhanced = datasets.dataset("tno21-released-enhanced")
    except datasets.DatasetError as error:
        pytest.skip(str(error))
    pairs = datasets.dataset("tno21")
    assert len(pairs) == len(enhanced) == 21
    for pair, theirs in zip(pairs, enhanced, strict=True):
        np.testing.assert_array_equal(images.through_jpeg(enhance.stretch(pair.infrared), 75), theirs.infrared)
        np.testing.assert_array_equal(images.through_jpeg(enhance.hdrc(pair.visible), 75), theirs.visible)


def test_stretch_of_a_known_image():
    np.testing.assert_allclose(enhance.stretch(np.array([[10, 20], [30, 60]], np.uint8)), [[0, 51], [102, 255]], rtol=1e-15)


@given(GRAY, st.floats(0.05, 0.9), st.floats(0, 20))
def test_stretch_undoes_gain_and_offset(image, gain, offset):
    darker = images.levels(image) * gain + offset
    if image.min() < image.max():
        np.testing.assert_allclose(enhance.stretch(darker), enhance.stretch(image), atol=1e-9)


@given(GRAY)
def test_results_are_levels_for_any_8_bit_image(image):
    for function in (enhance.stretch, enhance.hdrc, enhance.gamma, enhance.ssr):
        result = function(image)
        assert result.dtype == np.float64
        assert result.shape == image.shape
        assert result.min() >= 0
        assert result.max() <= 255 + 1e-9


@pytest.mark.parametrize("name", ["stretch", "hdrc", "clahe", "gamma", "ssr"])
def test_constant_images_come_back_unchanged_and_16_bits_count_as_levels(name, scene):
    function = getattr(enhance, name)
    for level in (0, 7, 255):
        np.testing.assert_array_equal(function(np.full((40, 50), level, np.uint8)), np.full((40, 50), float(level)))
    deep = scene.astype(np.uint16) * 257
    np.testing.assert_allclose(function(deep), function(scene), atol=1e-6)
    before = scene.copy()
    function(scene)
    floating = scene.astype(np.float64)
    function(floating)
    np.testing.assert_array_equal(scene, before)
    np.testing.assert_array_equal(floating, before)


def test_two_level_images_keep_two_ordered_sides():
    image = np.full((64, 64), 40, np.uint8)
    image[:, 32:] = 180
    np.testing.assert_array_equal(np.unique(enhance.stretch(image)), [0, 255])
    for function in (enhance.hdrc, enhance.gamma, enhance.clahe, enhance.ssr):
        result = function(image)
        assert np.isfinite(result).all()
        assert result[:, :32].mean() + 50 < result[:, 32:].mean()


@pytest.mark.parametrize(
    ("bad", "found"),
    [
        (np.zeros((3, 4, 3), np.uint8), "(3, 4, 3)"),
        (np.zeros((0, 4)), "(0, 4)"),
        (np.array([[0.0, np.nan]]), "nan"),
        (np.array([[0.0, 300.0]]), "300"),
        (np.array([[-2.0, 30.0]]), "-2"),
        (np.array([["a", "b"]]), "<U1"),
    ],
)
def test_what_is_no_grey_image_is_refused(bad, found):
    for function in (enhance.stretch, enhance.hdrc, enhance.clahe, enhance.gamma, enhance.ssr):
        with pytest.raises(ImageError, match="image: found") as caught:
            function(bad)
        assert found in str(caught.value)


# --- HDRC ---


def guided_filter_loop(image: np.ndarray, radius: int, eps: float) -> np.ndarray:
    """He's guided filter without subsampling, window by window: the oracle."""
    unit, (height, width) = image / 255, image.shape
    gain, offset, result = (np.zeros_like(unit) for _ in range(3))

    def window(plane, row, column):
        return plane[max(row - radius, 0) : row + radius + 1, max(column - radius, 0) : column + radius + 1]

    for row in range(height):
        for column in range(width):
            part = window(unit, row, column)
            gain[row, column] = part.var() / (part.var() + eps)
            offset[row, column] = part.mean() * (1 - gain[row, column])
    for row in range(height):
        for column in range(width):
            result[row, column] = window(gain, row, column).mean() * unit[row, column] + window(offset, row, column).mean()
    return 255 * result


def test_local_contrast_equals_the_loop(scene):
    part = scene[:16, :21].astype(np.float64)
    expected = [[part[max(r - 2, 0) : r + 3, max(c - 2, 0) : c + 3].std() for c in range(21)] for r in range(16)]
    np.testing.assert_allclose(enhance.local_contrast(part, 5), expected, atol=1e-6)
    np.testing.assert_array_equal(enhance.local_contrast(part), enhance.local_contrast(part, 9))


@pytest.mark.parametrize("radius", [0, 1, 4, 30])
def test_guided_filter_without_subsampling_equals_the_loop(scene, radius):
    part = scene[:20, :27].astype(np.float64)
    np.testing.assert_allclose(enhance.fast_guided_filter(part, radius, 0.01), guided_filter_loop(part, radius, 0.01), atol=1e-9)


@pytest.mark.parametrize("subsampling", [1, 1.25, 2, 2.75, 3.5, 6, 9])
@pytest.mark.parametrize("size", [1, 2, 25, 40])
def test_subsampling_takes_matlabs_samples(size, subsampling):
    # MATLAB counts from 1: output x has its centre at u = x*s + (1-s)/2, and the sample with -1/2 <= u - index < 1/2 is taken
    expected = []
    for x in range(1, int(np.ceil(size / subsampling)) + 1):
        u = x * subsampling + 0.5 * (1 - subsampling)
        taken = [index for index in range(1, size + 9) if -0.5 <= u - index < 0.5]
        mirrored = [*range(1, size + 1), *range(size, 0, -1)] * 5
        expected.append(mirrored[taken[0] - 1] - 1)
    np.testing.assert_array_equal(filters._subsampled(size, subsampling), expected)


def test_upsampling_is_exact_on_a_ramp_and_repeats_the_border():
    expected = np.clip((np.arange(20) + 0.5) / 4 - 0.5, 0, 4)
    ramp = np.tile(np.arange(5.0), (3, 1))
    np.testing.assert_allclose(filters._upsampled(ramp, 20, 1), np.tile(expected, (3, 1)), atol=1e-12)
    np.testing.assert_allclose(filters._upsampled(ramp.T, 20, 0), np.tile(expected, (3, 1)).T, atol=1e-12)
    np.testing.assert_array_equal(filters._upsampled(ramp, 5, 1), ramp)
    np.testing.assert_array_equal(filters._upsampled(np.ones((1, 2)), 3, 0), np.ones((3, 2)))


def test_hdrc_is_its_layers_recombined(scene):
    base, detail = enhance.layers(scene)
    np.testing.assert_allclose(base + detail, np.log(enhance.stretch(scene) + 1), atol=1e-12)
    scale = np.log(4) / (base.max() - base.min())
    expected = np.minimum(np.exp(scale * base + detail + (1 - scale) * base.max()), 255)
    np.testing.assert_allclose(enhance.hdrc(scene), expected, rtol=1e-12)
    compressed = enhance.hdrc(scene, contrast=2)
    assert np.median(compressed) > np.median(expected)  # a smaller range below the same top is brighter
    assert not np.array_equal(enhance.hdrc(scene, radius=0.1), enhance.hdrc(scene))
    assert not np.array_equal(enhance.hdrc(scene, eps=0.1), enhance.hdrc(scene))


def test_hdrc_parameters_are_checked(scene):
    with pytest.raises(ValueError, match="contrast: found 1, expected"):
        enhance.hdrc(scene, contrast=1)
    with pytest.raises(ValueError, match="radius, subsampling, eps: found"):
        enhance.hdrc(scene, eps=0)
    with pytest.raises(ValueError, match="radius, subsampling, eps: found"):
        enhance.fast_guided_filter(scene, 4, 0.01, 0.5)


def test_alternatives_to_hdrc(scene):
    full = enhance.stretch(scene)
    np.testing.assert_allclose(enhance.gamma(scene), 255 * np.sqrt(full / 255), atol=1e-12)
    np.testing.assert_allclose(enhance.gamma(scene, 1.0), full, atol=1e-12)
    np.testing.assert_allclose(enhance.clahe(scene), 255 * exposure.equalize_adapthist(scene), atol=1e-9)
    assert set(enhance.VISIBLE) == {"hdrc", "clahe", "gamma", "none"}
    np.testing.assert_array_equal(enhance.VISIBLE["none"](scene), scene)
    np.testing.assert_array_equal(enhance.INFRARED["none"](scene), scene)


# --- SSR ---


def test_what_one_curve_explains():
    before, after = np.array([[0, 0, 9, 9]]), np.array([[1.0, 3.0, 7.0, 9.0]])
    assert enhance.explained_by_level(before, after) == pytest.approx(1 - 1 / 10), "variance 10, of which 1 is left within the levels"
    assert np.isnan(enhance.explained_by_level(before, np.full((1, 4), 7.0)))
    assert enhance.explained_by_level(before, np.array([[1.0, 1.0, 2.0, 2.0]])) == 1, "a range of 1 is a range"


@pytest.mark.parametrize("sigma", [0.8, 0.9, 5.0, 40.0, 300.0])
@pytest.mark.parametrize("shape", [(61, 83), (1, 30), (30, 1), (2, 2), (1, 1)])
def test_surround_equals_opencvs_blur(scene, shape, sigma):
    part = scene[: shape[0], : shape[1]].astype(np.float64)
    expected = cv2.GaussianBlur(part, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101)
    np.testing.assert_allclose(enhance.surround(part, sigma), expected, atol=1e-9)


def ssr_loop(image: np.ndarray, sigma: float) -> np.ndarray:
    """SSR with the released clip rule, bin by bin: the oracle."""
    lifted = image.astype(np.float64) + 1
    reflectance = np.log10(lifted) - np.log10(cv2.GaussianBlur(lifted, (0, 0), sigma))
    counts = {}
    for value in reflectance.ravel():
        bin_ = int(100 * value)  # truncates toward zero
        counts[bin_] = counts.get(bin_, 0) + 1
    low, high = min(counts), max(counts)
    for bin_ in range(-1, low, -1):
        if 0 < counts.get(bin_, 0) < 0.1 * counts.get(0, 0):
            low = bin_
            break
    for bin_ in range(1, high):
        if 0 < counts.get(bin_, 0) < 0.1 * counts.get(0, 0):
            high = bin_
            break
    clipped = np.minimum(np.maximum(reflectance, low / 100), high / 100)
    return (clipped - clipped.min()) / (clipped.max() - clipped.min()) * 255


@pytest.mark.parametrize("sigma", [10.0, 300.0])
def test_ssr_equals_the_loop(scene, sigma):
    np.testing.assert_allclose(enhance.ssr(scene, sigma), ssr_loop(scene, sigma), atol=1e-8)


def test_the_released_rule_clips_rare_hundredths_on_both_sides():
    reflectance = np.repeat([-0.311, -0.205, -0.101, -0.052, 0.004, 0.052, 0.101, 0.303], [40, 3, 2, 50, 100, 60, 5, 30])[np.newaxis]
    assert retinex._limits(reflectance, "released") == (-0.10, 0.10)
    assert retinex._limits(reflectance[reflectance != 0.004][np.newaxis], "released") == (
        -0.31,
        0.30,
    )  # nothing at 0: nothing counts as rare
    assert retinex._limits(reflectance, "none") == (-0.311, 0.303)
    assert retinex._limits(np.linspace(-1, 1, 101), "percentile") == pytest.approx((-0.98, 0.98))


def test_ssr_ignores_a_gain_of_bright_images(scene):
    # log10(level + 1) turns a gain into an offset but for the 1, which is small on bright images
    bright = 120 + scene / 2
    difference = np.abs(enhance.ssr(bright, 30, "none") - enhance.ssr(bright * 0.9, 30, "none"))
    assert difference.max() < 1


def test_multi_scale_retinex_averages_the_scales(scene):
    sigmas = (4.0, 20.0, 100.0)
    logs = [np.log10(scene + 1.0) - np.log10(enhance.surround(scene, sigma) + 1) for sigma in sigmas]
    mean = np.mean(logs, axis=0)
    expected = (mean - mean.min()) / np.ptp(mean) * 255
    np.testing.assert_allclose(enhance.ssr(scene, sigmas, "none"), expected, atol=1e-9)
    np.testing.assert_array_equal(enhance.ssr(scene, (20.0,)), enhance.ssr(scene, 20.0))


def test_ssr_of_almost_no_contrast_comes_back_unchanged():
    image = np.full((40, 40), 100, np.uint8)
    image[3, 3] = 101
    np.testing.assert_array_equal(enhance.ssr(image), image)


def test_ssr_parameters_are_checked(scene):
    with pytest.raises(ValueError, match=r"clip: found 'hard', expected one of \('released', 'percentile', 'none'\)"):
        enhance.ssr(scene, clip="hard")
    for sigma in (0, -3.0, np.inf, np.nan):
        with pytest.raises(ValueError, match="sigma: found"):
            enhance.ssr(scene, sigma)
    with pytest.raises(ValueError, match="sigma: found no value"):
        enhance.ssr(scene, ())


def test_threads_change_no_bit_of_the_surround(monkeypatch):
    image = np.random.default_rng(5).uniform(0, 255, (260, 301))
    found = []
    for named in ("1", "3"):
        monkeypatch.setenv("OMP_NUM_THREADS", named)
        assert threads(image.size) == int(named)
        found.append(filters.surround(image, 40.0))
    assert np.array_equal(*found)


def test_small_arrays_take_one_thread_and_large_ones_what_is_said_or_there(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert (threads(256 * 256), threads(256 * 257)) == (1, 3)
    for named in ("", "0", "many"):
        monkeypatch.setenv("OMP_NUM_THREADS", named)
        assert threads(10**6) == os.cpu_count()

"""Each vectorised metric against its slow readable loop, to 1e-10, on random, flat, tie-rich and tiny images."""

import numpy as np
import pytest
import pywt
from hypothesis import example, given, settings
from hypothesis import strategies as st
from metric_loops import LOOPS, fmi
from scipy.fft import dctn
from skimage.metrics import structural_similarity

from ivfnb.metrics import METRICS

KINDS = (
    "random",
    "float",
    "smooth",
    "flat",
    "two levels",
    "few levels",
    "fused is infrared",
    "fused is visible",
    "flat halves",
    "ramps",
    "crossed ramps",
    "zeros",
)
TINY_ONES = [name for name in LOOPS if METRICS[name].smallest <= 3]
WINDOWED = {"SSIM": 11, "Qy": 7, "VIFF": 41, "VIF": 41}


def triple(kind: str, shape: tuple[int, int], seed: int) -> list[np.ndarray]:
    """Fused, infrared and visible image of one kind."""
    random = np.random.default_rng(seed)
    images = [random.integers(0, 256, shape).astype(np.uint8) for _ in range(3)]
    if kind == "float":
        return [random.uniform(0, 255, shape) for _ in range(3)]
    if kind == "smooth":
        y, x = np.mgrid[: shape[0], : shape[1]]
        waves = random.uniform(0.05, 0.5, (3, 2))
        return [np.round(127 + 120 * np.sin(u * x + v * y + u)).astype(np.uint8) for u, v in waves]
    if kind == "flat":
        return [np.full(shape, level, np.uint8) for level in random.integers(0, 256, 3)]
    if kind == "two levels":
        return [np.where(image < 128, 0, 255).astype(np.uint8) for image in images]
    if kind == "few levels":
        return [(image // 64 * 17).astype(np.uint8) for image in images]
    if kind == "flat halves":
        halves = [np.where(np.arange(shape[1]) < shape[1] // 2, 255, image) for image in images]
        return [half.astype(np.uint8) for half in halves]
    if kind == "ramps":  # strengths of exactly 2, where Nabf's weight jumps
        y, x = np.mgrid[: shape[0], : shape[1]]
        return [image.astype(np.uint8) for image in (5 * x + 3 * y + images[0] % 2, 2 * x, 2 * y)]
    if kind == "crossed ramps":  # covariances that are zero but for rounding
        y, x = np.mgrid[: shape[0], : shape[1]]
        return [image.astype(np.uint8) for image in (3 * y, 3 * x, 2 * x)]
    if kind == "similar sources":
        noisy = images[1] // 8 + triple("smooth", shape, seed)[1] // 2
        return [images[0] // 8 + noisy, noisy, noisy + images[2] // 4]
    if kind == "zeros":
        return [np.zeros(shape, np.uint8)] * 3
    return [images[1 if kind == "fused is infrared" else 2], images[1], images[2]] if kind.startswith("fused") else images


def agree(name: str, images: list[np.ndarray]) -> None:
    metric = METRICS[name]
    found = metric(*images) if metric.needs_sources else metric(images[0])
    assert found == pytest.approx(LOOPS[name](*images), rel=1e-10, abs=1e-10), name


@pytest.mark.parametrize("name", TINY_ONES)
@settings(max_examples=30, deadline=None, derandomize=True)
@given(kind=st.sampled_from(KINDS), height=st.integers(3, 13), width=st.integers(3, 13), seed=st.integers(0, 2**32 - 1))
@example(kind="random", height=3, width=3, seed=0)
@example(kind="flat", height=5, width=4, seed=1)
@example(kind="zeros", height=4, width=4, seed=0)
@example(kind="few levels", height=12, width=11, seed=2)
@example(kind="fused is visible", height=9, width=10, seed=3)
@example(kind="random", height=18, width=21, seed=4)
@example(kind="ramps", height=9, width=8, seed=5)
def test_small(name, kind, height, width, seed):
    agree(name, triple(kind, (height, width), seed))


@pytest.mark.parametrize("name", [name for name in TINY_ONES if METRICS[name].smallest == 2])
def test_two_by_two(name):
    for seed in range(5):
        agree(name, triple("few levels", (2, 2), seed))
        agree(name, triple("random", (2, 3), seed))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", WINDOWED)
def test_windowed(name, kind):
    smallest = WINDOWED[name]
    assert METRICS[name].smallest == smallest
    agree(name, triple(kind, (smallest, smallest + 3), 5))
    if smallest < 20:
        agree(name, triple(kind, (smallest + 6, smallest + 1), 6))


def test_qy_about_its_threshold():
    """Sources whose local similarity lies on both sides of 0.75."""
    agree("Qy", triple("similar sources", (36, 40), 9))


@pytest.mark.parametrize("kind", ["smooth", "few levels"])
def test_ms_ssim(kind):
    agree("MS-SSIM", triple(kind, (161, 162), 7))


def test_fmi_of_windows_that_are_one_pixel_alone():
    """Without any entropy there is nothing to share, unless the windows are equal."""
    first, second = np.zeros((2, 3, 3), np.uint8)
    first[0, 1], second[2, 0] = 200, 90
    assert METRICS["FMI_pixel"](first, second, second) == 0
    assert METRICS["FMI_pixel"](first, second, first) == 0.5
    agree("FMI_pixel", [first, second, first])


def test_fmi_of_windows_that_differ_in_contrast_alone_or_are_one_pixel_with_little_beside():
    random = np.random.default_rng(3)
    image = random.integers(0, 120, (14, 17)).astype(np.uint8)
    assert METRICS["FMI_pixel"](2 * image, image, image) == pytest.approx(1)
    spikes = [np.where(random.random((14, 17)) < 0.12, 255, random.integers(0, 2, (14, 17))).astype(np.uint8) for _ in range(3)]
    agree("FMI_pixel", spikes)


@pytest.mark.parametrize("kind", KINDS)
def test_ssim_is_scikit_images(kind):
    fused, infrared, visible = triple(kind, (70, 83), 5)
    wangs = {"data_range": 255, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    expected = [structural_similarity(source.astype(float), fused.astype(float), **wangs) for source in (infrared, visible)]
    assert METRICS["SSIM"](fused, infrared, visible) == pytest.approx(np.mean(expected), abs=1e-10)


@pytest.mark.parametrize("kind", ["random", "flat halves"])
def test_fmi_of_transforms(kind):
    """The windows by loop; the transforms from PyWavelets and, for the cosine transform, from SciPy's, rounded and stretched alike."""
    images = triple(kind, (14, 12), 8)

    def wavelet(image):
        approximation, (horizontal, vertical, diagonal) = pywt.dwt2(image.astype(float), "dmey", mode="symmetric")
        bands = np.vstack([np.hstack([approximation, horizontal]), np.hstack([vertical, diagonal])]).round(9)
        return (bands - bands.min()) / (bands.max() - bands.min())

    fused, *sources = (wavelet(image) for image in images)
    assert METRICS["FMI_w"](*images) == pytest.approx(fmi(fused, sources), rel=1e-9)
    fused, *sources = (dctn(image.astype(float), norm="ortho").round(9) for image in images)
    assert METRICS["FMI_dct"](*images) == pytest.approx(fmi(fused, sources), rel=1e-9)


def test_every_metric_has_a_loop():
    assert set(LOOPS) | {"FMI_w", "FMI_dct"} == set(METRICS)

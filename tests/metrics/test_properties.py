"""What the definitions imply: symmetry, known optima, known values, effect of scaling, and values where a formula has none."""

import math
import warnings

import numpy as np
import pytest

from ivfnb.images import LevelsWarning
from ivfnb.metrics import ELEVEN, METRICS, score

SHAPE = (161, 163)  # the smallest MS-SSIM takes


@pytest.fixture(scope="module")
def textures() -> list[np.ndarray]:
    """Three images (161, 163) with structure and noise: fused, infrared, visible."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    waves = [60 * np.sin(x / 7 + y / 19), 50 * np.sin(x * y / 900), 0]
    waves[2] = (waves[0] + waves[1]) / 2
    return [np.clip(125 + wave + random.normal(0, 20, SHAPE), 0, 255).astype(np.uint8) for wave in (waves[2], waves[0], waves[1])]


@pytest.fixture(scope="module")
def scores(textures) -> dict[str, float]:
    return score(*textures, names="all")


def test_all_are_given_in_range_and_in_order(scores):
    assert list(scores) == list(METRICS)
    assert list(METRICS)[: len(ELEVEN)] == list(ELEVEN)
    for name, value in scores.items():
        low, high = METRICS[name].value_range
        assert type(value) is float, name
        assert low <= value <= high, name


def test_swapping_the_sources_changes_nothing(textures, scores):
    fused, infrared, visible = textures
    swapped = score(fused, visible, infrared, names="all")
    for name, value in scores.items():
        # VIFF alone is not symmetric: where both gains are 0 the visible image counts.
        assert swapped[name] == pytest.approx(value, rel=1e-4 if name == "VIFF" else 1e-12), name


def test_identical_images_give_the_optimum(textures):
    image = textures[0]
    found = score(image, image, image, names="all")
    entropy = found["EN"]
    best = {
        "CE": 0,
        "Nabf": 0,
        "MI": 2 * entropy,
        "VIFF": 1,
        "PSNR": math.inf,
        "RMSE": 0,
        "SSIM": 1,
        "MS-SSIM": 1,
        "VIF": 1,
        "CC": 1,
        "NMI": 2,
    }
    best |= {"FMI_pixel": 1, "FMI_w": 1, "FMI_dct": 1, "Qcb": 1, "Qcv": 0, "Qy": 1}
    best["SCD"] = 0  # both differences are constant
    eigenvalues = np.array([1 + entropy / 4, 1 - entropy / 8, 1 - entropy / 8]) / 3  # of a matrix with H/8 off its diagonal
    best["Qncie"] = 1 + float(np.sum(eigenvalues * np.log2(eigenvalues))) / 8
    for name, value in best.items():
        assert found[name] == pytest.approx(value, rel=1e-9, abs=1e-9), name
    # The equal strengths are their own ratio, which saturates the strength term; the angle term is that of equal angles.
    assert found["Qabf"] == pytest.approx(0.9994 * 0.9879 / (1 + math.exp(-22 * 0.2)), rel=1e-4)


def test_checkerboard():
    y, x = np.mgrid[:64, :64]
    board, stripes = ((x + y) % 2 * 255).astype(np.uint8), (x // 2 % 2 * 255).astype(np.uint8)
    assert METRICS["EN"](board) == 1.0
    assert METRICS["MI"](board, board, stripes) == pytest.approx(1.0, abs=1e-12)  # 1 bit with itself, none with the stripes
    assert METRICS["MI"](board, 255 - board, board) == pytest.approx(2.0, abs=1e-12)
    assert METRICS["NMI"](board, board, stripes) == pytest.approx(1.0, abs=1e-12)
    assert METRICS["SF"](board) == pytest.approx(255 * math.sqrt(2 * 63 / 64), rel=1e-12)
    assert METRICS["DF"](board) == pytest.approx(255, rel=1e-12)
    assert METRICS["AG"](board) == pytest.approx(255 * (4 * math.sqrt(1) + 4 * 62 * math.sqrt(0.5)) / 63**2, rel=1e-12)
    assert METRICS["SD"](board) == pytest.approx(127.5 * math.sqrt(4096 / 4095), rel=1e-12)
    assert METRICS["CC"](board, board, 255 - board) == pytest.approx(0, abs=1e-12)
    assert METRICS["SSIM"](255 - board, board, board) < -0.9


def test_ramp_has_known_edges():
    ramp = np.tile(np.arange(0, 250, 10.0), (30, 1))
    assert METRICS["EI"](ramp) == pytest.approx(80 * 23 / 25 + 40 * 2 / 25, rel=1e-12)  # the repeated border halves the outer columns
    assert METRICS["SF"](ramp) == pytest.approx(10 * math.sqrt(24 / 25), rel=1e-12)


def test_scaling_by_a_constant(textures):
    halved = [image / 2.0 for image in textures]
    before, after = score(*textures, names="all"), score(*halved, names="all")
    for name, power in {"EI": 1, "SF": 1, "SD": 1, "DF": 1, "AG": 1, "RMSE": 1}.items():
        assert after[name] == pytest.approx(before[name] / 2**power, rel=1e-12), name
    assert after["PSNR"] == pytest.approx(before["PSNR"] + 20 * math.log10(2), rel=1e-12)
    for name in ("SCD", "CC", "FMI_pixel", "Qcb", "Qcv"):  # Qcb and Qcv stretch every image first
        assert after[name] == pytest.approx(before[name], rel=1e-9), name
    doubled = score(*halved[:1], *(image * 2 for image in halved[1:]), names=["VIFF"])["VIFF"]
    assert after["VIFF"] < 1
    assert doubled < before["VIFF"]


def test_more_contrast_is_rewarded(textures):
    """Why EI, SF, SD, DF and VIFF alone prove little: stretching the fused image alone raises them all."""
    fused, infrared, visible = textures
    louder = np.clip(fused.mean() + 1.3 * (fused - fused.mean()), 0, 255)
    before, after = score(fused, infrared, visible), score(louder, infrared, visible)
    for name in ("EI", "SF", "SD", "DF", "VIFF"):
        assert after[name] > before[name], name


CONSTANT = {"EI": 0, "CE": 0, "SF": 0, "EN": 0, "Qabf": 0, "SCD": 0, "Nabf": 0, "MI": 0, "SD": 0, "DF": 0, "VIFF": 1}
CONSTANT |= {"AG": 0, "PSNR": math.inf, "RMSE": 0, "SSIM": 1, "MS-SSIM": 1, "VIF": 1, "CC": 0, "NMI": 0, "FMI_pixel": 1, "FMI_w": 1}
CONSTANT |= {"FMI_dct": 1, "Qcb": 1, "Qcv": 0, "Qy": 1, "Qncie": 1 - math.log2(3) / 8}


@pytest.mark.parametrize("level", [0, 0.3, 128, 255])
def test_identical_constant_images(level):
    """Documented values, no warning; a constant image has an edge against zeros beyond the border, hence Qabf and EI differ."""
    image = np.full(SHAPE, level)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", LevelsWarning)  # 0.3 may be meant as a share of 1
        found = score(image, image, image, names="all")
    expected = CONSTANT if level == 0 else {**CONSTANT, "Qabf": found["Qabf"]}
    assert 0 <= found["Qabf"] < 1
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-12, abs=1e-10), name


@pytest.mark.parametrize("convention", ["standard", "as_released", "vifb"])
@pytest.mark.parametrize("case", ["fused", "infrared", "visible", "sources", "all different"])
def test_partly_constant_images_give_numbers(textures, case, convention):
    flat = [case == "fused", case in ("infrared", "sources"), case in ("visible", "sources")] if case != "all different" else [True] * 3
    images = [np.full(SHAPE, 40 * i + 30, np.uint8) if is_flat else t for i, (is_flat, t) in enumerate(zip(flat, textures, strict=True))]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = score(*images, names="all", convention=convention)
    assert all(math.isfinite(value) for value in found.values())

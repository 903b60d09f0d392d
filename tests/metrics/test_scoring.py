"""`score`: what is refused and how, conventions, colour, missing sources."""

import re

import numpy as np
import pytest

from ivfnb import metrics
from ivfnb.commands.bench import peak_memory
from ivfnb.commands.bench.metrics import ALL_ELEVEN
from ivfnb.images import ImageError, matlab_imresize, to_gray
from ivfnb.metrics import CONVENTIONS, ELEVEN, METRICS, score

RANDOM = np.random.default_rng(1)
FUSED, INFRARED, VISIBLE = (RANDOM.integers(0, 256, (48, 52)).astype(np.uint8) for _ in range(3))
COLOUR = RANDOM.integers(0, 256, (48, 52, 3)).astype(np.uint8)
BAD = {
    "shape (48,)": np.zeros(48),
    "shape (48, 52, 4)": np.zeros((48, 52, 4)),
    "shape (0, 52)": None,
    "bool": np.zeros((48, 52), bool),
    "complex128": np.zeros((48, 52), complex),
    "object": np.full((48, 52), None),
    "levels from nan": np.full((48, 52), np.nan),
    "to inf": np.where(np.arange(52) == 3, np.inf, np.zeros((48, 52))),
    "-1": np.full((48, 52), -1),
    "255.5": np.full((48, 52), 255.5),
    "1x52 pixels": np.zeros((1, 52)),
}


@pytest.mark.parametrize("found", [found for found, image in BAD.items() if image is not None])
@pytest.mark.parametrize("argument", ["fused", "infrared", "visible"])
def test_bad_images_are_named(argument, found):
    images = {"fused": FUSED, "infrared": INFRARED, "visible": VISIBLE, argument: BAD[found]}
    with pytest.raises(ImageError, match=rf"^{argument}: found .*{re.escape(found)}.*, expected "):
        score(**images)
    with pytest.raises(ImageError, match=rf"^{argument}: found .*{re.escape(found)}.*, expected "):
        metrics.qabf(**images)


def test_empty_and_small_images_are_named():
    with pytest.raises(ValueError, match="fused: found 0x52 pixels, expected at least 2x2"):
        score(FUSED[:0], INFRARED, VISIBLE)
    with pytest.raises(ValueError, match="fused: found 40x52 pixels, expected at least 41x41 for VIFF"):
        score(FUSED[:40], INFRARED[:40], VISIBLE[:40])
    assert np.isfinite(score(FUSED[:41, :41], INFRARED[:41, :41], VISIBLE[:41, :41])["VIFF"])
    with pytest.raises(ValueError, match="expected at least 161x161 for MS-SSIM"):
        score(FUSED, INFRARED, VISIBLE, names="all")


def test_sizes_must_agree_except_as_released():
    small = INFRARED[:45, :45]
    for convention in ("standard", "vifb"):
        with pytest.raises(ValueError, match=r"infrared: found shape \(45, 45\), expected that of fused, \(48, 52\)"):
            score(FUSED, small, VISIBLE, convention=convention)
    resized = score(FUSED, matlab_imresize(small, (48, 52)), VISIBLE, convention="as_released")
    assert score(FUSED, small, VISIBLE, convention="as_released") == resized


def test_as_released_replaces_two_metrics_only():
    standard, released = score(FUSED, INFRARED, VISIBLE), score(FUSED, INFRARED, VISIBLE, convention="as_released")
    assert {name for name in ELEVEN if standard[name] != released[name]} == {"SCD", "MI"}
    assert released["MI"] == 2 * released["EN"]
    assert score(FUSED + 0.3 * (FUSED < 255), INFRARED, VISIBLE, convention="as_released") == released  # rounded to uint8 first


@pytest.mark.parametrize("argument", ["names", "convention", "channels"])
def test_unknown_words_are_named(argument):
    with pytest.raises(ValueError, match=rf"{argument}: found .*nonsense.*, expected "):
        score(FUSED, INFRARED, VISIBLE, **{argument: "nonsense"})


def test_vifb_has_its_thirteen_only():
    assert len(score(FUSED, INFRARED, VISIBLE, convention="vifb", names="all")) == 13
    with pytest.raises(ValueError, match=r"names: found .*Nabf"):
        score(FUSED, INFRARED, VISIBLE, names=["Nabf"], convention="vifb")


def test_vifb_rules():
    """On grey images: nats, sums, a root of sums over the number of pixels, divisor N; the rest as standard."""
    found = score(FUSED, INFRARED, VISIBLE, convention="vifb")
    standard = score(FUSED, INFRARED, VISIBLE, names=CONVENTIONS["vifb"].names)
    rmse = sum(np.linalg.norm(FUSED - source.astype(float)) / FUSED.size for source in (INFRARED, VISIBLE)) / 2
    own = {"MI": standard["MI"] * np.log(2), "SSIM": 2 * standard["SSIM"], "SD": FUSED.std()}
    own |= {"RMSE": rmse, "PSNR": 20 * np.log10(255 / np.sqrt(rmse))}
    for name, value in (standard | own).items():
        assert found[name] == pytest.approx(value, rel=1e-12), name


def test_names_are_put_into_the_registrys_order():
    assert list(score(FUSED, INFRARED, VISIBLE, names=["VIFF", "EI", "SSIM", "CE"])) == ["EI", "CE", "VIFF", "SSIM"]
    assert list(score(FUSED, INFRARED, VISIBLE, names="SF")) == ["SF"]


def test_without_sources():
    assert list(score(FUSED, None, None)) == ["EI", "SF", "EN", "SD", "DF"]
    assert score(FUSED, None, None, names=["SD"]) == score(FUSED, INFRARED, VISIBLE, names=["SD"])
    with pytest.raises(ValueError, match=r"infrared: found None, expected an image, since \['CE'\] compare with the sources"):
        score(FUSED, None, None, names=["CE", "EN"])
    with pytest.raises(ValueError, match="visible: found None"):
        METRICS["CE"](FUSED, INFRARED)


def test_colour_is_scored_on_luma_or_on_the_channels_mean():
    luma = score(COLOUR, INFRARED, VISIBLE)
    assert luma == score(to_gray(COLOUR), INFRARED, VISIBLE)
    each = [score(COLOUR[..., i], INFRARED, VISIBLE) for i in range(3)]
    mean = score(COLOUR, INFRARED, VISIBLE, channels="mean")
    for name in ELEVEN:
        assert mean[name] == pytest.approx(np.mean([values[name] for values in each]), rel=1e-12)
    gray = np.repeat(FUSED[..., None], 3, axis=2)
    assert score(gray, INFRARED, VISIBLE) == score(FUSED, INFRARED, VISIBLE)


def test_vifb_takes_sf_across_the_seams_of_the_channels():
    found = score(COLOUR, COLOUR, COLOUR, convention="vifb", names=["SF", "SD"])
    assert found["SF"] == METRICS["SF"](np.hstack([COLOUR[..., i] for i in range(3)]))
    assert found["SD"] == pytest.approx(np.mean([COLOUR[..., i].std() for i in range(3)]))


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.uint32, np.float32, np.float64])
@pytest.mark.parametrize("convention", CONVENTIONS)
def test_numeric_types_give_one_result(dtype, convention):
    found = score(*(image.astype(dtype) for image in (FUSED, INFRARED, VISIBLE)), convention=convention)
    assert found == score(FUSED, INFRARED, VISIBLE, convention=convention)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_uint16_levels_are_divided_by_257_as_everywhere(convention):
    images = FUSED, INFRARED, VISIBLE
    deep = [image.astype(np.uint16) * 257 for image in images]
    assert score(*deep, convention=convention) == score(*images, convention=convention)
    assert score(deep[0], *images[1:], convention=convention) == score(*images, convention=convention)
    assert metrics.spatial_frequency(deep[0] // 2) == metrics.spatial_frequency((deep[0] // 2) / 257)
    colour = COLOUR.astype(np.uint16) * 257
    mean = score(colour, INFRARED, VISIBLE, convention=convention, channels="mean")
    assert mean == score(COLOUR, INFRARED, VISIBLE, convention=convention, channels="mean")
    luma = score(colour, INFRARED, VISIBLE, convention=convention, channels="luma")
    assert luma == score(COLOUR.astype(float), INFRARED, VISIBLE, convention=convention, channels="luma")


def test_images_are_left_alone_and_may_be_read_only_and_strided():
    images = [np.repeat(image, 2, axis=1)[:, ::2] for image in (FUSED, INFRARED, VISIBLE)]
    for image in images:
        image.flags.writeable = False
    assert score(*images) == score(FUSED, INFRARED, VISIBLE)


def test_a_metric_called_alone_is_that_of_score():
    found = score(FUSED, INFRARED, VISIBLE, names=[name for name in METRICS if METRICS[name].smallest <= 48])
    for name, value in found.items():
        images = (FUSED, INFRARED, VISIBLE) if METRICS[name].needs_sources else (FUSED,)
        assert METRICS[name](*images) == value
    with pytest.raises(ValueError, match=r"fused: found an array of shape \(48, 52, 3\), expected a grey image"):
        METRICS["EN"](COLOUR)


def test_memory_of_the_eleven_stays_below_300_mb():
    """Peak of a fresh process, libraries included, for a 768x576 triple."""
    assert peak_memory(ALL_ELEVEN) < 300e6

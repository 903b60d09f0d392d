"""What numbers mean: `levels` at every door, and the warnings where they are in doubt."""

import warnings

import cv2
import numpy as np
import pytest
import tifffile

import ivfnb
from ivfnb import enhance, fusion, images
from ivfnb.datasets import DatasetError, FusedImage, ImagePair, dataset
from ivfnb.images import Levels, LevelsWarning

RNG = np.random.default_rng(3)
PLAIN = fusion.Protocol(classifier="gradient_energy")


@pytest.fixture(scope="module")
def pair():
    whole = dataset("sample")["camera"]
    return whole.infrared, whole.visible, images.to_uint8(0.4 * whole.infrared + 0.6 * whole.visible)


@pytest.fixture
def files(pair, tmp_path):
    """The infrared image in 8 bits, and in 16 bits with 14 of them used, as counts 30..300, and in a fiftieth of the range."""
    infrared, visible, fused = pair
    images.write_image(tmp_path / "ir8.png", infrared)
    images.write_image(tmp_path / "vis.png", visible)
    images.write_image(tmp_path / "fused.png", fused)
    deep = infrared.astype(float)
    tifffile.imwrite(tmp_path / "ir14.tif", np.round(deep * 16383 / 255).astype(np.uint16))
    cv2.imwrite(str(tmp_path / "counts.png"), np.round(30 + deep * 270 / 255).astype(np.uint16))
    cv2.imwrite(str(tmp_path / "fiftieth.png"), np.round(40_000 + deep * 1310 / 255).astype(np.uint16))
    return tmp_path


LOW = {"ir14.tif": "0:16383", "counts.png": "30:300", "fiftieth.png": "40000:41310"}


# --- what levels say ---


def test_parse_takes_words_numbers_and_text_and_names_what_is_wrong():
    assert [str(Levels.parse(what)) for what in ("full", "minmax", "0:16383", (-10, 38.5), Levels("full"))] == [
        "full",
        "minmax",
        "0:16383",
        "-10:38.5",
        "full",
    ]
    assert Levels.parse(None) is None
    for wrong in ("half", "10:10", "20:10", "1:2:3", "a:b", "nan:3", "", (1,), 7, ("x", 2)):
        with pytest.raises(ValueError, match=r"--levels: found .*, expected 'full', 'minmax' or LOW:HIGH"):
            Levels.parse(wrong, "--levels")


@pytest.mark.parametrize(("dtype", "most"), [("u1", 255), ("u2", 65535), ("i2", 32767), ("f4", 255), (">u2", 65535), ("i1", 127)])
def test_full_is_the_whole_range_of_the_container(dtype, most):
    image = np.array([[0, most]]).astype(dtype)
    np.testing.assert_allclose(images.levels(image, levels="full"), [[0, 255]])


def test_values_outside_a_range_are_cut_and_said_where_they_are_many():
    image = np.arange(1000, dtype=np.uint16).reshape(10, 100)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert images.levels(image, levels=(0, 995)).max() == 255
    with pytest.warns(LevelsWarning, match=r"ir: found values from 0 to 999, 49\.9 % of them outside the levels 0:500"):
        assert images.levels(image, "ir", (0, 500)).max() == 255
    with pytest.raises(images.ImageError, match="found the value 7 everywhere"):
        images.levels(np.full((4, 4), 7, np.uint16), levels="minmax")
    with pytest.raises(images.ImageError, match="found values from -5 to 5, expected 0 to 32767 for levels 'full'"):
        images.levels(np.array([[-5, 5]], np.int16), levels="full")


def test_byte_order_does_not_matter_and_a_mask_is_refused(pair):
    infrared, visible, fused = pair
    deep = infrared.astype(np.uint16) * 257
    np.testing.assert_array_equal(images.levels(deep.astype(">u2")), images.levels(deep))
    swapped = fusion.fuse(deep.astype(">u2"), visible.astype(">f4"), protocol=PLAIN).fused
    np.testing.assert_array_equal(swapped, fusion.fuse(deep, visible, protocol=PLAIN).fused)
    assert ivfnb.score(fused.astype(">f8"), deep.astype(">u2"), visible) == ivfnb.score(fused, infrared, visible)
    masked = np.ma.masked_less(infrared, 9)
    for call in (
        lambda: images.levels(masked, "infrared"),
        lambda: fusion.fuse(masked, visible, protocol=PLAIN),
        lambda: ivfnb.score(fused, masked, visible),
        lambda: ivfnb.metrics.standard_deviation(masked),
        lambda: enhance.stretch(masked),
        lambda: images.write_image("never.png", masked),
        lambda: ivfnb.BASELINES["CBF"].fuse(masked, visible),
    ):
        with pytest.raises(ValueError, match=r"found a masked array, expected an array without a mask"):
            call()
    with pytest.raises(ValueError, match="visible: found a masked array"):
        fusion.fuse(infrared, np.ma.masked_less(visible, 9), protocol=PLAIN)


# --- files of 16 bits and of floating point ---


@pytest.mark.parametrize("name", LOW)
def test_sixteen_bits_that_are_hardly_used_are_warned_of_by_file_and_range(files, name):
    stored = cv2.imread(str(files / name), cv2.IMREAD_UNCHANGED)
    said = rf"{name}: found uint16 values from {stored.min()} to {stored.max()}, a small part of 0\.\.65535.*--levels"
    with pytest.warns(LevelsWarning, match=said):
        images.read_infrared(files / name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        images.read_infrared(files / name, levels=LOW[name])
        images.read_infrared(files / name, levels="full")


def test_sixteen_bits_that_are_used_are_not_warned_of(files, pair):
    cv2.imwrite(str(files / "whole.png"), pair[0].astype(np.uint16) * 257)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(images.read_infrared(files / "whole.png"), pair[0])


@pytest.mark.parametrize("name", LOW)
@pytest.mark.parametrize("convention", ["standard", "as_released"])
def test_score_with_levels_gives_the_values_of_the_8_bit_pair(files, name, convention):
    visible, fused = images.read_gray(files / "vis.png"), images.read_gray(files / "fused.png")
    right = ivfnb.score(fused, images.read_gray(files / "ir8.png"), visible, convention=convention)
    found = ivfnb.score(fused, images.read_infrared(files / name, LOW[name]), visible, convention=convention)
    for metric, value in right.items():
        assert found[metric] == pytest.approx(value, rel=0.01, abs=2e-3), metric
    raw = cv2.imread(str(files / name), cv2.IMREAD_UNCHANGED)
    arrays = ivfnb.score(fused, raw, visible, convention=convention, levels=LOW[name])
    assert arrays == pytest.approx(found, rel=1e-9), "levels hold for arrays alike, and leave images of 8 bits alone"
    with pytest.warns(LevelsWarning, match="infrared: found uint16"):
        wrong = ivfnb.score(fused, raw, visible, convention=convention)
    assert any(abs(wrong[metric] - value) > 0.1 * abs(value) for metric, value in right.items())


def test_levels_reach_pairs_sets_fused_images_and_fuse(files):
    right = images.read_infrared(files / "ir14.tif", "0:16383")
    for pair in (
        ImagePair("x", files / "ir14.tif", files / "vis.png", levels="0:16383"),
        ImagePair("x", files / "ir14.tif", files / "vis.png", levels_infrared=(0, 16383)),
        ImagePair("x", cv2.imread(str(files / "ir14.tif"), -1), files / "vis.png", levels=Levels.parse("0:16383", deep=True)),
    ):
        np.testing.assert_array_equal(pair.infrared, right)
        assert pair.visible.dtype == np.uint8
    (files / "ir").mkdir()
    (files / "vis").mkdir()
    (files / "ir14.tif").rename(files / "ir" / "x.tif")
    (files / "vis.png").rename(files / "vis" / "x.png")
    folders = {"infrared": files / "ir", "visible": files / "vis"}
    data = dataset("folder", **folders, levels="minmax", levels_infrared="0:16383", levels_visible="10:240")
    for pair in (data[0], data[:1]["x"]):
        np.testing.assert_array_equal(pair.infrared, right)
        assert pair.visible.dtype == np.float64
    assert FusedImage("x", files / "ir" / "x.tif", levels="full").fused.max() < 64
    raw, visible = cv2.imread(str(files / "ir" / "x.tif"), -1), images.read_gray(files / "vis" / "x.png")
    expected = fusion.fuse(right, visible, protocol=PLAIN).fused
    for levels in ({"levels": "0:16383"}, {"levels_infrared": (0, 16383)}):
        np.testing.assert_array_equal(fusion.fuse(raw, visible, protocol=PLAIN, **levels).fused, expected)
    with pytest.raises(ValueError, match="levels_infrared: found 'warm'"):
        dataset("folder", **folders, levels_infrared="warm")


@pytest.mark.parametrize(("low", "high"), [(12, 38), (240, 255), (-12, 38), (260, 310), (0, 1), (0, 255)])
def test_float_files_are_never_silently_levels(tmp_path, pair, low, high):
    degrees = (low + pair[0].astype(np.float32) * (high - low) / 255).astype(np.float32)
    tifffile.imwrite(tmp_path / "t.tif", degrees)
    with pytest.raises(images.ImageError, match=r"t\.tif: found float32 values from .*--levels-infrared"):
        images.read_infrared(tmp_path / "t.tif")
    with pytest.raises(DatasetError, match=r"t\.tif: found float32 values"):
        _ = ImagePair("t", tmp_path / "t.tif", pair[1]).infrared
    np.testing.assert_allclose(images.read_infrared(tmp_path / "t.tif", levels=f"{low}:{high}"), pair[0], atol=2e-3)
    whole = enhance.stretch(pair[0])
    np.testing.assert_allclose(images.read_infrared(tmp_path / "t.tif", levels="minmax"), whole, atol=2e-3)


def test_twelve_bit_colour_in_sixteen_keeps_its_chroma(tmp_path, pair):
    colours = np.dstack([pair[1], pair[0], pair[2]])
    cv2.imwrite(str(tmp_path / "vis12.png"), colours[..., ::-1].astype(np.uint16) * 16)
    with pytest.warns(LevelsWarning, match=r"vis12\.png: found uint16 values .* such as 0:4095 for 12 bits"):
        dark = images.read_image(tmp_path / "vis12.png")
    chroma = [np.std(images.to_ycbcr(each)[..., 1:]) for each in (colours, dark, images.read_image(tmp_path / "vis12.png", "0:4080"))]
    assert chroma[1] < 0.07 * chroma[0]
    assert chroma[2] == pytest.approx(chroma[0])


# --- arrays on the scale 0..1 ---


def test_arrays_that_stop_at_one_are_warned_of_at_every_door(pair, tmp_path):
    infrared, visible, fused = (image / 255 for image in pair)
    with pytest.warns(LevelsWarning, match=r"fused: found float64 values from .* such as 0:1"):
        ivfnb.score(fused, infrared, visible)
    with pytest.warns(LevelsWarning, match=r"infrared: found float64 values .* such as 0:1"):
        fusion.fuse(infrared, np.dstack([visible] * 3), protocol=PLAIN)
    with pytest.warns(LevelsWarning, match=r"black\.png: found float64 values up to 1, expected grey levels 0\.\.255"):
        images.write_image(tmp_path / "black.png", visible / visible.max())
    with pytest.warns(LevelsWarning, match="such as 0:1"):
        ivfnb.metrics.entropy(fused)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ivfnb.score(fused, infrared, visible, levels="0:1") == pytest.approx(ivfnb.score(pair[2], *pair[:2]))
        said = fusion.fuse(infrared, visible, protocol=PLAIN, levels=(0, 1)).fused
    assert np.abs(said.astype(int) - fusion.fuse(*pair[:2], protocol=PLAIN).fused).max() <= 1
    with pytest.warns(LevelsWarning, match="infrared: found a coloured infrared image"):
        ivfnb.score(pair[2], np.dstack([pair[0], pair[1], pair[2]]), pair[1], ["EN", "MI"])


def test_degrees_in_an_array_are_warned_of(pair):
    degrees = 12 + pair[0] * (26 / 255)
    with pytest.warns(LevelsWarning, match=r"infrared: found float64 values from 15\.\d+ to 36\.\d+, a small part of the grey levels"):
        fusion.fuse(degrees, pair[1], protocol=PLAIN)


# --- dead and hot pixels ---


def test_the_percentile_stretch_is_not_led_by_a_dead_and_a_hot_pixel(pair):
    scene = 13 + pair[0] * (17 / 255)
    spoiled = scene.copy()
    spoiled[5, 5], spoiled[9, 9] = 0, 255
    used = {}
    for name, image in (("whole", scene), ("spoiled", spoiled)):
        for how in ("stretch", "percentile"):
            protocol = fusion.Protocol(classifier="none", enhance_infrared=how)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", LevelsWarning)
                inner = np.percentile(fusion.fuse(image, pair[1], protocol=protocol).enhanced_infrared, (1, 99))
            used[name, how] = inner[1] - inner[0]
    assert used["spoiled", "stretch"] < 0.1 * used["whole", "stretch"]
    assert used["spoiled", "percentile"] > 0.98 * used["whole", "percentile"]
    assert fusion.AS_PAPER.enhance_infrared == fusion.AS_RELEASED.enhance_infrared == "stretch", "as published"
    with pytest.raises(ValueError, match="low, high: found 60 and 40"):
        enhance.percentile_stretch(scene, 60, 40)

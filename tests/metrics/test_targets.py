import numpy as np
import pytest

from ivfnb import images
from ivfnb.metrics import targets


@pytest.fixture(scope="module")
def infrared() -> np.ndarray:
    """Level 60 with two hot discs (radius 5 at level 200, radius 4 at level 160) and a speck of 9 hot pixels."""
    image = np.full((120, 150), 60, np.uint8)
    y, x = np.indices(image.shape)
    image[np.hypot(y - 30, x - 40) <= 5] = 200
    image[np.hypot(y - 80, x - 100) <= 4] = 160
    image[100:103, 10:13] = 220
    return image


def test_regions_are_the_two_discs(infrared):
    labels = targets.hot_regions(infrared)
    assert set(np.unique(labels)) == {0, 1, 2}
    np.testing.assert_array_equal(labels > 0, np.isin(infrared, (160, 200)))
    assert targets.hot_regions(infrared, least=50).max() == 1
    assert targets.hot_regions(infrared, least=5).max() == 3
    assert targets.hot_regions(infrared, percentile=99.5).max() == 1  # the smaller disc is no longer among the hottest


def test_the_largest_target_and_what_is_around_it(infrared):
    assert targets.largest_target(infrared, margin=10) == (slice(15, 46), slice(25, 56))
    assert targets.largest_target(infrared, margin=40) == (slice(0, 76), slice(0, 86))
    assert targets.largest_target(np.full((40, 50), 9, np.uint8)) == (slice(0, 40), slice(0, 50))


def test_diagonal_pixels_connect_and_saturation_counts():
    image = np.zeros((60, 60), np.uint8)
    rows = np.arange(30)
    image[rows + 10, rows + 10] = 255
    assert targets.hot_regions(image).max() == 1
    image[:20] = 255  # a third is saturated: the 99th percentile is the maximum
    assert (targets.hot_regions(image) > 0).sum() == (image == 255).sum()
    assert not targets.hot_regions(np.full((40, 40), 255, np.uint8)).any()


def test_contrasts_are_those_of_the_discs(infrared):
    np.testing.assert_allclose(targets.target_contrasts(infrared, infrared), [140, 100])
    np.testing.assert_allclose(targets.target_contrasts(255.0 - infrared, infrared), [-140, -100])
    assert targets.target_contrasts(np.full_like(infrared, 9), infrared).tolist() == [0, 0]


def test_surroundings_leave_out_specks_and_the_blurred_edge(infrared):
    image = infrared.copy()
    image[80, 107:110] = 220  # hot specks in the ring of the smaller disc
    y, x = np.indices(image.shape)
    halo = np.hypot(y - 30, x - 40)
    image[(halo > 5) & (halo <= 6.5)] = 130  # not hot enough to belong to it
    np.testing.assert_allclose(targets.target_contrasts(image, image), [140, 100])


def test_the_surroundings_end_12_pixels_away(infrared):
    image = infrared.copy()
    image[80, 116:] = 0  # 12 pixels from the smaller disc, whose edge is at column 104, and farther
    changed = targets.target_contrasts(image, infrared)
    assert changed[0] == 140
    assert 100 < changed[1] < 101, "the pixel at 12 counts"
    image[80, 116] = 60
    assert targets.target_contrasts(image, infrared).tolist() == [140, 100], "those farther do not"


def test_targets_without_surroundings_are_left_out():
    image = np.full((30, 60), 60, np.uint8)
    image[:, 16:26], image[:, 29:41], image[:, 44:] = 200, 210, 220  # three pixels apart, none of which is farther than 2 from a target
    assert targets.target_contrasts(image, image, percentile=30).tolist() == [140]
    assert targets.target_contrasts(image, np.full_like(image, 50)).shape == (0,)


@pytest.mark.parametrize(("gain", "offset"), [(1.0, 0.0), (0.5, 30.0), (0.25, 0.0), (0.0, 80.0)])
def test_retention_is_the_gain_in_levels_and_1_in_deviations(infrared, gain, offset):
    fused = infrared * gain + offset
    assert targets.target_retention(fused, infrared) == pytest.approx(gain)
    assert targets.target_retention(fused, infrared, unit="deviations") == pytest.approx(1.0 if gain else 0.0)


def test_a_lost_target_lowers_retention_by_its_contrast(infrared):
    fused = np.where(infrared == 200, 60, infrared)
    assert targets.target_retention(fused, infrared) == pytest.approx(100 / 240)
    assert targets.target_retention(255 - infrared, infrared) == pytest.approx(-1)


def test_fused_images_of_other_sizes_and_colours(infrared):
    larger = images.resize(infrared, (240, 300), "nearest")
    assert targets.target_retention(larger, infrared) == pytest.approx(1, abs=0.1)
    assert targets.target_retention(np.dstack([infrared] * 3), infrared) == pytest.approx(1)


def test_without_targets_there_is_no_number(infrared):
    assert np.isnan(targets.target_retention(infrared, np.full_like(infrared, 50)))
    assert np.isnan(targets.target_retention(infrared, infrared, least=500))


def test_bad_arguments_are_refused(infrared):
    with pytest.raises(ValueError, match=r"unit: found 'sigma', expected one of \('levels', 'deviations'\)"):
        targets.target_retention(infrared, infrared, unit="sigma")
    with pytest.raises(ValueError, match="percentile: found 100"):
        targets.hot_regions(infrared, percentile=100)
    with pytest.raises(ValueError, match="infrared: found an array"):
        targets.hot_regions(np.dstack([infrared] * 3))

import cv2
import numpy as np
import pytest

from ivfnb.metrics import truth


@pytest.fixture(scope="module")
def pair() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(infrared, visible, truth) 100x120 of noise: visible sharp in the left half, infrared in the right one, both flat at the bottom."""
    sharp = np.random.default_rng(0).integers(80, 176, (100, 120)).astype(np.float64)
    sharp[60:] = 128
    blurred = cv2.GaussianBlur(sharp, (15, 15), 9)
    mask = np.zeros((100, 120), np.uint8)
    mask[:, :60] = 255
    return np.where(mask > 0, blurred, sharp), np.where(mask > 0, sharp, blurred), mask


def test_judged_are_textured_pixels_away_from_the_edge(pair):
    judged = truth.judged_pixels(*pair)
    columns, rows = np.flatnonzero(judged.any(axis=0)), np.flatnonzero(judged.any(axis=1))
    assert not judged[:, 60 - 16 : 60 + 16].any()  # 16 pixels from the edge or less
    assert judged[:50, 43].all()
    assert judged[:50, 76].all()
    assert (columns[0], columns[-1]) == (0, 119)
    assert rows[0] == 0
    assert 60 <= rows[-1] < 60 + 16 + 4  # a window that holds but flat pixels is not judged
    assert truth.judged_pixels(*pair, margin=5)[:50, 54].all()
    assert not truth.judged_pixels(*pair, texture=60).any()


def test_a_perfect_a_reversed_and_an_undecided_map(pair):
    mask = pair[2]
    perfect = mask / 255
    assert truth.map_accuracy(perfect, *pair).right == 1
    assert truth.map_accuracy(1 - perfect, *pair).right == 0
    assert truth.map_accuracy(np.full(mask.shape, 0.5), *pair).right == 0
    always_visible = truth.map_accuracy(np.ones(mask.shape), *pair)
    assert always_visible.right == pytest.approx(0.5, abs=0.02)
    assert always_visible.judged == truth.judged_pixels(*pair).mean()
    nothing = truth.map_accuracy(perfect, np.full(mask.shape, 9.0), np.full(mask.shape, 9.0), mask)
    assert np.isnan(nothing.right)
    assert nothing.judged == 0


def test_a_mask_is_visible_above_the_middle_level(pair):
    for level, right in ((127, 0), (128, 1)):
        assert truth.map_accuracy(np.ones(pair[2].shape), *pair[:2], np.full(pair[2].shape, level, np.uint8)).right == right


def test_texture_is_that_of_the_sharper_source(pair):
    infrared, visible, mask = pair
    assert truth.judged_pixels(infrared, visible, mask, texture=10)[:40, :40].all()
    assert not truth.judged_pixels(visible, infrared, mask, texture=10).any()  # the source called sharp is the blurred one
    assert truth.judged_pixels(infrared, visible, np.full_like(mask, 255), texture=10)[:40, :40].all()  # a mask without an edge


def test_sizes_must_agree(pair):
    infrared, visible, mask = pair
    with pytest.raises(ValueError, match="infrared, visible, truth: found sizes"):
        truth.judged_pixels(infrared, visible, mask[1:])
    with pytest.raises(ValueError, match="weight_map: found shape"):
        truth.map_accuracy(np.ones((3, 3)), *pair)

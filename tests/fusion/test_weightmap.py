import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from random_networks import random_network, random_pair

from ivfnb.classifier import grid, windows
from ivfnb.classifier.network import planes
from ivfnb.fusion import weightmap

pytestmark = pytest.mark.usefixtures("one_thread")


def loop_over_windows(values, shape, stride):
    """Sum of `values` (rows, columns) over the windows that cover a pixel, and how many do."""
    total, count = np.zeros(shape), np.zeros(shape)
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            window = slice(row * stride, row * stride + 32), slice(column * stride, column * stride + 32)
            total[window] += values[row, column]
            count[window] += 1
    return total, count


def scores_of(decisions):
    """Logits (2, rows, columns, 2) from strings of classes: "01" is class 0 for visible above infrared and 1 for the other order."""
    classes = np.array([[[int(order) for order in window] for window in row] for row in decisions])
    return np.eye(2, dtype=np.float32)[np.moveaxis(classes, 2, 0)]


@pytest.fixture(scope="module")
def net():
    return random_network(0)


@pytest.mark.parametrize("branches", ["gradients", "gray"])
@pytest.mark.parametrize("stride", [5, 8])
def test_batched_equals_the_loop(branches, stride):
    net = random_network(1, branches)
    visible, infrared = random_pair(2, (44, 51))
    expected = windows.window_scores_reference(net, visible, infrared, stride)
    found = windows.window_scores_batched(net, visible, infrared, stride, batch=5)
    assert expected.shape == (2, (44 - 32) // stride + 1, (51 - 32) // stride + 1, 2)
    assert expected.dtype == found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert np.ptp(expected) > 0.1  # the comparison is of windows that differ


def test_the_loop_sees_the_windows_of_whole_image_planes_in_both_orders(net):
    visible, infrared = random_pair(3, (40, 48))
    row, column = 1, 2
    cut = np.s_[:, 8 * row : 8 * row + 32, 8 * column : 8 * column + 32]
    upper, lower = (torch.from_numpy(planes(image)[cut]) for image in (visible, infrared))
    with torch.no_grad():
        expected = [net(torch.cat(pair, dim=1)[None])[0].numpy() for pair in ((upper, lower), (lower, upper))]
    found = windows.window_scores_reference(net, visible, infrared)
    np.testing.assert_array_equal(found[:, row, column], expected)


def test_a_net_in_training_mode_is_used_in_eval_mode_and_left_as_it_was(net):
    visible, infrared = random_pair(4, (40, 40))
    expected = windows.window_scores(net, visible, infrared)
    training = random_network(0).train()
    np.testing.assert_array_equal(windows.window_scores(training, visible, infrared), expected)
    assert training.training
    assert all(module.training for module in training.modules())


@pytest.mark.parametrize(
    ("visible", "infrared", "stride", "message"),
    [
        (np.zeros((31, 40)), np.zeros((31, 40)), 8, "visible: found an array of shape"),
        (np.zeros((40, 40)), np.zeros((40, 40, 3)), 8, "infrared: found an array of shape"),
        (np.zeros((40, 40)), np.full((40, 40), np.nan), 8, "infrared: found levels from nan to nan, which are not finite"),
        (np.zeros((40, 40)), np.zeros((40, 48)), 8, "visible, infrared: found shapes"),
        (np.zeros((40, 40)), np.zeros((40, 40)), 0, "stride: found 0"),
        (np.zeros((40, 40)), np.zeros((40, 40)), 2.5, "stride: found 2.5"),
    ],
)
def test_bad_input_is_named(net, visible, infrared, stride, message):
    for function in (windows.window_scores, windows.window_scores_batched, windows.window_scores_reference):
        with pytest.raises(ValueError, match=message):
            function(net, visible, infrared, stride)


def test_ties_and_decisions_by_hand():
    scores = scores_of([["01", "10", "00", "11"]])
    np.testing.assert_array_equal(weightmap.decide(scores), [[1, -1, 1, 1]])
    np.testing.assert_array_equal(weightmap.decide(scores, "infrared"), [[1, -1, -1, -1]])
    scores[0, 0, 2] = [3, 0]  # visible above infrared: surely visible; infrared above visible: infrared, less sure
    scores[0, 0, 3] = [0, 3]
    np.testing.assert_array_equal(weightmap.decide(scores, "score"), [[1, -1, 1, -1]])
    assert weightmap.decide(scores).dtype == np.int8


def test_equal_logits_are_class_0_as_argmax_has_it():
    assert weightmap.decide(np.zeros((2, 1, 1, 2))) == 1  # class 0 both times: a tie


def test_released_votes_and_mask(golden):
    for name in ("tno01", "tno02"):
        with np.load(golden / "fusion" / f"{name}.npz") as expected:
            says_infrared = expected["window_says_infrared"]
            votes = weightmap.vote_map(np.where(says_infrared, -1, 1), (456, 456))
            np.testing.assert_array_equal(votes, expected["votes"])
            np.testing.assert_array_equal(votes >= 0, expected["visible_mask"] > 0)
            share = weightmap.weight_map(scores_of(np.where(says_infrared, "10", "01")), (456, 456), kind="votes")
            np.testing.assert_array_equal(share >= 0.5, expected["visible_mask"] > 0)
        assert votes.dtype == np.int16


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 7), st.integers(1, 7), st.integers(1, 32))
def test_maps_are_means_over_the_covering_windows(seed, rows, columns, stride):
    random = np.random.default_rng(seed)
    scores = random.normal(0, 3, (2, rows, columns, 2)).astype(np.float32)
    shape = 32 + (rows - 1) * stride, 32 + (columns - 1) * stride
    probability = torch.softmax(torch.from_numpy(scores).double(), dim=3).numpy()
    total, count = loop_over_windows((probability[0, ..., 0] + probability[1, ..., 1]) / 2, shape, stride)
    soft = weightmap.weight_map(scores, shape, stride)
    np.testing.assert_allclose(soft, total / count, atol=1e-12)
    for ties in weightmap.TIES:
        decisions = weightmap.decide(scores, ties)
        total, count = loop_over_windows(decisions.astype(float), shape, stride)
        np.testing.assert_array_equal(weightmap.vote_map(decisions, shape, stride), total)
        votes = weightmap.weight_map(scores, shape, stride, "votes", ties)
        np.testing.assert_allclose(votes, (1 + total / count) / 2, atol=1e-12)
        assert soft.dtype == votes.dtype == np.float64
    # exchanging the images turns the map over
    np.testing.assert_allclose(weightmap.weight_map(scores[::-1], shape, stride), 1 - soft, atol=1e-12)


def test_extreme_logits_give_weights_of_exactly_0_and_1():
    scores = np.zeros((2, 2, 2, 2), np.float32)
    scores[0, ..., 0] = scores[1, ..., 1] = 1e4
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (weightmap.weight_map(scores, (40, 40)) == 1).all()
        assert (weightmap.weight_map(scores[::-1], (40, 40)) == 0).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(32, 130), st.integers(32, 130), st.integers(1, 32))
def test_padding_covers_every_pixel_with_the_fewest_more_and_crops_back(height, width, stride):
    image = np.random.default_rng(height).integers(0, 256, (height, width)).astype(np.uint8)
    padded, inside = grid.pad_to_grid(image, stride)
    np.testing.assert_array_equal(padded[inside], image)
    assert all(0 <= more - size < stride for more, size in zip(padded.shape, image.shape, strict=True))
    counts = grid.grid_shape(padded.shape, stride)
    votes = weightmap.vote_map(np.ones(counts, np.int8), padded.shape, stride)  # raises where pixels are uncovered
    assert votes.min() >= 1
    np.testing.assert_array_equal(padded, np.pad(image, [(0, p - s) for p, s in zip(padded.shape, image.shape, strict=True)], "reflect"))


def test_the_papers_stride_is_the_default():
    image = np.random.default_rng(1).integers(0, 256, (43, 59)).astype(np.uint8)
    np.testing.assert_array_equal(grid.pad_to_grid(image)[0], grid.pad_to_grid(image, 8)[0])
    assert grid.grid_shape((96, 128)) == grid.grid_shape((96, 128), 8)
    net, grown = random_network(1), image.astype(np.float64)
    for scores in (windows.window_scores, windows.window_scores_batched, windows.window_scores_reference):
        np.testing.assert_array_equal(scores(net, grown, grown[::-1]), scores(net, grown, grown[::-1], 8))
    logits = np.random.default_rng(2).normal(size=(2, 2, 4, 2))
    np.testing.assert_array_equal(weightmap.weight_map(logits, (40, 56)), weightmap.weight_map(logits, (40, 56), 8))


def test_bad_maps_are_named():
    scores = np.zeros((2, 2, 2, 2), np.float32)
    with pytest.raises(ValueError, match="no window covers some pixels"):
        weightmap.weight_map(scores, (41, 40))
    with pytest.raises(ValueError, match="no window covers some pixels"):
        weightmap.vote_map(np.ones((2, 2), np.int8), (72, 72), stride=40)
    with pytest.raises(ValueError, match=r"found \(2, 2\) windows, expected \(3, 2\)"):
        weightmap.weight_map(scores, (48, 40))
    with pytest.raises(ValueError, match="kind: found 'hard'"):
        weightmap.weight_map(scores, (40, 40), kind="hard")
    with pytest.raises(ValueError, match="ties: found 'both'"):
        weightmap.decide(scores, "both")
    with pytest.raises(ValueError, match="scores: found"):
        weightmap.decide(scores[0])
    with pytest.raises(ValueError, match="image: found an array of shape"):
        grid.pad_to_grid(np.zeros((31, 64)))
    with pytest.raises(ValueError, match="stride: found 33"):
        grid.pad_to_grid(np.zeros((64, 64)), 33)

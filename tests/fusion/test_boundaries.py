"""Where a rule turns over, just on either side of it."""

from dataclasses import replace

import numpy as np
import pytest

from ivfnb.classifier.network import EResNet
from ivfnb.fusion import AS_PAPER, Protocol, fuse
from ivfnb.fusion.judge import judge


@pytest.mark.parametrize(("margin", "visible"), [(0.1, 1.0), (-0.1, 0.0), (0.0, 1.0)])
def test_pixels_without_a_majority_follow_the_larger_probability(margin, visible):
    """Two windows that vote for different images; the left is surer by `margin`, a few per cent of probability."""
    scores = np.zeros((2, 1, 2, 2), np.float32)
    scores[0, 0, :, 0] = scores[1, 0, :, 1] = (2 + margin, -2)
    protocol = replace(AS_PAPER, stride=16, weighting="mask", ties="score")
    weight, votes, _ = judge(np.zeros((32, 48)), np.zeros((32, 48)), EResNet(), protocol, lambda *_: scores)
    assert (votes[:, 16:32] == 0).all()
    assert np.unique(weight[:, 16:32]).tolist() == [visible]


@pytest.mark.parametrize(("stretch", "eight_bit", "kind"), [(True, True, "u"), (True, False, "f"), (False, True, "f"), (False, False, "f")])
def test_only_a_stretched_blend_of_eight_bits_is_cut_to_eight(stretch, eight_bit, kind):
    noise = np.random.default_rng(0).integers(0, 256, (2, 40, 40), dtype=np.uint8)
    result = fuse(*noise, None, Protocol(classifier="none", ssr="none", stretch=stretch, eight_bit=eight_bit))
    assert result.stretched.dtype.kind == kind
    if not stretch:
        np.testing.assert_array_equal(result.stretched, result.blended)
    elif eight_bit:
        assert (result.stretched.min(), result.stretched.max()) == (0, 255)

"""PMGI against the published images."""

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from ivfnb.baselines.networks import pmgi
from ivfnb.images import to_uint8


@pytest.mark.parametrize(("id", "least", "furthest"), [("11", 0.99999, 1), ("12", 0.99999, 1), ("08", 0.9997, 2), ("07", 0.9967, 3)])
def test_published_images(published, id, least, furthest):
    """Pairs 07 and 08 are further off than rounding explains; why is not known."""
    fused, sources = published("PMGI")
    assert len(fused) == 16
    own = to_uint8(pmgi.fuse(sources[id].infrared, sources[id].visible))
    assert np.abs(own.astype(int) - fused[id].fused).max() <= furthest
    assert structural_similarity(own, fused[id].fused, data_range=255) > least


def test_a_part_of_an_image_is_fused_otherwise_than_inside_it(published):
    _, sources = published("PMGI")
    pair = sources["11"]
    whole = pmgi.fuse(pair.infrared, pair.visible, stretch="none")
    part = pmgi.fuse(pair.infrared[:120, :120], pair.visible[:120, :120], stretch="none")
    assert np.abs(whole[:100, :100] - part[:100, :100]).max() > 2

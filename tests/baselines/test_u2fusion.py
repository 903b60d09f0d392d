"""U2Fusion against the published images."""

import numpy as np
from skimage.metrics import structural_similarity

from ivfnb.baselines.networks import u2fusion
from ivfnb.images import to_uint8


def test_published_images_to_a_level(published):
    fused, sources = published("U2Fusion")
    assert len(fused) == 16
    for id in ("08", "11"):
        own = to_uint8(u2fusion.fuse(sources[id].infrared, sources[id].visible))
        assert np.abs(own.astype(int) - fused[id].fused).max() <= 1
        assert structural_similarity(own, fused[id].fused, data_range=255) > 0.99999


def test_the_order_and_the_stretch_of_the_authors_script_are_not_those_of_the_published_images(published):
    fused, sources = published("U2Fusion")
    there, pair = fused["11"].fused, sources["11"]
    other = {"order": "visible first"}, {"stretch": "maximum"}
    similar = [
        structural_similarity(to_uint8(u2fusion.fuse(pair.infrared, pair.visible, **changed)), there, data_range=255) for changed in other
    ]
    assert max(similar) < 0.99

"""Ranges that the registry states are those of the definitions: where a bound can be reached, an image reaches it."""

import numpy as np
import pytest

from ivfnb.metrics import METRICS, score

RANDOM = np.random.default_rng(0)
NOISE, OTHER = (RANDOM.integers(0, 256, (64, 64), dtype=np.uint8) for _ in range(2))
EVERY = np.arange(4096, dtype=np.uint8).reshape(64, 64)  # each level equally often
BLACK, WHITE = np.zeros((64, 64), np.uint8), np.full((64, 64), 255, np.uint8)

# metric -> its range by definition, and for each bound that can be reached the images (fused, infrared, visible) that reach it
DEFINED = {
    "EN": ((0, 8), (BLACK, NOISE, OTHER), (EVERY, NOISE, OTHER)),
    "MI": ((0, 16), (BLACK, NOISE, OTHER), (EVERY, EVERY, EVERY)),
    "RMSE": ((0, 255), (NOISE, NOISE, NOISE), (WHITE, BLACK, BLACK)),
    "SSIM": ((-1, 1), None, (NOISE, NOISE, NOISE)),
    "CC": ((-1, 1), (255 - NOISE, NOISE, NOISE), (NOISE, NOISE, NOISE)),
    "SCD": ((-2, 2), None, None),
    "Qabf": ((0, 1), None, None),
    "Nabf": ((0, 1), (NOISE, NOISE, NOISE), None),
    "Qcb": ((0, 1), None, (NOISE, NOISE, NOISE)),
    "Qncie": ((0, 1), None, (EVERY, EVERY, EVERY)),
    "NMI": ((0, 2), None, (NOISE, NOISE, NOISE)),
}


@pytest.mark.parametrize("name", DEFINED)
def test_ranges_are_those_of_the_definitions(name):
    stated, lowest, highest = DEFINED[name]
    assert METRICS[name].value_range == stated
    for bound, images in zip(stated, (lowest, highest), strict=True):
        if images is not None:
            assert score(*images, names=[name])[name] == pytest.approx(bound, abs=1e-9)

"""The box of an inset lies around the brightest target, and inside the image."""

import numpy as np
import pytest

from ivfnb.metrics.targets import inset_box, largest_target


def scene(*discs: tuple[int, int, int, int]) -> np.ndarray:
    """Level 60 (120, 150) with hot discs: row, column, radius, level."""
    image = np.full((120, 150), 60, np.uint8)
    y, x = np.indices(image.shape)
    for row, column, radius, level in discs:
        image[np.hypot(y - row, x - column) <= radius] = level
    return image


# what is in the image -> row and column of the box's centre, as far as the border lets it
BOXES = {
    "the brightest": ([(30, 40, 5, 200), (80, 100, 4, 160)], (30, 40)),
    "the brightest though smaller": ([(30, 40, 5, 160), (80, 100, 4, 200)], (80, 100)),
    "of equal ones the largest": ([(30, 40, 4, 200), (80, 100, 5, 200)], (80, 100)),
    "of equal ones the largest, when it comes first": ([(30, 40, 5, 200), (80, 100, 4, 200)], (30, 40)),
    "in the top left corner": ([(5, 5, 5, 200)], (10.8, 10.8)),
    "in the bottom right corner": ([(114, 144, 5, 200)], (109.2, 139.2)),
    "none": ([], (60, 75)),
}


@pytest.mark.parametrize("case", BOXES)
def test_boxes(case):
    discs, (row, column) = BOXES[case]
    top, left, height, width = inset_box(scene(*discs), side=0.18)
    assert (height * 120, width * 150) == pytest.approx((21.6, 21.6)), "square in pixels, of the shorter side"
    assert (120 * top + 10.8, 150 * left + 10.8) == pytest.approx((row, column))
    assert 0 <= top <= 1 - height
    assert 0 <= left <= 1 - width


def test_the_largest_target_may_come_second():
    rows, columns = largest_target(scene((30, 40, 4, 200), (80, 100, 6, 200)), margin=3)
    assert (rows, columns) == (slice(71, 90), slice(91, 110))

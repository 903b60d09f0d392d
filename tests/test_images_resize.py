"""`matlab_imresize` against a slow version from its definition."""

import math

import numpy as np
import pytest

from ivfnb.images import matlab_imresize, resize


def cubic(x: float) -> float:
    x = abs(x)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x <= 2 else 0.0


def resize_line(line: np.ndarray, size: int) -> np.ndarray:
    """One row or column: every output sample is the kernel-weighted mean of the samples around it, mirrored at the ends."""
    scale = size / len(line)
    stretch = min(scale, 1.0)  # the kernel widens when shrinking: that is the antialiasing
    result = np.zeros(size)
    for k in range(size):
        centre = (k + 0.5) / scale - 0.5
        total = weights = 0.0
        for tap in range(math.floor(centre - 2 / stretch) - 1, math.ceil(centre + 2 / stretch) + 2):
            weight = cubic((centre - tap) * stretch)
            index = tap % (2 * len(line))
            total += weight * line[index if index < len(line) else 2 * len(line) - 1 - index]
            weights += weight
        result[k] = total / weights
    return result


def slow(image: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Axis of the smaller scale first, rows on a tie; uint8 is rounded and saturated after each axis."""
    result = image.astype(float)
    for axis in sorted((0, 1), key=lambda axis: shape[axis] / image.shape[axis]):
        if shape[axis] != result.shape[axis]:
            result = np.apply_along_axis(resize_line, axis, result, shape[axis])
            if image.dtype == np.uint8:
                result = np.clip(np.floor(result + 0.5), 0, 255)
    return result


SHAPES = [tuple(map(int, row)) for row in np.random.default_rng(5).integers(1, 40, (20, 4))]


def test_the_shapes_go_up_and_down():
    ratios = np.array([(h2 / h, w2 / w) for h, w, h2, w2 in SHAPES])
    assert (ratios > 1).all(axis=1).any()
    assert (ratios < 1).all(axis=1).any()
    assert ((ratios[:, 0] < 1) != (ratios[:, 1] < 1)).any()


@pytest.mark.parametrize("kind", ["uint8", "float"])
@pytest.mark.parametrize(("height", "width", "to_height", "to_width"), SHAPES)
def test_from_definition(height, width, to_height, to_width, kind):
    image = np.random.default_rng(height).uniform(0, 255, (height, width))
    image = np.round(image).astype(np.uint8) if kind == "uint8" else image
    found, expected = matlab_imresize(image, (to_height, to_width)), slow(image, (to_height, to_width))
    assert found.shape == (to_height, to_width)
    assert found.dtype == (np.uint8 if kind == "uint8" else np.float64)
    if kind == "uint8":
        np.testing.assert_array_equal(found, expected)
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-11)


def test_constant_stays_constant_and_own_size_is_the_identity():
    image = np.random.default_rng(0).integers(0, 256, (9, 7)).astype(np.uint8)
    np.testing.assert_array_equal(matlab_imresize(image, (9, 7)), image)
    np.testing.assert_allclose(matlab_imresize(np.full((9, 7), 31.5), (4, 20)), 31.5, rtol=1e-13)
    np.testing.assert_array_equal(resize(image, (5, 12), "bicubic"), matlab_imresize(image, (5, 12)))

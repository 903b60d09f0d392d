"""How like two images are window by window: local means, variances and covariances, and Wang's similarity made of them."""

from typing import NamedTuple

import numpy as np

from ivfnb.images import Image
from ivfnb.metrics.filters import MIDDLE, TINY, smooth_valid


class Local(NamedTuple):
    """An image's `levels` about a middle one, and their local `mean` and `variance`, of whole windows only."""

    levels: Image
    mean: Image
    variance: Image


def local_of(image: Image, window: np.ndarray, middle: float = MIDDLE) -> Local:
    """Local mean and variance (h - k + 1, w - k + 1) of an image (h, w) of grey levels under a separable window (k,).

    Variances below TINY count as none.
    """
    levels = image - middle
    mean = smooth_valid(levels, window)
    variance = smooth_valid(levels * levels, window)
    variance -= mean * mean
    variance[variance < TINY] = 0
    return Local(levels, mean, variance)


def covariance(first: Local, second: Local, window: np.ndarray) -> Image:
    """Local covariance of two images, of whole windows only."""
    result = smooth_valid(first.levels * second.levels, window)
    result -= first.mean * second.mean
    return result


def _likeness(product: Image, first: Image, second: Image, constant: float) -> Image:
    """(2 product + constant) / (first + second + constant); `product` is overwritten."""
    product *= 2
    product += constant
    product /= first + second + constant
    return product


def structure(first: Local, second: Local, window: np.ndarray, constant: float) -> Image:
    """How like contrast and structure are: local covariance against local variances."""
    both = covariance(first, second, window)
    both[(first.variance == 0) | (second.variance == 0)] = 0
    return _likeness(both, first.variance, second.variance, constant)


def similarity(first: Local, second: Local, window: np.ndarray, constants: tuple[float, float]) -> Image:
    """SSIM of each window: likeness of local means times that of contrast and structure."""
    m1, m2 = first.mean + MIDDLE, second.mean + MIDDLE
    result = structure(first, second, window, constants[1])
    result *= _likeness(m1 * m2, m1 * m1, m2 * m2, constants[0])
    return result

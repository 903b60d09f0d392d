"""Gaussian windows and separable filtering: a full-size 2-D convolution is what makes such metrics slow."""

from collections.abc import Iterator

import cv2
import numpy as np

from ivfnb.images import Image

# Variances do not depend on the mean, but their rounding errors do (E[x^2] - E[x]^2): metrics of local variances take levels about the
# middle one, where the errors stay well below TINY on flat areas; about 0 they can pass it at level 255 and count as structure.
MIDDLE = 128.0
RUN = 2**16  # pixels worked on at once, so that what is computed on the way stays in the processor's cache
TINY = 1e-10  # variances below this, in grey levels squared, count as none


def gaussian(side: int, sigma: float) -> np.ndarray:
    """Normalised Gaussian window (side,)."""
    x = np.arange(side) - side // 2
    weights = np.exp(-(x**2) / (2 * sigma**2))
    return weights / weights.sum()


def smooth_valid(image: Image, window: np.ndarray) -> Image:
    """Separable filtering by `window` along both axes, only where the whole window lies in the image."""
    margin = len(window) // 2
    return cv2.sepFilter2D(image, cv2.CV_64F, window, window)[margin:-margin, margin:-margin]


def runs(images: tuple[Image, ...], window: np.ndarray) -> Iterator[tuple[Image, ...]]:
    """Rows of images of one shape, so many at a time that the results of `smooth_valid` make up those of the whole images."""
    margin, (height, width) = len(window) - 1, images[0].shape
    step = max(RUN // width, 6 * margin)  # the margin is worked on twice
    for top in range(0, height - margin, step):
        yield tuple(image[top : top + step + margin] for image in images)


def smooth_zero(image: Image, window: np.ndarray) -> Image:
    """Separable filtering by `window` along both axes, zeros beyond the border."""
    return cv2.sepFilter2D(image, cv2.CV_64F, window, window, borderType=cv2.BORDER_CONSTANT)

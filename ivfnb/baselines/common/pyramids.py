"""Laplacian and Gaussian pyramids, and how bands of two sources are fused by a map of weights."""

from itertools import pairwise

import cv2
import numpy as np

from ivfnb.images import Image

MATCH = 0.6  # above which two coefficients are averaged, else the one of larger energy is taken
BINOMIAL = np.array([1, 4, 6, 4, 1]) / 16


def _reduce(image: Image) -> Image:
    """Smoothed with a mirrored border that repeats the edge, then every second row and column from the first."""
    smooth = cv2.sepFilter2D(image, -1, np.ones(1), BINOMIAL, borderType=cv2.BORDER_REFLECT)[::2]
    return cv2.sepFilter2D(np.ascontiguousarray(smooth), -1, BINOMIAL, np.ones(1), borderType=cv2.BORDER_REFLECT)[:, ::2].copy()


def _expand(image: Image, shape: tuple[int, int]) -> Image:
    """Image between its samples, which stay where they are, to `shape`: binomial weights, edges repeated."""
    for axis in range(2):
        image = image.swapaxes(0, axis)
        padded = np.concatenate([image[:1], image, image[-1:]])
        finer = np.empty((2 * len(image), image.shape[1]))
        finer[::2] = (padded[:-2] + 6 * image + padded[2:]) / 8
        finer[1::2] = (image + padded[2:]) / 2
        image = finer[: shape[axis]].swapaxes(0, axis)
    return image


def _gaussian(image: Image, levels: int) -> list[Image]:
    """The image and its `levels` reductions, finest first."""
    pyramid = [image]
    for _ in range(levels):
        pyramid.append(_reduce(pyramid[-1]))
    return pyramid


def _laplacian(image: Image, levels: int) -> list[Image]:
    """`levels` bands, finest first, and the rest."""
    pyramid = _gaussian(image, levels)
    return [fine - _expand(coarse, fine.shape) for fine, coarse in pairwise(pyramid)] + pyramid[-1:]


def _window_sum(plane: Image) -> Image:
    """Sum over 3x3 pixels; the border is mirrored without repeating the edge, its four corners are 0.

    No running sums, as box filters have them: their rounding would decide between bands that are 0.
    """
    sums = cv2.sepFilter2D(plane, -1, np.ones(3), np.ones(3), borderType=cv2.BORDER_REFLECT_101)
    for row, beside_row in ((0, min(1, plane.shape[0] - 1)), (-1, max(-2, -plane.shape[0]))):
        for column, beside_column in ((0, min(1, plane.shape[1] - 1)), (-1, max(-2, -plane.shape[1]))):
            sums[row, column] -= plane[beside_row, beside_column]
    return sums


def _choose(infrared: Image, visible: Image, weight: Image) -> Image:
    """One band of the fused pyramid: the weighted mean where the bands match, else the one of larger local energy."""
    energies = _window_sum(infrared * infrared), _window_sum(visible * visible)
    match = 2 * _window_sum(infrared * visible) / (energies[0] + energies[1] + np.finfo(np.float64).eps)
    larger = np.where(energies[0] > energies[1], infrared, visible)
    return np.where(match > MATCH, weight * infrared + (1 - weight) * visible, larger)


def blend(infrared: Image, visible: Image, weight: Image) -> Image:
    """Fuse two images band by band in Laplacian pyramids, with a weight for every pixel.

    Parameters
    ----------
    infrared, visible : array (h, w), grey levels 0..255
        Sources of one size, at least 2x2 pixels.
    weight : array (h, w)
        Weight of the infrared image, 0..1.

    Returns
    -------
    array (h, w), float64
        Grey levels 0..255.

    Notes
    -----
    The pyramids have as many bands, the rest among them, as the smaller side has octaves. In each band two coefficients whose 3x3
    neighbourhoods match by more than 0.6 are averaged by the weight, which is reduced to the band's size; of others the one of larger
    local energy is taken.

    References
    ----------
    Liu, Chen, Cheng, Peng and Wang 2018, doi 10.1142/S0219691318500182

    Examples
    --------
    >>> flat = np.full((4, 4), 100.0)
    >>> np.allclose(blend(flat, flat, np.full((4, 4), 0.5)), 100)
    True
    """
    levels = min(infrared.shape).bit_length() - 2
    pyramids = _laplacian(infrared / 255, levels), _laplacian(visible / 255, levels), _gaussian(weight, levels)
    *bands, fused = (_choose(*bands) for bands in zip(*pyramids, strict=True))
    for band in reversed(bands):
        fused = band + _expand(fused, band.shape)
    return 255 * np.clip(fused, 0, 1)

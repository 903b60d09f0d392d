"""DCHWT: fusion by pixel significance in the discrete cosine harmonic wavelet transform."""

from typing import NamedTuple

import cv2
import numpy as np
from scipy import fft

from ivfnb.baselines.common.pair import check_pair
from ivfnb.baselines.registry import Competitor, register
from ivfnb.images import Image

LEVELS = 3
NOISE = 1e-9  # significance below which there is nothing but rounding
WINDOW = 3  # side of the window in which the finest bands' energy is averaged


class Bands(NamedTuple):
    """The three orientations of one level, each (h / 2**level, w / 2**level).

    Attributes
    ----------
    vertical : array
        High vertical frequencies.
    horizontal : array
        High horizontal frequencies.
    diagonal : array
        Both.
    """

    vertical: Image
    horizontal: Image
    diagonal: Image


def forward(image: Image, levels: int = LEVELS) -> tuple[Image, list[Bands]]:
    """Approximation and bands of an image.

    Parameters
    ----------
    image : array (h, w)
        Its sides are multiples of 2**levels.
    levels : int

    Returns
    -------
    approximation : array (h / 2**levels, w / 2**levels), float64
    bands : list of Bands
        The finest level first.

    Raises
    ------
    ValueError
        For other sides.

    Notes
    -----
    The plane of the image's two-dimensional cosine transform is halved `levels` times in both frequencies; every rectangle is a small
    cosine spectrum of its own and goes back to pixels. All transforms are orthonormal, so energy is kept.

    Examples
    --------
    >>> approximation, bands = forward(np.full((8, 16), 3.0))
    >>> approximation.round(6), len(bands)
    (array([[24., 24.]]), 3)
    """
    if any(side % 2**levels for side in image.shape):
        raise ValueError(f"image: found shape {image.shape}, expected sides that are multiples of {2**levels}")
    plane, bands = fft.dctn(image, norm="ortho"), []
    for _ in range(levels):
        height, width = (side // 2 for side in plane.shape)
        quarters = plane[height:, :width], plane[:height, width:], plane[height:, width:]
        bands.append(Bands(*(fft.idctn(quarter, norm="ortho") for quarter in quarters)))
        plane = plane[:height, :width]
    return fft.idctn(plane, norm="ortho"), bands


def inverse(approximation: Image, bands: list[Bands]) -> Image:
    """Image of an approximation and its bands: undoes `forward`.

    Parameters
    ----------
    approximation : array
    bands : list of Bands
        The finest level first.

    Returns
    -------
    array (h, w), float64

    Examples
    --------
    >>> inverse(*forward(np.eye(8))).round(9).trace().item()
    8.0
    """
    plane = fft.dctn(approximation, norm="ortho")
    for level in reversed(bands):
        vertical, horizontal, diagonal = (fft.dctn(band, norm="ortho") for band in level)
        plane = np.block([[plane, horizontal], [vertical, diagonal]])
    return fft.idctn(plane, norm="ortho")


def significances(bands: list[Bands]) -> tuple[Image, list[Bands]]:
    """Significance of the approximation's and of every band's coefficients.

    Parameters
    ----------
    bands : list of Bands
        The finest level first.

    Returns
    -------
    array, list of Bands
        Laid out as `forward` lays out coefficients, all at least 0.

    Notes
    -----
    Finest level: mean square in a 3x3 window. Coarser ones: magnitude of the coefficient and of all that lie below it in its orientation.
    Approximation: sum over the three orientations of the coarsest level.

    Examples
    --------
    >>> approximation, of_bands = significances(forward(np.zeros((8, 8)))[1])
    >>> approximation.item(), len(of_bands)
    (0.0, 3)
    """
    window = (WINDOW, WINDOW)
    result = [Bands(*(cv2.blur(band * band, window, borderType=cv2.BORDER_REFLECT_101) for band in bands[0]))]
    below = [np.abs(band) for band in bands[0]]
    for level in bands[1:]:
        sums = (part[::2, ::2] + part[1::2, ::2] + part[::2, 1::2] + part[1::2, 1::2] for part in below)
        below = [np.abs(band) + part for band, part in zip(level, sums, strict=True)]
        result.append(Bands(*below))
    return sum(below), result


def _weighted(first: Image, second: Image, weight_first: Image, weight_second: Image) -> Image:
    """Weighted mean of two bands; the plain mean where neither has significance."""
    weight_first, weight_second = np.maximum(weight_first, NOISE), np.maximum(weight_second, NOISE)
    return (weight_first * first + weight_second * second) / (weight_first + weight_second)


def fuse(infrared: Image, visible: Image) -> Image:
    """Fused image of which every coefficient is the mean of the sources', weighted by their significance.

    Parameters
    ----------
    infrared, visible : arrays (h, w)
        Levels 0..255, of one size of at least 2x2.

    Returns
    -------
    array (h, w), float64
        Levels 0..255, not rounded.

    Raises
    ------
    ImageError
        For images that are not grey, not in range or not of one size.

    Notes
    -----
    3 levels. Departures: sides that are no multiples of 8 are mirrored up to the next one and cropped back (the author crops the sources),
    and levels outside 0..255 are clipped.

    References
    ----------
    Shreyamsha Kumar 2013, doi 10.1007/s11760-012-0361-x

    Examples
    --------
    >>> fuse(np.full((8, 8), 10), np.full((8, 8), 30))[0, 0].round(9).item()
    20.0
    """
    infrared, visible = check_pair(infrared, visible)
    height, width = infrared.shape
    missing = -height % 2**LEVELS, -width % 2**LEVELS
    padded = (cv2.copyMakeBorder(image, 0, missing[0], 0, missing[1], cv2.BORDER_REFLECT) for image in (infrared, visible))
    (rest_a, bands_a), (rest_b, bands_b) = (forward(image) for image in padded)
    (weight_a, weights_a), (weight_b, weights_b) = significances(bands_a), significances(bands_b)
    rest = _weighted(rest_a, rest_b, weight_a, weight_b)
    bands = [Bands(*map(_weighted, *four)) for four in zip(bands_a, bands_b, weights_a, weights_b, strict=True)]
    return np.clip(inverse(rest, bands)[:height, :width], 0, 255)


register(
    Competitor(
        "DCHWT",
        fuse,
        "Shreyamsha Kumar, Multifocus and multispectral image fusion based on pixel significance using discrete cosine harmonic wavelet "
        "transform, Signal, Image and Video Processing 7(6):1125-1143, 2013",
        "10.1007/s11760-012-0361-x",
        row=4,
    )
)

"""Structaware: a map of which source has the stronger structure, refined along the edges of the infrared image."""

import numpy as np

from ivfnb.baselines.common.pair import check_pair
from ivfnb.baselines.registry import Competitor, Published, Variant, register
from ivfnb.enhance.filters import window_means
from ivfnb.images import Image

RADIUS = 3  # of all window means, pixels
EPS = 0.01  # variance of 0..1 levels below which the self-guided smoothing flattens
NOISE = 1e-12  # difference of strengths of 0..1 levels below which there is nothing but rounding
ROUNDS = 3  # of binarising and refining the map
SIGMA_SPATIAL, SIGMA_RANGE = 10.0, 0.2  # of the domain transform: pixels, 0..1 levels


def structure(image: Image) -> Image:
    """Strength of an image's structure: sum of the magnitudes of both first differences of the smoothed image.

    Parameters
    ----------
    image : array (h, w), float64
        Levels 0..1.

    Returns
    -------
    array (h, w), float64
        At least 0.

    Notes
    -----
    Smoothed as by a guided filter that is its own guide, but with the window's own coefficients, not their means. Beyond the last row and
    column stands level 0: there the brighter image is the stronger one.

    Examples
    --------
    >>> structure(np.full((3, 3), 0.25)).round(9)
    array([[0.  , 0.  , 0.25],
           [0.  , 0.  , 0.25],
           [0.25, 0.25, 0.5 ]])
    """
    mean = window_means(image, RADIUS)
    variance = window_means(image * image, RADIUS) - mean * mean
    gain = variance / (variance + EPS)
    smooth = np.pad(gain * image + (1 - gain) * mean, (0, 1))
    return np.abs(np.diff(smooth[:, :-1], axis=0)) + np.abs(np.diff(smooth[:-1], axis=1))


def _recursive(values: Image, feedback: Image) -> Image:
    """First-order recursive mean down the rows and back up; `feedback` (h - 1, w) is the share taken from the neighbouring row."""
    values = np.array(values, order="C")
    for row in range(1, len(values)):
        values[row] += feedback[row - 1] * (values[row - 1] - values[row])
    for row in range(len(values) - 2, -1, -1):
        values[row] += feedback[row] * (values[row + 1] - values[row])
    return values


def refine(mask: Image, guide: Image) -> Image:
    """Mask smoothed inside the edges of a guide: one round of the recursive filter of the domain transform.

    Parameters
    ----------
    mask : array (h, w), float64
        0..1.
    guide : array (h, w), float64
        Levels 0..1.

    Returns
    -------
    array (h, w), float64
        0..1.

    Notes
    -----
    Along the rows first, then along the columns.

    References
    ----------
    Gastal and Oliveira 2011, doi 10.1145/1964921.1964964

    Examples
    --------
    >>> refine(np.ones((2, 3)), np.eye(2, 3)).round(9)
    array([[1., 1., 1.],
           [1., 1., 1.]])
    """
    across, down = (
        np.exp(-np.sqrt(2) / SIGMA_SPATIAL * (1 + SIGMA_SPATIAL / SIGMA_RANGE * np.abs(np.diff(plane, axis=0))))
        for plane in (np.ascontiguousarray(guide.T), guide)
    )
    return _recursive(_recursive(mask.T, across).T, down)


def fuse(infrared: Image, visible: Image) -> Image:
    """Mean of the sources weighted by a refined map of the stronger structure.

    Parameters
    ----------
    infrared, visible : arrays (h, w)
        Levels 0..255, of one size of at least 2x2. They are not exchangeable: the infrared image guides the refinement, and where
        structures are equal the visible image is taken.

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
    Windows of radius 3, eps 0.01, three rounds with sigmas 10 pixels and 0.2. The border of the differences was found by comparison with
    published images. No departures known.

    References
    ----------
    Li, Xie, Zhou, Han and Zhan 2018, doi 10.1016/j.ijleo.2018.06.123

    Examples
    --------
    >>> fuse(np.full((8, 8), 10), np.full((8, 8), 10)).round(9).max().item()
    10.0
    """
    infrared, visible = check_pair(infrared, visible)
    guide = infrared / 255
    weight = window_means(structure(guide) - structure(visible / 255), RADIUS)
    weight = (weight > NOISE).astype(np.float64)
    for _ in range(ROUNDS):
        weight = refine((weight > 0.5).astype(np.float64), guide)
    return weight * infrared + (1 - weight) * visible


register(
    Competitor(
        "Structaware",
        fuse,
        "Li, Xie, Zhou, Han and Zhan, Structure-aware image fusion, Optik 172:1-11, 2018",
        "10.1016/j.ijleo.2018.06.123",
        row=3,
        variants=(Variant(published=("tno21",)),),
        published={"tno21": Published("a third party's run")},
    )
)

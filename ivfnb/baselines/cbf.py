"""CBF: each source weighted by the local spread of what a cross bilateral filter takes out of it."""

import cv2
import numpy as np

from ivfnb.baselines.common.pair import check_pair
from ivfnb.baselines.registry import Competitor, Published, Variant, register
from ivfnb.images import Image

WINDOW = 11  # side of the cross bilateral filter's window, pixels
SIGMA_SPATIAL = 1.8  # pixels
SIGMA_RANGE = 25.0  # grey levels
SIGNIFICANCE = 5  # side of the window whose covariances weigh a pixel


def _mirrored(plane: Image, radius: int) -> Image:
    """Plane with a border of `radius` pixels, mirrored without repeating the edge."""
    return cv2.copyMakeBorder(plane, radius, radius, radius, radius, cv2.BORDER_REFLECT_101)


def cross_bilateral(image: Image, guide: Image) -> Image:
    """Mean of an image over the window, weighted by distance and by how near the levels of another image are.

    Parameters
    ----------
    image, guide : arrays (h, w), float64
        Levels 0..255, at least 2x2; `guide` gives the weights.

    Returns
    -------
    array (h, w), float64

    Notes
    -----
    The border is mirrored without repeating the edge.

    References
    ----------
    Petschnigg et al. 2004, doi 10.1145/1015706.1015777, the joint bilateral filter

    Examples
    --------
    >>> cross_bilateral(np.full((8, 8), 7.0), np.eye(8)).round(9)[0, 0].item()
    7.0
    """
    radius = WINDOW // 2
    padded, padded_guide = (_mirrored(plane, radius) for plane in (image, guide))
    height, width = image.shape
    total, norm = np.zeros_like(image), np.zeros_like(image)
    for row in range(WINDOW):
        for column in range(WINDOW):
            there = slice(row, row + height), slice(column, column + width)
            weight = (padded_guide[there] - guide) ** 2
            weight *= -1 / (2 * SIGMA_RANGE**2)
            weight -= ((row - radius) ** 2 + (column - radius) ** 2) / (2 * SIGMA_SPATIAL**2)
            weight = cv2.exp(weight)
            norm += weight
            weight *= padded[there]
            total += weight
    return total / norm


def significance(detail: Image) -> Image:
    """How much the detail of a source varies around each pixel.

    It is the trace of the covariance of the rows plus that of the columns of the 5x5 window.

    Parameters
    ----------
    detail : array (h, w), float64
        What the cross bilateral filter took out of a source.

    Returns
    -------
    array (h, w), float64
        Squared grey levels, at least 0.

    Notes
    -----
    The trace, which is the sum of the eigenvalues that the paper speaks of, is the sum of the variances of the rows and of the columns
    (divisor n - 1). The border is mirrored without repeating the edge.

    Examples
    --------
    >>> significance(np.full((8, 8), 3.0)).max().item()
    0.0
    """
    radius, ones = SIGNIFICANCE // 2, np.ones(SIGNIFICANCE)
    padded = _mirrored(detail, radius)

    def window_sum(plane: Image, along_rows: np.ndarray, along_columns: np.ndarray) -> Image:
        # No running sums, as box filters have them: their rounding would weigh pixels in flat areas, where the trace is 0.
        return cv2.sepFilter2D(plane, -1, along_rows, along_columns, borderType=cv2.BORDER_CONSTANT)

    one = np.ones(1)
    squares = window_sum(padded * padded, ones, ones)
    of_rows = window_sum(window_sum(padded, ones, one) ** 2, one, ones)
    of_columns = window_sum(window_sum(padded, one, ones) ** 2, ones, one)
    trace = (2 * squares - (of_rows + of_columns) / SIGNIFICANCE) / (SIGNIFICANCE - 1)
    return trace[radius:-radius, radius:-radius]


def fuse(infrared: Image, visible: Image) -> Image:
    """Mean of the sources weighted by the significance of their details.

    A source's detail is what the cross bilateral filter, whose range kernel is taken from the other source, removes from it.

    Parameters
    ----------
    infrared, visible : arrays (h, w)
        Levels 0..255, of one size of at least 2x2.

    Returns
    -------
    array (h, w), float64
        Levels 0..255, not rounded; the published images are rounded.

    Raises
    ------
    ImageError
        For images that are not grey, not in range or not of one size.

    Notes
    -----
    Window 11, sigmas 1.8 pixels and 25 levels, significance window 5. The border and the rounding were found by comparison with the
    published images. Departure: weights below the rounding unit, not only those of 0, are raised to it.

    References
    ----------
    Shreyamsha Kumar 2015, doi 10.1007/s11760-013-0556-9

    Examples
    --------
    >>> fuse(np.full((8, 8), 10), np.full((8, 8), 30))[0, 0].round(9).item()
    20.0
    """
    infrared, visible = check_pair(infrared, visible)
    smallest = np.finfo(np.float64).eps
    of_infrared = np.maximum(significance(infrared - cross_bilateral(infrared, visible)), smallest)
    of_visible = np.maximum(significance(visible - cross_bilateral(visible, infrared)), smallest)
    return (of_infrared * infrared + of_visible * visible) / (of_infrared + of_visible)


register(
    Competitor(
        "CBF",
        fuse,
        "Shreyamsha Kumar, Image fusion based on pixel significance using cross bilateral filter, "
        "Signal, Image and Video Processing 9(5):1193-1204, 2015",
        "10.1007/s11760-013-0556-9",
        row=1,
        variants=(Variant(published=("tno21", "vifb21")),),
        published={"tno21": Published("its author's run"), "vifb21": Published("VIFB's run")},
    )
)

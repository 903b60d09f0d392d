"""The released script's blend of two images by distance transforms of a mask."""

import warnings

import numpy as np
from scipy import ndimage

from ivfnb.images import Image


class UndefinedDistanceWarning(UserWarning):
    """A distance transform was asked for in an image without a zero pixel, where it is not defined.

    `distance_to_zero` then gives what the released script gets.
    """


def distance_to_zero(image: np.ndarray) -> np.ndarray:
    """Euclidean distance of each pixel to the nearest zero-valued one.

    Parameters
    ----------
    image : array (h, w)

    Returns
    -------
    array (h, w), float64
        Pixels, 0 at the zero-valued ones.

    Warns
    -----
    UndefinedDistanceWarning
        For an image without a zero pixel (Python shows it once).

    Notes
    -----
    Without a zero pixel the distance is undefined; SciPy, and so the released script, then returns the distance to a point above the
    top-left corner. That ramp is reproduced here by its formula.

    Examples
    --------
    >>> distance_to_zero(np.array([[0, 5, 5, 5]]))
    array([[0., 1., 2., 3.]])
    """
    if (image == 0).any():
        return ndimage.distance_transform_edt(image)
    warnings.warn(
        "distance transform of an image without a zero pixel is undefined: a ramp from the top-left corner stands in, as released",
        UndefinedDistanceWarning,
        stacklevel=1,
    )
    rows, columns = np.indices(image.shape)
    return np.hypot(rows + 1, columns)


def _distance_terms(enhanced_infrared: Image, enhanced_visible: Image, visible_mask: np.ndarray) -> tuple[np.ndarray, ...]:
    """The released script's three distances: to a black pixel of the hard composite, to the infrared region, to the visible region."""
    composite = np.where(visible_mask, enhanced_visible, enhanced_infrared).astype(np.uint8)
    mask = np.asarray(visible_mask, dtype=np.uint8)
    return distance_to_zero(composite), distance_to_zero(mask), distance_to_zero(1 - mask)


def blend_by_distance(enhanced_infrared: Image, enhanced_visible: Image, visible_mask: np.ndarray) -> tuple[Image, np.ndarray]:
    """The released script's blend of two grey images by a mask of where the visible one is sharper.

    Parameters
    ----------
    enhanced_infrared, enhanced_visible : arrays (h, w)
        Levels 0..255.
    visible_mask : array (h, w), bool
        True where the visible image is the sharper one.

    Returns
    -------
    blended : array (h, w), float64
        Levels 0..255.
    weight : array (h, w), float64
        Of the visible image, 0..1.

    Raises
    ------
    ValueError
        For arrays of different shapes.

    Warns
    -----
    UndefinedDistanceWarning
        Where one of the three distances is undefined, see `distance_to_zero`.

    Notes
    -----
    With d the distance to zero-valued pixels of the hard composite (cast to uint8), v that to the infrared region and i that to the visible
    one: ((d + v) visible + (d + i) infrared) / (2 d + v + i). Far from black pixels this nears the plain mean.

    Examples
    --------
    >>> infrared, visible = np.array([[0.0, 60.0, 60.0]]), np.array([[0.0, 20.0, 20.0]])
    >>> blended, weight = blend_by_distance(infrared, visible, np.array([[True, True, False]]))
    >>> blended, weight
    (array([[ 0.        , 33.33333333, 44.        ]]), array([[1.        , 0.66666667, 0.4       ]]))
    """
    shapes = {np.shape(each) for each in (enhanced_infrared, enhanced_visible, visible_mask)}
    if len(shapes) != 1:
        raise ValueError(f"enhanced_infrared, enhanced_visible, visible_mask: found shapes {sorted(shapes)}, expected one shape")
    common, inside_visible, inside_infrared = _distance_terms(enhanced_infrared, enhanced_visible, visible_mask)
    total = 2 * common + inside_infrared + inside_visible  # above 0: each pixel is outside one of the two regions
    # The order of the sum is the released one: a later truncation to 8 bits sees its last bit.
    blended = (
        common * enhanced_infrared + common * enhanced_visible + inside_infrared * enhanced_infrared + inside_visible * enhanced_visible
    )
    return blended / total, (common + inside_visible) / total

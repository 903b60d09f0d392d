"""The simple fusions every method has to beat."""

import cv2
import numpy as np

from ivfnb.baselines.common.pair import check_pair
from ivfnb.baselines.registry import Competitor, Variant, register
from ivfnb.images import Image


def mean(infrared: Image, visible: Image) -> Image:
    """Plain mean of the sources.

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

    Examples
    --------
    >>> mean(np.array([[0, 9], [5, 5]]), np.array([[3, 3], [5, 5]]))
    array([[1.5, 6. ],
           [5. , 5. ]])
    """
    infrared, visible = check_pair(infrared, visible)
    return (infrared + visible) / 2


def maximum(infrared: Image, visible: Image) -> Image:
    """Pixelwise maximum of the sources.

    Parameters
    ----------
    infrared, visible : arrays (h, w)
        Levels 0..255, of one size of at least 2x2.

    Returns
    -------
    array (h, w), float64
        Levels 0..255.

    Raises
    ------
    ImageError
        For images that are not grey, not in range or not of one size.

    Examples
    --------
    >>> maximum(np.array([[0, 9], [5, 5]]), np.array([[3, 3], [5, 5]]))
    array([[3., 9.],
           [5., 5.]])
    """
    return np.maximum(*check_pair(infrared, visible))


def _pyramid(image: Image, levels: int) -> list[Image]:
    """Laplacian pyramid, finest band first, the Gaussian rest last: `levels` + 1 arrays whose sides halve (rounded up)."""
    bands = []
    for _ in range(levels):
        smaller = cv2.pyrDown(image)
        bands.append(image - cv2.pyrUp(smaller, dstsize=image.shape[::-1]))
        image = smaller
    return [*bands, image]


def laplacian_pyramid(infrared: Image, visible: Image, levels: int = 4) -> Image:
    """Of each band the coefficient of larger magnitude (of equal ones the mean), of the rest the mean.

    Parameters
    ----------
    infrared, visible : arrays (h, w)
        Levels 0..255, of one size of at least 2x2.
    levels : int
        Bands, at least one; cut to what the size allows (a side of at least 2 in every band).

    Returns
    -------
    array (h, w), float64
        Levels, not rounded; what the choice of coefficients puts outside 0..255 is clipped.

    Raises
    ------
    ImageError
        For images that are not grey, not in range or not of one size.
    ValueError
        For fewer than one level.

    References
    ----------
    Burt and Adelson 1983, doi 10.1109/TCOM.1983.1095851

    Examples
    --------
    >>> laplacian_pyramid(np.full((8, 8), 10), np.full((8, 8), 30))[0, 0].item()
    20.0
    """
    infrared, visible = check_pair(infrared, visible)
    if levels < 1:
        raise ValueError(f"levels: found {levels}, expected at least 1")
    levels = min(levels, int(np.log2(min(infrared.shape))))
    *bands, rest = zip(_pyramid(infrared, levels), _pyramid(visible, levels), strict=True)
    fused = (rest[0] + rest[1]) / 2
    for of_infrared, of_visible in reversed(bands):
        lead = np.abs(of_infrared) - np.abs(of_visible)
        chosen = np.where(lead > 0, of_infrared, np.where(lead < 0, of_visible, (of_infrared + of_visible) / 2))
        fused = chosen + cv2.pyrUp(fused, dstsize=chosen.shape[::-1])
    return np.clip(fused, 0, 255)


register(Competitor("Mean", mean, "Plain mean of the sources", reference=True))
register(Competitor("Maximum", maximum, "Pixelwise maximum of the sources", reference=True))
register(
    Competitor(
        "Laplacian pyramid",
        laplacian_pyramid,
        "Burt and Adelson, The Laplacian pyramid as a compact image code, IEEE Transactions on Communications 31(4):532-540, 1983",
        "10.1109/TCOM.1983.1095851",
        reference=True,
        variants=(Variant(parameters={"levels": 4}),),
    )
)

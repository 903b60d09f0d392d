"""The one rule for what a grey level is, and for when to doubt it."""

import numpy as np

from ivfnb.images.arrays import Image, ImageError, plain
from ivfnb.images.doubts import doubt
from ivfnb.images.ranges import Levels, extremes

LOW_16_BIT, LOW_FLOAT = 2**14, 32.0  # a span below these, of 65,535 and of 255, fills a small part of its container
HOW = "say what they mean by levels (--levels, --levels-infrared, --levels-visible): 'full', 'minmax' or LOW:HIGH"


def levels(image: Image, name: str = "image", levels: Levels | str | tuple[float, float] | None = None) -> Image:
    """Grey levels of an image as float64, checked: the one rule for what a grey image is.

    Parameters
    ----------
    image : array (h, w)
        uint8; uint16, which is divided by 257; or floating point or other whole-number levels 0..255. Of either byte order.
    name : str
        What the message of an error calls the image.
    levels : Levels, str, (low, high) or None
        What the numbers mean where they are not levels: "full", "minmax" or LOW and HIGH, see `Levels`.

    Returns
    -------
    array (h, w), float64
        Levels 0..255, a copy.

    Raises
    ------
    ImageError
        For other shapes, no pixels, other dtypes, masked arrays, and levels that are not finite or leave 0..255 by more than rounding
        (1e-6).

    Warns
    -----
    LevelsWarning
        Without `levels`, where uint16 fills a small part of its range or floating point spans few levels or stops at 1.

    Examples
    --------
    >>> levels(np.array([[0, 65535]], np.uint16))
    array([[  0., 255.]])
    >>> levels(np.array([[0, 16383]], np.uint16), levels="0:16383")
    array([[  0., 255.]])
    """
    image = plain(image, name)
    if image.ndim != 2 or image.size == 0:
        raise ImageError(f"{name}: found an array of shape {image.shape}, expected a grey image (h, w)")
    result = as_levels(image, name, levels)
    return result if result.dtype == np.float64 and result is not image else result.astype(np.float64)


def as_levels(image: Image, name: str = "image", levels: Levels | str | tuple[float, float] | None = None) -> Image:
    """Levels of an image of any shape by the rule of `levels`: uint8 and float64 as they are where they are levels, else float64."""
    meant = Levels.parse(levels)
    if image.dtype.kind not in "uif":
        raise ImageError(f"{name}: found {image.dtype}, expected uint8, uint16 or floating point grey levels")
    if meant is not None and not (meant.deep and image.dtype == np.uint8):
        return meant.applied(image, name) if image.dtype != np.uint8 or meant.kind != "full" else image
    if image.dtype == np.uint8:
        return image
    low, high = extremes(image, name)
    if image.dtype == np.uint16:
        if 0 < high < 2 * LOW_16_BIT or 0 < high - low < LOW_16_BIT:
            example = f", such as 0:{2 ** int(high).bit_length() - 1} for {int(high).bit_length()} bits"
            taken = f"taken as levels {low / 257:.3g} to {high / 257:.3g} of 0..255"
            doubt(f"{name}: found uint16 values from {low:g} to {high:g}, a small part of 0..65535, {taken}; {HOW}{example}")
        return image / 257.0
    if not (low >= -1e-6 and high <= 255 + 1e-6):  # the margin is for rounding in earlier stages
        raise ImageError(f"{name}: found levels from {low:g} to {high:g}, expected finite grey levels 0..255; if not, {HOW}")
    if image.dtype.kind == "f" and (0 < high <= 1 or 0 < high - low < LOW_FLOAT):
        of_one = ", such as 0:1" if high <= 1 else ""
        found = f"found {image.dtype} values from {low:g} to {high:g}, a small part of the grey levels 0..255 they were taken for"
        doubt(f"{name}: {found}; {HOW}{of_one}")
    return image.astype(np.float64, copy=False)

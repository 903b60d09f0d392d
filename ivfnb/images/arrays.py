"""What an image is here, and what is done to its levels and colours."""

from collections.abc import Iterator

import cv2
import numpy as np

BAND = 2**19  # pixels that are worked on at a time where an image may be large: 4 MB as levels

Image = np.ndarray


class ImageError(ValueError):
    """An image file or array that is not what was asked for.

    The message names the file or the argument, what was found and what was expected.

    Examples
    --------
    >>> plain(np.ma.masked_equal([[0, 7]], 0), "visible")
    Traceback (most recent call last):
    ...
    ivfnb.images.arrays.ImageError: visible: found a masked array, expected an array without a mask (fill it, or cut the image)
    """


def plain(image: object, name: str = "image") -> Image:
    """Array of an image in the machine's byte order.

    Parameters
    ----------
    image : array or what NumPy makes one of
    name : str
        What the message of an error calls the image.

    Returns
    -------
    array
        `image` itself where it is one already.

    Raises
    ------
    ImageError
        For a masked array, whose mask every function here would ignore.

    Examples
    --------
    >>> plain(np.array([[1, 2]], ">u2")).dtype
    dtype('uint16')
    """
    if isinstance(image, np.ma.MaskedArray):
        raise ImageError(f"{name}: found a masked array, expected an array without a mask (fill it, or cut the image)")
    array = np.asarray(image)
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def to_uint8(image: Image) -> Image:
    """Grey levels rounded to the nearest whole number and saturated to 0..255.

    Parameters
    ----------
    image : array of any shape
        Levels; uint8 is given back as it is.

    Returns
    -------
    array of the same shape, uint8

    Notes
    -----
    Halves are rounded up, as MATLAB rounds positive numbers; NumPy's `round` would take them to the even number.

    Examples
    --------
    >>> to_uint8(np.array([2.5, -3.0, 254.4, 300.0]))
    array([  3,   0, 254, 255], dtype=uint8)
    """
    return image if image.dtype == np.uint8 else np.clip(np.floor(image + 0.5), 0, 255).astype(np.uint8)


def to_gray(image: Image) -> Image:
    """Luma of a colour image; a grey one is given back as it is.

    Parameters
    ----------
    image : array (h, w), or (h, w, 3) RGB
        Levels 0..255.

    Returns
    -------
    array (h, w)
        ITU-R BT.601 luma: uint8 of a uint8 image, rounded as OpenCV does it, else floating point.

    Examples
    --------
    >>> to_gray(np.array([[[255.0, 0.0, 0.0], [10.0, 10.0, 10.0]]])).round(3)
    array([[76.245, 10.   ]])
    """
    image = plain(image)
    if image.ndim == 2:
        return image
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) if image.dtype == np.uint8 else image @ np.array([0.299, 0.587, 0.114])


def to_ycbcr(image: Image) -> Image:
    """Luma and chroma of a colour image.

    Parameters
    ----------
    image : array (h, w, 3) RGB
        Levels 0..255.

    Returns
    -------
    array (h, w, 3), float64
        ITU-R BT.601, full range: Y 0..255, Cb and Cr centred on 128.

    Examples
    --------
    >>> to_ycbcr(np.array([[[80, 80, 80]]])).round(6)
    array([[[ 80., 128., 128.]]])
    """
    red, green, blue = np.moveaxis(image.astype(np.float64), 2, 0)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return np.stack([luma, 128 + (blue - luma) / 1.772, 128 + (red - luma) / 1.402], axis=2)


def from_ycbcr(image: Image) -> Image:
    """Colour image of luma and chroma: the inverse of `to_ycbcr`.

    Parameters
    ----------
    image : array (h, w, 3)
        Y, Cb and Cr as `to_ycbcr` gives them.

    Returns
    -------
    array (h, w, 3) RGB, float64
        Levels, clipped to 0..255.

    Examples
    --------
    >>> from_ycbcr(to_ycbcr(np.array([[[200, 30, 90]]]))).round(6)
    array([[[200.,  30.,  90.]]])
    """
    luma, cb, cr = np.moveaxis(image.astype(np.float64), 2, 0)
    red, blue = luma + 1.402 * (cr - 128), luma + 1.772 * (cb - 128)
    return np.clip(np.stack([red, (luma - 0.299 * red - 0.114 * blue) / 0.587, blue], axis=2), 0, 255)


def bands(shape: tuple[int, ...], pixels: int | None = None) -> Iterator[slice]:
    """Runs of rows that make up an image, so that what is computed on the way is small, however large the image is.

    Parameters
    ----------
    shape : (h, w) or (h, w, 3)
    pixels : int, optional
        Of a run, at most (but a whole row at least); None takes `BAND`.

    Yields
    ------
    slice
        Of rows.

    Examples
    --------
    >>> list(bands((5, 100), 200))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    step = max(1, (pixels or BAND) // max(1, shape[1]))
    for first in range(0, shape[0], step):
        yield slice(first, min(first + step, shape[0]))

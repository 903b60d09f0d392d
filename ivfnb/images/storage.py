"""Arrays to files, and through them."""

from pathlib import Path

import cv2
import numpy as np

from ivfnb import files
from ivfnb.images.arrays import Image, ImageError, plain, to_uint8
from ivfnb.images.doubts import warn_of_unit


def through_jpeg(image: Image, quality: int) -> Image:
    """What is left of an image that was rounded to 8 bits, stored as a JPEG file and read.

    Parameters
    ----------
    image : array (h, w), or (h, w, 3) RGB
        Levels 0..255.
    quality : int
        1..100, the file's quality.

    Returns
    -------
    array of the same shape, uint8

    Notes
    -----
    OpenCV's codec (libjpeg-turbo, accurate DCT, colour at half resolution), whose tables are those of MATLAB's `imwrite` and of the
    Independent JPEG Group.

    Examples
    --------
    >>> through_jpeg(np.full((2, 2), 90.0), 75)
    array([[90, 90],
           [90, 90]], dtype=uint8)
    """
    colour = image.ndim == 3
    levels = to_uint8(image)
    _, file = cv2.imencode(".jpg", levels[..., ::-1] if colour else levels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    stored = cv2.imdecode(file, cv2.IMREAD_COLOR if colour else cv2.IMREAD_GRAYSCALE)
    assert stored is not None  # it was written a line ago
    return np.ascontiguousarray(stored[..., ::-1]) if colour else stored


def write_image(path: str | Path, image: Image) -> Path:
    """Write grey levels as the 8-bit file that its suffix names, whole or not at all.

    Parameters
    ----------
    path : str or Path
        Its suffix chooses the format: .png (lossless), .jpg, .bmp or .tif.
    image : array (h, w), or (h, w, 3) RGB
        Levels 0..255; floating point is rounded to the nearest and saturated.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    ImageError
        For other shapes, values that are not finite, masked arrays, or an unknown suffix.

    Warns
    -----
    LevelsWarning
        For a floating-point image whose maximum is at most 1: levels are 0..255.

    Examples
    --------
    >>> import tempfile
    >>> from ivfnb.images import read_gray
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     read_gray(write_image(f"{folder}/ramp.png", np.array([[0.4, 9.5]])))
    array([[ 0, 10]], dtype=uint8)
    """
    path, image = Path(path), plain(image, str(path))
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3) or image.size == 0:
        raise ImageError(f"{path}: found an array of shape {image.shape}, expected (h, w) or (h, w, 3)")
    if image.dtype.kind not in "uif" or not np.isfinite(image).all():
        raise ImageError(f"{path}: found {image.dtype} with non-finite or non-numeric values, expected grey levels 0..255")
    warn_of_unit(image, str(path))
    levels = to_uint8(image)
    try:
        _, encoded = cv2.imencode(path.suffix.lower(), levels if image.ndim == 2 else levels[..., ::-1])
    except cv2.error as error:
        raise ImageError(f"{path}: found the suffix {path.suffix!r}, expected .png, .jpg, .bmp or .tif") from error
    return files.write_bytes(path, encoded.tobytes())

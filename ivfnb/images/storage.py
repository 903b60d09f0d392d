"""Arrays to files, and through them."""

import cv2
import numpy as np

from ivfnb.images.arrays import Image, to_uint8


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

"""The check of a pair that all comparison methods share."""

from ivfnb.images import Image, ImageError, levels


def check_pair(infrared: Image, visible: Image) -> tuple[Image, Image]:
    """Both images of a pair as levels that a comparison method can work on.

    Parameters
    ----------
    infrared, visible : arrays (h, w)
        uint8, uint16 or levels 0..255.

    Returns
    -------
    infrared, visible : arrays (h, w), float64
        Levels 0..255, copies.

    Raises
    ------
    ImageError
        Naming the image that is not grey, not in range, under 2x2 or of another size.

    Examples
    --------
    >>> import numpy as np
    >>> check_pair(np.zeros((2, 2)), np.zeros((2, 3)))
    Traceback (most recent call last):
    ...
    ivfnb.images.arrays.ImageError: visible: found shape (2, 3), expected that of the infrared image, (2, 2)
    """
    pair = levels(infrared, "infrared"), levels(visible, "visible")
    if pair[0].shape != pair[1].shape:
        raise ImageError(f"visible: found shape {pair[1].shape}, expected that of the infrared image, {pair[0].shape}")
    if min(pair[0].shape) < 2:
        raise ImageError(f"infrared: found shape {pair[0].shape}, expected at least 2x2 pixels")
    return pair

"""How the size of a fused image relates to that of its pair, and sources that can be compared with it."""

import numpy as np

from ivfnb import images
from ivfnb.fusion.protocol import AS_RELEASED
from ivfnb.images import Image

CROP_AT_MOST = 16  # pixels: published images that are smaller by less were cropped at the top left, not resized


def fit(shape: tuple[int, int], pair_shape: tuple[int, int]) -> str:
    """How the size of a fused image relates to that of its pair.

    Parameters
    ----------
    shape, pair_shape : (h, w)
        Pixels, of the fused image and of the pair.

    Returns
    -------
    str
        "same size"; "cropped" (smaller by less than 16 pixels); "reduced" (smaller, the same aspect ratio to a pixel); "released size" (the
        456x456 of the released script); "enlarged" (larger in a side); "distorted" (smaller, of another aspect ratio).

    Examples
    --------
    >>> fit((480, 640), (486, 643)), fit((240, 320), (480, 640)), fit((456, 456), (480, 640))
    ('cropped', 'reduced', 'released size')
    """
    missing = np.subtract(pair_shape, shape)
    if not missing.any():
        return "same size"
    if (missing >= 0).all() and (missing < CROP_AT_MOST).all():
        return "cropped"
    if tuple(shape) == AS_RELEASED.size:
        return "released size"
    if (missing < 0).any():
        return "enlarged"
    scales = np.divide(shape, pair_shape)
    return "reduced" if np.abs(scales.mean() * np.array(pair_shape) - shape).max() <= 1 else "distorted"


def fit_sources(fused: Image, infrared: Image, visible: Image, convention: str) -> tuple[Image, Image, str]:
    """Sources that can be compared with a fused image, and how they were made so.

    Parameters
    ----------
    fused : array (h, w) or (h, w, 3)
    infrared, visible : arrays (H, W)
        Levels 0..255.
    convention : str
        Of the metrics. "as_released" resizes the sources to the fused image's size whatever the sizes.

    Returns
    -------
    infrared, visible : arrays
    how : str
        "same size"; "cropped" at the top left where the fused image is smaller by less than 16 pixels (DDcGAN and MEF-GAN crop to multiples
        of 4 and 8); "resized" to the fused image's size (MATLAB's bicubic).

    Examples
    --------
    >>> infrared, visible, how = fit_sources(np.zeros((20, 20)), np.zeros((40, 40)), np.zeros((40, 40)), "standard")
    >>> infrared.shape, how
    ((20, 20), 'resized')
    """
    shape = fused.shape[:2]
    how = fit(shape, infrared.shape[:2])
    if how == "same size":
        return infrared, visible, how
    if how == "cropped":
        return infrared[: shape[0], : shape[1]], visible[: shape[0], : shape[1]], how
    if convention == "as_released":
        return infrared, visible, "resized"
    return images.matlab_imresize(infrared, shape), images.matlab_imresize(visible, shape), "resized"

"""How the size of a fused image relates to that of its pair, and sources that can be compared with it."""

import cv2
import numpy as np

from ivfnb import images
from ivfnb.fusion.protocol import AS_RELEASED
from ivfnb.images import Image

CROP_AT_MOST = 16  # pixels: published images that are smaller by less may have been cropped at the top left, or resized
FITS = ("content", "crop", "resize")
DETAIL = 2.0  # deviation in pixels of the Gaussian mean, beside which detail is what is left


def fit(shape: tuple[int, int], pair_shape: tuple[int, int]) -> str:
    """How the size of a fused image relates to that of its pair.

    Parameters
    ----------
    shape, pair_shape : (h, w)
        Pixels, of the fused image and of the pair.

    Returns
    -------
    str
        "same size"; "cropped" (smaller by less than 16 pixels; only the content tells whether it is a crop, see `is_crop`); "reduced"
        (smaller, the same aspect ratio to a pixel); "released size" (the 456x456 of the released script); "enlarged" (larger in a side);
        "distorted" (smaller, of another aspect ratio).

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


def _detail(image: Image) -> np.ndarray:
    """What an image has beside its Gaussian mean, flattened, of mean 0."""
    levels = np.asarray(image, np.float64)
    detail = (levels - cv2.GaussianBlur(levels, (0, 0), DETAIL)).ravel()
    return detail - detail.mean()


def explained(fused: Image, infrared: Image, visible: Image) -> float:
    """Share of the detail of a fused image that the details of its sources explain.

    Parameters
    ----------
    fused, infrared, visible : arrays (h, w)
        Levels 0..255, of one size.

    Returns
    -------
    float
        0 to 1, of the least squares of fused = a infrared + b visible; 0 for a fused image without detail.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> infrared, visible = random.uniform(0, 255, (2, 40, 40))
    >>> round(explained(0.3 * infrared + 0.7 * visible, infrared, visible), 6), explained(infrared[::-1], infrared, visible) < 0.1
    (1.0, True)
    """
    wanted = _detail(fused)
    total = wanted @ wanted
    if total <= 1e-9 * wanted.size:
        return 0.0
    sources = np.stack([_detail(infrared), _detail(visible)])
    weights = np.linalg.lstsq(sources @ sources.T, sources @ wanted, rcond=None)[0]
    return float(np.clip(weights @ (sources @ wanted) / total, 0, 1))


def is_crop(fused: Image, infrared: Image, visible: Image) -> bool:
    """Whether a fused image that is a few pixels smaller than its sources is a crop of them, or they were resized.

    Parameters
    ----------
    fused : array (h, w)
        Levels 0..255, smaller than the sources by less than 16 pixels.
    infrared, visible : arrays (H, W)

    Returns
    -------
    bool
        True where the sources cut at the top left explain the detail of the fused image at least as well as the resized ones.

    Notes
    -----
    Some methods crop (to multiples of 4 and 8: DDcGAN and MEF-GAN), others resize (to multiples of 16), and both give the same size.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> infrared, visible = (cv2.GaussianBlur(image, (0, 0), 1.5) for image in random.uniform(0, 255, (2, 90, 70)))
    >>> mean = (infrared + visible) / 2
    >>> is_crop(mean[:80, :64], infrared, visible), is_crop(images.matlab_imresize(mean, (80, 64)), infrared, visible)
    (True, False)
    """
    height, width = fused.shape[:2]
    cut = explained(fused, infrared[:height, :width], visible[:height, :width])
    return cut >= explained(fused, *(images.matlab_imresize(source, (height, width)) for source in (infrared, visible)))


def check_fit(fit: str) -> None:
    """ValueError for a word that is not among `FITS`."""
    if fit not in FITS:
        raise ValueError(f"fit: found {fit!r}, expected one of {FITS}")


def fit_sources(fused: Image, infrared: Image, visible: Image, convention: str, fit_by: str = "content") -> tuple[Image, Image, str]:
    """Sources that can be compared with a fused image, and how they were made so.

    Parameters
    ----------
    fused : array (h, w) or (h, w, 3)
    infrared, visible : arrays (H, W) or (H, W, 3)
        Levels 0..255.
    convention : str
        Of the metrics. "as_released" resizes the sources to the fused image's size where that is no crop.
    fit_by : str
        "content" decides between crop and resize by what fits the fused image better, where it is smaller by less than 16 pixels
        (`is_crop`, of the luma of coloured ones), and resizes otherwise; "crop" and "resize" say so.

    Returns
    -------
    infrared, visible : arrays
    how : str
        "same size"; "cropped" at the top left; "resized" to the fused image's size (MATLAB's bicubic).

    Raises
    ------
    ValueError
        For an unknown `fit_by`, and for a crop of sources that are smaller than the fused image.

    Examples
    --------
    >>> infrared, visible, how = fit_sources(np.zeros((20, 20)), np.zeros((40, 40)), np.zeros((40, 40)), "standard")
    >>> infrared.shape, how
    ((20, 20), 'resized')
    """
    check_fit(fit_by)
    shape, size = fused.shape[:2], infrared.shape[:2]
    how = fit(shape, size)
    if how == "same size":
        return infrared, visible, how
    if fit_by == "crop" and (shape[0] > size[0] or shape[1] > size[1]):
        raise ValueError(f"fit: found 'crop' for a fused image of {shape[1]}x{shape[0]} pixels, expected at most {size[1]}x{size[0]}")
    if fit_by == "crop" or (how == "cropped" and fit_by == "content" and is_crop(*map(images.to_gray, (fused, infrared, visible)))):
        return infrared[: shape[0], : shape[1]], visible[: shape[0], : shape[1]], "cropped"
    if convention == "as_released":
        return infrared, visible, "resized"
    return _resized(infrared, shape), _resized(visible, shape), "resized"


def _resized(image: Image, shape: tuple[int, int]) -> Image:
    """A grey image, or each channel of a coloured one, at another size."""
    if image.ndim == 2:
        return images.matlab_imresize(image, shape)
    return np.dstack([images.matlab_imresize(channel, shape) for channel in np.moveaxis(image, 2, 0)])

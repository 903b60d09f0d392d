"""High-Dynamic-Range Compression (HDRC), the paper's enhancement of the visible image, and two alternatives to it."""

import numpy as np

from ivfnb.enhance.filters import fast_guided_filter
from ivfnb.enhance.stretch import full_range, is_flat, stretch
from ivfnb.images import Image, levels


def _log_base(full: Image, radius: float, eps: float) -> Image:
    """Natural logarithm of the base layer + 1 of a stretched image; the filter's subsampling is a quarter of its radius, at least 1."""
    pixels = int(radius * max(full.shape))
    base = fast_guided_filter(full, pixels, eps, max(1.0, pixels / 4))
    return np.log1p(base, out=base)


def layers(image: Image, radius: float = 0.04, eps: float = 0.01) -> tuple[Image, Image]:
    """Base and detail layers of the stretched image, as HDRC sees them.

    Parameters
    ----------
    image : array (h, w)
        uint8, uint16 or levels 0..255.
    radius : float
        Of the filter that finds the base layer: a share of the longer side, rounded down to pixels.
    eps : float
        The filter's variance, see `fast_guided_filter`.

    Returns
    -------
    base, detail : arrays (h, w), float64
        Natural logarithms of level + 1; their sum is log(stretch(image) + 1).

    Raises
    ------
    ImageError
        If `image` is no grey image.

    Examples
    --------
    >>> base, detail = layers(np.tile(np.arange(64), (64, 1)))
    >>> bool(np.allclose(np.exp(base + detail) - 1, stretch(np.tile(np.arange(64), (64, 1)))))
    True
    """
    full = stretch(image)
    base = _log_base(full, radius, eps)
    return base, np.log1p(full, out=full) - base


def hdrc(image: Image, radius: float = 0.04, eps: float = 0.01, contrast: float = 4.0) -> Image:
    """High-Dynamic-Range Compression: the paper's enhancement of the visible image.

    The base layer is scaled in the logarithm to a range of log(contrast), the detail layer is kept, the brightest base is held in place.

    Parameters
    ----------
    image : array (h, w)
        uint8, uint16 or levels 0..255.
    radius, eps : float
        Of the filter that finds the base layer, see `layers`.
    contrast : float
        Ratio of the compressed base layer's extremes, above 1.

    Returns
    -------
    array (h, w), float64
        Levels up to 255, above which they are cut; not rounded. A constant image keeps its levels.

    Raises
    ------
    ImageError
        If `image` is no grey image.
    ValueError
        For a contrast that is not above 1.

    References
    ----------
    Zhou et al. 2016, doi 10.1364/AO.55.006480; after Durand and Dorsey 2002, doi 10.1145/566654.566574

    Examples
    --------
    >>> dark = np.tile(np.linspace(0, 40, 64), (64, 1))
    >>> bool(np.median(hdrc(dark)) > np.median(stretch(dark)))
    True
    """
    image = levels(image)
    if is_flat(image):
        return image
    if contrast <= 1:
        raise ValueError(f"contrast: found {contrast}, expected above 1 (the ratio of the compressed base layer's extremes)")
    full_range(image)
    base = _log_base(image, radius, eps)
    top, spread = base.max(), np.ptp(base)
    scale = np.log(contrast) / spread if spread > 0 else 1.0  # a flat base leaves nothing to compress
    # exp(scale * base + detail + (1 - scale) * top) with detail = log(image + 1) - base: one logarithm and one array fewer
    np.subtract(top, base, out=base)
    base *= 1 - scale
    np.exp(base, out=base)
    image += 1
    image *= base
    return np.minimum(image, 255, out=image)


def clahe(image: Image, clip_limit: float = 0.01) -> Image:
    """Contrast-limited adaptive histogram equalisation, an alternative to HDRC.

    Parameters
    ----------
    image : array (h, w)
        uint8, uint16 or levels 0..255.
    clip_limit : float
        0..1; higher gives more contrast.

    Returns
    -------
    array (h, w), float64
        Levels 0..255. A constant image keeps its levels.

    Raises
    ------
    ImageError
        If `image` is no grey image.

    Notes
    -----
    scikit-image's `equalize_adapthist`, tiles of an eighth of each side.

    References
    ----------
    Zuiderveld 1994, Contrast limited adaptive histogram equalization, Graphics Gems IV

    Examples
    --------
    >>> clahe(np.full((1, 2), 80))
    array([[80., 80.]])
    """
    from skimage import exposure  # imported late: it takes longer than the rest of the module

    image = levels(image)
    if is_flat(image):
        return image
    return 255 * exposure.equalize_adapthist(np.clip(image / 255, 0, 1), clip_limit=clip_limit)


def gamma(image: Image, exponent: float = 0.5) -> Image:
    """Power law on the stretched image, an alternative to HDRC.

    Parameters
    ----------
    image : array (h, w)
        uint8, uint16 or levels 0..255.
    exponent : float
        Below 1 brightens.

    Returns
    -------
    array (h, w), float64
        255 * (level / 255)^exponent of the stretched levels. A constant image keeps its levels.

    Raises
    ------
    ImageError
        If `image` is no grey image.

    Notes
    -----
    scikit-image's `adjust_gamma`.

    Examples
    --------
    >>> gamma(np.array([[0, 1, 4]])).round(1)
    array([[  0. , 127.5, 255. ]])
    """
    from skimage import exposure

    full = stretch(image)
    return full if is_flat(full) else 255 * exposure.adjust_gamma(full / 255, exponent)

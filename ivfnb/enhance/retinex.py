"""Single Scale Retinex (SSR), and the multi-scale one."""

import numpy as np

from ivfnb.enhance.filters import surround
from ivfnb.enhance.stretch import full_range, is_flat
from ivfnb.images import Image, bands, levels, to_uint8

MULTI_SHARES = (0.06, 0.32, 1.0)  # of the widest surround: 15, 80 and 250 pixels in Rahman et al. 1996, doi 10.1109/ICIP.1996.560995
CLIPS = ("released", "percentile", "none")


def _limits(reflectance: np.ndarray, clip: str) -> tuple[float, float]:
    """Lowest and highest reflectance that `ssr` keeps."""
    if clip == "none":
        return reflectance.min(), reflectance.max()
    if clip == "percentile":
        return tuple(np.percentile(reflectance, (1, 99)))
    lowest, highest = (int(100 * value) for value in (reflectance.min(), reflectance.max()))  # truncated toward zero, as released
    counts = np.zeros(highest - lowest + 1, np.int64)
    values = reflectance.ravel()
    for part in bands((values.size, 1)):
        counts += np.bincount((100 * values[part]).astype(np.int32) - lowest, minlength=counts.size)
    bins = np.arange(counts.size) + lowest
    rare = (counts > 0) & (counts < 0.1 * counts[bins == 0].sum())
    negative, positive = bins[rare & (bins < 0)], bins[rare & (bins > 0)]
    return (negative[-1] if negative.size else bins[0]) / 100, (positive[0] if positive.size else bins[-1]) / 100


def ssr(image: Image, sigma: float | tuple[float, ...] = 300.0, clip: str = "released") -> Image:
    """Single Scale Retinex: log10 of the image over its Gaussian surround, clipped and stretched to 0..255.

    Parameters
    ----------
    image : array (h, w)
        uint8, uint16 or levels 0..255.
    sigma : float or several
        Standard deviation of the surround in pixels; several give the multi-scale Retinex (mean of the logarithms; `MULTI_SHARES`).
    clip : str
        "released" cuts at the innermost hundredths of a decade that hold fewer than a tenth of the pixels of hundredth 0 (the whole range
        where no pixel lies there); "percentile" cuts at 1 % and 99 %; "none" keeps all.

    Returns
    -------
    array (h, w), float64
        Levels 0..255, not rounded. Where no contrast is left (constant image, or less than a hundredth of a decade with "released") the
        levels come back unchanged.

    Raises
    ------
    ImageError
        If `image` is no grey image.
    ValueError
        For an unknown clip, no sigma, or one that is not positive.

    Notes
    -----
    The clip rule is the released script's, which truncates the result to uint8 (`astype`).

    References
    ----------
    Jobson, Rahman and Woodell 1997, doi 10.1109/83.557356

    Examples
    --------
    >>> scene = np.tile(np.arange(64.0), (64, 1))
    >>> result = ssr(scene, sigma=16)
    >>> float(result.min()), round(float(result.max()), 6)
    (0.0, 255.0)
    """
    if clip not in CLIPS:
        raise ValueError(f"clip: found {clip!r}, expected one of {CLIPS}")
    sigmas = np.atleast_1d(sigma).tolist()
    if not sigmas:
        raise ValueError("sigma: found no value, expected one or several numbers of pixels")
    reflectance = levels(image)
    if is_flat(reflectance):
        return reflectance
    reflectance += 1
    np.log10(reflectance, out=reflectance)
    for each in sigmas:
        around = surround(image, each)
        around += 1
        np.log10(around, out=around)
        around /= len(sigmas)
        reflectance -= around
        del around  # before the next one is made
    low, high = _limits(reflectance, clip)
    full = full_range(np.clip(reflectance, low, high, out=reflectance))
    return levels(image) if full is None else full


def explained_by_level(before: Image, after: Image) -> float:
    """Share of the variance of an image that one curve of another image's rounded level explains.

    Parameters
    ----------
    before, after : arrays (h, w), levels 0..255, of one shape

    Returns
    -------
    float
        0 to 1; 1 where `after` depends on the level of `before` alone, as after a global curve. NaN for a constant `after`.

    Examples
    --------
    >>> ramp = np.tile(np.arange(256.0), (4, 1))
    >>> explained_by_level(ramp, ramp**2 / 255)
    1.0
    """
    level, values = to_uint8(before).ravel(), np.ravel(after).astype(np.float64)
    if np.ptp(values) == 0:
        return float("nan")
    counts = np.bincount(level, minlength=256)
    curve = np.bincount(level, values, minlength=256) / np.maximum(counts, 1)
    return float(1 - np.mean((values - curve[level]) ** 2) / np.var(values))

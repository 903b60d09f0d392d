"""Feature mutual information (FMI): how much small windows of a feature image of F tell of the same windows of the sources."""

from typing import NamedTuple

import numpy as np

from ivfnb.images import Image
from ivfnb.metrics.registry import INFINITE, metric

HAGHIGHAT = "Haghighat, Aghagolzadeh and Seyedarabi 2011, doi 10.1016/j.compeleceng.2011.07.012"
SIDE = 3  # of the sliding window
RANK = np.arange(1, SIDE**2 + 1.0)[:, None]
# Features of a flat area carry rounding noise of a transform, which the window's stretch would blow up to full range.
FEATURE_DECIMALS = 9


class Windows(NamedTuple):
    """n windows read column by column: raw `values` (9, n), and taken as distributions over their pixels: `shares` (9, n), their
    cumulative sums, standard deviation of the rank (n,), entropy (n,), and whether the window is flat."""

    values: np.ndarray
    shares: np.ndarray
    cumulative: np.ndarray
    deviation: np.ndarray
    entropy: np.ndarray
    flat: np.ndarray


def _entropy(shares: np.ndarray, axis: int | tuple[int, ...]) -> np.ndarray:
    """Sum of -p log2|p|, 0 at 0; the joint distribution below may have slightly negative entries."""
    magnitude = np.abs(shares)
    magnitude[magnitude == 0] = 1
    return -(shares * np.log2(magnitude)).sum(axis=axis)


def _windows(feature: Image) -> Windows:
    """Windows of a feature image (h, w) or a band of it, n = (h-2)*(w-2)."""
    height, width = feature.shape[0] - SIDE + 1, feature.shape[1] - SIDE + 1
    values = np.stack([feature[y : y + height, x : x + width].ravel() for x in range(SIDE) for y in range(SIDE)])
    low, high = values.min(axis=0), values.max(axis=0)
    flat = low == high
    stretched = np.where(flat, 1.0, (values - low) / np.where(flat, 1.0, high - low))
    shares = stretched / stretched.sum(axis=0)
    mean = (RANK * shares).sum(axis=0)
    deviation = np.sqrt(np.maximum((RANK**2 * shares).sum(axis=0) - mean**2, 0))
    return Windows(values, shares, np.cumsum(shares, axis=0), deviation, _entropy(shares, 0), flat)


def _pair(source: Windows, fused: Windows) -> np.ndarray:
    """Normalised mutual information (n,) of window pairs.

    The joint distribution mixes the independent one with the extreme one of the same sign of correlation (Frechet's upper or lower
    bound) so that the correlation of ranks equals the correlation of the shares (Nelsen's method as simplified by the authors).
    """
    a, f = (windows.shares - 1 / SIDE**2 for windows in (source, fused))
    unrelated = source.flat | fused.flat
    norm = np.sqrt((a**2).sum(axis=0) * (f**2).sum(axis=0))
    correlation = np.where(unrelated, 0.0, (a * f).sum(axis=0) / np.where(unrelated, 1.0, norm))
    # Frechet's lower bound is his upper one with the order of one of the two reversed.
    opposed = correlation < 0
    shares = np.where(opposed, source.shares[::-1], source.shares)
    cumulative = np.where(opposed, np.cumsum(source.shares[::-1], axis=0), source.cumulative)
    bound = np.minimum(fused.cumulative[:, None], cumulative[None, :])
    covariance = bound.sum(axis=(0, 1)) - fused.cumulative.sum(axis=0) * cumulative.sum(axis=0)
    mixable = (correlation != 0) & (source.deviation > 0) & (fused.deviation > 0) & (covariance != 0)
    share = np.abs(correlation) * source.deviation * fused.deviation / np.where(mixable, covariance, 1.0) * mixable
    bound[1:] -= bound[:-1].copy()
    bound[:, 1:] -= bound[:, :-1].copy()  # now the extreme distribution itself
    joint = share * bound + (1 - share) * fused.shares[:, None] * shares[None, :]
    total = source.entropy + fused.entropy
    value = np.where(total > 0, 2 * (total - _entropy(joint, (0, 1))) / np.where(total > 0, total, 1.0), 0.0)
    return np.where((source.values == fused.values).all(axis=0), 1.0, value)


def _fmi(fused: Image, *sources: Image) -> float:
    """FMI of feature images of one shape, mean over windows and sources."""
    sums, rows = 0.0, fused.shape[0] - SIDE + 1
    for top in range(rows):  # a row of windows at a time: their joint distributions (81, w) then stay in the processor's cache
        band = slice(top, top + SIDE)
        windows = _windows(fused[band])
        sums += sum(float(_pair(_windows(source[band]), windows).sum()) for source in sources) / len(sources)
    return sums / (rows * (fused.shape[1] - SIDE + 1))


@metric(
    "FMI_pixel",
    direction="higher",
    unit="1",
    value_range=(-INFINITE, INFINITE),
    reference=HAGHIGHAT,
    smallest=SIDE,
)
def fmi_pixel(fused: Image, infrared: Image, visible: Image) -> float:
    """FMI of the grey levels themselves: windows of 3x3 pixels, each taken as a distribution; higher is better.

    Parameters
    ----------
    fused : array (h, w), grey levels 0..255
        uint8, uint16 (divided by 257), other integers or floating point.
    infrared, visible : arrays (h, w), grey levels 0..255
        The sources of `fused`.

    Returns
    -------
    float
        About 0 to 1; 1 where all three images are equal. Single windows can leave 0..1.

    Raises
    ------
    ImageError
        If an image is not grey, below 3x3 pixels or of another size than `fused`; the message names it.

    Notes
    -----
    Values leave 0..1 since the mixed joint distribution need not be one where the correlation is larger than its bound's. A flat window
    shares nothing with another one, unless the two are equal. Departure from the authors' code: it compares the second source with a
    fused window already stretched, by which equal flat windows count 1 for the first source and 0 for the second.

    References
    ----------
    Haghighat, Aghagolzadeh and Seyedarabi 2011, doi 10.1016/j.compeleceng.2011.07.012

    Examples
    --------
    >>> import numpy as np
    >>> image = np.add.outer(np.arange(12) % 7, np.arange(12) % 5) * 20
    >>> fmi_pixel(image, image, image)
    1.0
    >>> fmi_pixel(image, image.T, image.T)
    0...
    """
    return _fmi(fused, infrared, visible)


def _wavelet_feature(image: Image) -> Image:
    """Discrete Meyer wavelet transform, one level, its four bands side by side, stretched to 0..1 (ones if constant)."""
    import pywt  # late: slow to import, and only this metric needs it

    approximation, (horizontal, vertical, diagonal) = pywt.dwt2(image, "dmey", mode="symmetric")
    bands = np.round(np.block([[approximation, horizontal], [vertical, diagonal]]), FEATURE_DECIMALS)
    low, high = bands.min(), bands.max()
    return (bands - low) / (high - low) if high > low else np.ones_like(bands)


@metric(
    "FMI_w",
    direction="higher",
    unit="1",
    value_range=(-INFINITE, INFINITE),
    reference=HAGHIGHAT,
)
def fmi_wavelet(fused: Image, infrared: Image, visible: Image) -> float:
    """FMI of the discrete Meyer wavelet transform, one level; higher is better.

    Parameters
    ----------
    fused : array (h, w), grey levels 0..255
        uint8, uint16 (divided by 257), other integers or floating point.
    infrared, visible : arrays (h, w), grey levels 0..255
        The sources of `fused`.

    Returns
    -------
    float
        About 0 to 1; 1 where all three images are equal. Single windows can leave 0..1.

    Raises
    ------
    ImageError
        If an image is not grey, below 2x2 pixels or of another size than `fused`; the message names it.

    Notes
    -----
    Windows as in `fmi_pixel`. Departure: PyWavelets' filter has 62 taps and MATLAB's 102, so that the bands' margins are narrower here.

    References
    ----------
    Haghighat, Aghagolzadeh and Seyedarabi 2011, doi 10.1016/j.compeleceng.2011.07.012

    Examples
    --------
    >>> import numpy as np
    >>> image = np.add.outer(np.arange(12) % 7, np.arange(12) % 5) * 20
    >>> fmi_wavelet(image, image, image)
    1.0
    >>> fmi_wavelet(image, image.T, image.T)
    0...
    """
    return _fmi(*(_wavelet_feature(image) for image in (fused, infrared, visible)))


def _dct_feature(image: Image) -> Image:
    """Orthonormal 2-D discrete cosine transform (type II) of the whole image."""
    from scipy import fft  # late: slow to import

    return np.round(fft.dctn(image, norm="ortho"), FEATURE_DECIMALS)


@metric(
    "FMI_dct",
    direction="higher",
    unit="1",
    value_range=(-INFINITE, INFINITE),
    reference=HAGHIGHAT,
    smallest=SIDE,
)
def fmi_dct(fused: Image, infrared: Image, visible: Image) -> float:
    """FMI of the 2-D discrete cosine transform of the whole image; higher is better.

    Parameters
    ----------
    fused : array (h, w), grey levels 0..255
        uint8, uint16 (divided by 257), other integers or floating point.
    infrared, visible : arrays (h, w), grey levels 0..255
        The sources of `fused`.

    Returns
    -------
    float
        About 0 to 1; 1 where all three images are equal. Single windows can leave 0..1.

    Raises
    ------
    ImageError
        If an image is not grey, below 3x3 pixels or of another size than `fused`; the message names it.

    Notes
    -----
    Windows as in `fmi_pixel`.

    References
    ----------
    Haghighat, Aghagolzadeh and Seyedarabi 2011, doi 10.1016/j.compeleceng.2011.07.012

    Examples
    --------
    >>> import numpy as np
    >>> image = np.add.outer(np.arange(12) % 7, np.arange(12) % 5) * 20
    >>> fmi_dct(image, image, image)
    1.0
    >>> fmi_dct(image, image.T, image.T)
    0...
    """
    return _fmi(*(_dct_feature(image) for image in (fused, infrared, visible)))

"""Feature mutual information (FMI): how much small windows of a feature image of F tell of the same windows of the sources."""

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import cv2
import numpy as np

from ivfnb.images import Image
from ivfnb.metrics.registry import INFINITE, metric

HAGHIGHAT = "Haghighat, Aghagolzadeh and Seyedarabi 2011, doi 10.1016/j.compeleceng.2011.07.012"
SIDE = 3  # of the sliding window
CELLS = SIDE**2
RANKS = np.stack([np.arange(1.0, CELLS + 1), np.arange(1.0, CELLS + 1) ** 2])
# Features of a flat area carry rounding noise of a transform, which the window's stretch would blow up to full range.
FEATURE_DECIMALS = 9
CHUNK = 1536  # windows worked on at once, whose joint distributions (81, n) then stay in the processor's cache
THREADS = 2  # always two, so that sums round alike everywhere
TINY = 1e-300


class Windows(NamedTuple):
    """n windows read column by column: raw `values` (9, n), and taken as distributions over their pixels: `shares` (9, n), their
    cumulative sums, their differences to the mean and the squares of these, summed (n,), standard deviation of the rank (n,), entropy (n,)
    in nats, and whether the window is flat."""

    values: np.ndarray
    shares: np.ndarray
    cumulative: np.ndarray
    centred: np.ndarray
    norm: np.ndarray
    deviation: np.ndarray
    entropy: np.ndarray
    flat: np.ndarray


def _entropy(shares: np.ndarray, work: np.ndarray) -> np.ndarray:
    """Sum over all but the last axis of -p ln|p|, 0 at 0; the joint distribution below may have slightly negative entries.

    `work`, of the shape of `shares`, is overwritten. OpenCV's logarithm is as exact as NumPy's and takes a third of its time.
    """
    shares, work = (array.reshape(-1, array.shape[-1]) for array in (shares, work))
    np.multiply(shares, shares, out=work)
    work += TINY
    cv2.log(work, work)
    return np.einsum("kn,kn->n", shares, work) / -2


def _cumulative(shares: np.ndarray) -> np.ndarray:
    """Sums along the first axis."""
    result = np.empty_like(shares)
    result[0] = shares[0]
    for before, share, after in zip(result, shares[1:], result[1:], strict=False):
        np.add(before, share, out=after)
    return result


def _windows(feature: Image) -> Windows:
    """Windows of a feature image (h, w) or a part of it, n = (h-2)*(w-2)."""
    height, width = feature.shape[0] - SIDE + 1, feature.shape[1] - SIDE + 1
    values = np.empty((CELLS, height, width))
    for cell, value in enumerate(values):
        value[:] = feature[cell % SIDE : cell % SIDE + height, cell // SIDE : cell // SIDE + width]
    values = values.reshape(CELLS, -1)
    low, high = values.min(axis=0), values.max(axis=0)
    flat = low == high
    shares = values - low
    if flat.any():
        shares[:, flat] = 1
    shares /= shares.sum(axis=0)
    mean, square = RANKS @ shares
    deviation = np.sqrt(np.maximum(square - mean**2, 0))
    centred = shares - 1 / CELLS
    norm = np.einsum("kn,kn->n", centred, centred)
    return Windows(values, shares, _cumulative(shares), centred, norm, deviation, _entropy(shares, np.empty_like(shares)), flat)


def _pair(source: Windows, fused: Windows, work: np.ndarray) -> np.ndarray:
    """Normalised mutual information (n,) of window pairs; `work` (2, 9, 9, n) is overwritten.

    The joint distribution mixes the independent one with the extreme one of the same sign of correlation (Frechet's upper or lower
    bound) so that the correlation of ranks equals the correlation of the shares (Nelsen's method as simplified by the authors).
    """
    joint, other = work
    unrelated = source.flat | fused.flat
    norm = np.sqrt(source.norm * fused.norm)
    correlation = np.where(unrelated, 0.0, np.einsum("kn,kn->n", source.centred, fused.centred) / np.where(unrelated, 1.0, norm))
    # Frechet's lower bound is his upper one with the order of one of the two reversed.
    shares = source.shares[::-1] - source.shares
    shares *= correlation < 0
    shares += source.shares
    cumulative = _cumulative(shares)
    np.minimum(fused.cumulative[:, None], cumulative[None, :], out=joint)
    covariance = np.einsum("ijn->n", joint) - fused.cumulative.sum(axis=0) * cumulative.sum(axis=0)
    mixable = (correlation != 0) & (source.deviation > 0) & (fused.deviation > 0) & (covariance != 0)
    share = np.abs(correlation) * source.deviation * fused.deviation / np.where(mixable, covariance, 1.0) * mixable
    other[0] = joint[0]
    np.subtract(joint[1:], joint[:-1], out=other[1:])
    joint[:, 0] = other[:, 0]
    np.subtract(other[:, 1:], other[:, :-1], out=joint[:, 1:])  # now the extreme distribution itself
    joint *= share
    shares *= 1 - share
    joint += np.multiply(fused.shares[:, None], shares[None, :], out=other)
    total = source.entropy + fused.entropy
    value = np.where(total > 0, 2 * (total - _entropy(joint, other)) / np.where(total > 0, total, 1.0), 0.0)
    return np.where((source.values == fused.values).all(axis=0), 1.0, value)


def _sum(tops: range, fused: Image, sources: tuple[Image, ...]) -> float:
    """Sum over windows and mean over sources, of the windows of the rows that begin at `tops`."""
    result = 0.0
    for top in range(tops.start, tops.stop, tops.step):
        band = slice(top, min(top + tops.step, tops.stop) + SIDE - 1)
        windows = _windows(fused[band])
        work = np.empty((2, CELLS, CELLS, windows.flat.size))
        result += sum(float(_pair(_windows(source[band]), windows, work).sum()) for source in sources) / len(sources)
    return result


def _fmi(fused: Image, *sources: Image) -> float:
    """FMI of feature images of one shape, mean over windows and sources."""
    rows, columns = (size - SIDE + 1 for size in fused.shape)
    step, middle = max(1, CHUNK // columns), rows // THREADS
    with ThreadPoolExecutor(THREADS) as pool:
        parts = pool.map(lambda tops: _sum(tops, fused, sources), (range(0, middle, step), range(middle, rows, step)))
        return sum(parts) / (rows * columns)


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

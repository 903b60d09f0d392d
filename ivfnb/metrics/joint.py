"""How much small windows of one image tell of the same windows of another: normalised mutual information of their joint distributions."""

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import cv2
import numpy as np

from ivfnb.images import Image

SIDE = 3  # of the sliding window
CELLS = SIDE**2
RANKS = np.stack([np.arange(1.0, CELLS + 1), np.arange(1.0, CELLS + 1) ** 2])
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


def mean_shared(fused: Image, *sources: Image) -> float:
    """FMI of feature images of one shape, mean over windows and sources."""
    rows, columns = (size - SIDE + 1 for size in fused.shape)
    step, middle = max(1, CHUNK // columns), rows // THREADS
    with ThreadPoolExecutor(THREADS) as pool:
        parts = pool.map(lambda tops: _sum(tops, fused, sources), (range(0, middle, step), range(middle, rows, step)))
        return sum(parts) / (rows * columns)

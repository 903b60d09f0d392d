"""How much small windows of one image tell of the same windows of another: normalised mutual information of their joint distributions."""

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import cv2
import numpy as np

from ivfnb.images import Image

SIDE = 3  # of the sliding window
CELLS = SIDE**2
RANKS = np.stack([np.arange(1.0, CELLS + 1), np.arange(1.0, CELLS + 1) ** 2])
STEPS = CELLS - 1  # of a cumulative distribution between 0 and 1; a power of two, as the network that merges two of them wants it
PIECES = 2 * STEPS + 1
CHUNK = 12288  # windows worked on at once: fewer make the two threads wait for each other, more do not stay in the processor's cache
THREADS = 2  # always two, so that sums round alike everywhere
TINY = 1e-300


class Windows(NamedTuple):
    """n windows read column by column: raw `values` (9, n), and taken as distributions over their pixels: `shares` (9, n), their
    differences to the mean and the squares of these, summed (n,), standard deviation of the rank (n,), entropy (n,) in nats, and whether
    the window is flat."""

    values: np.ndarray
    shares: np.ndarray
    centred: np.ndarray
    norm: np.ndarray
    deviation: np.ndarray
    entropy: np.ndarray
    flat: np.ndarray


def _information(shares: np.ndarray, work: np.ndarray) -> np.ndarray:
    """Sum of p ln|p| over the first axis of (k, n), 0 at 0; mixed distributions may have negative entries. `work` is overwritten.

    OpenCV's logarithm is as exact as NumPy's and takes a third of its time.
    """
    np.abs(shares, out=work)
    work += TINY
    cv2.log(work, work)
    return np.einsum("kn,kn->n", shares, work)


def _cumulative(shares: np.ndarray, out: np.ndarray) -> None:
    """Sums along the first axis; NumPy's own go down each column in turn, which takes thirty times as long."""
    out[0] = shares[0]
    for before, share, after in zip(out, shares[1:], out[1:], strict=False):
        np.add(before, share, out=after)


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
    return Windows(values, shares, centred, norm, deviation, -_information(shares, np.empty_like(shares)), flat)


class Bound:
    """Frechet's upper bound of two distributions, the joint one in which the ranks rise together: its 17 cells that can be above 0.

    Parameters
    ----------
    windows : int
        How many pairs of distributions are taken at once; the arrays for them are made once.

    Attributes
    ----------
    shares, product, work : arrays (17, windows)
        Of those cells: of the joint distribution, of the two distributions multiplied, and room for what is made of them.
    """

    def __init__(self, windows: int):
        self.windows = windows
        self._steps, self._other = np.empty((2, 2 * STEPS, windows))
        self.shares, self.product, self._left, self._before, self.work = np.empty((5, PIECES, windows))

    def _merge(self, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Inner steps (16, n) of both cumulative sums, ascending, and room of that shape. Whose a step is, its last bit says.

        Bitonic merger (Batcher 1968), all windows at once.
        """
        steps, other = self._steps, self._other
        _cumulative(first[:STEPS], steps[:STEPS])
        _cumulative(second[:STEPS], steps[: STEPS - 1 : -1])  # up, then down
        bits = steps.view(np.int64)
        bits[:STEPS] &= ~1
        bits[STEPS:] |= 1
        distance = STEPS
        while distance:
            (low, high), (least, most) = (np.moveaxis(each.reshape(-1, 2, distance, each.shape[-1]), 1, 0) for each in (steps, other))
            np.minimum(low, high, out=least)
            np.maximum(low, high, out=most)
            steps, other, distance = other, steps, distance // 2
        return steps, other

    def _extent(self, ends: np.ndarray) -> np.ndarray:
        """Length of what each piece (16 + 1, n) lies in, where `ends` (16, n) are its ends, ascending, and nan that are another's."""
        before, after = self._before, self.work
        before[0], after[-1] = 0, 1
        for piece in range(1, PIECES):
            np.fmax(before[piece - 1], ends[piece - 1], out=before[piece])
            np.fmin(after[-piece], ends[-piece], out=after[-piece - 1])
        after -= before
        return after

    def of(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Fill `shares` and `product` for distributions (9, n); return (n,) the covariance of the ranks.

        The two cumulative sums cut 0..1 into 17 pieces, each the share of one cell.
        """
        (steps, other), shares, left = self._merge(first, second), self.shares, self._left
        bits, spare = steps.view(np.int64), other.view(np.int64)
        shares[0], shares[-1] = steps[0], 1 - steps[-1]
        np.subtract(steps[1:], steps[:-1], out=shares[1:-1])
        owner = bits & 1  # 1: of the second
        np.negative(owner, out=spare)
        spare |= bits  # all bits set: nan
        self.product[:] = self._extent(other)
        np.subtract(owner, 1, out=spare)
        spare |= bits
        self.product *= self._extent(other)
        left[-1] = 1  # ranks of the second that are not below a piece
        left[:-1] = owner
        for piece in range(PIECES - 1, 0, -1):
            left[piece - 1] += left[piece]
        of_first = np.subtract(np.arange(PIECES + 1.0, 1.0, -1.0)[:, None], left, out=self._before)
        together = np.einsum("kn,kn,kn->n", shares, left, of_first)
        # The mean of (10 - rank) of one, times that of the other, is the mean of the product where both are independent.
        return together - (RANKS[0, ::-1] @ first) * (RANKS[0, ::-1] @ second)


def _pair(source: Windows, fused: Windows, bound: Bound) -> np.ndarray:
    """Normalised mutual information (n,) of window pairs.

    The joint distribution mixes the independent one with the extreme one of the same sign of correlation (Frechet's upper or lower
    bound) so that the correlation of ranks equals the correlation of the shares (Nelsen's method as simplified by the authors).

    With a share s of the extreme one, a cell holds p = s e + (1-s) f g. But for the 17 cells where e can be above 0, ln|p| is
    ln|1-s| + ln f + ln g, and the sum of p ln|p| is known from the two entropies; what those 17 cells differ from that is added.
    """
    unrelated = source.flat | fused.flat
    norm = np.sqrt(source.norm * fused.norm)
    correlation = np.where(unrelated, 0.0, np.einsum("kn,kn->n", source.centred, fused.centred) / np.where(unrelated, 1.0, norm))
    # Frechet's lower bound is his upper one with the order of one of the two reversed.
    covariance = bound.of(fused.shares, np.where(correlation < 0, source.shares[::-1], source.shares))
    mixable = (correlation != 0) & (source.deviation > 0) & (fused.deviation > 0) & (covariance != 0)
    share = np.abs(correlation) * source.deviation * fused.deviation / np.where(mixable, covariance, 1.0) * mixable
    rest = 1 - share
    plain, mixed, work = bound.product, bound.shares, bound.work
    plain *= rest
    mixed *= share
    mixed += plain
    total = source.entropy + fused.entropy
    shared = share * total + _information(rest[None], work[:1]) + _information(mixed, work) - _information(plain, work)
    value = np.where(total > 0, 2 * shared / np.where(total > 0, total, 1.0), 0.0)
    return np.where((source.values == fused.values).all(axis=0), 1.0, value)


def _sum(tops: range, fused: Image, sources: tuple[Image, ...]) -> float:
    """Sum over windows and mean over sources, of the windows of the rows that begin at `tops`."""
    result, bound = 0.0, Bound(0)
    for top in range(tops.start, tops.stop, tops.step):
        band = slice(top, min(top + tops.step, tops.stop) + SIDE - 1)
        windows = _windows(fused[band])
        if bound.windows != windows.flat.size:  # the first rows and, where fewer are left, the last ones
            bound = Bound(windows.flat.size)
        result += sum(float(_pair(_windows(source[band]), windows, bound).sum()) for source in sources) / len(sources)
    return result


def mean_shared(fused: Image, *sources: Image) -> float:
    """FMI of feature images of one shape, mean over windows and sources."""
    rows, columns = (size - SIDE + 1 for size in fused.shape)
    step, middle = max(1, CHUNK // columns), rows // THREADS
    with ThreadPoolExecutor(THREADS) as pool:
        parts = pool.map(lambda tops: _sum(tops, fused, sources), (range(0, middle, step), range(middle, rows, step)))
        return sum(parts) / (rows * columns)

"""Convolutional sparse coding of an image: an image as the sum of a few shifted small filters."""

from dataclasses import dataclass

import numpy as np
from scipy import fft

from ivfnb.baselines.common.convolution import Convolution, Support, wrap_add

RELAXATION = 1.8
PENALTY_RATIO, PENALTY_FACTOR = 1.2, 100.0  # the penalty follows residuals that differ by more than the one, by at most the other
# Coefficients that reach the threshold but for this share of it are followed in every iteration. All others are looked at again after a
# pause, which grows to so many iterations while no larger share of those followed turns out to have been missed.
MARGIN, PAUSE, MISSED = 0.02, 16, 0.02
KEEP = 1 - RELAXATION  # what is left of a leftover after an iteration
ROUNDING = 1e-6  # relative error of sums in float32


@dataclass
class _Sums:
    """Over the followed coefficients of all blocks: squares and products of values, changes and leftovers; how many they are."""

    values: float = 0.0
    changes: float = 0.0
    value_change: float = 0.0
    leftover_value: float = 0.0
    leftover_change: float = 0.0
    missed: int = 0
    followed: int = 0


class _Block:
    """Coefficients of a block of rows and leftovers of their duals (see `_Iterations`)."""

    def __init__(self, operator: Convolution, rows: slice) -> None:
        """Nothing is followed at first."""
        self.rows, self.operator = rows, operator
        self.others = np.zeros((operator.count, rows.stop - rows.start, operator.shape[1]), np.float32)  # leftovers over `decay`
        self.follow(np.zeros(0, np.intp), np.zeros(0, np.float32), np.zeros(0, np.float32))

    def follow(self, where: np.ndarray, values: np.ndarray, leftovers: np.ndarray) -> None:
        """Keep up the coefficients at these places of the flattened block from now on."""
        self.support, self.values, self.leftovers = Support(self.operator, self.rows, where), values, leftovers

    def look(self, correlations: np.ndarray, threshold: float, decay: float, sums: _Sums) -> tuple[np.ndarray, np.ndarray]:
        """Choose anew what is followed, given the correlations of all; those of the chosen ones, and which of them were followed before."""
        others, before = self.others.reshape(-1), self.support.where
        others[before] = self.leftovers / decay
        work = (self.others * (KEEP * decay)).reshape(-1)
        work += correlations.reshape(-1)
        work[before] += self.values
        near = np.abs(work, out=work) > threshold * (1 - MARGIN)
        where, gone = np.flatnonzero(near), ~near[before]
        sums.changes += float(self.values[gone] @ self.values[gone])
        sums.leftover_change -= float(self.values[gone] @ self.leftovers[gone])
        work[where], near[:] = 0, False
        work[before], near[before] = self.values, True
        self.follow(where, work[where], others[where] * decay)
        return correlations.reshape(-1)[where], near[where]

    def shrink(self, correlations: np.ndarray, threshold: float, sums: _Sums) -> None:
        """Soft thresholding of the followed coefficients, given the correlations at their places."""
        values = KEEP * self.leftovers
        values += self.values
        values += correlations
        duals = np.clip(values, -threshold, threshold)
        values -= duals
        changes = values - self.values
        sums.values += float(values @ values)
        sums.changes += float(changes @ changes)
        sums.value_change += float(values @ changes)
        sums.leftover_value += float(self.leftovers @ values)
        sums.leftover_change += float(self.leftovers @ changes)
        sums.followed += len(values)
        duals -= correlations
        self.values, self.leftovers = values, duals


class _Iterations:
    """The iterations of `sparse_code`; values and duals are multiplied by the penalty, so that the threshold is the sparsity.

    The dual of every coefficient is its filter's correlation with one image, `dual`, plus a leftover. Where a coefficient stays 0, its
    leftover shrinks by `KEEP` whatever happens elsewhere: only coefficients near the threshold need be visited. Norms over all
    coefficients follow from sums over those visited and from images.
    """

    def __init__(self, image: np.ndarray, operator: Convolution, sparsity: float) -> None:
        """Everything is 0 at first."""
        self.operator, self.sparsity, self.penalty, self.rescale = operator, sparsity, 100 * sparsity + 0.5, 1.0
        self.blocks = [_Block(operator, rows) for rows in operator.blocks]
        self.energy, self.spectrum = operator.energy.astype(np.float32), fft.rfft2(image)
        columns = np.full(self.energy.shape[1], 2 / image.size)  # each but the first and an even width's last stands for its mirror too
        columns[[0, -1] if image.shape[1] % 2 == 0 else [0]] = 1 / image.size
        self.weights = self.energy * columns.astype(np.float32)
        self.dual_spectrum, self.dual = np.zeros_like(self.spectrum), np.zeros_like(image)
        self.rebuilt, self.leftover = np.zeros_like(image), np.zeros_like(image)  # filters times values, and times leftovers, summed
        self.leftover_squares, self.decay = 0.0, 1.0
        self.pause, self.wait = 1, 0

    def step(self) -> tuple[float, float]:
        """One iteration; the relative primal and dual residual after it."""
        before = self.rescale * self.rebuilt
        offset = before - self.leftover
        move = self.penalty * self.spectrum
        move -= fft.rfft2(offset)
        move += self.energy * self.dual_spectrum
        move /= self.energy + np.float32(self.penalty)
        move -= self.dual_spectrum
        move_squares = float(np.vdot(move, self.weights * move).real)
        move *= RELAXATION
        self.dual_spectrum += move
        dual_squares = float(np.vdot(self.dual_spectrum, self.weights * self.dual_spectrum).real)
        dual = fft.irfft2(self.dual_spectrum, s=self.dual.shape)
        moved, self.dual = (dual - self.dual) / RELAXATION, dual
        sums = self._shrink()
        self.leftover = KEEP * self.leftover + before - self.rebuilt
        products = [2 * float(np.vdot(*pair)) for pair in ((offset - self.rebuilt, moved), (self.rebuilt, moved), (dual, self.leftover))]
        gap = sums.changes + 2 * sums.leftover_change + self.leftover_squares + products[0] + move_squares
        gap = max(gap, ROUNDING * (self.leftover_squares + move_squares))  # terms of which little is left say no more than this
        relaxed = sums.values - 2 * (sums.value_change + sums.leftover_value) + products[1] + gap
        self.leftover_squares = KEEP**2 * self.leftover_squares - 2 * KEEP * sums.leftover_change + sums.changes
        multiplier = dual_squares + products[2] + self.leftover_squares
        ratios = gap / max(relaxed, sums.values), sums.changes / multiplier
        return float(np.sqrt(ratios[0])), float(np.sqrt(ratios[1]))

    def _shrink(self) -> _Sums:
        """New values, leftovers and `rebuilt`."""
        operator, sums, canvas, look = self.operator, _Sums(), self.operator.canvas(), self.wait == 0
        seen = operator.windows(self.dual) if look else operator.runs(self.dual)
        for block in self.blocks:
            block.values *= self.rescale
            if look:
                correlations, known = block.look(operator.correlate(seen, block.rows), self.sparsity, self.decay, sums)
                block.shrink(correlations, self.sparsity, sums)
                sums.missed += int(np.count_nonzero(block.values[~known]))
            else:
                block.shrink(block.support.correlate(seen), self.sparsity, sums)
            block.support.add(canvas, block.values)
        self.rebuilt = wrap_add(canvas, operator.shape)
        if look:
            self.pause = min(2 * self.pause, PAUSE) if sums.missed <= MISSED * sums.followed else max(1, self.pause // 2)
            self.wait = self.pause
        self.wait -= 1
        self.decay *= KEEP
        if abs(self.decay) < ROUNDING:
            for block in self.blocks:
                block.others *= self.decay
            self.decay = 1.0
        return sums

    def balance(self, factor: float) -> None:
        """Multiply the penalty."""
        self.penalty, self.rescale = self.penalty * factor, factor

    def code(self) -> np.ndarray:
        """The coefficient maps (filters, h, w), float32."""
        maps = np.zeros((self.operator.count, *self.operator.shape), np.float32)
        for block in self.blocks:
            part = np.zeros_like(block.others)
            part.reshape(-1)[block.support.where] = block.values / self.penalty
            maps[:, block.rows] = part
        return maps


def sparse_code(image: np.ndarray, filters: np.ndarray, sparsity: float, tolerance: float = 1e-3, iterations: int = 500) -> np.ndarray:
    """Coefficient maps whose convolutions with filters sum to about an image, borders periodic.

    Parameters
    ----------
    image : array (h, w)
    filters : array (filters, side, side)
    sparsity : float
        Weight of the l1 norm of the maps.
    tolerance : float
        Relative primal and dual residual at which to stop.
    iterations : int
        At most.

    Returns
    -------
    array (filters, h, w), float32

    Notes
    -----
    Convolutional basis pursuit denoising: minimises half the squared error plus `sparsity` times the l1 norm of the maps, by ADMM with
    over-relaxation and an adaptive penalty. The linear system is solved on the image, not on the maps: with W the difference of maps and
    duals, its solution is W plus the correlations of the filters with (image - sum of filters * W) / (energy + penalty), the division in
    the Fourier domain. Coefficients far below the threshold, nearly all of them after some iterations, are passed over in most iterations;
    one that begins to count meanwhile comes in late.

    References
    ----------
    Wohlberg 2016, doi 10.1109/TIP.2015.2495260, and arXiv 1704.06209

    Examples
    --------
    >>> sparse_code(np.zeros((8, 8)), np.ones((2, 3, 3)) / 3, 0.01).shape
    (2, 8, 8)
    """
    image = np.asarray(image, np.float32)
    operator = Convolution(np.asarray(filters, np.float32), image.shape)
    windows = operator.windows(image)
    if max(np.abs(operator.correlate(windows, block)).max() for block in operator.blocks) <= sparsity:
        return np.zeros((len(filters), *image.shape), np.float32)  # the optimum
    target = 1 + 18.3 ** (np.log10(sparsity) + 1)  # of the ratio of primal to dual residual
    state = _Iterations(image, operator, sparsity)
    for _ in range(iterations):
        primal, dual = state.step()
        if max(primal, dual) <= tolerance:
            break
        ratio = primal / max(dual * target, np.finfo(np.float64).tiny)
        balanced = 1 / PENALTY_RATIO <= ratio <= PENALTY_RATIO
        state.balance(1.0 if balanced else float(np.clip(np.sqrt(ratio), 1 / PENALTY_FACTOR, PENALTY_FACTOR)))
    return state.code()

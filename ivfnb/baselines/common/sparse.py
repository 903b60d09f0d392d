"""Convolutional sparse coding of an image: an image as the sum of a few shifted small filters."""

import numpy as np
from scipy import fft

RELAXATION = 1.8
PENALTY_RATIO, PENALTY_FACTOR = 1.2, 100.0  # the penalty follows residuals that differ by more than the one, by at most the other
CHUNK = 2048  # pixels whose coefficients are worked on at once: they stay in the processor's cache


def wrap_add(total: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Image of periodic borders from one that reaches over them.

    Parameters
    ----------
    total : array (H, W)
    shape : (h, w)

    Returns
    -------
    array (h, w)
        The sum of the tiles of `shape` that `total` is cut into.

    Examples
    --------
    >>> wrap_add(np.array([[1, 2, 3, 10]]), (1, 3))
    array([[11,  2,  3]])
    """
    result = np.zeros(shape, total.dtype)
    for row in range(0, total.shape[0], shape[0]):
        for column in range(0, total.shape[1], shape[1]):
            tile = total[row : row + shape[0], column : column + shape[1]]
            result[: tile.shape[0], : tile.shape[1]] += tile
    return result


class Convolution:
    """Convolutions of coefficient maps with filters, and the adjoint, for images of one shape and periodic borders.

    Parameters
    ----------
    filters : array (filters, side, side)
    shape : (h, w)
        Of the images, pixels.

    Attributes
    ----------
    blocks : list of slices
        The rows that the methods work on at a time.
    energy : array (h, w // 2 + 1)
        The filters' power spectrum, summed.

    Notes
    -----
    Both are matrix products over blocks of rows, which is faster than Fourier transforms of all maps and works for any size.

    Examples
    --------
    >>> delta = np.zeros((1, 2, 2))
    >>> delta[0, 0, 0] = 1
    >>> Convolution(delta, (1, 3)).synthesise(np.array([[[1.0, 2.0, 3.0]]], np.float32))
    array([[1., 2., 3.]], dtype=float32)
    """

    def __init__(self, filters: np.ndarray, shape: tuple[int, int]) -> None:
        """`blocks` are the slices of rows the methods work on; `energy` is the filters' power spectrum, (h, w // 2 + 1)."""
        self.count, self.side, self.shape = filters.shape[0], filters.shape[1], shape
        self.matrix = np.ascontiguousarray(filters, np.float32).reshape(self.count, -1)
        self.transposed = np.ascontiguousarray(self.matrix.T)
        step = max(1, CHUNK // shape[1])
        self.blocks = [slice(top, min(top + step, shape[0])) for top in range(0, shape[0], step)]
        self.energy = np.zeros((shape[0], shape[1] // 2 + 1))
        room = [(0, max(0, size - self.side)) for size in shape]
        for each in filters:
            self.energy += np.abs(fft.rfft2(wrap_add(np.pad(each.astype(np.float64), room), shape))) ** 2

    def canvas(self) -> np.ndarray:
        """Zeros for `add` to work on: float32 (h + side - 1, w + side - 1)."""
        return np.zeros([size + self.side - 1 for size in self.shape], np.float32)

    def add(self, canvas: np.ndarray, maps: np.ndarray, block: slice) -> None:
        """Add to a canvas the sum of the filters convolved with a block of rows of their maps.

        Parameters
        ----------
        canvas : array (h + side - 1, w + side - 1), float32
            Changed.
        maps : array (filters, rows, w)
            Those of the block.
        block : slice
            One of `blocks`.
        """
        rows, width = maps.shape[1:]
        taps = (self.transposed @ maps.reshape(self.count, -1)).reshape(self.side, self.side, rows, width)
        for row in range(self.side):
            for column in range(self.side):
                canvas[block.start + row : block.stop + row, column : column + width] += taps[row, column]

    def synthesise(self, maps: np.ndarray) -> np.ndarray:
        """Image (h, w), float32, of coefficient maps (filters, h, w)."""
        canvas = self.canvas()
        for block in self.blocks:
            self.add(canvas, maps[:, block], block)
        return wrap_add(canvas, self.shape)

    def windows(self, image: np.ndarray) -> np.ndarray:
        """View (side, side, h, w) of what every tap of a filter sees of an image (h, w)."""
        padded = np.pad(image, (0, self.side - 1), mode="wrap")
        return np.lib.stride_tricks.sliding_window_view(padded, (self.side, self.side)).transpose(2, 3, 0, 1)

    def correlate(self, windows: np.ndarray, block: slice) -> np.ndarray:
        """Correlations of the filters with a block of rows of an image.

        Parameters
        ----------
        windows : array (side, side, h, w)
            Of the image, see `windows`.
        block : slice
            One of `blocks`.

        Returns
        -------
        array (filters, rows, w), float32
        """
        part = windows[:, :, block]
        return (self.matrix @ part.reshape(self.side**2, -1)).reshape(self.count, *part.shape[2:])


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
    the Fourier domain.

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
    code = np.zeros((len(filters), *image.shape), np.float32)
    windows = operator.windows(image)
    if max(np.abs(operator.correlate(windows, block)).max() for block in operator.blocks) <= sparsity:
        return code  # the optimum is 0
    dual, penalty, rescale = np.zeros_like(code), 100 * sparsity + 0.5, np.float32(1)
    target = 1 + 18.3 ** (np.log10(sparsity) + 1)  # of the ratio of primal to dual residual
    spectrum = fft.rfft2(image)
    for _ in range(iterations):
        canvas = operator.canvas()
        for block in operator.blocks:
            dual[:, block] *= rescale
            operator.add(canvas, code[:, block] - dual[:, block], block)
        misfit = (spectrum - fft.rfft2(wrap_add(canvas, image.shape))) / (operator.energy + penalty)
        windows = operator.windows(fft.irfft2(misfit, s=image.shape).astype(np.float32))
        threshold, squares = np.float32(sparsity / penalty), np.zeros(5)
        for block in operator.blocks:
            before, multiplier = code[:, block], dual[:, block]
            primal = operator.correlate(windows, block)
            primal += before
            primal -= multiplier
            after = primal - before
            after *= np.float32(RELAXATION)
            after += before
            after += multiplier
            np.clip(after, -threshold, threshold, out=multiplier)
            after -= multiplier
            before -= after  # the change, for the moment
            squares[:4] += [np.einsum("mij,mij->", plane, plane) for plane in (primal, after, multiplier, before)]
            primal -= after
            squares[4] += np.einsum("mij,mij->", primal, primal)
            before[...] = after
        norm_primal, norm_code, norm_dual, change, gap = np.sqrt(squares)
        primal_residual, dual_residual = gap / max(norm_primal, norm_code), change / norm_dual
        if max(primal_residual, dual_residual) <= tolerance:
            break
        ratio = primal_residual / max(dual_residual * target, np.finfo(np.float64).tiny)
        balanced = 1 / PENALTY_RATIO <= ratio <= PENALTY_RATIO
        factor = 1.0 if balanced else np.clip(np.sqrt(ratio), 1 / PENALTY_FACTOR, PENALTY_FACTOR)
        penalty, rescale = penalty * factor, np.float32(1 / factor)
    return code

"""Sums of shifted small filters and their adjoint, for coefficients that are dense or sparse."""

import numpy as np
from scipy import fft, sparse

CHUNK = 12288  # pixels whose coefficients are worked on at once: they stay in the processor's cache


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


def windows_by_row(image: np.ndarray, side: int) -> np.ndarray:
    """All windows of an image as columns of matrices, one for each row of windows, without a copy for each.

    Parameters
    ----------
    image : array (h, w)
    side : int
        Of the windows, pixels.

    Returns
    -------
    array (h - side + 1, side * side, w - side + 1)
        Read-only; each matrix is in C order, and neighbouring ones share memory.

    Examples
    --------
    >>> windows_by_row(np.arange(9).reshape(3, 3), 2)[0]
    array([[0, 1],
           [1, 2],
           [3, 4],
           [4, 5]])
    """
    height, width = (size - side + 1 for size in image.shape)
    shifted = np.stack([image[:, column : column + width] for column in range(side)], axis=1)
    row, line, item = shifted.strides
    return np.lib.stride_tricks.as_strided(shifted, (height, side * side, width), (row, line, item), writeable=False)


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
        The rows that are worked on at a time.
    energy : array (h, w // 2 + 1), float64
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
        self.rows = np.ascontiguousarray(np.moveaxis(filters, 0, 1), np.float32).reshape(-1, self.side)  # first rows of all, second, ...
        step = max(1, CHUNK // shape[1])
        self.blocks = [slice(top, min(top + step, shape[0])) for top in range(0, shape[0], step)]
        # The summed autocorrelations are one small image of 2 side - 1 pixels, whose transform is the energy.
        powers = np.sum(np.abs(fft.rfft2(filters.astype(np.float64), (2 * self.side,) * 2)) ** 2, axis=0)
        correlation = np.roll(fft.irfft2(powers, (2 * self.side,) * 2), self.side, axis=(0, 1))
        room = [(0, max(0, size - 2 * self.side)) for size in shape]
        folded = np.roll(wrap_add(np.pad(correlation, room), shape), (-self.side, -self.side), axis=(0, 1))
        self.energy = fft.rfft2(folded).real

    def canvas(self) -> np.ndarray:
        """Zeros for `Support.add` to work on: float32 (h + side - 1, w + side - 1)."""
        return np.zeros([size + self.side - 1 for size in self.shape], np.float32)

    def synthesise(self, maps: np.ndarray) -> np.ndarray:
        """Image (h, w), float32, of coefficient maps (filters, h, w)."""
        canvas = self.canvas()
        for block in self.blocks:
            part = maps[:, block].reshape(-1)
            where = np.flatnonzero(part)
            Support(self, block, where).add(canvas, part[where])
        return wrap_add(canvas, self.shape)

    def windows(self, image: np.ndarray) -> np.ndarray:
        """View (h, side * side, w), float32, of what every tap of a filter sees of an image (h, w)."""
        return windows_by_row(np.pad(np.asarray(image, np.float32), (0, self.side - 1), mode="wrap"), self.side)

    def runs(self, image: np.ndarray) -> np.ndarray:
        """Array (h + side - 1, w, side), float32, of the pixels of an image (h, w) that a row of a filter sees."""
        padded = np.pad(np.asarray(image, np.float32), (0, self.side - 1), mode="wrap")
        return np.ascontiguousarray(np.lib.stride_tricks.sliding_window_view(padded, self.side, axis=1))

    def correlate(self, windows: np.ndarray, block: slice) -> np.ndarray:
        """Correlations of the filters with a block of rows of an image.

        Parameters
        ----------
        windows : array (h, side * side, w)
            Of the image, see `windows`.
        block : slice
            One of `blocks`.

        Returns
        -------
        array (filters, rows, w), float32
        """
        found = np.empty((self.count, block.stop - block.start, self.shape[1]), np.float32)
        np.matmul(self.matrix, windows[block], out=found.transpose(1, 0, 2))
        return found


class Support:
    """Some coefficients of a block of rows, for products that leave out all others.

    Parameters
    ----------
    operator : Convolution
    block : slice
        One of its blocks.
    where : array (n,)
        Places in the flattened maps (filters, rows, w) of the block, ascending.
    """

    def __init__(self, operator: Convolution, block: slice, where: np.ndarray) -> None:
        """The places of the taps of each coefficient, in whose order they are multiplied, are worked out here."""
        self.operator, self.block, self.where = operator, block, where
        side, count, width = operator.side, operator.count, operator.shape[1]
        height = block.stop - block.start
        starts = np.arange(count + 1) * (height * width)
        self.bounds = np.searchsorted(where, starts)  # of each filter's coefficients
        self.pixels = where - np.repeat(starts[:-1], np.diff(self.bounds))
        below = np.arange(side)[:, None]
        columns = np.append((below * len(where) + self.bounds[:-1]).reshape(-1), side * len(where))
        rows = np.add.outer(below[:, 0].astype(np.int32) * width, self.pixels.astype(np.int32)).reshape(-1)
        shape = ((height + side - 1) * width, side * count)
        self.places = sparse.csc_array((np.empty(len(rows), np.float32), rows, columns.astype(np.int32)), shape)
        self.seen: np.ndarray | None = None

    def add(self, canvas: np.ndarray, values: np.ndarray) -> None:
        """Add to a canvas (h + side - 1, w + side - 1) the sum of the filters that the values (n,) multiply, each where it belongs."""
        side, width = self.operator.side, self.operator.shape[1]
        self.places.data.reshape(side, -1)[:] = values
        taps = (self.places @ self.operator.rows).reshape(-1, width, side)
        part = canvas[self.block.start : self.block.stop + side - 1]
        for column in range(side):
            part[:, column : column + width] += taps[:, :, column]

    def correlate(self, runs: np.ndarray) -> np.ndarray:
        """Correlations (n,), float32, with an image of which `runs` is what `Convolution.runs` gave."""
        side, width = self.operator.side, self.operator.shape[1]
        if self.seen is None:
            self.seen = self.pixels[:, None] + np.arange(side) * width
        part = runs[self.block.start : self.block.stop + side - 1].reshape(-1, side)
        taps = np.empty((len(self.where), side, side), np.float32)
        np.take(part, self.seen, axis=0, out=taps, mode="clip")  # this mode needs no second buffer
        found = np.empty(len(self.where), np.float32)
        for each, first, last in zip(self.operator.matrix, self.bounds, self.bounds[1:], strict=False):
            np.dot(taps[first:last].reshape(-1, side * side), each, out=found[first:last])
        return found

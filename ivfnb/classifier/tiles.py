"""Where the pixels of the dense method lie: a run of strips of an image, and in it the six kinds of pixels that `dense` tells apart."""

from math import prod

import torch

from ivfnb.classifier.folding import CELLS
from ivfnb.classifier.grid import WINDOW

CELL = WINDOW // CELLS  # pixels per side of a cell; rows and columns of pixels are counted in strips of 8


class Tile:
    """A run of strips of 8 pixel rows: which grid rows meet it, and where a buffer (pixels, ...) keeps the pixels of each kind.

    Parameters
    ----------
    first, last : int
        Strips of the run, the last one not in it.
    step : int
        Of the grid, in strips.
    grid : (rows, columns)
        Of the windows.
    """

    def __init__(self, first: int, last: int, step: int, grid: tuple[int, int]):
        self.first, self.last, self.step, self.grid = first, last, step, grid
        # row i of a window's 4 rows of cells lies in strip (grid row) * step + i: the grid rows and strips that the tile holds, per i
        begins = [max(0, -((i - first) // step)) for i in range(CELLS)]
        ends = [max(begin, min(grid[0], -((i - last) // step))) for i, begin in enumerate(begins)]
        self.grid_rows = [slice(*run) for run in zip(begins, ends, strict=True)]
        self.strips = [slice(a * step + i - first, b * step + i - first, step) for i, (a, b) in enumerate(zip(begins, ends, strict=True))]
        self.width = (grid[1] - 1) * step + CELLS
        self.columns = [slice(j, self.width - CELLS + 1 + j, step) for j in range(CELLS)]

    def shapes(self, size: int) -> list[list[tuple[int, ...]]]:
        """Shape of each kind: (2 blocks where on top or bottom, rows, 2 where on the sides, columns), at `size` pixels per strip."""
        top, *_, bottom = ((2, run.stop - run.start) for run in self.grid_rows)
        widths = (size * self.width,), (2, self.grid[1])
        return [[(*rows, *width) for width in widths] for rows in (top, (size * (self.last - self.first),), bottom)]

    def pixels(self, size: int) -> int:
        """Number of pixels of all kinds, at `size` pixels per strip."""
        return sum(prod(shape) for row in self.shapes(size) for shape in row)

    def kinds(self, buffer: torch.Tensor, size: int) -> list[list[torch.Tensor]]:
        """Views of the kinds [vertical][horizontal] in `buffer` (pixels, ...), each of shape (*shape, ...), at `size` pixels per strip."""
        shapes = self.shapes(size)
        parts = iter(buffer.split([prod(shape) for row in shapes for shape in row]))
        return [[next(parts).unflatten(0, shape) for shape in row] for row in shapes]


def _at(strips: slice, size: int, offset: int) -> slice:
    """The pixels `offset` behind the first of each of the strips, at `size` pixels per strip."""
    return slice(strips.start * size + offset, strips.stop * size, strips.step * size)


def _beside_sides(tile: Tile, pixels: torch.Tensor, size: int) -> torch.Tensor:
    """View (..., 2 sides, grid columns, features) of the pixels (..., columns, features) that lie next to a side inside their window."""
    apart = CELLS * size - 3
    inner = pixels.narrow(-2, 1, pixels.shape[-2] - 2)
    return inner.unfold(-2, apart + 1, tile.step * size)[..., ::apart].movedim(-1, -3)


def join(tile: Tile, wide: list[list[torch.Tensor]], narrow: list[list[torch.Tensor]], size: int) -> None:
    """Maxima of the 2x2 pixels of each pooled cell, from the kinds `wide` (`size` pixels per strip) into the kinds `narrow` (half of it).

    A pooled cell on a border joins border pixels with the pixels of the inside kind that lie beside them.
    """
    inside, sides = wide[1]
    pairs = torch.maximum(inside[:, 0::2], inside[:, 1::2])
    torch.maximum(pairs[0::2], pairs[1::2], out=narrow[1][0])
    edges = torch.maximum(sides, _beside_sides(tile, inside, size))
    torch.maximum(edges[0::2], edges[1::2], out=narrow[1][1])
    for vertical, cell, offset in ((0, 0, 1), (2, -1, size - 2)):  # the strip and its pixel beside the border
        (border, corners), beside = wide[vertical], _at(tile.strips[cell], size, offset)
        pooled = torch.maximum(border[:, :, 0::2], border[:, :, 1::2], out=narrow[vertical][0])
        torch.maximum(pooled, pairs[beside], out=pooled)
        joined = torch.maximum(corners, edges[beside])
        torch.maximum(joined, _beside_sides(tile, border, size), out=narrow[vertical][1])


def neighbourhoods(tile: Tile, height: int, width: int, device: torch.device) -> torch.Tensor:
    """Where the 3x3 neighbourhood of each pixel lies in the flattened planes of `dense`: (pixels of all kinds, 9).

    Those planes have 1 + h + h rows, namely zeros, the image's and the other image's, and 1 + w columns, zeros first.
    """
    around = torch.arange(-1, 2, device=device)

    def inside(first: int, last: int, limit: int) -> torch.Tensor:
        seen = torch.arange(first * CELL, last * CELL, device=device)[:, None] + 1 + around
        return torch.where(seen > limit, 0, seen)

    def borders(count: slice) -> tuple[torch.Tensor, torch.Tensor]:
        start = torch.arange(count.start, count.stop, device=device)[:, None] * tile.step * CELL + 1 + around
        return start, start + WINDOW - 1

    top, bottom = borders(tile.grid_rows[0])[0].repeat(2, 1, 1), borders(tile.grid_rows[-1])[1].repeat(2, 1, 1)
    top[0, :, 0], bottom[1, :, 2] = 0, 0
    top[1, :, 0] += height + WINDOW  # the last row of the other image's window
    bottom[0, :, 2] += height - WINDOW  # the first
    left, right = borders(slice(0, tile.grid[1]))
    left[:, 0], right[:, 2] = 0, 0
    vertical, horizontal = (top, inside(tile.first, tile.last, height), bottom), (inside(0, tile.width, width), torch.cat([left, right]))
    return torch.cat([(r[..., None, :, None] * (width + 1) + c[:, None, :]).reshape(-1, 9) for r in vertical for c in horizontal])

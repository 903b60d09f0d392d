"""Scores of all windows at once: the numbers of the window-by-window loop, with every shared feature computed once.

What makes it exact: a sample of EResNet is a stack of two 32x32 blocks, and only the three 3x3 stems look at neighbouring pixels. With
windows at multiples of 8 the three 2x2 poolings cut a window and the image along the same lines, so a feature inside a window belongs to
all windows around it. Different are only the pixels on a block's border, where the stem sees the zero padding or, across the seam, the
other image's block. They depend on the row of the window's start (top and bottom border), on its column (left and right side) or on both
(corners). So there are six kinds of pixels, `kinds[vertical][horizontal]`, vertical 0 for top, 1 for inside, 2 for bottom, horizontal 0 for
inside, 1 for the two sides; those of top and bottom come in two variants, for the upper and the lower block of a stack. Every pixel of
every kind passes the network once.

`folding` makes a residual block one matrix product, the activation, 2x2 maxima (which commute with the increasing leaky ReLU) and a sum.
The head's first layer is linear: its sum over the 4x4 cells of both blocks of a stack splits by image and block, so both orders share it.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from math import prod

import torch
from torch.nn import functional

from ivfnb.classifier.folding import CELLS, Affine, Folded, fold, product
from ivfnb.classifier.grid import WINDOW
from ivfnb.classifier.network import EResNet

CELL = WINDOW // CELLS  # pixels per side of a cell; rows and columns of pixels are counted in strips of 8
TILE_PIXELS = 15 * 2**9  # pixels of an image in one pass: a block's widest output, 1 KiB for each of 1.9 kinds a pixel, then fits the cache
MOST_THREADS = 8  # each holds a tile


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


def _join(tile: Tile, wide: list[list[torch.Tensor]], narrow: list[list[torch.Tensor]], size: int) -> None:
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


def _block(tile: Tile, block: Affine, features: torch.Tensor, size: int, out: torch.Tensor | None = None) -> torch.Tensor:
    """A residual block over all kinds: (pixels, in) at `size` pixels per strip -> (fewer pixels, out) at half of it."""
    wide = product(features, block, activation=True)
    narrow = wide.new_empty(tile.pixels(size // 2), wide.shape[1])
    _join(tile, tile.kinds(wide, size), tile.kinds(narrow, size // 2), size)
    residual, shortcut = narrow.chunk(2, dim=1)
    return torch.add(residual, shortcut, out=out)


def _neighbourhoods(tile: Tile, height: int, width: int) -> torch.Tensor:
    """Where the 3x3 neighbourhood of each pixel lies in the flattened planes of `scores`: (pixels of all kinds, 9).

    Those planes have 1 + h + h rows, namely zeros, the image's and the other image's, and 1 + w columns, zeros first.
    """
    around = torch.arange(-1, 2)

    def inside(first: int, last: int, limit: int) -> torch.Tensor:
        seen = torch.arange(first * CELL, last * CELL)[:, None] + 1 + around
        return torch.where(seen > limit, 0, seen)

    def borders(count: slice) -> tuple[torch.Tensor, torch.Tensor]:
        start = torch.arange(count.start, count.stop)[:, None] * tile.step * CELL + 1 + around
        return start, start + WINDOW - 1

    top, bottom = borders(tile.grid_rows[0])[0].repeat(2, 1, 1), borders(tile.grid_rows[-1])[1].repeat(2, 1, 1)
    top[0, :, 0], bottom[1, :, 2] = 0, 0
    top[1, :, 0] += height + WINDOW  # the last row of the other image's window
    bottom[0, :, 2] += height - WINDOW  # the first
    left, right = borders(slice(0, tile.grid[1]))
    left[:, 0], right[:, 2] = 0, 0
    vertical, horizontal = (top, inside(tile.first, tile.last, height), bottom), (inside(0, tile.width, width), torch.cat([left, right]))
    return torch.cat([(r[..., None, :, None] * (width + 1) + c[:, None, :]).reshape(-1, 9) for r in vertical for c in horizontal])


def _features(tile: Tile, net: Folded, seen: torch.Tensor, out: torch.Tensor) -> None:
    """Features of all kinds at one pixel per strip, (pixels, 512: gray, gradients) in `out`, from neighbourhoods (branches, pixels, 9)."""

    def branch(which: int, out: torch.Tensor | None = None) -> torch.Tensor:
        features, size, (*blocks, last) = product(seen[which], net.stems[which], activation=True), CELL, net.branches[which]
        for block in blocks:
            features, size = _block(tile, block, features, size), size // 2
        return _block(tile, last, features, size, out)

    branch(0, out[:, :256])
    _block(tile, net.gradient_block, torch.cat([branch(1), branch(2)], dim=1), 2, out[:, 256:])


@torch.inference_mode()
def _shares(net: Folded, planes: torch.Tensor, tile: Tile) -> list[torch.Tensor]:
    """What each row of cells adds to the head's first layer: (grid rows in the tile, grid columns, 2 images, 2 blocks, 256), four times.

    `planes`: (2 images, 3 branches, 1 + h + h, 1 + w), see `_neighbourhoods`.
    """
    around = _neighbourhoods(tile, (planes.shape[2] - 1) // 2, planes.shape[3] - 1).flatten().to(planes.device)
    features, shares = planes.new_empty(tile.pixels(1), 2, 512), []
    for image, of_image in enumerate(planes):
        seen = of_image.flatten(1).index_select(1, around).view(len(of_image), -1, 9)
        _features(tile, net, seen, features[:, image])
    kinds = tile.kinds(features, 1)
    for row, weight in enumerate(net.cells):
        inside, sides = kinds[{0: 0, CELLS - 1: 2}.get(row, 1)]
        left, right = sides.unbind(-4)
        cells = torch.cat([left, *(inside[..., columns, :, :] for columns in tile.columns[1:-1]), right], dim=-1)
        if row in (0, CELLS - 1):
            of_blocks = [product(block.flatten(0, 2), Affine(part, None)) for block, part in zip(cells, weight, strict=True)]
            sums = torch.stack(of_blocks, dim=1)
        else:  # both blocks see the same
            sums = product(cells[tile.strips[row]].flatten(0, 2), Affine(weight.flatten(0, 1), None))
        shares.append(sums.view(-1, tile.grid[1], 2, 2, 256))
    return shares


def _each(function: Callable, tiles: list[Tile], device: torch.device) -> Iterator:
    """Results of `function` in order: on the CPU from threads of one core each, as many as torch uses; elsewhere from this thread.

    Whole tiles to cores cost no waiting at the end of every small operation. The caller's number of threads is put back.
    """
    threads = min(torch.get_num_threads(), len(tiles), MOST_THREADS)
    if device.type != "cpu" or threads == 1:
        yield from map(function, tiles)
        return
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)  # of this thread too: OpenMP's helpers would spin on the cores that the tiles need
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            yield from pool.map(function, tiles)
    finally:
        torch.set_num_threads(before)


def _band(net: Folded, normalised: torch.Tensor, step: int, tile_pixels: int, hidden: torch.Tensor) -> None:
    """Add to `hidden` (rows, columns, 2 images, 2 blocks, 256) what the head's first layer sums over the windows of `normalised`."""
    rows, columns = hidden.shape[:2]
    grid = rows, columns
    height, width = (((count - 1) * step + CELLS) * CELL for count in grid)
    inside = normalised[..., :height, :width]
    planes = functional.pad(torch.cat([inside, inside.flip(0)], dim=2), (1, 0, 1, 0))
    strips, run = height // CELL, max(1, tile_pixels // (CELL * width))
    tiles = [Tile(first, min(first + run, strips), step, grid) for first in range(0, strips, run)]
    for tile, shares in zip(tiles, _each(partial(_shares, net, planes), tiles, planes.device), strict=True):
        for run_of_rows, share in zip(tile.grid_rows, shares, strict=True):
            hidden[run_of_rows] += share


@torch.inference_mode()
def scores(net: EResNet, shape: tuple[int, int], part: Callable, stride: int, tile_pixels: int = TILE_PIXELS) -> torch.Tensor:
    """Logits of every window inside the images, whose planes are asked for band by band.

    Parameters
    ----------
    net : EResNet
        In eval mode.
    shape : (h, w)
        Of the images, pixels.
    part : function
        Gives the normalised planes (2, 3, h, columns), float32, of the columns that a slice names.
    stride, tile_pixels : int
        Step of the windows, a multiple of 8, and about the pixels of an image in one pass.

    Returns
    -------
    tensor (2, rows, columns, 2), float32
        First with the visible window above, then below.

    Notes
    -----
    Bands overlap by 24 columns and are cut into runs of strips of 8 rows; of each window of a band 1,024 float32 numbers are kept.

    Examples
    --------
    >>> planes = torch.zeros(2, 3, 40, 56)
    >>> scores(EResNet().eval(), (40, 56), lambda columns: planes[..., columns], 8, tile_pixels=100).shape
    torch.Size([2, 2, 4, 2])
    """
    rows, columns = ((size - WINDOW) // stride + 1 for size in shape)
    folded, found = fold(net), []
    bands = min(columns, -(-CELL * shape[1] // max(1, tile_pixels)))
    limits = [columns * band // bands for band in range(bands + 1)]
    for first, last in pairwise(limits):
        normalised = part(slice(first * stride, (last - 1) * stride + WINDOW))
        hidden = normalised.new_zeros(rows, last - first, 2, 2, 256)
        _band(folded, normalised, stride // CELL, tile_pixels, hidden)
        upper, lower = hidden.unbind(3)
        orders = torch.stack([upper[:, :, 0] + lower[:, :, 1], upper[:, :, 1] + lower[:, :, 0]])
        orders += net.first_of_head.bias
        found.append(net.head[1:](orders.flatten(0, 2)).view(2, rows, last - first, 2))
        del normalised, hidden, upper, lower, orders  # before the next are made
    return torch.cat(found, dim=2)

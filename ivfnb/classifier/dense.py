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

import torch
from torch.nn import functional

from ivfnb.classifier.folding import CELLS, Affine, Folded, activate, activates, folded, product
from ivfnb.classifier.grid import WINDOW
from ivfnb.classifier.network import EResNet
from ivfnb.classifier.tiles import CELL, Tile, join, neighbourhoods

TILE_PIXELS = 15 * 2**9  # pixels of an image in one pass: a block's widest output, 1 KiB for each of 1.9 kinds a pixel, then fits the cache
MOST_THREADS = 8  # each holds a tile
DEVICE_PIXELS = 2**21  # at most, on an accelerator: there large passes pay, since every operation costs its start
DEVICE_BYTES = 8192  # of its memory for a pixel of both images in one pass, at the widest block, rounded up


def in_one_pass(device: torch.device) -> tuple[int, int]:
    """How much passes the network at once.

    Parameters
    ----------
    device : torch.device

    Returns
    -------
    tile_pixels, together : int
        Pixels of an image, and how many of the two images. On a processor what its cache holds; on CUDA both images, whole where a quarter
        of the free memory holds them.

    Examples
    --------
    >>> in_one_pass(torch.device("cpu")) == (TILE_PIXELS, 1)
    True
    """
    if device.type == "cpu":
        return TILE_PIXELS, 1
    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else DEVICE_BYTES * DEVICE_PIXELS
    return max(TILE_PIXELS, min(DEVICE_PIXELS, free // (4 * DEVICE_BYTES))), 2


def _block(tile: Tile, block: Affine, features: torch.Tensor, size: int, out: torch.Tensor | None = None) -> torch.Tensor:
    """A residual block over all kinds: (pixels, images, in) at `size` pixels per strip -> (fewer pixels, images, out) at half of it."""
    images, early = features.shape[1], activates(features)
    wide = product(features.flatten(0, 1), block, activation=early).view(len(features), -1)
    narrow = wide.new_empty(tile.pixels(size // 2), wide.shape[1])
    join(tile, tile.kinds(wide, size), tile.kinds(narrow, size // 2), size)
    if not early:  # a quarter of the pixels is left, and the activation rises, so that it does not matter which comes first
        activate(narrow)
    residual, shortcut = narrow.view(len(narrow), images, 2, -1).unbind(2)
    return torch.add(residual, shortcut, out=out)


def _features(tile: Tile, net: Folded, seen: torch.Tensor, out: torch.Tensor) -> None:
    """Features of all kinds at one pixel per strip, (pixels, images, 512: gray, gradients); `seen`: (branches, pixels, images, 9)."""
    pixels, images = seen.shape[1:3]

    def branch(which: int, out: torch.Tensor | None = None) -> torch.Tensor:
        features, size, (*blocks, last) = product(seen[which].flatten(0, 1), net.stems[which], activation=True), CELL, net.branches[which]
        features = features.view(pixels, images, -1).to(last.weight.dtype)
        for block in blocks:
            features, size = _block(tile, block, features, size), size // 2
        return _block(tile, last, features, size, out)

    branch(0, out[..., :256])
    _block(tile, net.gradient_block, torch.cat([branch(1), branch(2)], dim=-1), 2, out[..., 256:])


@torch.inference_mode()
def _shares(net: Folded, planes: torch.Tensor, together: int, tile: Tile) -> list[torch.Tensor]:
    """What each row of cells adds to the head's first layer: (grid rows in the tile, grid columns, 2 images, 2 blocks, 256), four times.

    `planes`: (2 images, 3 branches, 1 + h + h, 1 + w), see `neighbourhoods`; `together` of the images pass at once.
    """
    around = neighbourhoods(tile, (planes.shape[2] - 1) // 2, planes.shape[3] - 1, planes.device).flatten()
    features, shares = torch.empty(tile.pixels(1), 2, 512, dtype=net.cells[0].dtype, device=planes.device), []
    for first in range(0, 2, together):
        some = planes[first : first + together].flatten(2)
        seen = some.index_select(2, around).view(*some.shape[:2], -1, 9).permute(1, 2, 0, 3)
        _features(tile, net, seen.contiguous(), features[:, first : first + together])
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


def _band(net: Folded, normalised: torch.Tensor, step: int, tile_pixels: int, together: int, hidden: torch.Tensor) -> None:
    """Add to `hidden` (rows, columns, 2 images, 2 blocks, 256) what the head's first layer sums over the windows of `normalised`."""
    rows, columns = hidden.shape[:2]
    grid = rows, columns
    height, width = (((count - 1) * step + CELLS) * CELL for count in grid)
    inside = normalised[..., :height, :width]
    planes = functional.pad(torch.cat([inside, inside.flip(0)], dim=2), (1, 0, 1, 0))
    strips, run = height // CELL, max(1, tile_pixels // (CELL * width))
    tiles = [Tile(first, min(first + run, strips), step, grid) for first in range(0, strips, run)]
    for tile, shares in zip(tiles, _each(partial(_shares, net, planes, together), tiles, planes.device), strict=True):
        for run_of_rows, share in zip(tile.grid_rows, shares, strict=True):
            hidden[run_of_rows] += share


@torch.inference_mode()
def scores(
    net: EResNet, normalised: torch.Tensor, stride: int, tile_pixels: int = TILE_PIXELS, together: int = 1, precision: str = "float32"
) -> torch.Tensor:
    """Logits of every window inside the images, from their normalised planes.

    Parameters
    ----------
    net : EResNet
        In eval mode.
    normalised : tensor (2, 3, h, w), float32
        Planes of the visible and of the infrared image, as `net.normalise` gives them.
    stride : int
        Step of the windows in pixels, a multiple of 8.
    tile_pixels : int
        Of an image in one pass, about.
    together : int
        Images in one pass, 1 or 2.
    precision : str
        Of the network's products, see `folding.PRECISIONS`.

    Returns
    -------
    tensor (2, rows, columns, 2), float32
        First with the visible window above, then below.

    Notes
    -----
    See `scores_by_bands`.

    Examples
    --------
    >>> scores(EResNet().eval(), torch.zeros(2, 3, 40, 56), 8).shape
    torch.Size([2, 2, 4, 2])
    """
    shape = normalised.shape[2], normalised.shape[3]
    return scores_by_bands(net, shape, lambda columns: normalised[..., columns], stride, tile_pixels, together, precision)


@torch.inference_mode()
def scores_by_bands(
    net: EResNet,
    shape: tuple[int, int],
    part: Callable[[slice], torch.Tensor],
    stride: int,
    tile_pixels: int = TILE_PIXELS,
    together: int = 1,
    precision: str = "float32",
) -> torch.Tensor:
    """Logits of every window inside the images, whose planes are asked for band by band.

    Parameters
    ----------
    net : EResNet
        In eval mode.
    shape : (h, w)
        Of the images, pixels.
    part : function
        Normalised planes (2, 3, h, columns), float32, of the columns that a slice names.
    stride, tile_pixels, together, precision
        As in `scores`.

    Returns
    -------
    tensor (2, rows, columns, 2), float32

    Notes
    -----
    Wide images are cut into bands of whole windows, which overlap by 24 columns, and bands into runs of strips of 8 rows. What grows with
    the height of the image is 1,024 float32 numbers kept per window of a band.

    Examples
    --------
    >>> planes = torch.zeros(2, 3, 40, 56)
    >>> scores_by_bands(EResNet().eval(), (40, 56), lambda columns: planes[..., columns], 8, tile_pixels=100).shape
    torch.Size([2, 2, 4, 2])
    """
    rows, columns = ((size - WINDOW) // stride + 1 for size in shape)
    maps, found = folded(net, precision), []
    bands = min(columns, -(-CELL * shape[1] // max(1, tile_pixels)))
    limits = [columns * band // bands for band in range(bands + 1)]
    for first, last in pairwise(limits):
        normalised = part(slice(first * stride, (last - 1) * stride + WINDOW))
        hidden = normalised.new_zeros(rows, last - first, 2, 2, 256)
        _band(maps, normalised, stride // CELL, tile_pixels, together, hidden)
        upper, lower = hidden.unbind(3)
        orders = torch.stack([upper[:, :, 0] + lower[:, :, 1], upper[:, :, 1] + lower[:, :, 0]])
        orders += net.first_of_head.bias
        found.append(net.head[1:](orders.flatten(0, 2)).view(2, rows, last - first, 2))
        del normalised, hidden, upper, lower, orders  # before the next band's are made
    return torch.cat(found, dim=2)

"""Samples cut, blurred and stacked by a few batched operations on photographs kept on a device: the same bits as `PatchDataset`."""

from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np
import torch

from ivfnb.classifier.grid import WINDOW
from ivfnb.classifier.network import planes_of
from ivfnb.classifier.patches.index import BLUR_SIZES
from ivfnb.classifier.patches.samples import BLUR_SIGMA, HALO, PatchDataset

SEEN = WINDOW + 2 * HALO  # side of what a sample looks at
NEAR = WINDOW + 2  # side of what its gradients look at
SHARE = 0.5  # of the device's free memory that photographs may take


@cache
def taps(size: int) -> np.ndarray:
    """The blur's taps as OpenCV has them for 8 bits: whole 256ths, read from its answer to an impulse of 255.

    Parameters
    ----------
    size : int
        One of `BLUR_SIZES`.

    Returns
    -------
    array (size,), int64
        Sum 256.

    Raises
    ------
    RuntimeError
        Where OpenCV's arithmetic is another.

    Examples
    --------
    >>> taps(9).tolist()
    [27, 28, 29, 29, 30, 29, 29, 28, 27]
    """
    impulse = np.zeros((1, 4 * size + 1), np.uint8)
    impulse[0, 2 * size] = 255
    found = cv2.GaussianBlur(impulse, (size, 1), BLUR_SIGMA)[0, 2 * size - size // 2 :][:size].astype(np.int64)
    if found.sum() != 256:
        raise RuntimeError(f"OpenCV {cv2.__version__}: found taps of sum {found.sum()}, expected 256ths of sum 256")
    return found


def _bands() -> np.ndarray:
    """By blur size, the matrix (`NEAR`, `SEEN`) whose product with a column of pixels is their blur, times 256."""
    result = np.zeros((len(BLUR_SIZES), NEAR, SEEN))
    for matrix, size in zip(result, BLUR_SIZES, strict=True):
        for row in range(NEAR):
            matrix[row, row + HALO - 1 - size // 2 :][:size] = taps(size)
    return result


class DeviceSamples:
    """The samples of a `PatchDataset`, cut on a device.

    Parameters
    ----------
    samples : PatchDataset
    device : torch.device

    Raises
    ------
    ValueError
        For samples that cannot be cut there: photographs of more than 8 bits, a round trip through JPEG, more pixels than half of the free
        memory of a CUDA device holds.

    Notes
    -----
    OpenCV blurs 8 bits in whole numbers: taps of 256ths, then the sum of sums over 65,536, rounded. The same here in float64, which holds
    them exactly, so that blurs, gradients and samples are those of `PatchDataset` in every bit.

    Examples
    --------
    >>> from ivfnb.classifier.patches import samples_of
    >>> samples = samples_of([np.eye(64, dtype=np.uint8)], 8, seed=0)
    >>> there = DeviceSamples(samples, torch.device("cpu"))
    >>> all(torch.equal(a, b) for a, b in zip(there.__getitems__([3, 5]), samples.__getitems__([3, 5]), strict=True))
    True
    """

    def __init__(self, samples: PatchDataset, device: torch.device):
        if samples.jpeg_quality is not None:
            raise ValueError(f"samples: found a round trip through JPEG, expected none where {device} cuts them")
        index, self.gradients, self.device = samples.index, samples.gradients, device
        used, photograph = np.unique(index.photograph, return_inverse=True)
        room = SHARE * torch.cuda.mem_get_info(device)[0] / 2 if device.type == "cuda" else np.inf  # one after the other, then together
        kept, shapes = [], []
        for number in used:
            image = samples.photograph(number)
            room -= image.size
            if image.dtype != np.uint8 or room < 0:
                found = f"{image.dtype}" if image.dtype != np.uint8 else f"more than its free memory holds from photograph {number} on"
                raise ValueError(f"samples: found {found}, expected photographs of 8 bits that fit into {device}")
            kept.append(torch.from_numpy(np.ascontiguousarray(image).ravel()).to(device))
            shapes.append(image.shape)
        sizes = np.array(shapes, np.int64)
        starts = sizes.prod(axis=1).cumsum() - sizes.prod(axis=1)
        self._pixels = torch.cat(kept)
        columns = (photograph, index.row, index.column, np.searchsorted(BLUR_SIZES, index.blur_size), index.order)
        self._samples = torch.from_numpy(np.stack(columns, axis=1).astype(np.int32)).to(device)
        self._photographs = torch.from_numpy(np.column_stack([starts, sizes])).to(device)
        self._bands = torch.from_numpy(_bands()).to(device)
        self._seen, self._near = torch.arange(-HALO, WINDOW + HALO, device=device), torch.arange(-1, WINDOW + 1, device=device)

    def __len__(self) -> int:
        """Number of samples."""
        return len(self._samples)

    def __getitems__(self, which: Sequence[int] | np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """A batch on the device: samples (n, 3, 64, 32), float32, and classes (n,), as `PatchDataset` gives them."""
        chosen = torch.as_tensor(np.asarray(which, np.int64)).to(self.device, non_blocking=True)
        photograph, row, column, blur, order = self._samples[chosen].long().unbind(1)
        start, height, width = self._photographs[photograph].unbind(1)
        rows, columns = (_mirrored(first[:, None] + self._seen, size) for first, size in ((row, height), (column, width)))
        seen = self._pixels[start[:, None, None] + rows[:, :, None] * width[:, None, None] + columns[:, None, :]].double()
        # where the gradients look, in pixels of what was seen: beyond the photograph its last pixel is repeated, and only mirrored to blur
        near = [_inside(first[:, None] + self._near, size) - first[:, None] for first, size in ((row, height), (column, width))]
        sharp = _picked(seen, *(place + HALO for place in near))
        bands = self._bands[blur]
        blurred = torch.floor((bands @ seen @ bands.mT + 2**15) / 2**16)
        blurred = _picked(blurred, *(place + 1 for place in near))
        sharp, blurred = (planes_of(half.float(), self.gradients)[..., 1:-1, 1:-1] for half in (sharp, blurred))
        first = order[:, None, None, None] == 0
        upper, lower = torch.where(first, sharp, blurred), torch.where(first, blurred, sharp)
        return torch.cat([upper, lower], dim=2), order


def on_device(samples: PatchDataset, device: torch.device) -> "DeviceSamples | PatchDataset":
    """Samples cut on a CUDA device where it can, else as they are.

    Parameters
    ----------
    samples : PatchDataset
    device : torch.device

    Returns
    -------
    DeviceSamples or PatchDataset
        With the same batches.

    Examples
    --------
    >>> from ivfnb.classifier.patches import samples_of
    >>> type(on_device(samples_of([np.zeros((64, 64), np.uint8)], 2, seed=0), torch.device("cpu"))).__name__
    'PatchDataset'
    """
    if device.type != "cuda":
        return samples
    try:
        return DeviceSamples(samples, device)
    except ValueError:
        return samples


def _mirrored(places: torch.Tensor, size: torch.Tensor) -> torch.Tensor:
    """Places (n, k) along an axis of `size` (n,), mirrored beyond its ends without repeating them."""
    last = size[:, None] - 1
    return last - (last - places.abs()).abs()


def _inside(places: torch.Tensor, size: torch.Tensor) -> torch.Tensor:
    """Places (n, k) along an axis of `size` (n,), those beyond its ends moved to them."""
    return torch.minimum(places.clamp(min=0), size[:, None] - 1)


def _picked(images: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """Pixels (n, rows, columns) of images (n, h, w)."""
    return images[torch.arange(len(images), device=images.device)[:, None, None], rows[:, :, None], columns[:, None, :]]

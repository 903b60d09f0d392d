"""Samples cut, blurred and stacked when they are asked for."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import joblib
import numpy as np
import torch

from ivfnb import files, images
from ivfnb.classifier.grid import WINDOW
from ivfnb.classifier.network import planes
from ivfnb.classifier.patches.index import BLUR_SIZES, PatchIndex, make_index

BLUR_SIGMA = 9.0
HALO = max(BLUR_SIZES) // 2 + 1  # pixels around a block that its blur and gradients can see


def blur_stack(gray: np.ndarray) -> dict[int, np.ndarray]:
    """The four blurred versions of a grey image.

    Parameters
    ----------
    gray : array (h, w)
        Levels 0..255.

    Returns
    -------
    dict
        By kernel size in taps, arrays of the same shape and dtype.

    Notes
    -----
    Gaussian of sigma 9 cut to 9..15 taps: nearly a box mean. Borders are mirrored without repeating the edge (OpenCV's default).

    Examples
    --------
    >>> list(blur_stack(np.zeros((32, 32), np.uint8)))
    [9, 11, 13, 15]
    """
    return {size: cv2.GaussianBlur(gray, (size, size), BLUR_SIGMA) for size in BLUR_SIZES}


class PatchDataset(torch.utils.data.Dataset):
    """Samples of an index, cut when asked for: (planes (3, 64, 32) float32 in grey levels, class 0 or 1).

    Parameters
    ----------
    index : PatchIndex
    gradients : str
        As in `planes`.
    jpeg_quality : int, optional
        Passes each half through JPEG as three channels, as the released script stores them.
    cache : int
        How many photographs stay in memory, at most.

    Raises
    ------
    ValueError
        For a JPEG round trip of signed gradients, since JPEG stores uint8.

    Notes
    -----
    Blur and gradients are computed on the block and a halo of 8 pixels, which gives exactly the pixels of the whole photograph's blur.

    Examples
    --------
    >>> samples = samples_of([np.zeros((32, 32), np.uint8)], 2, seed=0)
    >>> samples[1][0].shape, samples[1][1]
    (torch.Size([3, 64, 32]), 1)
    """

    def __init__(self, index: PatchIndex, gradients: str = "signed", jpeg_quality: int | None = None, cache: int = 1024):
        if jpeg_quality is not None and gradients != "clipped":
            raise ValueError(f"gradients: found {gradients!r} with a JPEG round trip, expected 'clipped' (JPEG stores uint8)")
        self.index, self.gradients, self.jpeg_quality = index, gradients, jpeg_quality
        self._cache, self._photograph = cache, lru_cache(maxsize=cache)(self._read)

    def __reduce__(self):
        """What a worker process gets where processes are spawned: the index, no photographs."""
        return type(self), (self.index, self.gradients, self.jpeg_quality, self._cache)

    def _read(self, number: int) -> np.ndarray:
        photograph = self.index.images[number]
        return photograph if isinstance(photograph, np.ndarray) else images.read_gray(photograph)

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.index)

    def halves(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """Planes (3, 32, 32) of the sharp and of the blurred block of sample `i`."""
        index = self.index
        photograph = self._photograph(int(index.photograph[i]))
        row, column, size = int(index.row[i]), int(index.column[i]), int(index.blur_size[i])
        top, left = max(row - HALO, 0), max(column - HALO, 0)
        crop = np.ascontiguousarray(photograph[top : row + WINDOW + HALO, left : column + WINDOW + HALO])
        cut = np.s_[:, row - top : row - top + WINDOW, column - left : column - left + WINDOW]
        blurred = cv2.GaussianBlur(crop, (size, size), BLUR_SIGMA)
        return self._stored(planes(crop, self.gradients)[cut]), self._stored(planes(blurred, self.gradients)[cut])

    def _stored(self, half: np.ndarray) -> np.ndarray:
        if self.jpeg_quality is None:
            return half
        stored = images.through_jpeg(half[::-1].transpose(1, 2, 0).astype(np.uint8), self.jpeg_quality)  # the first plane in blue
        return stored.transpose(2, 0, 1)[::-1].astype(np.float32)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
        """Sample i and its class."""
        sample, label = self.__getitems__([i])
        return sample[0], int(label[0])

    def __getitems__(self, which: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
        """A batch in one piece: samples (n, 3, 64, 32) and classes (n,); a DataLoader needs `collate_fn=lambda batch: batch`."""
        batch = np.empty((len(which), 3, 2 * WINDOW, WINDOW), np.float32)
        for sample, i in zip(batch, which, strict=True):
            order = int(self.index.order[i])
            sharp, blurred = self.halves(i)
            sample[:, :WINDOW], sample[:, WINDOW:] = (sharp, blurred) if order == 0 else (blurred, sharp)
        return torch.from_numpy(batch), torch.from_numpy(self.index.order[list(which)].astype(np.int64))

    def identity(self) -> str:
        """Hash of all that the samples depend on: the index, the photographs' contents, and how they are cut."""
        index = self.index
        used = (index.images[number] for number in np.unique(index.photograph))
        contents = [joblib.hash(image) if isinstance(image, np.ndarray) else files.digest(image) for image in used]
        cuts = [np.asarray(part, np.int64) for part in (index.photograph, index.row, index.column, index.blur_size, index.order)]
        return joblib.hash((contents, cuts, self.gradients, self.jpeg_quality))

    def texture(self) -> np.ndarray:
        """Standard deviation of the grey levels of each sample's sharp block: array (n,)."""
        index, result = self.index, np.empty(len(self))
        for i, (number, row, column) in enumerate(zip(index.photograph, index.row, index.column, strict=True)):
            result[i] = self._photograph(int(number))[row : row + WINDOW, column : column + WINDOW].std()
        return result


def samples_of(photographs: Sequence[np.ndarray | str | Path], n: int, seed: int) -> PatchDataset:
    """Samples of photographs, with signed gradients.

    Parameters
    ----------
    photographs : sequence of arrays (h, w) or paths
    n : int
        Number of samples.
    seed : int
        Of the draw, see `make_index`.

    Returns
    -------
    PatchDataset

    Examples
    --------
    >>> len(samples_of([np.zeros((64, 64), np.uint8)], 10, seed=0))
    10
    """
    return PatchDataset(make_index(photographs, n, seed))

"""Photographs to training samples: a sharp 32x32 block stacked on its blurred twin, cut on the fly from an index.

After Qi et al. 2024 and their training script: COCO photographs to grey, Gaussian blurs of sigma 9 cut to 9, 11, 13 and 15 taps,
Sobel gradients of all five images, non-overlapping blocks, both stacking orders.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import torch

from ivfnb import images
from ivfnb.classifier.network import WINDOW, planes

BLUR_SIZES = (9, 11, 13, 15)  # taps; the released script never trains on 9, by a slip (difference 1 of the README)
BLUR_SIGMA = 9.0
HALO = max(BLUR_SIZES) // 2 + 1  # pixels around a block that its blur and gradients can see
# Blur size of each successive group of 500 training photographs in the released script (its slip: 9 is never trained on).
RELEASED_TRAIN_ORDER = (15, 11, 13, 15)


def blur_stack(gray: np.ndarray) -> dict[int, np.ndarray]:
    """The four blurred versions of a grey image (h, w), by kernel size; same shape and dtype.

    Gaussian of sigma 9 cut to 9..15 taps: nearly a box mean. Borders are mirrored without repeating the edge (OpenCV's default).
    """
    return {size: cv2.GaussianBlur(gray, (size, size), BLUR_SIGMA) for size in BLUR_SIZES}


def _shape(photograph: np.ndarray | str | Path) -> tuple[int, int]:
    """Height and width of a photograph: of an array, or from a file's header."""
    if isinstance(photograph, np.ndarray):
        return photograph.shape[:2]
    from PIL import Image  # headers alone, without decoding a million pixels each

    with Image.open(photograph) as header:
        return header.size[1], header.size[0]


@dataclass(frozen=True)
class PatchIndex:
    """Which block of which photograph, blurred how, stacked in which order: five integers a sample, no pixels.

    `images`: grey arrays or paths. `photograph`, `row`, `column` (of the block's first pixel), `blur_size` and `order` (0: sharp above
    blurred; this is the class) are arrays of one length.
    """

    images: tuple
    photograph: np.ndarray
    row: np.ndarray
    column: np.ndarray
    blur_size: np.ndarray
    order: np.ndarray

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.order)

    def __getitem__(self, which: slice | np.ndarray) -> "PatchIndex":
        """The samples of a slice, an array of positions or a mask."""
        fields = ("photograph", "row", "column", "blur_size", "order")
        return replace(self, **{name: getattr(self, name)[which] for name in fields})


def make_index(
    photographs: Sequence[np.ndarray | str | Path],
    n: int,
    seed: int,
    blur_sizes: Sequence[int] = BLUR_SIZES,
    one_blur_per_image: bool = False,
) -> PatchIndex:
    """Index of `n` samples of non-overlapping 32x32 blocks, drawn without repetition from `seed` until every block has been used.

    Both orders of a drawn (block, blur size) follow each other, so the classes are balanced. `one_blur_per_image` gives photograph i only
    the size that the released script gives its quarter of the list. Blocks without texture are kept, as published. Longer than the number
    of different samples, the draw starts over. ValueError when no photograph holds a block or a size is not one of 9, 11, 13, 15.
    """
    if n < 1 or not set(blur_sizes) <= set(BLUR_SIZES) or not blur_sizes:
        raise ValueError(f"n, blur_sizes: found {n} and {tuple(blur_sizes)}, expected n >= 1 and some of {BLUR_SIZES}")
    grids = np.array([(h // WINDOW, w // WINDOW) for h, w in map(_shape, photographs)], dtype=np.int64).reshape(-1, 2)
    sizes = 1 if one_blur_per_image else len(blur_sizes)
    ends = np.cumsum(grids.prod(axis=1) * sizes)
    if not len(ends) or ends[-1] == 0:
        raise ValueError(f"photographs: found {len(grids)} with no 32x32 block, expected at least one of 32x32 pixels or more")
    rng = np.random.default_rng(seed)
    n_pairs, total = (n + 1) // 2, int(ends[-1])
    drawn = np.concatenate([rng.permutation(total) for _ in range(-(-n_pairs // total))])[:n_pairs].repeat(2)[:n]
    photograph = np.searchsorted(ends, drawn, side="right")
    block, which = np.divmod(drawn - np.concatenate([[0], ends[:-1]])[photograph], sizes)
    row, column = np.divmod(block, grids[photograph, 1])
    if one_blur_per_image:
        blur = np.array(RELEASED_TRAIN_ORDER)[photograph * len(RELEASED_TRAIN_ORDER) // len(grids)]
    else:
        blur = np.array(blur_sizes)[which]
    return PatchIndex(
        images=tuple(photographs),
        photograph=photograph.astype(np.int32),
        row=(row * WINDOW).astype(np.int32),
        column=(column * WINDOW).astype(np.int32),
        blur_size=blur.astype(np.uint8),
        order=np.tile(np.array([0, 1], np.uint8), n_pairs)[:n],
    )


def split(train: Sequence, test: Sequence, seed: int, share: float = 0.25) -> tuple[list, list]:
    """Photographs to train on and others to test on, no photograph in both.

    Two sets stay as they are. One set given twice (the same photographs in the same order) is split by file, `share` of it to test on,
    drawn from `seed`.
    """
    train, test = list(train), list(test)
    if len(train) != len(test) or not all(np.array_equal(a, b) for a, b in zip(train, test, strict=True)):
        return train, test
    if len(train) < 2:
        raise ValueError(f"train: found {len(train)} photographs, expected at least 2 to split")
    order = np.random.default_rng(seed).permutation(len(train))
    n_test = min(len(train) - 1, max(1, round(share * len(train))))
    return [train[i] for i in sorted(order[n_test:])], [train[i] for i in sorted(order[:n_test])]


class PatchDataset(torch.utils.data.Dataset):
    """Samples of an index, cut when asked for: (planes (3, 64, 32) float32 in grey levels, class 0 or 1).

    Blur and gradients are computed on the block and a halo of 8 pixels, which gives exactly the pixels of the whole photograph's blur.
    `gradients` as in `planes`; `jpeg_quality` passes each half through JPEG as three channels, as the released script stores them.
    At most `cache` photographs stay in memory.
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
        """Planes (3, 32, 32) of the sharp and of the blurred block of sample i."""
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

    def texture(self) -> np.ndarray:
        """Standard deviation of the grey levels of each sample's sharp block, (n,)."""
        index, result = self.index, np.empty(len(self))
        for i, (number, row, column) in enumerate(zip(index.photograph, index.row, index.column, strict=True)):
            result[i] = self._photograph(int(number))[row : row + WINDOW, column : column + WINDOW].std()
        return result


def samples_of(photographs: Sequence[np.ndarray | str | Path], n: int, seed: int) -> PatchDataset:
    """`n` samples of photographs, drawn from `seed` as `make_index` does, with signed gradients."""
    return PatchDataset(make_index(photographs, n, seed))

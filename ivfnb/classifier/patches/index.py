"""Which blocks are cut from photographs, and how they are blurred and stacked: an index without pixels."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ivfnb.classifier.grid import WINDOW

BLUR_SIZES = (9, 11, 13, 15)  # taps; the released script never trains on 9, by a slip (difference 1 of the README)
# Blur size of each successive group of 500 training photographs in the released script (its slip: 9 is never trained on).
RELEASED_TRAIN_ORDER = (15, 11, 13, 15)


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

    Parameters
    ----------
    images : tuple
        Photographs: grey arrays (h, w) or paths.
    photograph : array (n,)
        Position of the sample's photograph in `images`.
    row, column : arrays (n,)
        Of the block's first pixel.
    blur_size : array (n,)
        Taps of the blur.
    order : array (n,)
        0: sharp above blurred; 1: below. This is the class.
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
    """Index of samples of non-overlapping 32x32 blocks, drawn without repetition until every block has been used.

    Parameters
    ----------
    photographs : sequence of arrays (h, w) or paths
    n : int
        Number of samples. Beyond the number of different samples the draw starts over.
    seed : int
        Of the draw.
    blur_sizes : sequence of int
        Taps of the blurs, some of 9, 11, 13 and 15.
    one_blur_per_image : bool
        Gives photograph i only the size that the released script gives its quarter of the list.

    Returns
    -------
    PatchIndex
        Both orders of a drawn (block, blur size) follow each other, so the classes are balanced.

    Raises
    ------
    ValueError
        When no photograph holds a block, or a size is not one of 9, 11, 13 and 15.

    Notes
    -----
    Blocks without texture are kept, as published.

    Examples
    --------
    >>> index = make_index([np.zeros((64, 96), np.uint8)], 6, seed=0)
    >>> len(index), index.order.tolist()
    (6, [0, 1, 0, 1, 0, 1])
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

    Parameters
    ----------
    train, test : sequences of photographs
        Two sets stay as they are. One set given twice (the same photographs in the same order) is split by file.
    seed : int
        Of that split.
    share : float
        Of the one set, to test on.

    Returns
    -------
    train, test : lists

    Raises
    ------
    ValueError
        For one set of fewer than two photographs.

    Examples
    --------
    >>> split("abcd", "abcd", seed=1, share=0.5)
    (['c', 'd'], ['a', 'b'])
    """
    train, test = list(train), list(test)
    if len(train) != len(test) or not all(np.array_equal(a, b) for a, b in zip(train, test, strict=True)):
        return train, test
    if len(train) < 2:
        raise ValueError(f"train: found {len(train)} photographs, expected at least 2 to split")
    order = np.random.default_rng(seed).permutation(len(train))
    n_test = min(len(train) - 1, max(1, round(share * len(train))))
    return [train[i] for i in sorted(order[n_test:])], [train[i] for i in sorted(order[:n_test])]

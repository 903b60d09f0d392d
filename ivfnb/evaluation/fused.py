"""Fused images of methods: made, or taken from the cache where the same inputs, method and code made them before."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np

from ivfnb import cache, files, images
from ivfnb.datasets import ImagePair
from ivfnb.evaluation import entries
from ivfnb.evaluation.methods import Method
from ivfnb.images import Image


@dataclass
class Fused:
    """A fused image that is known by its key and read from its file only when somebody looks at it.

    Parameters
    ----------
    key : str
        Hash of the image, or of what it was made from.
    seconds : float
        It took to fuse; NaN where it was read.
    image : array (h, w), optional
    path : Path, optional
        Where the image lies, if it is not at hand.
    make : function, optional
        Makes the image anew where its file does not read.
    """

    key: str
    seconds: float
    image: Image | None = None
    path: Path | None = None
    make: Callable[[], "Fused"] | None = None

    def load(self) -> Image:
        """The image: at hand, or read, or made anew where its file does not read."""
        if self.image is None:
            assert self.path is not None  # a fused image has the one or the other
            assert self.make is not None  # what is remembered was made once
            self.image = cache.recall(self.path, images.read_gray)
            if self.image is None:
                again = self.make()
                self.image, self.seconds = again.image, again.seconds
        assert self.image is not None  # it is read or made
        return self.image


def pair_hash(pair: ImagePair) -> str:
    """Hash of a pair's two images.

    Parameters
    ----------
    pair : ImagePair

    Returns
    -------
    str

    Examples
    --------
    >>> from ivfnb.datasets import dataset
    >>> first, second = dataset("sample")[:2]
    >>> pair_hash(first) == pair_hash(first) != pair_hash(second)
    True
    """
    return joblib.hash((pair.infrared, pair.visible))


def fuse(method: Method, pair: ImagePair, pair_key: str) -> Fused:
    """Fused grey image of a pair, from the cache where the same inputs, method and code made it before.

    Parameters
    ----------
    method : Method
    pair : ImagePair
    pair_key : str
        Its `pair_hash`.

    Returns
    -------
    Fused

    Examples
    --------
    >>> from ivfnb.datasets import dataset
    >>> from ivfnb.evaluation.methods import by_baseline
    >>> pair = dataset("sample")[0]
    >>> fuse(by_baseline("Mean"), pair, pair_hash(pair)).load().dtype
    dtype('uint8')
    """
    if method.key is None:
        image = images.to_gray(method.fuse(pair))
        return Fused(joblib.hash(image), float("nan"), image)
    path = cache.place("fused", (pair_key, method.key, cache.code_hash(*method.code)), ".png")
    seconds = entries.seconds(path.with_suffix(".json"))
    if seconds is None or not path.is_file():
        return _made(method, pair, path)
    return Fused(path.stem, seconds, path=path, make=lambda: _made(method, pair, path))


def _made(method: Method, pair: ImagePair, path: Path) -> Fused:
    """A fused image and its record, computed and remembered."""
    begun, before = time.perf_counter(), method.saved() if method.saved else 0.0
    image = np.ascontiguousarray(images.to_uint8(images.to_gray(method.fuse(pair))))  # as its file gives it
    seconds = time.perf_counter() - begun + (method.saved() - before if method.saved else 0.0)
    with cache.remembering():
        images.write_image(path, image)
        files.write_json(path.with_suffix(".json"), {"method": method.name, "seconds": seconds})
    return Fused(path.stem, seconds, image, path)


def fused_image(method: Method, pair: ImagePair) -> Image:
    """Fused grey image (luma of a colour one) of a pair, from the cache where the same inputs, method and code made it before.

    Parameters
    ----------
    method : Method
    pair : ImagePair

    Returns
    -------
    array (h, w)
        Levels 0..255; uint8 where the method is remembered.

    Examples
    --------
    >>> from ivfnb.datasets import dataset
    >>> from ivfnb.evaluation.methods import by_baseline
    >>> pair = dataset("sample")[0]
    >>> fused_image(by_baseline("Mean"), pair).shape == pair.infrared.shape
    True
    """
    return fuse(method, pair, pair_hash(pair)).load()


def side_by_side(pair: ImagePair, methods: Iterable[Method]) -> dict[str, Image]:
    """A pair and its fused images, for a montage.

    Parameters
    ----------
    pair : ImagePair
    methods : iterable of Method
        Those without an image of the pair are left out.

    Returns
    -------
    dict
        Grey images by name, "infrared" and "visible" first, all at the pair's size (bilinear).

    Examples
    --------
    >>> from ivfnb.datasets import dataset
    >>> from ivfnb.evaluation.methods import by_baseline
    >>> list(side_by_side(dataset("sample")[0], [by_baseline("Mean")]))
    ['infrared', 'visible', 'Mean']
    """
    shown = {"infrared": pair.infrared, "visible": images.to_gray(pair.visible)}
    for method in methods:
        if method.covers is None or pair.id in method.covers:
            try:
                shown[method.name] = images.resize(fused_image(method, pair), pair.infrared.shape)
            except (ValueError, KeyError, OSError):
                continue
    return shown

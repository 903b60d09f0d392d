"""Fused images of methods: made, or taken from the cache where the same inputs, method and code made them before."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import joblib

from ivfnb import cache, files, images
from ivfnb.datasets import ImagePair
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
    """

    key: str
    seconds: float
    image: Image | None = None
    path: Path | None = None

    def load(self) -> Image:
        """The image, read where it is not at hand."""
        if self.image is None:
            assert self.path is not None  # a fused image has the one or the other
            self.image = images.read_gray(self.path)
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
    record = path.with_suffix(".json")
    if not path.is_file():
        begun, before = time.perf_counter(), method.saved() if method.saved else 0.0
        image = images.to_gray(method.fuse(pair))
        saved = method.saved() - before if method.saved else 0.0
        files.write_json(record, {"method": method.name, "seconds": time.perf_counter() - begun + saved})
        images.write_image(path, image)
    return Fused(path.stem, (files.read_json(record) or {}).get("seconds", float("nan")), path=path)


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

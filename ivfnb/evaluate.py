"""Data sets x methods x metrics: one tidy table, computed once and remembered by content.

A `Method` (module `methods`) gives a fused image for a pair: computed here or read.
"""

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
import pandas as pd
from tqdm import tqdm

from ivfnb import cache, images
from ivfnb.cache import NOT_FUSING, code_hash
from ivfnb.datasets import Dataset, ImagePair, dataset
from ivfnb.images import Image
from ivfnb.methods import (
    EvaluationWarning,
    Fused,
    Method,
    WindowMemory,
    by_baseline,
    by_images,
    by_protocol,
    external,
    fit,
    fuse,
    fused_image,
    pair_hash,
    published,
    side_by_side,
)
from ivfnb.metrics import CONVENTIONS, score

__all__ = [
    "COLUMNS",
    "NOT_FUSING",
    "EvaluationWarning",
    "Extra",
    "Method",
    "WindowMemory",
    "by_baseline",
    "by_images",
    "by_protocol",
    "evaluate",
    "external",
    "fit_sources",
    "fused_image",
    "likeness_to",
    "published",
    "side_by_side",
    "similarity",
]
COLUMNS = ["dataset", "method", "id", "metric", "value", "convention", "fit", "source", "seconds"]


@dataclass(frozen=True)
class Extra:
    """A value beside the metrics, `function(fused, pair)`, that is remembered: `key` is what it depends on beside images and our code."""

    function: Callable[[Image, ImagePair], float]
    key: Any

    def __call__(self, fused: Image, pair: ImagePair) -> float:
        """Value for a fused grey image and its pair."""
        return self.function(fused, pair)


def fit_sources(fused: Image, infrared: Image, visible: Image, convention: str) -> tuple[Image, Image, str]:
    """Sources that can be compared with the fused image, and how they were made so.

    "same size"; "cropped" at the top left where the fused image is smaller by less than 16 pixels (DDcGAN and MEF-GAN crop to multiples of
    4 and 8); "resized" to the fused image's size (MATLAB's bicubic), which the convention as_released does whatever the sizes.
    """
    shape = fused.shape[:2]
    how = fit(shape, infrared.shape[:2])
    if how == "same size":
        return infrared, visible, how
    if how == "cropped":
        return infrared[: shape[0], : shape[1]], visible[: shape[0], : shape[1]], how
    if convention == "as_released":
        return infrared, visible, "resized"
    return images.matlab_imresize(infrared, shape), images.matlab_imresize(visible, shape), "resized"


def _score(fused: Image, pair: ImagePair, names: tuple[str, ...] | None, convention: str) -> dict[str, Any]:
    infrared, visible, how = fit_sources(fused, pair.infrared, images.to_gray(pair.visible), convention)
    return {"values": score(fused, infrared, visible, names, convention), "fit": how}


def _work(fused: Image, pair: ImagePair, todo: list[tuple[Callable, tuple]]) -> list[Any]:
    """Results of several functions of one fused image, or the ValueError of the first that raised one."""
    try:
        return [function(fused, pair, *arguments) for function, arguments in todo]
    except ValueError as error:
        return error


class _Memory:
    """What is known of one fused image of one pair: looked up, or put on the list of what is still to be computed, then kept."""

    def __init__(self, fused: Fused, pair_key: str, names: tuple | None, conventions: tuple[str, ...], extra: dict[str, Callable]):
        self.fused, self.found, self.todo = fused, {}, []
        jobs = [(("metrics", name), _score, (names, name), True) for name in conventions]
        jobs += [(("beside", name, getattr(value, "key", None)), value, (), hasattr(value, "key")) for name, value in extra.items()]
        for label, function, arguments, remembered in jobs:
            place = cache.place("scores", (fused.key, pair_key, label, arguments, code_hash(label[0])), ".json") if remembered else None
            known = cache.read_json(place) if place else None
            if known is None:
                self.todo.append((label[:2], function, arguments, place))
            self.found[label[:2]] = known

    def task(self, pair: ImagePair) -> Any:
        """The joblib task of what is to be computed."""
        return joblib.delayed(_work)(self.fused.load(), pair, [(function, arguments) for _, function, arguments, _ in self.todo])

    def keep(self, outcome: list[Any]) -> None:
        """Take in what was computed."""
        for (label, _, _, place), value in zip(self.todo, outcome, strict=True):
            self.found[label] = value if label[0] == "metrics" else float(value)
            if place:
                cache.write_json(place, self.found[label])


def evaluate(
    data: Dataset | str,
    methods: Iterable[Method],
    names: Iterable[str] | None = None,
    convention: str | Iterable[str] = "standard",
    n_jobs: int = 1,
    extra: dict[str, Callable[[Image, ImagePair], float]] | None = None,
) -> pd.DataFrame:
    """Metrics of every method on every pair: a tidy DataFrame with the columns of `COLUMNS`, one row a value.

    Grey levels are scored (luma of colour images), in one convention or several. `names` None: the paper's eleven. `extra` adds values by a
    function of the fused grey image and the pair, under its name; an `Extra` is remembered as the metrics are. "seconds" is what fusing
    the pair took when it was fused (NaN for images that were read). Fusing is done one pair at a time, since the network uses all cores;
    scoring in `n_jobs` joblib workers (set a Dask backend by joblib.parallel_config for a cluster). Both are remembered by content below
    `.cache/` (IVFNB_CACHE). An image that cannot be read, fused or scored becomes an EvaluationWarning that names it, and the rest goes on.
    """
    data = dataset(data) if isinstance(data, str) else data
    methods, names, extra = list(methods), tuple(names) if names is not None else None, extra or {}
    conventions = (convention,) if isinstance(convention, str) else tuple(convention)
    if unknown := [each for each in conventions if each not in CONVENTIONS]:
        raise ValueError(f"convention: found {unknown[0]!r}, expected some of {list(CONVENTIONS)}")
    rows: dict[tuple[str, int], list[tuple]] = {(each, i): [] for each in conventions for i in range(len(methods))}
    bar = tqdm(total=len(methods) * len(data), desc=data.name, unit="image", leave=False, mininterval=0.5)
    with joblib.Parallel(n_jobs) as parallel:
        for pair in data:
            for i, memory in _of_pair(data, pair, methods, (names, conventions, extra), parallel, bar).items():
                method = methods[i]
                for each in conventions:
                    known = memory.found["metrics", each]
                    values = {**known["values"], **{name: memory.found["beside", name] for name in extra}}
                    rest = each, known["fit"], method.source, memory.fused.seconds
                    rows[each, i] += [(data.name, method.name, pair.id, metric, value, *rest) for metric, value in values.items()]
    bar.close()
    return pd.DataFrame([row for some in rows.values() for row in some], columns=COLUMNS)


def _of_pair(
    data: Dataset, pair: ImagePair, methods: list[Method], wanted: tuple, parallel: joblib.Parallel, bar: tqdm
) -> dict[int, _Memory]:
    """What there is to know of one pair, by the method's position: methods that fail are named in a warning and left out."""
    memories, open_ones, pair_key = {}, {}, None
    for i, method in enumerate(methods):
        if method.covers is None or pair.id in method.covers:
            try:
                pair_key = pair_key or pair_hash(pair)
                memories[i] = _Memory(fuse(method, pair, pair_key), pair_key, *wanted)
                if memories[i].todo:
                    open_ones[i] = memories[i].task(pair)
            except (ValueError, KeyError, OSError) as error:
                memories.pop(i, None)
                _warn(data, method, pair.id, error)
        bar.update()
    for i, outcome in zip(open_ones, parallel(open_ones.values()), strict=True):
        if isinstance(outcome, ValueError):
            _warn(data, methods[i], pair.id, outcome)
            memories.pop(i)
        else:
            memories[i].keep(outcome)
    return memories


def _warn(data: Dataset, method: Method, id: str, error: Exception) -> None:
    reason = f"no image for pair {id}" if isinstance(error, KeyError) else str(error)
    warnings.warn(f"{data.name}, {method.name}, pair {id}: {reason}", EvaluationWarning, stacklevel=4)


def _aligned(first: Image, second: Image) -> tuple[Image, Image]:
    """Both images uint8 and of one size: what both show where one is a crop, else the first resized (bilinear) to the second."""
    first, second = images.to_uint8(first), images.to_uint8(second)
    if fit(first.shape, second.shape) == "cropped" or fit(second.shape, first.shape) == "cropped":
        height, width = np.minimum(first.shape, second.shape)
        return first[:height, :width], second[:height, :width]
    return images.resize(first, second.shape), second


def likeness_to(method: Method) -> Extra:
    """SSIM of a fused image to the one that `method` (published images) has of the same pair, for `extra` of `evaluate`."""
    from ivfnb.baselines.agreement import similarity as ssim

    return Extra(lambda fused, pair: ssim(*_aligned(fused, images.to_gray(method.fuse(pair)))), (method.name, method.source))


def similarity(data: Dataset, first: Method, second: Method) -> pd.Series:
    """Structural similarity (SSIM) of two methods' fused images by pair id, for the pairs that both have; remembered.

    Where the sizes differ the first is resized to the second's (bilinear); crops are compared with crops. Images that fail are left out:
    `evaluate` names them.
    """
    from ivfnb.baselines.agreement import similarity as ssim

    found = {}
    for pair in data:
        if all(method.covers is None or pair.id in method.covers for method in (first, second)):
            try:
                pair_key = pair_hash(pair)
                both = [fuse(method, pair, pair_key) for method in (first, second)]
                place = cache.place("similarities", (both[0].key, both[1].key, code_hash("beside")), ".json")
                if (value := cache.read_json(place)) is None:
                    value = ssim(*_aligned(both[0].load(), both[1].load()))
                    cache.write_json(place, value)
                found[pair.id] = value
            except (ValueError, KeyError, OSError):
                continue
    return pd.Series(found, dtype=float)

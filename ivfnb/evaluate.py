"""Data sets x methods x metrics: one tidy table, computed once and remembered by content.

A `Method` gives a fused image for a pair: computed here (a protocol, a baseline, any function) or read (published images, a folder).
"""

import hashlib
import os
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from tqdm import tqdm

from ivfnb import images, paths, provenance
from ivfnb.datasets import Dataset, FusedImage, ImagePair, dataset
from ivfnb.images import Image
from ivfnb.metrics import score

COLUMNS = ["dataset", "method", "id", "metric", "value", "convention", "fit", "source"]
CROP_AT_MOST = 16  # pixels: published images that are smaller by less were cropped at the top left, not resized


class EvaluationWarning(UserWarning):
    """One image of one method could not be had or scored; the rest went on."""


@dataclass(frozen=True)
class Method:
    """A way to get the fused image of a pair. `source` says in the table's words where images come from; `key` is what they depend on."""

    name: str
    fuse: Callable[[ImagePair], Image]
    source: str
    key: Any = None  # None: never remembered (images that are read, not computed)


def _cache_folder() -> Path:
    return Path(os.environ.get("IVFNB_CACHE") or paths.root() / ".cache")


# Modules whose change cannot change a fused image; a new module counts until it is named here.
NOT_FUSING = (
    *("metrics", "bench", "evaluate", "report", "truth", "targets", "training", "provenance"),
    *("datasets", "manifest", "listing", "archives", "download", "fetch"),
    *("reproduce", "cli", "app", "fuse_files"),
)


@lru_cache
def code_hash(part: str) -> str:
    """Hash of the source that makes "fused" images, scores of "windows" or "metrics": a result does not outlive the code that made it."""
    folder = Path(__file__).parent
    chosen = {
        "metrics": [*(folder / "metrics").rglob("*.py"), folder / "images.py"],
        "windows": [folder / f"{name}.py" for name in ("dense", "folding", "network", "patches", "weightmap")],
        "fused": [path for path in folder.rglob("*.py") if path.relative_to(folder).parts[0].removesuffix(".py") not in NOT_FUSING],
    }
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(chosen[part]))).hexdigest()[:16]


def by_protocol(name: str, protocol: Any, net: Any = None) -> Method:
    """Our own pipeline by a `fusion.Protocol`; `net` None loads the shipped weights that fit it (none for protocols without a network)."""
    from ivfnb import fusion, network

    if net is None and protocol.weights:
        net = network.load(protocol.weights)
    weights = joblib.hash({n: t.cpu().numpy() for n, t in net.state_dict().items()}) if net is not None else None

    def fuse(pair: ImagePair) -> Image:
        return fusion.fuse(pair.infrared, pair.visible, net, protocol, partial(_remembered_scores, weights)).fused

    return Method(name, fuse, "this project", (protocol, weights))


def _remembered_scores(weights: str, net: Any, visible: Image, infrared: Image, stride: int) -> np.ndarray:
    """`weightmap.window_scores` from the cache where the same network judged the same images: most protocols differ in what follows."""
    from ivfnb import weightmap

    seen = net.branches, net.normalisation.cpu().numpy(), visible, infrared, stride
    path = _cache_folder() / "windows" / f"{joblib.hash((weights, *seen, code_hash('windows')))}.npy"
    if not path.is_file():
        scores = weightmap.window_scores(net, visible, infrared, stride)
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{os.getpid()}.{path.name}")
        np.save(beside, scores)
        beside.replace(path)
    return np.load(path)


def by_baseline(name: str) -> Method:
    """A comparison method of `ivfnb.baselines`, by the paper's name."""
    from ivfnb.baselines import BASELINES

    if name not in BASELINES:
        raise ValueError(f"name: found {name!r}, expected one of {', '.join(BASELINES)}")
    baseline = BASELINES[name]
    fuse = baseline.fuse
    learned = provenance.sha256(paths.root() / "data" / "weights" / baseline.weights) if baseline.weights else None
    key = (name, baseline.parameters, learned)
    return Method(name, lambda pair: images.to_uint8(fuse(pair.infrared, _gray(pair.visible))), "own implementation", key)


def by_images(name: str, fused: Dataset | Iterable[FusedImage], source: str = "published images") -> Method:
    """Fused images that were made elsewhere, found by the pair's id."""
    found = {image.id: image for image in fused}
    return Method(name, lambda pair: found[pair.id].fused, source)


def published(name: str) -> Method:
    """Published fused images of a data set of fused images, such as "published-tno21/CBF"."""
    return by_images(name.rpartition("/")[2], dataset(name))


def _gray(image: Image) -> Image:
    return image if image.ndim == 2 else images.to_gray(image)


def fused_image(method: Method, pair: ImagePair) -> Image:
    """Fused grey image (luma of a colour one) of a pair, from the cache where the same inputs, method and code made it before."""
    if method.key is None:
        return _gray(method.fuse(pair))
    key = joblib.hash((pair.infrared, pair.visible, method.key, code_hash("fused")))
    path = _cache_folder() / "fused" / f"{key}.png"
    if not path.is_file():
        images.write_image(path, _gray(method.fuse(pair)))
    return images.read_gray(path)


def fit_sources(fused: Image, infrared: Image, visible: Image, convention: str) -> tuple[Image, Image, str]:
    """Sources that can be compared with the fused image, and how they were made so.

    "same size"; "cropped" at the top left where the fused image is smaller by less than 16 pixels (DDcGAN and MEF-GAN crop to multiples of
    4 and 8); "resized" to the fused image's size (MATLAB's bicubic), which the convention as_released does whatever the sizes.
    """
    shape = fused.shape[:2]
    if infrared.shape[:2] == shape:
        return infrared, visible, "same size"
    missing = np.subtract(infrared.shape[:2], shape)
    if (missing >= 0).all() and (missing < CROP_AT_MOST).all():
        return infrared[: shape[0], : shape[1]], visible[: shape[0], : shape[1]], "cropped"
    if convention == "as_released":
        return infrared, visible, "resized"
    return images.matlab_imresize(infrared, shape), images.matlab_imresize(visible, shape), "resized"


def _score(fused: Image, pair_images: tuple[Image, Image], names: tuple[str, ...] | None, convention: str, code: str) -> tuple[dict, str]:
    infrared, visible, fit = fit_sources(fused, *pair_images, convention)
    return score(fused, infrared, visible, names, convention), fit


def evaluate(
    data: Dataset | str,
    methods: Iterable[Method],
    names: Iterable[str] | None = None,
    convention: str = "standard",
    n_jobs: int = 1,
    extra: dict[str, Callable[[Image, ImagePair], float]] | None = None,
) -> pd.DataFrame:
    """Metrics of every method on every pair: a tidy DataFrame with the columns of `COLUMNS`, one row a value.

    Grey levels are scored (luma of colour images). `names` None: the paper's eleven. `extra` adds values by a function of the fused grey
    image and the pair, under its name. Fusing is done one pair at a time, since the network
    uses all cores; scoring in `n_jobs` joblib workers (set a Dask backend by joblib.parallel_config for a cluster). Both are remembered by
    content below `.cache/` (IVFNB_CACHE). An image that cannot be read, fused or scored becomes an EvaluationWarning that names it, and the
    rest goes on.
    """
    data = dataset(data) if isinstance(data, str) else data
    methods, names = list(methods), tuple(names) if names is not None else None
    remembered = joblib.Memory(_cache_folder() / "scores", verbose=0).cache(_score)
    code, work, labels = code_hash("metrics"), [], []
    bar = tqdm(total=len(methods) * len(data), desc=f"{data.name}: fusing", unit="image", leave=False, mininterval=0.5)
    for method in methods:
        for pair in data:
            try:
                fused = fused_image(method, pair)
                more = {name: float(function(fused, pair)) for name, function in (extra or {}).items()}
                work.append((fused, (pair.infrared, _gray(pair.visible)), names, convention, code))
                labels.append((method, pair.id, more))
            except (ValueError, KeyError, OSError) as error:
                _warn(data, method, pair.id, error)
            bar.update()
    bar.close()
    tasks = (joblib.delayed(_guarded)(remembered, *arguments) for arguments in work)
    bar = tqdm(total=len(work), desc=f"{data.name}: scoring", unit="image", leave=False, mininterval=0.5)
    rows = []
    for (method, id, more), outcome in zip(labels, joblib.Parallel(n_jobs, return_as="generator")(tasks), strict=True):
        bar.update()
        if isinstance(outcome, ValueError):
            _warn(data, method, id, outcome)
            continue
        values, fit = outcome
        rows += [
            (data.name, method.name, id, metric, value, convention, fit, method.source) for metric, value in {**values, **more}.items()
        ]
    bar.close()
    return pd.DataFrame(rows, columns=COLUMNS)


def _guarded(function: Callable, *arguments: Any) -> Any:
    """Result of a call, or the ValueError it raised."""
    try:
        return function(*arguments)
    except ValueError as error:
        return error


def _warn(data: Dataset, method: Method, id: str, error: Exception) -> None:
    reason = f"no image for pair {id}" if isinstance(error, KeyError) else str(error)
    warnings.warn(f"{data.name}, {method.name}, pair {id}: {reason}", EvaluationWarning, stacklevel=3)

"""Ways to get the fused image of a pair: computed here (a protocol, a baseline, any function) or read (published images, a folder)."""

import os
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from ivfnb import cache, images, paths, provenance
from ivfnb.datasets import Dataset, DatasetError, FusedImage, ImagePair, dataset
from ivfnb.images import Image, ImageError
from ivfnb.listing import SUFFIXES
from ivfnb.protocol import AS_RELEASED, Protocol

CROP_AT_MOST = 16  # pixels: published images that are smaller by less were cropped at the top left, not resized


class EvaluationWarning(UserWarning):
    """One image of one method could not be had or scored; the rest went on."""


@dataclass(frozen=True)
class Method:
    """A way to get the fused image of a pair, under a name of its own."""

    name: str
    fuse: Callable[[ImagePair], Image]
    source: str  # where the images come from, in the words of a table
    key: Any = None  # what a fused image depends on beside the pair and the code; None: never remembered (read, not computed)
    covers: frozenset[str] | None = None  # ids of the pairs it is for, where it is not for all: the others are no news
    saved: Callable[[], float] = float  # seconds so far that `fuse` did not take because it remembered parts of its work

    def limited(self, ids: Iterable[str]) -> "Method":
        """The same for these pairs only."""
        return replace(self, covers=frozenset(ids))


class WindowMemory:
    """`weightmap.window_scores` that looks the scores up where the same network judged the same images: protocols share them.

    `fusion.fuse(..., window_scores=WindowMemory(net))`; `saved` is how many seconds of judging that has saved so far.
    """

    def __init__(self, net: Any) -> None:
        """Memory of one network's scores."""
        self.weights = joblib.hash({name: tensor.cpu().numpy() for name, tensor in net.state_dict().items()})
        self.saved = 0.0

    def __call__(self, net: Any, visible: Image, infrared: Image, stride: int) -> np.ndarray:
        """Scores of all windows; `net` is the network itself or a copy of it with another normalisation."""
        from ivfnb import weightmap

        seen = net.branches, net.normalisation.cpu().numpy(), visible, infrared, stride
        path = cache.place("windows", (self.weights, *seen, cache.code_hash("windows")), ".npz")
        if path.is_file():
            with np.load(path) as stored:
                self.saved += float(stored["seconds"])
                return stored["scores"]
        begun = time.perf_counter()
        scores = weightmap.window_scores(net, visible, infrared, stride)
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{os.getpid()}.{path.name}")
        np.savez(beside, scores=scores, seconds=time.perf_counter() - begun)
        beside.replace(path)
        return scores


def by_protocol(name: str, protocol: Protocol, net: Any = None, source: str = "this project") -> Method:
    """Our own pipeline by a `fusion.Protocol`; `net` None loads the shipped weights that fit it (none for protocols without a network)."""
    from ivfnb import fusion, network

    if net is None and protocol.weights:
        net = network.load(protocol.weights)
    memory = WindowMemory(net) if net is not None else None

    def fuse(pair: ImagePair) -> Image:
        return fusion.fuse(pair.infrared, pair.visible, net, protocol, memory).fused

    key = protocol, memory.weights if memory else None
    return Method(name, fuse, source, key, saved=lambda: memory.saved if memory else 0.0)


def by_baseline(name: str) -> Method:
    """A comparison method of `ivfnb.baselines`, by the paper's name."""
    from ivfnb.baselines import BASELINES

    if name not in BASELINES:
        raise ValueError(f"name: found {name!r}, expected one of {', '.join(BASELINES)}")
    baseline = BASELINES[name]
    fuse = baseline.fuse
    learned = provenance.sha256(paths.root() / "data" / "weights" / baseline.weights) if baseline.weights else None
    key = (name, baseline.parameters, learned)
    return Method(name, lambda pair: images.to_uint8(fuse(pair.infrared, images.to_gray(pair.visible))), "own implementation", key)


def by_images(name: str, fused: Dataset | Iterable[FusedImage], source: str = "published images") -> Method:
    """Fused images that were made elsewhere, found by the pair's id."""
    found = {image.id: image for image in fused}
    return Method(name, lambda pair: found[pair.id].fused, source)


def published(name: str, label: str = "", source: str = "published images") -> Method:
    """Published fused images of a data set of fused images, such as "published-tno21/CBF", for the pairs it has."""
    data = dataset(name)
    return by_images(label or name.rpartition("/")[2], data, source).limited(data.ids)


def fit(shape: tuple[int, int], pair_shape: tuple[int, int]) -> str:
    """How a fused image of `shape` (h, w) relates to its pair.

    "same size"; "cropped" (smaller by less than 16 pixels); "reduced" (smaller, the same aspect ratio to a pixel); "released size" (the
    456x456 of the released script); "enlarged" (larger in a side); "distorted" (smaller, of another aspect ratio).
    """
    missing = np.subtract(pair_shape, shape)
    if not missing.any():
        return "same size"
    if (missing >= 0).all() and (missing < CROP_AT_MOST).all():
        return "cropped"
    if tuple(shape) == AS_RELEASED.size:
        return "released size"
    if (missing < 0).any():
        return "enlarged"
    scales = np.divide(shape, pair_shape)
    return "reduced" if np.abs(scales.mean() * np.array(pair_shape) - shape).max() <= 1 else "distorted"


def external(data: Dataset, folder: str | Path | None = None) -> list[Method]:
    """Methods whose fused images a user put into `results/external/<method>/<data set>/<id>.png` (or another format), each a row.

    A pair without a file, a file that is no image, and an image of a size that cannot be compared (larger than the pair, or smaller with
    another aspect ratio, the released script's 456x456 excepted) each become a warning in `evaluate`; files that belong to no pair warn
    here. `folder` stands in for `results/external`.
    """
    folder = Path(folder) if folder is not None else paths.results_dir("external")
    places = sorted(place for place in folder.iterdir() if (place / data.name).is_dir()) if folder.is_dir() else []
    return [_of_folder(place.name, place / data.name, data) for place in places]


def _all_ids(data: Dataset) -> list[str]:
    """Ids of the whole set, of which `data` may be a slice."""
    try:
        return dataset(data.name).ids
    except DatasetError:
        return data.ids


def _of_folder(name: str, folder: Path, data: Dataset) -> Method:
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and not path.name.startswith("."))
    found = {path.relative_to(folder).with_suffix("").as_posix(): path for path in reversed(files)}
    if strange := sorted(set(found) - set(_all_ids(data))):
        text = f"found {len(strange)} files of no pair, such as {found[strange[0]].name}, expected names such as {data.ids[0]}.png"
        warnings.warn(f"{data.name}, {name} (external): {text}", EvaluationWarning, stacklevel=4)

    def read(pair: ImagePair) -> Image:
        path = found[pair.id]
        fused, size = images.read_gray(path), pair.infrared.shape
        how = fit(fused.shape, size)
        if how in ("enlarged", "distorted"):
            raise ImageError(
                f"{path}: found an {how} image of {fused.shape[1]}x{fused.shape[0]} pixels, expected the pair's {size[1]}x{size[0]}, "
                f"a crop of it by less than {CROP_AT_MOST} pixels, or a smaller one of the same aspect ratio"
            )
        return fused

    return Method(f"{name} (external)", read, "user's folder")


@dataclass
class Fused:
    """A fused image that is known by its key and read from its file only when somebody looks at it."""

    key: str
    seconds: float  # it took to fuse; NaN where it was read
    image: Image | None = None
    path: Any = None

    def load(self) -> Image:
        """The image, read where it is not at hand."""
        if self.image is None:
            self.image = images.read_gray(self.path)
        return self.image


def pair_hash(pair: ImagePair) -> str:
    """Hash of a pair's two images."""
    return joblib.hash((pair.infrared, pair.visible))


def fuse(method: Method, pair: ImagePair, pair_key: str) -> Fused:
    """Fused grey image of a pair, from the cache where the same inputs, method and code made it before."""
    if method.key is None:
        image = images.to_gray(method.fuse(pair))
        return Fused(joblib.hash(image), float("nan"), image)
    path = cache.place("fused", (pair_key, method.key, cache.code_hash("fused")), ".png")
    record = path.with_suffix(".json")
    if not path.is_file():
        begun, saved = time.perf_counter(), method.saved()
        image = images.to_gray(method.fuse(pair))
        cache.write_json(record, {"method": method.name, "seconds": time.perf_counter() - begun + method.saved() - saved})
        images.write_image(path, image)
    return Fused(path.stem, (cache.read_json(record) or {}).get("seconds", float("nan")), path=path)


def fused_image(method: Method, pair: ImagePair) -> Image:
    """Fused grey image (luma of a colour one) of a pair, from the cache where the same inputs, method and code made it before."""
    return fuse(method, pair, pair_hash(pair)).load()


def side_by_side(pair: ImagePair, methods: Iterable[Method]) -> dict[str, Image]:
    """The pair and its fused images by name, all at the pair's size (bilinear), for a montage; methods without an image are left out."""
    shown = {"infrared": pair.infrared, "visible": images.to_gray(pair.visible)}
    for method in methods:
        if method.covers is None or pair.id in method.covers:
            try:
                shown[method.name] = images.resize(fused_image(method, pair), pair.infrared.shape)
            except (ValueError, KeyError, OSError):
                continue
    return shown

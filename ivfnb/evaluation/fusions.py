"""Notebook 4: pairs fused by several protocols, beside their hot targets, the authors' images and a known truth."""

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from tqdm import tqdm

from ivfnb import images, parallel
from ivfnb.datasets import Dataset, ImagePair, available, dataset
from ivfnb.evaluation.likeness import likeness
from ivfnb.evaluation.making import pipeline
from ivfnb.fusion import UndefinedDistanceWarning
from ivfnb.fusion.protocol import Protocol
from ivfnb.images import Image
from ivfnb.metrics import targets, truth

if TYPE_CHECKING:
    from ivfnb.classifier.network import EResNet

Key = tuple[str, str, str]  # protocol, set and pair


@dataclass(frozen=True)
class Fusions:
    """Pairs of some sets, fused by some protocols.

    Attributes
    ----------
    fused : dict of (str, str, str) to array
        Fused images by protocol, set and pair.
    weights : dict of (str, str, str) to array (h, w), 0..1
        Weight maps, likewise.
    undefined : list of (str, str, str)
        Where the released distance transforms were not defined (`UndefinedDistanceWarning`), once for each of them.
    """

    fused: dict[Key, Image] = field(default_factory=dict)
    weights: dict[Key, np.ndarray] = field(default_factory=dict)
    undefined: list[Key] = field(default_factory=list)


def fuse_sets(
    sets: Iterable[Dataset], protocols: Mapping[str, Protocol], nets: Mapping[str, "EResNet"], folder: str | Path | None = None
) -> Fusions:
    """Fuse every pair of some sets by every protocol, on the workers of a cluster inside `parallel.cluster`; windows are judged once.

    Parameters
    ----------
    sets : iterable of Dataset
        Sets of pairs.
    protocols : mapping of str to Protocol
        By a name.
    nets : mapping of str to EResNet
        The network of each protocol, by the same name.
    folder : path, optional
        Gets `fused/<protocol>/<set>/<pair>.png`, and the weight maps in `weight_maps/` likewise.

    Returns
    -------
    Fusions
    """
    found, sets = Fusions(), list(sets)
    for name, protocol in protocols.items():
        made = pipeline(protocol, nets[name])
        for pairs in sets:
            outcomes = parallel.stream(made.told, ((pair,) for pair in pairs))
            for id, (fused, weights, told) in tqdm(zip(pairs.ids, outcomes, strict=True), f"{name}, {pairs.name}", len(pairs), unit="pair"):
                key = (name, pairs.name, id)
                found.fused[key], found.weights[key] = fused, weights
                for text, kind in told:
                    if issubclass(kind, UndefinedDistanceWarning):
                        found.undefined.append(key)
                    else:
                        warnings.warn(text, kind, stacklevel=2)
                if folder is not None:
                    file = Path(name, pairs.name, f"{id}.png")
                    images.write_image(Path(folder, "fused", file), fused)
                    images.write_image(Path(folder, "weight_maps", file), 255 * weights)
    return found


def pair_of(sets: Iterable[Dataset], name: str, id: str) -> ImagePair:
    """A pair by the name of its set and its id.

    Parameters
    ----------
    sets : iterable of Dataset
    name, id : str

    Returns
    -------
    ImagePair

    Examples
    --------
    >>> pair_of([dataset("sample")], "sample", "coffee")
    ImagePair('coffee')
    """
    pair: ImagePair = next(pairs for pairs in sets if pairs.name == name)[id]
    return pair


def target_table(sets: Iterable[Dataset], fused: Mapping[Key, Image]) -> pd.DataFrame:
    """How much of the contrast of hot targets each fused image keeps.

    Parameters
    ----------
    sets : iterable of Dataset
        The sets of pairs that were fused.
    fused : mapping
        Fused images by protocol, set and pair.

    Returns
    -------
    DataFrame
        Indexed by dataset and id; a column for each protocol and unit of `targets.UNITS`, "protocol, in unit". 1: all contrast is kept.
    """
    sets, rows = list(sets), dict[tuple[str, str], dict[str, float]]()
    for (name, data, id), image in fused.items():
        infrared = pair_of(sets, data, id).infrared
        kept = {f"{name}, in {unit}": targets.target_retention(image, infrared, unit) for unit in targets.UNITS}
        rows.setdefault((data, id), {}).update(kept)
    return pd.DataFrame(rows).T.rename_axis(["dataset", "id"])


def lost_target(infrared: Image, weight: np.ndarray, margin: int = 90) -> tuple[slice, slice]:
    """Where the largest hot target lies that a weight map gives to the visible image, with what is around it.

    Parameters
    ----------
    infrared : array (h, w), levels 0..255
    weight : array (h, w), 0..1
        Weight of the visible image.
    margin : int
        Pixels around the target, as far as the image goes.

    Returns
    -------
    rows, columns : slices
        Of the largest target of all where the map gives none to the visible image, and the whole image where there is no target.

    Examples
    --------
    >>> infrared, weight = np.full((40, 50), 60), np.zeros((40, 50))
    >>> infrared[5:11, 5:11] = 200
    >>> lost_target(infrared, weight, margin=2)
    (slice(3, 13, None), slice(3, 13, None))
    """
    labels = targets.hot_regions(infrared)
    means = np.bincount(labels.ravel(), weight.ravel()) / np.maximum(np.bincount(labels.ravel()), 1)
    given = np.isin(labels, 1 + np.flatnonzero(means[1:] > 0.5))
    sizes = np.bincount(np.where(given, labels, 0).ravel() if given.any() else labels.ravel())[1:]
    if not sizes.size:
        return slice(0, labels.shape[0]), slice(0, labels.shape[1])
    places = np.nonzero(labels == 1 + sizes.argmax())
    rows, columns = (
        slice(max(0, int(place.min()) - margin), min(size, int(place.max()) + 1 + margin))
        for place, size in zip(places, labels.shape, strict=True)
    )
    return rows, columns


def map_table(sets: Iterable[Dataset], weight_maps: Mapping[tuple[str, str], np.ndarray]) -> pd.DataFrame:
    """How often weight maps prefer the truly sharper source, on the simulated pairs of some sets.

    Parameters
    ----------
    sets : iterable of Dataset
        Sets of pairs; real ones, whose truth nobody knows, are left out.
    weight_maps : mapping of (str, str) to array (h, w), 0..1
        Weight of the visible image by set and pair.

    Returns
    -------
    DataFrame
        A row a pair: dataset, id, "right, %" of the judged pixels, "judged, % of the pixels".

    Notes
    -----
    The rule is that of `metrics.truth.map_accuracy`. Weights count as they are stored, in 255 steps.
    """
    rows = []
    for pairs in sets:
        for each in (pair for pair in pairs if pair.truth is not None):
            weight = images.to_uint8(255 * weight_maps[pairs.name, each.id]) / 255
            found = truth.map_accuracy(weight, each.infrared, each.visible, each.truth)
            rows.append((pairs.name, each.id, 100 * found.right, 100 * found.judged))
    return pd.DataFrame(rows, columns=["dataset", "id", "right, %", "judged, % of the pixels"])


def authors_images(names: Iterable[str] = ("tno21", "vot40")) -> dict[str, dict[str, Image]]:
    """The authors' published fused images of the sets of which they are at hand.

    Parameters
    ----------
    names : iterable of str
        Sets of pairs.

    Returns
    -------
    dict
        By set and pair, arrays (h, w) of levels 0..255; empty where none are at hand.

    Examples
    --------
    >>> authors_images(["sample"])
    {}
    """
    at_hand = set(available())
    return {name: {each.id: each.fused for each in dataset(f"authors-{name}")} for name in names if f"authors-{name}" in at_hand}


def authors_table(fused: Mapping[Key, Image], authors: Mapping[str, Mapping[str, Image]]) -> pd.DataFrame:
    """Structural similarity (SSIM) of fused images to the authors'.

    Parameters
    ----------
    fused : mapping
        Fused images by protocol, set and pair.
    authors : mapping
        As `authors_images` gives them.

    Returns
    -------
    DataFrame
        Indexed by dataset and id, a column a protocol; empty where no pair has both.

    Examples
    --------
    >>> authors_table({("as_paper", "sample", "coffee"): np.zeros((8, 8))}, {}).empty
    True
    """
    rows: dict[tuple[str, str], dict[str, float]] = {}
    for (name, data, id), image in fused.items():
        if id in authors.get(data, {}):
            theirs = authors[data][id]
            rows.setdefault((data, id), {})[name] = likeness(images.resize(images.to_gray(image), theirs.shape), theirs)
    return pd.DataFrame(rows).T.rename_axis(["dataset", "id"]) if rows else pd.DataFrame()

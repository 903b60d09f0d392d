"""Values of an earlier run computed again, from the images on, with nothing that is remembered."""

import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from ivfnb import images
from ivfnb.datasets import Dataset, DatasetError, dataset
from ivfnb.evaluation import competitors
from ivfnb.evaluation.methods import Method
from ivfnb.evaluation.scores import evaluate
from ivfnb.fusion.protocol import AS_PAPER, AS_RELEASED

TOLERANCE = 1e-6  # of a value: what another processor's rounding may cost
PROTOCOLS = {"as_paper": AS_PAPER, "as_released": AS_RELEASED}  # by the folders of fused images that notebook 4 writes


class Again(NamedTuple):
    """What came of computing again.

    Attributes
    ----------
    compared : int
        How many values or images.
    differing : list of str
        One line each.
    left_out : list of str
        What could not be computed here, and why.
    """

    compared: int
    differing: list[str]
    left_out: list[str]


@contextmanager
def forgetful() -> Iterator[None]:
    """An empty cache meanwhile."""
    before = os.environ.get("IVFNB_CACHE")
    with tempfile.TemporaryDirectory(prefix="ivfnb-again-") as folder:
        os.environ["IVFNB_CACHE"] = folder
        try:
            yield
        finally:
            os.environ.pop("IVFNB_CACHE") if before is None else os.environ.update(IVFNB_CACHE=before)


def _one(name: str, id: str) -> Dataset:
    """A set of pairs cut to one of them."""
    data = dataset(name)
    if id not in data.ids:
        raise DatasetError(f"{name}: found no pair {id}")
    place = data.ids.index(id)
    return data[place : place + 1]


def _method(data: Dataset, name: str) -> Method | None:
    known = competitors.methods(competitors.rows(data))
    return next((method for method in known if method.name == name), None)


def scores(table: pd.DataFrame, count: int, seed: int = 0, longest: float = 30.0) -> Again:
    """A sample of a run's values, computed again.

    Parameters
    ----------
    table : DataFrame
        Tidy, as `evaluate` makes it and notebook 5 writes it.
    count : int
        Fused images to draw; all values of each are compared.
    seed : int
        Of the draw.
    longest : float
        Images that took more seconds to fuse are not drawn.

    Returns
    -------
    Again

    Raises
    ------
    ValueError
        For a table without the columns of one.
    """
    needed = {"dataset", "method", "id", "metric", "value", "convention", "seconds"}
    if lacking := sorted(needed - set(table.columns)):
        raise ValueError(f"table: found no column {', '.join(lacking)}, expected those of evaluate")
    quick = table[~(table["seconds"] > longest)]
    groups = list(quick.groupby(["dataset", "method", "id"], sort=True))
    drawn = np.random.default_rng(seed).permutation(len(groups))[:count]
    compared, differing, left_out = 0, list[str](), list[str]()
    with forgetful():
        for (name, method_name, id), rows in (groups[place] for place in sorted(drawn)):
            where = f"{name}, {method_name}, pair {id}"
            try:
                data = _one(str(name), str(id))
                if (method := _method(data, str(method_name))) is None:
                    raise DatasetError("found no such method here")
                with warnings.catch_warnings():
                    warnings.simplefilter("error")
                    metrics, conventions = rows["metric"].unique().tolist(), rows["convention"].unique().tolist()
                    again = evaluate(data, [method], metrics, conventions)
            except (ValueError, ModuleNotFoundError, UserWarning) as error:
                left_out.append(f"{where}: {error}")
                continue
            known = again.set_index(["metric", "convention"])["value"]
            for row in rows.itertuples(index=False):
                now = known.get((row.metric, row.convention), np.nan)
                compared += 1
                if not np.isclose(row.value, now, rtol=TOLERANCE, atol=1e-9, equal_nan=True):
                    differing.append(f"{where}, {row.metric} ({row.convention}): found {row.value!r}, computed {now!r}")
    return Again(compared, differing, left_out)


def fused(folder: Path, count: int, seed: int = 0) -> Again:
    """A sample of the fused images that notebook 4 wrote, fused again.

    Parameters
    ----------
    folder : Path
        `results/<profile>/fused`.
    count : int
        Images to draw.
    seed : int
        Of the draw.

    Returns
    -------
    Again
    """
    from ivfnb import fusion
    from ivfnb.classifier import network

    files = [file for name in PROTOCOLS for file in sorted((folder / name).rglob("*.png")) if not file.name.startswith(".")]
    drawn = np.random.default_rng(seed).permutation(len(files))[:count]
    compared, differing, left_out = 0, list[str](), list[str]()
    for file in (files[place] for place in sorted(drawn)):
        name, set_name, *rest = file.relative_to(folder).with_suffix("").parts
        protocol, id = PROTOCOLS[name], "/".join(rest)
        try:
            pair = dataset(set_name, color=True)[id]
            now = images.to_uint8(fusion.fuse(pair.infrared, pair.visible, network.load(protocol.weights), protocol).fused)
            found = images.read_color(file) if now.ndim == 3 else images.read_gray(file)
        except ValueError as error:
            left_out.append(f"{file.relative_to(folder)}: {error}")
            continue
        compared += 1
        if found.shape != now.shape or not np.array_equal(found, now):
            unequal = f"{(found != now).mean():.2%} of its levels" if found.shape == now.shape else f"its size, {found.shape}"
            differing.append(f"{file.relative_to(folder)}: differs from what is fused now in {unequal}")
    return Again(compared, differing, left_out)

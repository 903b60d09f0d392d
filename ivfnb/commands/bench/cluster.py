"""Scale-out: pairs a second on a Dask cluster of one worker and of two on this machine; without the extra nothing is measured."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from ivfnb import evaluation, images, parallel
from ivfnb.datasets import Dataset, dataset
from ivfnb.fusion.protocol import AS_PAPER

PAIRS = 40
SHAPE = (192, 256)
WORKERS = (1, 2)


@contextmanager
def _folder() -> Iterator[Path]:
    """A new folder, in which workers that start meanwhile remember what they compute."""
    folder, before = Path(tempfile.mkdtemp(prefix="ivfnb-")), os.environ.get("IVFNB_CACHE")
    os.environ["IVFNB_CACHE"] = str(folder / "cache")
    try:
        yield folder
    finally:
        os.environ.pop("IVFNB_CACHE") if before is None else os.environ.update(IVFNB_CACHE=before)
        shutil.rmtree(folder, ignore_errors=True)


def _written(folder: Path, n: int, seed: int) -> Dataset:
    """A data set of pairs of textures of `SHAPE`."""
    random = np.random.default_rng(seed)
    for role in ("infrared", "visible"):
        for number in range(n):
            texture = random.normal(0, 25, SHAPE) + 60 * np.sin(np.arange(SHAPE[1]) / random.uniform(9, 40)) + 128
            images.write_image(folder / role / f"{number:03}.png", np.clip(texture, 0, 255).astype(np.uint8))
    return dataset("folder", infrared=folder / "infrared", visible=folder / "visible")


def rate(workers: int, n: int = PAIRS) -> float:
    """Pairs a second that workers fuse by the paper's protocol and score by its eleven metrics, once they have loaded their libraries."""
    methods = [evaluation.method(AS_PAPER)]
    with _folder() as folder, parallel.cluster(workers=workers):
        evaluation.evaluate(_written(folder / "first", 3 * workers, 1), methods)
        pairs, begun = _written(folder / "timed", n, 2), time.perf_counter()
        evaluation.evaluate(pairs, methods)
        return n / (time.perf_counter() - begun)


def rows() -> list[dict]:
    """Rows of the bench: section, what, value, unit, bar (what it should be; empty where there is none)."""

    def row(what: str, value: float, unit: str, bar: str = "") -> dict:
        return {"section": "cluster", "what": what, "value": float(f"{value:.4g}"), "unit": unit, "bar": bar}

    if find_spec("distributed") is None:
        return [row("not measured: the extra cluster is not installed", float("nan"), "")]
    cores, load = os.cpu_count() or 1, os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    rates = {workers: rate(workers) for workers in WORKERS}
    what = f"{PAIRS} pairs of {SHAPE[1]}x{SHAPE[0]}, fused and scored"
    return [
        row(f"load of the machine before, on {cores} cores", load, ""),
        *(row(f"{what}: {workers} worker{'s' * (workers > 1)}", found, "pairs/s") for workers, found in rates.items()),
        row(f"{what}: 2 workers over 1", rates[2] / rates[1], "times", "at least 1.8" if cores > 1 else ""),
    ]

"""Time of the metrics, all eleven and each, of their slow loops, and peak memory, for one 768x576 triple."""

import importlib.util
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from ivfnb import paths
from ivfnb.commands.bench import peak_memory, seconds
from ivfnb.images import Image
from ivfnb.metrics import ELEVEN, METRICS, score

SHAPE = (576, 768)
AT_MOST = {"FMI_pixel": 150, "FMI_w": 150, "FMI_dct": 150, "SSIM": 25, "MS-SSIM": 25}  # milliseconds
CROP = (64, 64)  # what the loops are timed on; their time grows with the number of pixels
ALL_ELEVEN = "from ivfnb.commands.bench import metrics; metrics.score(*metrics.triple())"


def _texture(seed: int) -> Image:
    """Image uint8 of `SHAPE` of smooth structure, edges and noise."""
    random = np.random.default_rng(seed)
    y, x = np.indices(SHAPE)
    phases = random.uniform(0, 6, 3)
    levels = 110 + 50 * np.sin(x / 23 + phases[0]) * np.cos(y / 31 + phases[1]) + 40 * (np.sin(x / 57 + y / 41 + phases[2]) > 0.3)
    return np.clip(levels + random.normal(0, 6, SHAPE), 0, 255).astype(np.uint8)


def triple() -> tuple[Image, Image, Image]:
    """Three textures: fused, infrared, visible."""
    return _texture(0), _texture(1), _texture(2)


def _loops() -> dict[str, Callable] | None:
    """The readable loops that the tests use as oracle; None where the package is installed without the tests."""
    file = paths.root() / "tests" / "metric_loops.py"
    if not file.is_file():
        return None
    spec = importlib.util.spec_from_file_location("metric_loops", file)
    assert spec is not None
    assert spec.loader is not None  # of a Python file
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.LOOPS


def rows() -> list[dict]:
    """Rows of the bench: section, what, value, unit, bar (what it should be at most or at least; empty where there is none)."""
    images = triple()

    def row(what: str, value: float, unit: str, bar: str = "") -> dict:
        return {"section": "metrics", "what": what, "value": value, "unit": unit, "bar": bar}

    def eleven() -> object:
        return score(*images)

    fast = seconds(eleven)
    start = time.process_time()
    eleven()
    result = [
        row("all 11, one 768x576 triple", fast, "s", "at most 0.4"),
        row("the same, processor time", time.process_time() - start, "s", "at most 0.06"),
    ]
    if loops := _loops():
        crops = [image[: CROP[0], : CROP[1]] for image in images]
        slow = sum(seconds(partial(loops[name], *crops), repeats=1) for name in ELEVEN)
        factor = slow / (CROP[0] * CROP[1]) / (fast / (SHAPE[0] * SHAPE[1]))
        result.append(row(f"all 11 faster per pixel than readable loops, timed on {CROP[1]}x{CROP[0]}", factor, "times", "at least 100"))
    result.append(row("peak memory of a process that scores all 11", peak_memory(ALL_ELEVEN) / 1e6, "MB", "below 300"))
    for name in METRICS:
        found = 1000 * seconds(partial(score, *images, names=[name]), repeats=3)
        result.append(row(name, found, "ms", f"at most {AT_MOST[name]}" if name in AT_MOST else ""))
    return result

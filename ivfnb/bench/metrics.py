"""Bench of the metrics: all eleven, each of them, their slow loops and peak memory, for one 768x576 triple."""

import importlib.util
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

from ivfnb import paths
from ivfnb.images import Image
from ivfnb.metrics import METRICS, PAPER, score

SHAPE = (576, 768)
CROP = (64, 64)  # what the loops are timed on; their time grows with the number of pixels
REPEATS = 5  # the least of so many runs counts: other work on the machine only adds
PEAK = "from ivfnb.bench import metrics as m; m.score(*m.triple()); print(m.peak_bytes())"


def texture(seed: int, shape: tuple[int, int] = SHAPE) -> Image:
    """Image (h, w) uint8 of smooth structure, edges and noise, from a seed."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]]
    phases = random.uniform(0, 6, 4)
    levels = 110 + 50 * np.sin(x / 23 + phases[0]) * np.cos(y / 31 + phases[1]) + 40 * (np.sin(x / 57 + y / 41 + phases[2]) > 0.3)
    return np.clip(levels + random.normal(0, 6, shape), 0, 255).astype(np.uint8)


def triple() -> list[Image]:
    """Three textures of 768x576 pixels: fused, infrared, visible."""
    return [texture(seed) for seed in range(3)]


def peak_bytes() -> int:
    """Largest resident memory this process has had, bytes."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)  # macOS gives bytes


def _seconds(call: Callable[[], object], repeats: int = REPEATS, clock: Callable[[], float] = time.perf_counter) -> float:
    times = []
    for _ in range(repeats):
        start = clock()
        call()
        times.append(clock() - start)
    return min(times)


def _loops() -> dict[str, Callable] | None:
    """The readable loops that the tests use as oracle; None where the package is installed without the tests."""
    file = paths.root() / "tests" / "metric_loops.py"
    if not file.is_file():
        return None
    spec = importlib.util.spec_from_file_location("metric_loops", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.LOOPS


def rows() -> list[dict]:
    """Rows of the bench: section, what, value, unit, bar (what it should be at most, or at least; empty where there is none)."""
    images = triple()

    def row(what: str, value: float, unit: str, bar: str = "") -> dict:
        return {"section": "metrics", "what": what, "value": value, "unit": unit, "bar": bar}

    score(*images)  # first calls load libraries
    eleven = _seconds(lambda: score(*images))
    result = [row("all 11, one 768x576 triple", eleven, "s", "at most 0.4")]
    result.append(row("the same, processor time", _seconds(lambda: score(*images), clock=time.process_time), "s"))
    if loops := _loops():
        crops = [image[: CROP[0], : CROP[1]] for image in images]
        slow = sum(_seconds(lambda name=name: loops[name](*crops), repeats=1) for name in PAPER)
        factor = slow / (CROP[0] * CROP[1]) / (eleven / (SHAPE[0] * SHAPE[1]))
        result.append(
            row(f"all 11 faster per pixel than the readable loops (timed on {CROP[1]}x{CROP[0]})", factor, "times", "at least 100")
        )
    fresh = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, check=True, cwd=paths.root())
    peak = int(fresh.stdout)
    result.append(row("peak memory of a process that scores all 11", peak / 1e6, "MB", "below 300"))
    for name in METRICS:
        score(*images, names=[name])
        result.append(row(name, 1000 * _seconds(lambda name=name: score(*images, names=[name]), repeats=3), "ms"))
    return result

"""Time of the enhancements and of a fusion without the network, on a scene of the TNO set's largest size."""

import time
import warnings
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ivfnb import enhance, fusion

SHAPE = (576, 768)
REPEATS = 15  # the minimum counts: everything above it is other work on the machine


def _scene(seed: int) -> np.ndarray:
    """Light over texture, uint8 of `SHAPE`."""
    y, x = np.indices(SHAPE)
    texture = np.random.default_rng(seed).integers(0, 40, SHAPE)
    return (100 + 60 * np.sin(x / 90 + seed) * np.cos(y / 70) + texture).astype(np.uint8)


def _milliseconds(function: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    function()
    found = []
    for _ in range(REPEATS):
        start = clock()
        function()
        found.append(clock() - start)
    return 1000 * min(found)


def rows() -> list[dict]:
    """Rows of the bench: section, what, value, unit, bar (what it should be at most; empty where there is none)."""
    visible, infrared = _scene(0), _scene(1)
    compressed = enhance.hdrc(visible)

    def fuse(base: fusion.Protocol) -> object:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", fusion.UndefinedDistanceWarning)
            return fusion.fuse(infrared, visible, None, replace(base, classifier="gradient_energy"))

    def row(what: str, value: float, bar: str = "") -> dict:
        return {"section": "enhance", "what": what, "value": value, "unit": "ms", "bar": bar}

    def both() -> object:
        return enhance.ssr(enhance.hdrc(visible))

    return [
        row("HDRC and SSR, one 768x576 image", _milliseconds(both), "at most 60"),
        row("the same, processor time", _milliseconds(both, time.process_time)),
        row("stretch", _milliseconds(lambda: enhance.stretch(infrared))),
        row("HDRC", _milliseconds(lambda: enhance.hdrc(visible))),
        row("SSR, sigma 300", _milliseconds(lambda: enhance.ssr(compressed))),
        row("fuse as paper, gradient energy for the CNN", _milliseconds(lambda: fuse(fusion.AS_PAPER))),
        row("fuse as released, gradient energy for the CNN", _milliseconds(lambda: fuse(fusion.AS_RELEASED))),
    ]

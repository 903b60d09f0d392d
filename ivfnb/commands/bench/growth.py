"""How the cost grows: `fuse` with the size of a pair, and fusing and scoring with the number of pairs; seconds and memory, and a chart."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ivfnb import evaluation, fusion, images, paths
from ivfnb.classifier.network import EResNet
from ivfnb.commands.bench import peak_bytes, peak_memory
from ivfnb.datasets import dataset
from ivfnb.images import Image

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDES = (256, 456, 1024, 2048, 4096)  # of square pairs
COMPARED = (456, 2048)  # between them the time per pixel should stay
ROUNDS = 3  # of which the least counts; sizes above `COMPARED` are fused once
COUNTS = (10, 100, 1000)  # pairs, one lot after the other in one process
SIDE = 96  # of those pairs
PEAK = "from ivfnb.commands.bench import growth; growth.fused(growth.scene({side}, 0), growth.scene({side}, 1))"
LOTS = "from ivfnb.commands.bench import growth; growth.print_lots()"


def scene(side: int, seed: int) -> Image:
    """Waves under noise, uint8 (side, side)."""
    y, x = np.indices((side, side), np.float32)
    texture = np.random.default_rng(seed).integers(0, 40, (side, side))
    return (100 + 60 * np.sin(x / 90 + seed) * np.cos(y / 70) + texture).astype(np.uint8)


def fused(infrared: Image, visible: Image) -> Image:
    """What the paper's protocol makes of a pair, by an untrained network: weights do not change the time."""
    return fusion.fuse(infrared, visible, _net()).fused


@cache
def _net() -> EResNet:
    return EResNet().eval()


def _sizes() -> dict[int, float]:
    """Seconds of `fuse` by side, all sizes in turn so that a drifting clock of the machine meets them alike."""
    scenes = {side: (scene(side, 0), scene(side, 1)) for side in SIDES}
    fused(*scenes[SIDES[0]])
    found: dict[int, list[float]] = {side: [] for side in SIDES}
    for turn in range(ROUNDS):
        for side in SIDES:
            if turn == 0 or side <= COMPARED[1]:
                begun = time.perf_counter()
                fused(*scenes[side])
                found[side].append(time.perf_counter() - begun)
    return {side: min(times) for side, times in found.items()}


def print_lots() -> None:
    """Fuse and score lots of pairs, each pair a new one, and print as JSON: seconds a pair and the largest memory so far, by lot."""
    folder = Path(tempfile.mkdtemp(prefix="ivfnb-"))
    try:
        os.environ["IVFNB_CACHE"] = str(folder / "cache")
        random, told = np.random.default_rng(0), []
        methods = [evaluation.method(fusion.AS_PAPER)]
        for count in (3, *COUNTS):  # the first lot loads libraries and weights
            for role in ("infrared", "visible"):
                shutil.rmtree(folder / role, ignore_errors=True)
                for number in range(count):
                    images.write_image(folder / role / f"{number:04}.png", random.integers(0, 256, (SIDE, SIDE), dtype=np.uint8))
            pairs = dataset("folder", infrared=folder / "infrared", visible=folder / "visible")
            begun = time.perf_counter()
            evaluation.evaluate(pairs, methods)
            told.append({"pairs": count, "seconds": (time.perf_counter() - begun) / count, "bytes": peak_bytes()})
        print(json.dumps(told[1:]))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def rows() -> list[dict]:
    """Rows of the bench: section, what, value, unit, bar (what it should be; empty where there is none)."""
    result: list[dict] = []

    def row(what: str, value: float, unit: str, bar: str = "") -> None:
        result.append({"section": "growth", "what": what, "value": float(f"{value:.4g}"), "unit": unit, "bar": bar})

    seconds, first = _sizes(), COMPARED[0]
    for side in SIDES:
        size, inside = f"{side}x{side}", COMPARED[0] < side <= COMPARED[1]
        row(f"{size}, fuse", seconds[side], "s")
        per_pixel = seconds[side] / side**2 / (seconds[first] / first**2)
        row(f"{size}, fuse: time per pixel over that of {first}x{first}", per_pixel, "", "0.85 to 1.15" if inside else "")
        row(f"{size}, fuse: peak memory of a process", peak_memory(PEAK.format(side=side)) / 1e6, "MB")
    done = subprocess.run([sys.executable, "-c", LOTS], capture_output=True, text=True, check=False, cwd=paths.root())
    if done.returncode:
        raise RuntimeError(f"the measured process failed: {done.stderr.strip().splitlines()[-1:]}")
    lots = json.loads(done.stdout.splitlines()[-1])
    for lot in lots:
        row(f"{lot['pairs']} pairs of {SIDE}x{SIDE}, fused and scored", lot["seconds"], "s a pair")
        row(f"{lot['pairs']} pairs: peak memory so far", lot["bytes"] / 1e6, "MB")
    ends = f"{lots[-1]['pairs']} pairs over {lots[0]['pairs']}"
    row(f"{ends}: time a pair", lots[-1]["seconds"] / lots[0]["seconds"], "", "0.85 to 1.15")
    row(f"{ends}: peak memory", lots[-1]["bytes"] / lots[0]["bytes"], "", "at most 1.1")
    return result


def chart(found: list[dict]) -> "Figure":
    """Cost against size: seconds and memory of a pair by its side, and of a run by its number of pairs, from the section's rows."""
    from ivfnb.report import figures

    value = {row["what"]: row["value"] for row in found}

    def points(form: str) -> tuple[list[int], list[float]]:
        matched = {int(hit[1]): number for what, number in value.items() if (hit := re.fullmatch(form, what))}
        return list(matched), list(matched.values())

    sides, pair_seconds = points(r"(\d+)x\d+, fuse")
    pairs, each = points(r"(\d+) pairs of \d+x\d+, fused and scored")
    totals = [count * seconds for count, seconds in zip(pairs, each, strict=True)]
    figure, axes, _ = figures.panels(4, 2, (4.2, 3.2))
    drawn = (
        (sides, pair_seconds, "A pair by its size", "side in pixels", "seconds", 2),
        (*points(r"(\d+)x\d+, fuse: peak memory of a process"), "Memory by size", "side in pixels", "MB", 0),
        (pairs, totals, f"A run by its number of pairs of {SIDE}x{SIDE}", "pairs", "seconds", 1),
        (*points(r"(\d+) pairs: peak memory so far"), "Memory by number of pairs", "pairs", "MB", 0),
    )
    for axis, (x, y, title, across, up, power) in zip(axes, drawn, strict=True):
        axis.plot(x, y, "o-", color=figures.COLOURS[0])
        if power:
            shown = [y[0] * (each / x[0]) ** power for each in x]
            axis.plot(x, shown, "--", color=figures.OTHERS, label="in proportion to " + ("pixels" if power == 2 else "pairs"))
            axis.set_yscale("log")
            axis.legend(frameon=False)
        else:
            axis.set_ylim(0, 1.15 * max(y))
        axis.set_xscale("log")
        axis.set_xticks(x, [str(each) for each in x])
        axis.minorticks_off()
        axis.set(title=title, xlabel=across, ylabel=up)
    return figure

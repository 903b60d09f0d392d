"""Scores of all windows of a pair: the plain loop, batches of windows and the dense method; seconds, memory and the arithmetic bound."""

import numpy as np
import torch

from ivfnb.classifier import dense, folding, windows
from ivfnb.classifier.grid import WINDOW
from ivfnb.classifier.network import EResNet, has_fast_bfloat16, load
from ivfnb.commands.bench import peak_memory, seconds
from ivfnb.datasets import dataset
from ivfnb.fusion import weightmap

SIZES = ((456, 456), (576, 768), (1024, 1280))  # height, width
STRIDE = 8
SAMPLE = (
    WINDOW + 7 * STRIDE,
    WINDOW + 15 * STRIDE,
)  # the slow methods are timed on these 8x16 windows: all windows cost the same
LOOP = "loop of single windows"
SLOW = {LOOP: "window_scores_reference", "batches of 16 windows": "window_scores_batched"}
ROUNDS = 4
TILES = (0.25, 0.5, 2.0)  # of what `dense` takes: another processor's caches may want another size
SIDE = 2048  # of the matrices whose product measures the peak
PEAK = "from ivfnb.commands.bench import weightmap as w\nw.scores('{function}', w.setting({shape}))"


def setting(shape: tuple[int, int]) -> tuple[EResNet, np.ndarray, np.ndarray]:
    """Untrained network (weights do not change the time), visible and infrared noise of `shape`."""
    random = np.random.default_rng(0)
    return EResNet().eval(), random.uniform(0, 255, shape), random.uniform(0, 255, shape)


def scores(function: str, where: tuple[EResNet, np.ndarray, np.ndarray]) -> np.ndarray:
    """Scores of all windows by one of the methods of `ivfnb.classifier.windows`."""
    return getattr(windows, function)(*where, STRIDE)


def operations(shape: tuple[int, int], stride: int = STRIDE) -> int:
    """Floating-point operations in the dense method's matrix products, two per multiplication and addition."""
    rows, columns = windows.grid_shape(shape, stride)
    step = stride // dense.CELL
    whole = dense.Tile(0, (rows - 1) * step + dense.CELLS, step, (rows, columns))
    pixels = {size: whole.pixels(size) for size in (8, 4, 2)}
    blocks = 3 * pixels[8] * (9 * 64 + 64 * 256) + 3 * pixels[4] * 128 * 256 + pixels[2] * (128 + 256) * 512
    head = rows * columns * 2 * dense.CELLS**2 * 512 * 256  # as the upper and as the lower block
    return 2 * 2 * (blocks + head)  # two images


def matrix_product_peak() -> float:
    """Operations per second of a float32 matrix product on all threads, by the faster of torch's two libraries."""
    left, right = torch.rand(SIDE, SIDE), torch.rand(SIDE, SIDE)
    with torch.inference_mode():
        times = [seconds(lambda: left @ right, 9), seconds(lambda: folding.product(left, folding.Affine(right, None)), 9)]
    return 2 * SIDE**3 / min(times)


def rows() -> list[dict]:
    """Rows of the bench: section, what, value, unit, bar (what it should be; empty where there is none)."""
    result: list[dict] = []
    pace: dict[tuple[int, int], float] = {}

    def row(what: str, value: float, unit: str, bar: str = "") -> None:
        result.append({"section": "weightmap", "what": what, "value": float(f"{value:.4g}"), "unit": unit, "bar": bar})

    jobs: dict[str | tuple[int, int], tuple[str, tuple[EResNet, np.ndarray, np.ndarray]]] = {
        what: (function, setting(SAMPLE)) for what, function in SLOW.items()
    }
    jobs |= {shape: ("window_scores", setting(shape)) for shape in SIZES}
    # All jobs in turn, so that a drifting clock of the machine meets them alike.
    rounds = [{job: seconds(lambda: scores(*what), 1) for job, what in jobs.items()} for _ in range(ROUNDS)]  # noqa: B023
    times = {job: min(round[job] for round in rounds) for job in jobs}
    slow, peak = {what: times[what] for what in SLOW}, matrix_product_peak()
    row(f"matrix product {SIDE}x{SIDE}, the measured peak", peak / 1e9, "GFLOP/s")
    for what, function in SLOW.items():
        row(f"{what}, {SAMPLE[1]}x{SAMPLE[0]}: peak memory", peak_memory(PEAK.format(function=function, shape=SAMPLE)) / 1e6, "MB")
    for shape in SIZES:
        size = f"{shape[1]}x{shape[0]}"
        share = np.prod(windows.grid_shape(shape, STRIDE)) / np.prod(windows.grid_shape(SAMPLE, STRIDE))
        for what, time in slow.items():
            row(f"{size}, {what} (timed on a sample)", share * time, "s")
        dense_time = times[shape]
        pace[shape] = dense_time / (shape[0] * shape[1])
        first = shape == SIZES[0]
        row(f"{size}, dense", dense_time, "s")
        for what, time in slow.items():
            bar = "at least 65" if first and what == LOOP else ""
            row(f"{size}, dense: faster than {what}", share * time / dense_time, "times", bar)
        row(f"{size}, dense: operations", operations(shape) / 1e9, "GFLOP")
        row(f"{size}, dense: bound, the operations at the measured peak", operations(shape) / peak, "s")
        row(f"{size}, dense: speed over the bound's", operations(shape) / peak / dense_time, "")
        row(f"{size}, dense: time per pixel over the first size's", pace[shape] / pace[SIZES[0]], "", "" if first else "0.85 to 1.15")
        memory = peak_memory(PEAK.format(function="window_scores", shape=shape)) / 1e6
        row(f"{size}, dense: peak memory of a process", memory, "MB", "below 1500")
    size, (net, visible, infrared) = f"{SIZES[0][1]}x{SIZES[0][0]}", setting(SIZES[0])
    for part in TILES:
        pixels = int(part * dense.TILE_PIXELS)
        tiled = seconds(lambda: windows.window_scores(net, visible, infrared, STRIDE, pixels), 2)  # noqa: B023
        row(f"{size}, dense in tiles of {pixels} pixels", tiled, "s")
    if has_fast_bfloat16(torch.device("cpu")):
        low = seconds(lambda: windows.window_scores(net, visible, infrared, STRIDE, precision="bfloat16"), 2)
        row(f"{size}, dense in bfloat16", low, "s")
        row(f"{size}, dense in bfloat16: faster than in float32", times[SIZES[0]] / low, "times", "at least 2")
        row("decisions that bfloat16 leaves as they are, sample pairs", _same("bfloat16"), "", "at least 0.999")
    else:
        row("bfloat16 not measured: this processor has neither AMX nor AVX-512 BF16", float("nan"), "")
    return result


def _same(precision: str) -> float:
    """Share of the decisions about the windows of the sample set's pairs that another precision leaves as they are."""
    net, same = load(), []
    for pair in dataset("sample"):
        full, other = (windows.window_scores(net, pair.visible, pair.infrared, precision=each) for each in ("float32", precision))
        same.append((weightmap.decide(full) == weightmap.decide(other)).ravel())
    return float(np.concatenate(same).mean())

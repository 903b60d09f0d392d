"""Scores of all windows of a pair: the plain loop, batches of windows and the dense method; seconds, memory and the arithmetic bound."""

import numpy as np
import torch

from ivfnb import dense, folding, weightmap
from ivfnb.bench import peak_memory, seconds
from ivfnb.network import WINDOW, EResNet

SIZES = ((456, 456), (576, 768), (1024, 1280))  # height, width
BARS = {SIZES[0]: "at least 60 times faster", SIZES[-1]: "time per pixel 0.85 to 1.15; below 1500 MB"}  # of the dense method
STRIDE = 8
SAMPLE = (
    WINDOW + 7 * STRIDE,
    WINDOW + 15 * STRIDE,
)  # the slow methods are timed on these 8x16 windows: all windows cost the same
SLOW = {"loop of single windows": "window_scores_reference", "batches of 64 windows": "window_scores_batched"}
SIDE = 2048  # of the matrices whose product measures the peak
PEAK = "from ivfnb.bench import weightmap as w\nw.scores('{function}', w.setting({shape}))"


def setting(shape: tuple[int, int]) -> tuple[EResNet, np.ndarray, np.ndarray]:
    """Untrained network (weights do not change the time), visible and infrared noise of `shape`."""
    random = np.random.default_rng(0)
    return EResNet().eval(), random.uniform(0, 255, shape), random.uniform(0, 255, shape)


def scores(function: str, where: tuple[EResNet, np.ndarray, np.ndarray]) -> np.ndarray:
    """Scores of all windows by one of the methods of `ivfnb.weightmap`."""
    return getattr(weightmap, function)(*where, STRIDE)


def operations(shape: tuple[int, int], stride: int = STRIDE) -> int:
    """Floating-point operations in the dense method's matrix products, two per multiplication and addition."""
    rows, columns = weightmap.grid_shape(shape, stride)
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
    """Three methods per size, then the bound: the operations at the speed of a matrix product measured on this machine."""
    peak, result, per_pixel = matrix_product_peak(), [], {}
    for shape in SIZES:
        where, size, windows = setting(shape), f"{shape[1]}x{shape[0]}", np.prod(weightmap.grid_shape(shape, STRIDE))
        sample = setting(SAMPLE)
        share = windows / np.prod(weightmap.grid_shape(SAMPLE, STRIDE))
        times = {what: share * seconds(lambda f=function: scores(f, sample), 3) for what, function in SLOW.items()}  # noqa: B023 (called at once)
        times["dense"] = seconds(lambda: scores("window_scores", where))  # noqa: B023
        per_pixel[shape] = times["dense"] / np.prod(shape)
        for what, time in times.items():
            function, measured = SLOW.get(what, "window_scores"), SAMPLE if what in SLOW else shape
            row = {"section": "weightmap", "what": what, "size": size, "seconds": round(time, 3)}
            row["times faster than the loop"] = round(times["loop of single windows"] / time, 1)
            row["peak memory, MB"] = round(peak_memory(PEAK.format(function=function, shape=measured)) / 1e6)
            result.append(row)
        bound = operations(shape) / peak
        result[-1] |= {
            "GFLOP": round(operations(shape) / 1e9, 1),
            "bound, s": round(bound, 3),
            "share of the bound": round(bound / times["dense"], 2),
            "time per pixel, first size 1": round(per_pixel[shape] / per_pixel[SIZES[0]], 3),
            "bar": BARS.get(shape, ""),
        }
    return [*result, {"section": "weightmap", "what": f"matrix product {SIDE}x{SIDE}, GFLOP per second: {peak / 1e9:.0f}"}]

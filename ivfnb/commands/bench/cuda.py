"""The network on a CUDA device: scores of all windows, a whole fusion, and training; without such a device nothing is measured."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from ivfnb import fusion
from ivfnb.classifier import dense, network, windows
from ivfnb.classifier.patches import DeviceSamples, PatchDataset, make_index
from ivfnb.classifier.training import SCALES, TrainConfig
from ivfnb.commands.bench import seconds
from ivfnb.commands.bench.growth import scene
from ivfnb.commands.bench.training import SAMPLES, training_rate
from ivfnb.datasets import dataset
from ivfnb.fusion import weightmap
from ivfnb.images import resize

AT_MOST = {(456, 456): 0.02, (1024, 1280): 0.1}  # seconds for the scores, by height and width
FUSED = 0.15  # seconds for the larger one, fused
BATCHES = (64, 512)
EPOCHS = 10  # of the samples that a training rate is measured on


def rows(device: str = "cuda") -> list[dict]:
    """Rows of the bench: section, what, value, unit, bar (what it should be; empty where there is none).

    `device` may be "cpu", so that all of it can be tried where there is no other.
    """
    result: list[dict] = []

    def row(what: str, value: float, unit: str, bar: str = "") -> None:
        result.append({"section": "cuda", "what": what, "value": float(f"{value:.4g}"), "unit": unit, "bar": bar})

    if device == "cuda" and not torch.cuda.is_available():
        row("not measured: torch sees no CUDA device", float("nan"), "")
        return result
    name = torch.cuda.get_device_name() if device == "cuda" else "processor"
    there, here = network.load(device=device), network.load()
    for shape, most in AT_MOST.items():
        visible, infrared = (resize(scene(max(shape), seed), shape) for seed in (0, 1))
        size = f"{shape[1]}x{shape[0]}"
        for precision in ("float32", "tf32", "bfloat16") if device == "cuda" else ("float32", "bfloat16"):
            taken = seconds(partial(windows.window_scores, there, visible, infrared, precision=precision))
            row(f"{name}: {size}, dense scores in {precision}", taken, "s", f"at most {most}" if precision == "float32" else "")
        found, expected = windows.window_scores(there, visible, infrared), windows.window_scores(here, visible, infrared)
        row(f"{size}: largest difference of logits to the processor's", float(np.abs(found - expected).max()), "", "at most 0.0001")
        same = (weightmap.decide(found) == weightmap.decide(expected)).mean()
        row(f"{size}: share of decisions that are the processor's", float(same), "", "at least 1")
    row(f"{name}: {size}, a whole fusion", seconds(lambda: fusion.fuse(infrared, visible, there)), "s", f"at most {FUSED}")
    _training(row, name, device)
    return result


def _training(row: Callable[[str, float, str], None], name: str, device: str) -> None:
    """Samples a second that are cut on the device, and trained on; hours for the published number of samples."""
    photographs = [photograph.files["photograph"] for photograph in dataset("photos")]
    samples = PatchDataset(make_index(photographs, SAMPLES * EPOCHS, 0))
    cut = DeviceSamples(samples, torch.device(device))
    for size in BATCHES:
        starts = range(0, len(samples), size)
        whole = seconds(lambda: [cut.__getitems__(range(s, min(s + size, len(cut))))[1] for s in starts][-1].cpu(), 1)  # noqa: B023
        row(f"{name}: samples cut, {size} a batch", len(samples) / whole, "samples/s")
        rate = training_rate(samples, TrainConfig(batch_size=size, device=device, cut="device"), runs=1)
        row(f"{name}: training, {size} a batch", rate, "samples/s")
        published = SCALES["published"][0] * SCALES["published"][2]
        row(f"the published {published / 1e6:.0f} million samples at that rate, {size} a batch", published / rate / 3600, "hours")
    row(f"pixels of an image in one pass of {name}", dense.in_one_pass(torch.device(device))[0], "")

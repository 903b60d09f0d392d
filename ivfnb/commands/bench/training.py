"""Samples a second of training, of testing and of the data pipeline alone; time and memory of an index of the paper's size."""

import numpy as np

from ivfnb.classifier import patches
from ivfnb.classifier.appraisal import evaluate_classifier
from ivfnb.classifier.network import EResNet
from ivfnb.classifier.patches import PatchDataset
from ivfnb.classifier.training import TrainConfig, keep_freed_memory, train
from ivfnb.commands.bench import peak_memory, seconds
from ivfnb.datasets import dataset

SAMPLES = 640  # of the photographs that installed packages carry
RUNS = 3
PUBLISHED = 1_300_000  # samples to train and to test on together
INDEX = """import numpy
from ivfnb.classifier.patches import make_index
make_index([numpy.zeros((480, 640), numpy.uint8)] * {photographs}, {n}, 0)"""
PHOTOGRAPHS = 2300  # the paper's; of 640x480 pixels, 300 blocks each


def data_rate(samples: PatchDataset, batch_size: int = 64) -> float:
    """Samples a second that the data pipeline cuts, blurs and stacks in this process, photographs in memory."""
    starts = range(0, len(samples), batch_size)
    return len(samples) / seconds(
        lambda: [samples.__getitems__(range(start, min(start + batch_size, len(samples)))) for start in starts], RUNS
    )


def training_rate(samples: PatchDataset, config: TrainConfig, runs: int = RUNS) -> float:
    """Samples a second of training, cutting them included: the best of some runs, since other work on the machine only slows."""
    return max(train(config, samples).samples_per_second for _ in range(runs))


def rows() -> list[dict]:
    """Rows of the bench: section, what, value, unit, bar (what it should be; empty where there is none)."""
    keep_freed_memory()
    files = [photograph.files["photograph"] for photograph in dataset("photos")]
    samples = PatchDataset(patches.make_index(files, SAMPLES, 0))
    data, fit = data_rate(samples), training_rate(samples, TrainConfig())
    test = SAMPLES / seconds(lambda: evaluate_classifier(EResNet(), samples), RUNS)
    index = [np.zeros((480, 640), np.uint8)] * PHOTOGRAPHS
    time = seconds(lambda: patches.make_index(index, PUBLISHED, 0), 1)
    memory = peak_memory(INDEX.format(photographs=PHOTOGRAPHS, n=PUBLISHED)) / 1e6

    def row(what: str, value: float, unit: str, bar: str = "") -> dict:
        return {"section": "training", "what": what, "value": float(f"{value:.4g}"), "unit": unit, "bar": bar}

    return [
        row("training, cutting samples included", fit, "samples/s", "at least 60"),
        row("data pipeline alone, one process", data, "samples/s"),
        row("data pipeline: faster than training", data / fit, "times", "at least 5"),
        row("testing in float32, cutting samples included", test, "samples/s"),
        row(f"index of {PUBLISHED:,} samples", time, "s", "below 10"),
        row(f"index of {PUBLISHED:,} samples: peak memory of a process", memory, "MB", "below 500"),
    ]

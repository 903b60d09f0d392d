"""The order of samples in a run, and the processes that cut them."""

import os
from collections.abc import Iterator
from typing import TypeVar

import numpy as np
import torch
from torch.utils.data import DataLoader

from ivfnb.classifier.patches import PatchDataset
from ivfnb.classifier.training.config import TrainConfig

Batch = TypeVar("Batch")
MOST_WORKERS = 8  # each cuts thousands of samples a second


def batches(n: int, batch_size: int, seed: int, epoch: int) -> list[np.ndarray]:
    """Positions of each batch of an epoch: a permutation that depends on seed and epoch alone, so a resumed run sees the same order.

    A last batch of one sample is dropped: batch norm needs two.
    """
    order = np.random.default_rng([seed, epoch]).permutation(n)
    cut = [order[i : i + batch_size] for i in range(0, n, batch_size)]
    return cut if len(cut[-1]) > 1 else cut[:-1]


def steps(n: int, batch_size: int) -> int:
    """Number of batches of an epoch."""
    return n // batch_size + (n % batch_size > 1)


def remaining(n: int, config: TrainConfig, done: int) -> Iterator[np.ndarray]:
    """The batches of a run after its first `done`."""
    per_epoch = steps(n, config.batch_size)
    for epoch in range(done // per_epoch, config.epochs):
        yield from batches(n, config.batch_size, config.seed, epoch)[max(0, done - epoch * per_epoch) :]


def _whole(batch: Batch) -> Batch:
    """What a DataLoader makes of the batch that `PatchDataset` gives: nothing."""
    return batch


def loader(samples: PatchDataset, config: TrainConfig, device: torch.device, done: int) -> DataLoader:
    """The remaining batches, in an order that does not depend on the number of worker processes.

    Workers are spawned: forked ones now and then wait for ever for threads that OpenCV had in the parent.
    """
    on_gpu = device.type == "cuda"
    workers = (min(os.cpu_count() or 1, MOST_WORKERS) if on_gpu else 0) if config.workers is None else config.workers
    return DataLoader(
        samples,
        batch_sampler=remaining(len(samples), config, done),  # type: ignore[arg-type]  # arrays of positions do as well as lists
        num_workers=workers,
        collate_fn=_whole,
        pin_memory=on_gpu,
        multiprocessing_context="spawn" if workers else None,
        generator=torch.Generator(),  # else it would draw from the global one
    )

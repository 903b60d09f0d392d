"""The order of samples in a run, and the processes that cut them."""

import os
from collections.abc import Iterable, Iterator
from typing import TypeVar

import numpy as np
import torch
from torch.utils.data import DataLoader

from ivfnb.classifier.patches import DeviceSamples, PatchDataset, on_device
from ivfnb.classifier.training.config import TrainConfig

Batch = TypeVar("Batch")
MOST_WORKERS = 8  # each cuts thousands of samples a second


def batches(n: int, batch_size: int, seed: int, epoch: int) -> list[np.ndarray]:
    """Positions of each batch of an epoch.

    Parameters
    ----------
    n, batch_size : int
        Samples of an epoch and of a batch.
    seed, epoch : int
        What the order depends on, and alone, so that a resumed run sees the same.

    Returns
    -------
    list of arrays
        A last batch of one sample is dropped: batch norm needs two.

    Examples
    --------
    >>> [len(batch) for batch in batches(9, 4, seed=0, epoch=0)]
    [4, 4]
    """
    order = np.random.default_rng([seed, epoch]).permutation(n)
    cut = [order[i : i + batch_size] for i in range(0, n, batch_size)]
    return cut if len(cut[-1]) > 1 else cut[:-1]


def steps(n: int, batch_size: int) -> int:
    """Number of batches of an epoch.

    Parameters
    ----------
    n, batch_size : int
        Samples of an epoch and of a batch.

    Returns
    -------
    int

    Examples
    --------
    >>> steps(9, 4), steps(10, 4)
    (2, 3)
    """
    return n // batch_size + (n % batch_size > 1)


def remaining(n: int, config: TrainConfig, done: int) -> Iterator[np.ndarray]:
    """The batches of a run after its first ones.

    Parameters
    ----------
    n : int
        Samples of an epoch.
    config : TrainConfig
    done : int
        Batches that have been.

    Yields
    ------
    array
        Positions of a batch, see `batches`.

    Examples
    --------
    >>> [len(batch) for batch in remaining(10, TrainConfig(batch_size=4, epochs=2), done=4)]
    [4, 2]
    """
    per_epoch = steps(n, config.batch_size)
    for epoch in range(done // per_epoch, config.epochs):
        yield from batches(n, config.batch_size, config.seed, epoch)[max(0, done - epoch * per_epoch) :]


def _whole(batch: Batch) -> Batch:
    """What a DataLoader makes of the batch that `PatchDataset` gives: nothing."""
    return batch


def cut(samples: PatchDataset, config: TrainConfig, device: torch.device, done: int) -> Iterable[tuple[torch.Tensor, torch.Tensor]]:
    """The remaining batches of samples: cut on the device, or on the host by `loader`; the same either way.

    Parameters
    ----------
    samples : PatchDataset
    config : TrainConfig
        Says where they are cut.
    device : torch.device
        That the network is on.
    done : int
        Batches that have been.

    Returns
    -------
    iterable
        Of (samples (n, 3, 64, 32), classes (n,)).

    Raises
    ------
    ValueError
        Where the samples are to be cut on a device that cannot: photographs of more than 8 bits, a round trip through JPEG, too little
        memory.

    Examples
    --------
    >>> from ivfnb.classifier.patches import samples_of
    >>> flat = samples_of([np.zeros((64, 64), np.uint8)], 8, seed=0)
    >>> [len(classes) for _, classes in cut(flat, TrainConfig(batch_size=4, cut="device"), torch.device("cpu"), done=0)]
    [4, 4]
    """
    automatic = config.cut == "auto" and not config.workers
    there = DeviceSamples(samples, device) if config.cut == "device" else on_device(samples, device) if automatic else samples
    if isinstance(there, DeviceSamples):
        return (there.__getitems__(which) for which in remaining(len(samples), config, done))
    return loader(samples, config, device, done)


def loader(samples: PatchDataset, config: TrainConfig, device: torch.device, done: int) -> DataLoader:
    """The remaining batches of samples, in an order that does not depend on the number of worker processes.

    Parameters
    ----------
    samples : PatchDataset
    config : TrainConfig
    device : torch.device
        On CUDA, workers cut the samples unless the configuration says how many.
    done : int
        Batches that have been.

    Returns
    -------
    DataLoader
        Of (samples (n, 3, 64, 32), classes (n,)).

    Notes
    -----
    Workers are spawned: forked ones now and then wait for ever for threads that OpenCV had in the parent.

    Examples
    --------
    >>> from ivfnb.classifier.patches import samples_of
    >>> flat = samples_of([np.zeros((64, 64), np.uint8)], 8, seed=0)
    >>> [len(classes) for _, classes in loader(flat, TrainConfig(batch_size=4), torch.device("cpu"), done=0)]
    [4, 4]
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

"""How the published networks are run: strip by strip, and only with weights of the right names and shapes."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch

from ivfnb.baselines.common import weights
from ivfnb.datasets import DatasetError


def strips(shape: tuple[int, int], halo: int, step: int = 1, pixels: int = 1 << 16) -> Iterator[tuple[slice, slice]]:
    """Rows of an image in strips: those to be computed, and those to be read for them.

    Parameters
    ----------
    shape : (int, int)
        Height and width of the image, pixels.
    halo : int
        Rows above and below that the network needs; a multiple of `step`.
    step : int
        Every strip begins at a multiple of it, as pooling asks for.
    pixels : int
        Size aimed at.

    Yields
    ------
    (slice, slice)
        Rows of the strip, which together cover the image once, and the same rows with their halo, cut at the border of the image.
    """
    height, width = shape
    rows = max(step, 2 * halo, pixels // width // step * step)
    for start in range(0, height, rows):
        stop = min(start + rows, height)
        yield slice(start, stop), slice(max(start - halo, 0), min(stop + halo, height))


def weight_file(method: str, name: str) -> Path:
    """Path of a weight file of a method, optional or not; DatasetError, which names the command that gets it, where it is not at hand."""
    return weights.files(method, name)[name]


def load_state(path: Path) -> dict[str, torch.Tensor]:
    """State dict of a PyTorch file, read without running code stored in it, on the processor; DatasetError for any other content."""
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
    except Exception as error:
        raise DatasetError(f"{path}: found no readable weights ({error}), expected a PyTorch state dict") from error
    if not isinstance(state, Mapping) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise DatasetError(f"{path}: found {type(state).__name__}, expected a PyTorch state dict of tensors")
    return dict(state)


def check_weights(found: Mapping[str, np.ndarray | torch.Tensor], expected: Mapping[str, tuple[int, ...]], path: Path) -> None:
    """Compare names and shapes of weights with those a network has.

    Parameters
    ----------
    found : mapping of str to array
        Weights by name.
    expected : mapping of str to tuple of int
        Shapes by name.
    path : Path
        File they came from, for the message.

    Raises
    ------
    DatasetError
        If names or shapes differ, or a value is not finite.
    """
    if names := set(found) ^ set(expected):
        name = min(names)
        raise DatasetError(f"{path}: found {'an unknown' if name in found else 'no'} {name}, expected the weights {sorted(expected)}")
    for name, shape in expected.items():
        if tuple(found[name].shape) != shape:
            raise DatasetError(f"{path}: found {name} of shape {tuple(found[name].shape)}, expected {shape}")
        if not torch.isfinite(torch.as_tensor(found[name])).all():
            raise DatasetError(f"{path}: found {name} with values that are not finite, expected numbers")

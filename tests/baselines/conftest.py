"""Invented weights for the networks: checkpoints written in TensorFlow's format and taken in place of the pinned ones."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import tensor_bundles

from ivfnb import datasets
from ivfnb.baselines.common import weights

Shapes = dict[str, tuple[int, ...]]


def invented(shapes: Shapes, seed: int = 0) -> dict[str, np.ndarray]:
    """Random values that keep features at their scale from layer to layer; variances and gammas are positive."""
    random, found = np.random.default_rng(seed), {}
    for name, shape in shapes.items():
        value = random.standard_normal(shape) / (np.sqrt(np.prod(shape[:-1]) / 2) if len(shape) == 4 else 10)
        found[name] = (np.abs(value) + 0.5 if name.endswith(("gamma", "variance")) else value).astype(np.float32)
    return found


@pytest.fixture
def with_invented(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[ModuleType, Shapes, str], dict[str, np.ndarray]]:
    """A function that gives a method invented weights of these shapes under the index's name, and returns their values."""
    used = []

    def give(module: ModuleType, shapes: Shapes, index: str = "model.ckpt.index") -> dict[str, np.ndarray]:
        values = invented(shapes)
        written = tensor_bundles.write(tmp_path / index.removesuffix(".index"), values)
        monkeypatch.setattr(weights, "files", lambda *_: {index: written})
        monkeypatch.setattr(weights, "is_at_hand", lambda *_: True)
        module._network.cache_clear()
        used.append(module)
        return values

    yield give
    for module in used:
        module._network.cache_clear()


@pytest.fixture
def pair() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """A function that makes two uint8 images of that size, with shapes and noise."""

    def make(height: int, width: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
        random = np.random.default_rng(seed)
        rows, columns = np.mgrid[:height, :width]
        infrared = 120 + 80 * np.sin(rows / 5) * np.cos(columns / 7) + random.normal(0, 10, (height, width))
        visible = 255 * (columns + rows) / max(height + width - 2, 1) + random.normal(0, 15, (height, width))
        return tuple(np.clip(image, 0, 255).astype(np.uint8) for image in (infrared, visible))

    return make


@pytest.fixture
def published(shared_data: Path) -> Callable[[str], tuple[datasets.Dataset, datasets.Dataset]]:
    """A function that gives the published images of a method and the TNO pairs; skips where they or the weights are not at hand."""

    def find(method: str) -> tuple[datasets.Dataset, datasets.Dataset]:
        if not {"tno21", f"published-tno21/{method}"} <= set(datasets.available()):
            pytest.skip(f"no published images of {method} below IVFNB_DATA")
        if not weights.is_at_hand(method):
            pytest.skip(f"no weights of {method} below IVFNB_DATA")
        return datasets.dataset(f"published-tno21/{method}"), datasets.dataset("tno21")

    return find

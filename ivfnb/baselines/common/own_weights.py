"""Weights that this project trained itself: float16 safetensors in data/weights/, with the record of their training."""

import json
import os
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from ivfnb import paths

M = TypeVar("M", bound=nn.Module)


def path(name: str) -> Path:
    """File of a name in data/weights/, whether it is there or not."""
    return paths.root() / "data" / "weights" / f"{name}.safetensors"


def save(module: nn.Module, file: str | Path, record: dict[str, Any]) -> Path:
    """Write a module's state as float16, whole or not at all, with `record` as JSON strings in the header."""
    file = Path(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.detach().to("cpu", torch.float16).contiguous() for name, tensor in module.state_dict().items()}
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    save_file(tensors, beside, metadata={key: json.dumps(value) for key, value in record.items()})
    beside.replace(file)
    return file


def _opened(file: Path):
    if not file.is_file():
        raise ValueError(f"{file}: found no such file, expected weights written by scripts/train_baselines.py")
    try:
        return safe_open(file, framework="pt")
    except SafetensorError as error:
        raise ValueError(f"{file}: found no readable safetensors file ({error}), expected weights of this project") from error


def record(file: str | Path) -> dict[str, Any]:
    """Record of the training that made a weights file: data, counts, seed, steps, losses and the rest."""
    with _opened(Path(file)) as opened:
        return {key: json.loads(value) for key, value in (opened.metadata() or {}).items()}


def fill(module: M, found: dict[str, torch.Tensor], file: str | Path) -> M:
    """Module in eval mode, float32, without gradients, with the tensors `found` in `file`.

    Raises ValueError naming the file where names or shapes are not those of the module.
    """
    expected = module.state_dict()
    wrong = [f"no {name}" for name in sorted(expected.keys() - found.keys())]
    wrong += [f"{name}, which has no place" for name in sorted(found.keys() - expected.keys())]
    wrong += [
        f"{name} of {tuple(found[name].shape)} for {tuple(tensor.shape)}"
        for name, tensor in expected.items()
        if name in found and found[name].shape != tensor.shape
    ]
    if wrong:
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise ValueError(f"{file}: found {'; '.join(wrong[:5])}{more}, expected the tensors of {type(module).__name__}")
    module.load_state_dict({name: tensor.to(torch.float32) for name, tensor in found.items()})
    return module.eval().requires_grad_(False)


def load(module: M, file: str | Path) -> M:
    """Module filled from a safetensors file (see `fill`)."""
    with _opened(Path(file)) as opened:
        found = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 (safe_open is no mapping)
    return fill(module, found, file)

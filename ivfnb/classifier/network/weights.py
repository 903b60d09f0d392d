"""Weights of a network, written and read as safetensors."""

import json
from functools import cache
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from ivfnb import files, paths
from ivfnb.classifier.network.architecture import BRANCHES, EResNet


def save(net: EResNet, path: str | Path, metadata: dict) -> None:
    """Write weights as safetensors, whole or not at all.

    Parameters
    ----------
    net : EResNet
    path : str or Path
    metadata : dict
        What `read_metadata` gives back, beside the network's branches; kept as JSON strings.

    Notes
    -----
    float16 for parameters and float32 for the batch-norm statistics.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(EResNet("gray"), f"{folder}/new.safetensors", {"seed": 3})
    ...     read_metadata(f"{folder}/new.safetensors") == {"seed": 3, "branches": "gray"}
    True
    """
    path = Path(path)
    parameters = dict(net.named_parameters())
    tensors = {
        name: tensor.detach().to("cpu", torch.float16 if name in parameters else tensor.dtype).contiguous()
        for name, tensor in net.state_dict().items()
    }
    header = {key: json.dumps(value) for key, value in {**metadata, "branches": net.branches}.items()}
    with files.replacing(path) as beside:
        save_file(tensors, beside, metadata=header)


def weights_path(name_or_path: str | Path | None = None) -> Path:
    """File of a network's weights.

    Parameters
    ----------
    name_or_path : str or Path, optional
        A name in `data/weights/`, or a path; None: "eresnet-gradients".

    Returns
    -------
    Path

    Raises
    ------
    ValueError
        Where there is no such file; the message lists the names there are.

    Examples
    --------
    >>> weights_path().name
    'eresnet-gradients.safetensors'
    """
    name_or_path = name_or_path or "eresnet-gradients"
    folder = paths.root() / "data" / "weights"
    for path in (folder / f"{name_or_path}.safetensors", Path(name_or_path)):
        if path.is_file():
            return path
    known = sorted(path.stem for path in folder.glob("*.safetensors"))
    raise ValueError(f"weights {name_or_path}: found no such file, expected a .safetensors file or one of {known}")


def read_metadata(name_or_path: str | Path | None = None) -> dict:
    """Metadata record of a weights file.

    Parameters
    ----------
    name_or_path : str or Path, optional
        As `weights_path` takes it.

    Returns
    -------
    dict
        Training set, counts, seed, commit and the rest that `save` was given.

    Raises
    ------
    ValueError
        Naming a file that is missing or no safetensors file.

    Examples
    --------
    >>> read_metadata("eresnet-gray")["branches"]
    'gray'
    """
    path = weights_path(name_or_path)
    try:
        with safe_open(path, framework="pt") as file:
            return {key: json.loads(value) for key, value in (file.metadata() or {}).items()}
    except (SafetensorError, ValueError, RecursionError, OSError) as error:
        raise ValueError(f"{path}: found no readable safetensors file ({error}), expected weights written by ivfnb.network.save") from error


@cache
def loaded(name: str | None = None) -> EResNet:
    """Network of a weights name, loaded once a process and shared: do not change it.

    Parameters
    ----------
    name : str, optional
        As `weights_path` takes it.

    Returns
    -------
    EResNet
        In eval mode.

    Examples
    --------
    >>> loaded("eresnet-gray") is loaded("eresnet-gray")
    True
    """
    return load(name)


def load(name_or_path: str | Path | None = None) -> EResNet:
    """Network of a weights file.

    Parameters
    ----------
    name_or_path : str or Path, optional
        As `weights_path` takes it.

    Returns
    -------
    EResNet
        In eval mode, float32.

    Raises
    ------
    ValueError
        Naming a file that is missing, truncated, not safetensors (a pickle, say), of other shapes or kinds of number, or not finite.

    Examples
    --------
    >>> load("eresnet-gray").training
    False
    """
    path = weights_path(name_or_path)
    branches = read_metadata(path).get("branches")
    if branches not in BRANCHES:
        raise ValueError(f"{path}: found branches={branches!r} in its metadata, expected one of {BRANCHES}")
    net = EResNet(branches)
    with safe_open(path, framework="pt") as file:
        found = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (safe_open is no mapping)
    expected = net.state_dict()
    wrong = sorted(found.keys() ^ expected.keys())
    wrong += [f"{n} {tuple(found[n].shape)} for {tuple(t.shape)}" for n, t in expected.items() if n in found and found[n].shape != t.shape]
    wrong += [f"{n} of {t.dtype}" for n, t in found.items() if n in expected and t.is_floating_point() != expected[n].is_floating_point()]
    wrong += [f"{n} with values that are not finite" for n, t in found.items() if t.is_floating_point() and not torch.isfinite(t).all()]
    if wrong:
        raise ValueError(f"{path}: found tensors that do not fit EResNet({branches!r}), expected its own: {'; '.join(wrong[:5])}")
    net.load_state_dict({name: tensor.to(expected[name].dtype) for name, tensor in found.items()})
    return net.eval()

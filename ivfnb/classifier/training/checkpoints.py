"""Checkpoints of a training run: which one is a run's own, and what cannot be a state of it."""

import io
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
import torch

from ivfnb import files

REMOVE = "expected this run's; remove it or name another folder"


class CheckpointWarning(UserWarning):
    """A training begins anew beside one that was not finished."""


def place(folder: str | Path, name: str, wanted: Mapping[str, Any]) -> Path:
    """File of a run's checkpoint: two runs that differ in anything their bits depend on never share one.

    Parameters
    ----------
    folder : str or Path
        It is made.
    name : str
        Of what is trained.
    wanted : mapping
        What the run depends on.

    Returns
    -------
    Path
        NAME-HASH.pt; it need not exist.
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    return Path(folder) / f"{name}-{joblib.hash(dict(sorted(wanted.items())))[:10]}.pt"


def write(path: Path, state: dict[str, Any]) -> None:
    """Write a state, whole or not at all.

    Parameters
    ----------
    path : Path
    state : dict
        With "wanted", what the run depends on, and "finished", whether the run is at its end.

    Raises
    ------
    OSError
        Such as on a full disk, where torch's own writer would end in an error about positions, or leave its file.
    """
    content = io.BytesIO()
    torch.save(state, content)
    files.write_bytes(path, content.getvalue())


def save(path: Path, state: dict[str, Any]) -> None:
    """Write a state, and its log as a table beside it.

    Parameters
    ----------
    path : Path
    state : dict
        As `write` has it, and with "log", a list of rows.

    Raises
    ------
    OSError
    """
    write(path, state)
    with files.replacing(path.with_suffix(".csv")) as beside:
        pd.DataFrame(state["log"]).to_csv(beside, index=False)


def numbers(state: Any) -> Iterable[torch.Tensor]:
    """All tensors of a state that hold floating-point numbers.

    Parameters
    ----------
    state : dict, list, tuple, tensor or anything else

    Yields
    ------
    tensor
    """
    if isinstance(state, torch.Tensor):
        yield from [state] if state.is_floating_point() else []
    elif isinstance(state, dict | list | tuple):
        for part in state.values() if isinstance(state, dict) else state:
            yield from numbers(part)


def _differing(wanted: Mapping[str, Any], state: Any) -> list[str]:
    """Names of what a run depends on that is otherwise in a state; none where the state does not say."""
    made = state.get("wanted") if isinstance(state, dict) else None
    return sorted(name for name in wanted.keys() | made.keys() if wanted.get(name) != made.get(name)) if isinstance(made, dict) else []


def _tell_of_others(path: Path, wanted: Mapping[str, Any]) -> None:
    """Warn of unfinished runs beside a new one that are not gone on with, so that nobody waits for them in vain."""
    for other in sorted(path.parent.glob(f"{path.stem.rpartition('-')[0]}-*{path.suffix}")):
        try:
            state = torch.load(other, map_location="cpu", weights_only=True, mmap=True)
        except Exception:  # what does not read is not what anybody waits for
            continue
        if isinstance(state, dict) and state.get("finished") is False:
            told = f"{other}: found a training that is not finished, with other {_differing(wanted, state)}; this one begins anew beside it"
            warnings.warn(told, CheckpointWarning, stacklevel=4)


def read(
    path: Path, wanted: Mapping[str, Any], parts: Mapping[str, type], fault: Callable[[dict[str, Any]], str] = lambda state: ""
) -> dict[str, Any] | None:
    """State of an unfinished run.

    Parameters
    ----------
    path : Path
    wanted : mapping
        What the run depends on; all of it must agree.
    parts : mapping
        Keys that a state has, with their types.
    fault : function
        Why a state with these parts cannot be one of the run; "" where it can.

    Returns
    -------
    dict or None
        None where there is no checkpoint; unfinished ones of other runs beside it are told of then, in a `CheckpointWarning`.

    Raises
    ------
    ValueError
        Where it does not read, cannot be a state of the run, or belongs to another one; one line that names the file.
    """
    if not path.is_file():
        _tell_of_others(path, wanted)
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged zip or pickle makes torch raise nearly anything
        said = " ".join(str(error).split())[:120]
        raise ValueError(f"{path}: found no checkpoint that reads ({type(error).__name__}: {said}), {REMOVE}") from error
    if differing := _differing(wanted, state):
        raise ValueError(f"{path}: found a checkpoint made with other {differing}, {REMOVE}")
    whole = isinstance(state, dict) and all(isinstance(state.get(name), kind) for name, kind in parts.items())
    if told := fault(state) if whole else f"something else than a state with {', '.join(parts)}":
        raise ValueError(f"{path}: found {told}, {REMOVE}")
    return dict(state)


def restore(path: Path, parts: Mapping[str, Any], states: Mapping[str, Any]) -> None:
    """Put states into networks, optimisers and schedules.

    Parameters
    ----------
    path : Path
        That they were read from.
    parts : mapping
        Of what has a `load_state_dict`.
    states : mapping
        With the same names.

    Raises
    ------
    ValueError
        Where a state is not one of its part.
    """
    try:
        for name, part in parts.items():
            part.load_state_dict(states[name])
    except (RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: found a state of another network ({error}), {REMOVE}") from error

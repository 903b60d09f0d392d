"""Checkpoints of a training run: what must agree for a run to go on from one, and what cannot be a state of it."""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

from ivfnb import files

FREE = ("checkpoint_every", "workers")  # settings that a resumed run may change: they do not change its bits
PARTS = {"net": dict, "optimiser": dict, "schedule": dict, "log": list, "checks": list, "done": int, "wanted": dict}


def write(path: Path, state: dict[str, Any]) -> None:
    """Write a state, whole or not at all.

    Parameters
    ----------
    path : Path
    state : dict
        With the keys of `PARTS`.

    Raises
    ------
    OSError
        Such as on a full disk, where torch's own writer would end in an error about positions, or leave its file.
    """
    content = io.BytesIO()
    torch.save(state, content)
    files.write_bytes(path, content.getvalue())


def _numbers(state: Any) -> Iterable[torch.Tensor]:
    """All tensors of a state that hold floating-point numbers."""
    if isinstance(state, torch.Tensor):
        yield from [state] if state.is_floating_point() else []
    elif isinstance(state, dict | list | tuple):
        for part in state.values() if isinstance(state, dict) else state:
            yield from _numbers(part)


def _fault(state: Any, steps: int) -> str:
    """Why a state cannot be one of a run of so many steps; "" where it can."""
    if not isinstance(state, dict) or not all(isinstance(state.get(name), kind) for name, kind in PARTS.items()):
        return f"something else than a state with {', '.join(PARTS)}"
    if not 0 <= state["done"] <= steps or len(state["log"]) != state["done"]:
        return f"{state['done']} steps done, {len(state['log'])} in the log, of a run of {steps}"
    if not all(isinstance(row, dict) for row in state["log"] + state["checks"]):
        return "a log of something else than steps"
    if not all(bool(torch.isfinite(tensor).all()) for tensor in _numbers([state["net"], state["optimiser"]])):
        return "weights that are not finite"
    return ""


def read(path: Path, wanted: dict[str, Any], steps: int) -> dict[str, Any] | None:
    """State of an unfinished run.

    Parameters
    ----------
    path : Path
    wanted : dict
        What the run depends on; all of it but `FREE` must agree.
    steps : int
        Of the whole run.

    Returns
    -------
    dict or None
        With the keys of `PARTS`; None where there is no checkpoint.

    Raises
    ------
    ValueError
        Where it does not read, cannot be a state of the run, or belongs to another one; one line that names the file.
    """
    if not path.is_file():
        return None
    advice = "expected this run's; remove it or name another folder"
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged zip or pickle makes torch raise nearly anything
        said = " ".join(str(error).split())[:120]
        raise ValueError(f"{path}: found no checkpoint that reads ({type(error).__name__}: {said}), {advice}") from error
    made = state.get("wanted") if isinstance(state, dict) else None
    known = made if isinstance(made, dict) else wanted
    if differing := [name for name, value in wanted.items() if name not in FREE and known.get(name) != value]:
        raise ValueError(f"{path}: found a checkpoint made with other {differing}, {advice}")
    if fault := _fault(state, steps):
        raise ValueError(f"{path}: found {fault}, {advice}")
    return state

"""Steps of a training run: how many or how long, a bar, a log and a checkpoint; a run that was killed goes on where it was."""

import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
import torch
from tqdm import tqdm

from ivfnb import cache
from ivfnb.classifier.training import checkpoints

PRECISIONS = ("float32", "bfloat16")
FREE = ("minutes", "device", "checkpoint_seconds")  # settings that a resumed run may change
STATE = {"parts": dict, "done": int, "seconds": float, "log": list, "notes": dict, "wanted": dict}


def on_device(device: str) -> torch.device:
    """The device named, or for "auto" CUDA where there is one, else the processor."""
    return torch.device(("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device)


def autocast(precision: str, device: torch.device) -> AbstractContextManager:
    """Context of the network's products: bfloat16, or float32 (which a GPU's convolutions round to TF32)."""
    if precision not in PRECISIONS:
        raise ValueError(f"precision: found {precision!r}, expected one of {PRECISIONS}")
    return torch.autocast(device.type, torch.bfloat16) if precision == "bfloat16" else nullcontext()


def check_lengths(config: Any) -> None:
    """ValueError where a configuration has neither steps nor minutes, or values that cannot be trained with."""
    if config.steps is None and config.minutes is None:
        raise ValueError("steps, minutes: found neither, expected at least one of them")
    if (config.steps or 1) < 1 or (config.minutes or 1) <= 0 or config.batch < 1 or config.rate <= 0:
        raise ValueError(f"steps, minutes, batch, rate: found {config}, expected positive values")


def _plain(value: float | torch.Tensor) -> float:
    return value.item() if isinstance(value, torch.Tensor) else value


class Run:
    """Iterates over the steps of a training: yields (step, progress), progress rising from 0 towards 1.

    The run ends after `config.steps` steps or `config.minutes`, whichever comes first; with steps alone it is the same at every speed.
    `parts` are the networks and optimisers whose state belongs to a checkpoint, `notes` numbers that do. With a `folder`, a checkpoint
    TITLE-HASH.pt is written there at the end and whenever `config.checkpoint_seconds` have passed, and a run of the same configuration, the
    same `data` (arrays that it learns from) and the same code goes on from it. Errors and warnings are those of `checkpoints.read`.
    """

    def __init__(self, title: str, config: Any, parts: dict[str, Any], folder: str | Path | None = None, data: Any = None):
        check_lengths(config)
        self.title, self.config, self.parts = title, config, parts
        self.done, self.seconds = 0, 0.0
        self.log: list[dict[str, float]] = []
        self.notes: dict[str, Any] = {}
        self.file: Path | None = None
        if folder:
            settings = {name: value for name, value in asdict(config).items() if name not in FREE}
            self._wanted = {**settings, "data": joblib.hash(data), "code": cache.code_hash(type(config).__module__)}
            self.file = checkpoints.place(folder, title, self._wanted)
            if state := checkpoints.read(self.file, self._wanted, STATE):
                checkpoints.restore(self.file, parts, state["parts"])
                self.done, self.seconds, self.log, self.notes = state["done"], state["seconds"], state["log"], state["notes"]

    def save(self) -> None:
        """Write the checkpoint, whole or not at all, and the log beside it."""
        assert self.file is not None, "only a run with a folder has a checkpoint"
        told = {"done": self.done, "seconds": self.seconds, "log": self.log, "notes": self.notes, "wanted": self._wanted}
        parts = {name: part.state_dict() for name, part in self.parts.items()}
        checkpoints.save(self.file, {"parts": parts, **told, "finished": self.progress >= 1})

    @property
    def progress(self) -> float:
        """Share of the run that is done: of its steps, or of its minutes where these are nearer to their end."""
        by_steps = self.done / self.config.steps if self.config.steps else 0.0
        return max(by_steps, self.seconds / 60 / self.config.minutes if self.config.minutes else 0.0)

    def record(self, **values: float | torch.Tensor) -> None:
        """Append a row of values to the log; torch scalars are read, which waits for the device."""
        self.log.append({"step": self.done + 1, **{name: _plain(value) for name, value in values.items()}})

    def __iter__(self) -> Iterator[tuple[int, float]]:
        started = time.perf_counter() - self.seconds
        last = time.perf_counter()
        slow = 0.5 if sys.stderr.isatty() else 15.0
        with tqdm(total=self.config.steps, initial=self.done, desc=self.title, unit="step", mininterval=slow) as bar:
            while (progress := self.progress) < 1:
                yield self.done, progress
                self.done += 1
                self.seconds = time.perf_counter() - started
                bar.update()
                if self.log:
                    shown = {name: f"{value:.4g}" for name, value in self.log[-1].items() if name != "step"}
                    bar.set_postfix(shown, refresh=False)
                if self.file and time.perf_counter() - last >= self.config.checkpoint_seconds:
                    self.save()
                    last = time.perf_counter()
        if self.file:
            self.save()


def falling(progress: float, rate: float, last: float, warm: float = 0.02) -> float:
    """Learning rate that rises over the first share `warm` of a run, then falls on a straight line to `last`."""
    if progress < warm:
        return rate * max(progress / warm, 0.02)
    return rate + (last - rate) * (progress - warm) / (1 - warm)


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Give all parameters of an optimiser the learning rate `rate`."""
    for group in optimiser.param_groups:
        group["lr"] = rate


def summary(run: Run, **more: Any) -> dict[str, Any]:
    """Record of a run for the weights file: configuration, steps, seconds, notes, and means of the last hundred logged rows."""
    log = pd.DataFrame(run.log)
    losses = {name: round(float(log[name].tail(100).mean()), 6) for name in log.columns if name != "step"}
    return {**asdict(run.config), "steps": run.done, "seconds": round(run.seconds, 1), "losses": losses, **run.notes, **more}

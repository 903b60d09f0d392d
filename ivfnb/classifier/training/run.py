"""A training run: steps, log and checkpoints; one that was killed goes on bit for bit."""

import ctypes
import math
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import nn
from tqdm import tqdm

from ivfnb import cache
from ivfnb.classifier.appraisal import evaluate_classifier
from ivfnb.classifier.network import EResNet, has_fast_bfloat16, resolve_device
from ivfnb.classifier.patches import PatchDataset
from ivfnb.classifier.training import checkpoints, loading
from ivfnb.classifier.training.config import TrainConfig

FREE = ("checkpoint_seconds", "cut", "workers")  # settings that a resumed run may change: they do not change its bits
STATE = {"net": dict, "optimiser": dict, "schedule": dict, "log": list, "checks": list, "done": int, "seconds": float, "wanted": dict}
UNREAD = 50  # steps whose loss a device may owe


@dataclass
class History:
    """What a run left.

    Attributes
    ----------
    net : EResNet
        Trained, in eval mode.
    log : DataFrame
        A row a step: step, epoch, loss, accuracy, rate.
    validation : DataFrame
        A row per validation: epoch, step, loss, accuracy.
    samples_per_second : float
        Of the whole run, cutting them included; what was lost with a kill does not count.
    config : TrainConfig
    """

    net: EResNet
    log: pd.DataFrame
    validation: pd.DataFrame
    samples_per_second: float
    config: TrainConfig = field(default_factory=TrainConfig)


def keep_freed_memory() -> None:
    """Tell glibc to keep freed blocks instead of handing each back to the system, for the rest of the process.

    Notes
    -----
    Every activation of a step is larger than glibc's limit for giving memory back, so each step would pay for page faults in all of them:
    on two cores a step of 64 samples took 10.7 ms a sample without and 6.7 ms with this. Other systems: nothing is done.

    References
    ----------
    `mallopt`, numbers of its parameters in glibc's malloc.h
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        m_trim_threshold, m_mmap_max = -1, -4  # names and numbers of malloc.h
        libc.mallopt(m_mmap_max, 0)
        libc.mallopt(m_trim_threshold, 2**31 - 1)


def _autocast(config: TrainConfig, device: torch.device) -> AbstractContextManager[object]:
    low = config.precision == "bfloat16" or (config.precision == "auto" and has_fast_bfloat16(device))
    return torch.autocast(device.type, torch.bfloat16) if low else nullcontext()


def _optimiser(net: EResNet, config: TrainConfig, steps: int) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LambdaLR]:
    if config.optimiser == "sgd":
        descent = torch.optim.SGD(net.parameters(), config.learning_rate, config.momentum, weight_decay=config.weight_decay)
        return descent, torch.optim.lr_scheduler.LambdaLR(descent, lambda step: 1.0)
    optimiser = torch.optim.AdamW(net.parameters(), config.learning_rate, weight_decay=config.weight_decay)
    warm = max(1, round(0.15 * steps))

    def one_cycle(step: int) -> float:
        """Linear rise to the peak over 15 % of the steps, then a cosine down to a thousandth of it."""
        if step < warm:
            return (step + 1) / warm
        return 0.001 + 0.999 * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))

    return optimiser, torch.optim.lr_scheduler.LambdaLR(optimiser, one_cycle)


def _wanted(config: TrainConfig, samples: PatchDataset, validation: PatchDataset | None) -> dict[str, Any]:
    """All that the bits of a run and of its validations depend on."""
    settings = {name: value for name, value in asdict(config).items() if name not in FREE}
    sets = {"samples": samples.identity(), "validation": None if validation is None else validation.identity()}
    return {**settings, **sets, "n": len(samples), "code": cache.code_hash("ivfnb.classifier.training")}


def _fault(state: dict[str, Any], steps: int) -> str:
    """Why a state cannot be one of a run of so many steps; "" where it can."""
    if not 0 <= state["done"] <= steps or len(state["log"]) != state["done"]:
        return f"{state['done']} steps done, {len(state['log'])} in the log, of a run of {steps}"
    if state["done"] and not 0 < state["seconds"] < math.inf:
        return f"{state['seconds']} seconds for {state['done']} steps"
    if not all(isinstance(row, dict) for row in state["log"] + state["checks"]):
        return "a log of something else than steps"
    if not all(bool(torch.isfinite(tensor).all()) for tensor in checkpoints.numbers([state["net"], state["optimiser"]])):
        return "weights that are not finite"
    return ""


def train(config: TrainConfig, samples: PatchDataset, validation: PatchDataset | None = None, folder: str | Path | None = None) -> History:
    """Train an EResNet.

    Parameters
    ----------
    config : TrainConfig
    samples : PatchDataset
        At least two.
    validation : PatchDataset, optional
        Tested after each epoch.
    folder : str or Path, optional
        Gets a checkpoint from which the same call goes on, `eresnet-HASH.pt`, and the log so far under the same name, `.csv`. The hash is
        of all that the bits depend on: configuration, samples, those of the validation, and code.

    Returns
    -------
    History

    Raises
    ------
    ValueError
        For fewer than two samples, or a checkpoint that is damaged.

    Notes
    -----
    Killed at any moment and called again, a run in float32 with fixed threads ends in the same bits as one that was left alone: model,
    optimiser, schedule and position are in the checkpoint, and the order of samples depends on the seed and the epoch alone. With another
    configuration, other samples or other code it begins anew, and a `CheckpointWarning` names unfinished runs that it leaves as they are.

    References
    ----------
    Qi, Abera, Fanose, Wang and Cheng 2024, doi 10.1016/j.neucom.2024.127353, for the recipe "sgd"; Smith and Topin 2019, doi
    10.1117/12.2520589, for the cycle

    Examples
    --------
    >>> import numpy as np
    >>> from ivfnb.classifier.patches import samples_of
    >>> noise = np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)
    >>> history = train(TrainConfig(batch_size=2, device="cpu"), samples_of([noise], 4, seed=0))
    >>> history.log["step"].tolist(), history.net.training
    ([1, 2], False)
    """
    if len(samples) < 2:
        raise ValueError(f"samples: found {len(samples)}, expected at least 2, since batch norm needs two")
    device = resolve_device(config.device)
    keep_freed_memory()
    if config.threads:
        torch.set_num_threads(config.threads)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        # torch takes a memory format beside the device, but its overloads do not say so
        net = EResNet(config.branches).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    steps_per_epoch = loading.steps(len(samples), config.batch_size)
    steps = config.epochs * steps_per_epoch
    optimiser, schedule = _optimiser(net, config, steps)
    parts = {"net": net, "optimiser": optimiser, "schedule": schedule}
    wanted = _wanted(config, samples, validation) if folder else {}
    checkpoint = checkpoints.place(folder, "eresnet", wanted) if folder else None
    log, checks, done, seconds = [], [], 0, 0.0
    if checkpoint and (state := checkpoints.read(checkpoint, wanted, STATE, lambda state: _fault(state, steps))):
        checkpoints.restore(checkpoint, parts, state)
        log, checks, done, seconds = state["log"], state["checks"], state["done"], state["seconds"]
    criterion, started, saved = nn.CrossEntropyLoss(), time.perf_counter() - seconds, time.monotonic()
    bar = tqdm(total=steps, initial=done, desc="training", unit="step", mininterval=1.0)
    over = _out_of_patience(checks, config.patience)
    unread: list[tuple[torch.Tensor, torch.Tensor]] = []  # loss and accuracy of the last steps: reading them each would stop the device
    for planes, classes in loading.cut(samples, config, device, done):
        if over:
            break
        net.train()
        planes = planes.to(device, memory_format=torch.channels_last, non_blocking=True)
        classes = classes.to(device, non_blocking=True)
        with _autocast(config, device):
            logits = net(planes)
        loss = criterion(logits.float(), classes)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        rate = schedule.get_last_lr()[0]
        schedule.step()
        epoch, done = done // steps_per_epoch, done + 1
        log.append({"step": done, "epoch": epoch + 1, "loss": math.nan, "accuracy": math.nan, "rate": rate})
        unread.append((loss.detach(), (logits.detach().argmax(1) == classes).float().mean()))
        bar.update()
        ends = done % steps_per_epoch == 0
        if ends or len(unread) == UNREAD or _reads_at_once(device):
            _read(unread, log)
            bar.set_postfix(loss=f"{log[-1]['loss']:.4f}", refresh=False)
        if validation is not None and ends:
            outcome = evaluate_classifier(net, validation)
            checks.append(
                {"epoch": epoch + 1, "step": done, "loss": float(outcome["loss"].mean()), "accuracy": float(outcome["right"].mean())}
            )
        over, seconds = done == steps or _out_of_patience(checks, config.patience), time.perf_counter() - started
        if checkpoint and (over or time.monotonic() - saved >= config.checkpoint_seconds):
            _read(unread, log)
            states = {name: part.state_dict() for name, part in parts.items()}
            told = {"log": log, "checks": checks, "done": done, "seconds": seconds, "wanted": wanted, "finished": over}
            checkpoints.save(checkpoint, {**states, **told})
            saved = time.monotonic()
    bar.close()
    return History(net.eval(), pd.DataFrame(log), pd.DataFrame(checks), done * config.batch_size / seconds, config)


def _reads_at_once(device: torch.device) -> bool:
    """Whether reading a number waits for nothing."""
    return device.type == "cpu"


def _read(unread: list[tuple[torch.Tensor, torch.Tensor]], log: list[dict]) -> None:
    """Fill in loss and accuracy of the last steps, and forget the tensors they were in."""
    for entry, (loss, right) in zip(log[len(log) - len(unread) :], unread, strict=True):
        entry |= {"loss": loss.item(), "accuracy": right.item()}
    unread.clear()


def _out_of_patience(checks: list[dict], patience: int | None) -> bool:
    """Whether the validation loss has not fallen for `patience` epochs."""
    losses = [check["loss"] for check in checks]
    return patience is not None and len(losses) > patience and min(losses[-patience:]) >= min(losses[:-patience])

"""What a training run depends on besides its samples."""

from dataclasses import dataclass

import torch

OPTIMISERS = ("adamw", "sgd")
PRECISIONS = ("auto", "float32", "bfloat16")
# Samples to train on, samples to test on, epochs: what two cores do in about an hour, and what the paper did.
SCALES = {"hour": (200_000, 50_000, 1), "published": (1_000_000, 300_000, 30)}


@dataclass(frozen=True)
class TrainConfig:
    """Everything a run depends on besides its samples. Unknown fields or values raise."""

    branches: str = "gradients"
    epochs: int = 1
    batch_size: int = 64  # as published
    optimiser: str = "adamw"
    learning_rate: float = 2e-3  # peak of the cycle for adamw; the published constant for sgd is 2e-4
    weight_decay: float = 1e-2  # none in the released script with sgd
    momentum: float = 0.9  # sgd only, as published
    seed: int = 0
    precision: str = "auto"  # bfloat16 where the processor multiplies it in hardware, else float32
    device: str = "auto"
    checkpoint_every: int = 200  # steps
    patience: int | None = None  # epochs without a lower validation loss before stopping; None: never
    threads: int | None = None
    workers: int | None = None  # processes that cut samples; None: none on a processor, which would take cores from the network

    def __post_init__(self):
        """Refuse values that would only show themselves after an hour."""
        for name, known in (("optimiser", OPTIMISERS), ("precision", PRECISIONS)):
            if getattr(self, name) not in known:
                raise ValueError(f"{name}: found {getattr(self, name)!r}, expected one of {known}")
        if self.epochs < 1 or self.batch_size < 2 or self.learning_rate <= 0:
            raise ValueError(f"epochs, batch_size, learning_rate: found {self}, expected at least 1 and 2, and a positive rate")
        if (self.workers or 0) < 0:
            raise ValueError(f"workers: found {self.workers}, expected None or at least 0")


def resolve_device(device: str = "auto") -> torch.device:
    """The device named, or for "auto" CUDA where there is one, else the processor."""
    return torch.device(("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device)


def at_scale(scale: str, given: tuple[int, int, int], device: str = "auto") -> tuple[int, int, int]:
    """Samples to train on, samples to test on and epochs of a scale.

    "given": as given; "hour", "published": those of `SCALES`; "auto": the published ones where there is CUDA, else as given.
    """
    if scale not in ("given", "auto", *SCALES):
        raise ValueError(f"scale: found {scale!r}, expected one of {('given', 'auto', *SCALES)}")
    if scale == "auto":
        scale = "published" if resolve_device(device).type == "cuda" else "given"
    return SCALES.get(scale, given)

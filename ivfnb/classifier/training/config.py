"""What a training run depends on besides its samples."""

from dataclasses import dataclass

from ivfnb.classifier.network import resolve_device

OPTIMISERS = ("adamw", "sgd")
PRECISIONS = ("auto", "float32", "bfloat16")
CUTS = ("auto", "device", "host")
# Samples to train on, samples to test on, epochs: what two cores do in about an hour, and what the paper did.
SCALES = {"hour": (200_000, 50_000, 1), "published": (1_000_000, 300_000, 30)}


@dataclass(frozen=True)
class TrainConfig:
    """Everything a run depends on besides its samples.

    Parameters
    ----------
    branches : str
        Of the network, "gradients" or "gray".
    epochs, batch_size : int
        The batch size is the published one.
    optimiser : str
        "adamw" with a one-cycle schedule, or "sgd" at a constant rate, as published.
    learning_rate : float
        Peak of the cycle for "adamw"; the published constant for "sgd" is 2e-4.
    weight_decay : float
        None in the released script with "sgd".
    momentum : float
        For "sgd" only, as published.
    seed : int
        Of the first weights and of the order of the samples.
    precision : str
        "float32", "bfloat16", or "auto": bfloat16 where the processor multiplies it in hardware, else float32.
    device : str
        As `resolve_device` takes it.
    checkpoint_seconds : float
        Between two checkpoints, about; 0: one after every step.
    patience : int or None
        Epochs without a lower validation loss before stopping; None: never stops early.
    threads : int or None
        Of torch; None leaves them as they are.
    cut : str
        Where samples are cut: "device" keeps the photographs there, "host" cuts them on the processor, "auto" takes the device where it is
        CUDA and the photographs fit. The samples are the same.
    workers : int or None
        Processes that cut samples on the host; None: none on a processor, which would take cores from the network.

    Raises
    ------
    ValueError
        For a value out of its range; TypeError for an unknown field.

    Examples
    --------
    >>> TrainConfig(optimiser="sgd", learning_rate=2e-4).batch_size
    64
    """

    branches: str = "gradients"
    epochs: int = 1
    batch_size: int = 64
    optimiser: str = "adamw"
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    momentum: float = 0.9
    seed: int = 0
    precision: str = "auto"
    device: str = "auto"
    checkpoint_seconds: float = 60.0
    patience: int | None = None
    threads: int | None = None
    cut: str = "auto"
    workers: int | None = None

    def __post_init__(self):
        """Refuse values that would only show themselves after an hour."""
        for name, known in (("optimiser", OPTIMISERS), ("precision", PRECISIONS), ("cut", CUTS)):
            if getattr(self, name) not in known:
                raise ValueError(f"{name}: found {getattr(self, name)!r}, expected one of {known}")
        if self.epochs < 1 or self.batch_size < 2 or self.learning_rate <= 0:
            raise ValueError(f"epochs, batch_size, learning_rate: found {self}, expected at least 1 and 2, and a positive rate")
        if (self.workers or 0) < 0 or not self.checkpoint_seconds >= 0:
            found = f"{self.workers} and {self.checkpoint_seconds}"
            raise ValueError(f"workers, checkpoint_seconds: found {found}, expected None or at least 0, and at least 0")


def at_scale(scale: str, given: tuple[int, int, int], device: str = "auto") -> tuple[int, int, int]:
    """Samples to train on, samples to test on and epochs of a scale.

    Parameters
    ----------
    scale : str
        "given": as given; "hour", "published": those of `SCALES`; "auto": the published ones where there is CUDA, else as given.
    given : (int, int, int)
    device : str
        As `resolve_device` takes it.

    Returns
    -------
    (int, int, int)

    Raises
    ------
    ValueError
        For an unknown scale.

    Examples
    --------
    >>> at_scale("hour", (640, 160, 1))
    (200000, 50000, 1)
    """
    if scale not in ("given", "auto", *SCALES):
        raise ValueError(f"scale: found {scale!r}, expected one of {('given', 'auto', *SCALES)}")
    if scale == "auto":
        scale = "published" if resolve_device(device).type == "cuda" else "given"
    return SCALES.get(scale, given)

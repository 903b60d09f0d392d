"""What the page computes: a fused image by a chosen method, every image between, its metrics, and what was warned of meanwhile."""

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import ivfnb
from ivfnb import files, images
from ivfnb.classifier.grid import grid_shape
from ivfnb.commands.app.limits import Limits
from ivfnb.commands.app.uploads import Pair
from ivfnb.evaluation.fitting import fit_sources
from ivfnb.fusion.protocol import AS_PAPER, AS_RELEASED, Protocol
from ivfnb.images import Image

OURS = "Qi et al. 2024"
DENSE = 8  # strides that are its multiples are computed at one go
_HEARD: ContextVar[list[str] | None] = ContextVar("_HEARD", default=None)


@dataclass(frozen=True)
class Choice:
    """A way to fuse: the paper's pipeline by a protocol, or (without one) a comparison method by its name."""

    name: str
    protocol: Protocol | None = None

    @property
    def slug(self) -> str:
        """The name as that of a folder."""
        return "-".join("".join(sign if sign.isalnum() else " " for sign in self.name.lower()).split())

    @property
    def weights(self) -> dict[str, str]:
        """Hash of every file the method learned, by name."""
        if self.protocol is None:
            return ivfnb.BASELINES[self.name].fingerprint()
        if not self.protocol.weights:
            return {}
        path = ivfnb.network.weights_path(self.protocol.weights)
        return {path.name: files.digest(path)}


def ours(protocol: Protocol = AS_PAPER) -> Choice:
    """The paper's pipeline, named by how it differs from text and released code.

    Examples
    --------
    >>> ours().name, ours(Protocol(ties="score")).name
    ('Qi et al. 2024, as the paper says', 'Qi et al. 2024, own switches')
    """
    said = {AS_PAPER: "as the paper says", AS_RELEASED: "as released"}.get(protocol, "own switches")
    return Choice(f"{OURS}, {said}", protocol)


@dataclass
class Outcome:
    """What came of a choice on a pair: images are uint8, so that many users' results fit into memory."""

    choice: Choice
    fused: Image
    stages: dict[str, Image]
    weight: np.ndarray | None  # float32 (h, w), 0..1, of the visible image
    seconds: float
    warned: tuple[str, ...] = ()
    scores: dict[str, dict[str, float]] = field(default_factory=dict)  # by convention
    fitted: dict[str, str] = field(default_factory=dict)  # how the sources were made comparable, by convention
    scoring: dict[str, float] = field(default_factory=dict)  # seconds, by convention


class _Hearing:
    """In place of `warnings.showwarning`: what a thread that listens is warned of goes to it alone, all else where it went before."""

    def __init__(self, before: Callable[..., None]):
        self.before = before

    def __call__(self, message: Warning | str, *arguments: Any, **named: Any) -> None:
        heard = _HEARD.get()
        if heard is None:
            self.before(message, *arguments, **named)
        elif str(message) not in heard:
            heard.append(str(message))


def _hear() -> None:
    """Warnings of the package are shown every time, by `_Hearing`; done anew where somebody has put back what was before."""
    if not isinstance(warnings.showwarning, _Hearing):
        warnings.showwarning = _Hearing(warnings.showwarning)
        warnings.filterwarnings("always", category=UserWarning, module=r"ivfnb\.")


@contextmanager
def listening() -> Iterator[list[str]]:
    """A list that fills with what the body warns of.

    Examples
    --------
    >>> with listening() as heard:
    ...     warnings.warn("odd", UserWarning, stacklevel=1)
    >>> heard
    ['odd']
    """
    _hear()
    heard: list[str] = []
    token = _HEARD.set(heard)
    try:
        yield heard
    finally:
        _HEARD.reset(token)


def _check_work(protocol: Protocol, pair: Pair, limits: Limits) -> None:
    """ValueError for a protocol that would keep the machine busy for long."""
    height, width = protocol.size or pair.infrared.shape
    if height * width > limits.pixels:
        raise ValueError(f"size: found {height}x{width} pixels, expected at most {limits.megapixels:g} megapixels")
    if protocol.classifier != "cnn" or protocol.stride % DENSE == 0:
        return
    windows = 2 * int(np.prod(grid_shape((height, width), protocol.stride)))
    if windows > limits.windows:
        found = f"{protocol.stride}, with which {windows:,} windows are classified batch by batch"
        raise ValueError(f"stride: found {found}, expected at most {limits.windows:,} of them here, or a multiple of {DENSE}")


def fuse(choice: Choice, pair: Pair, limits: Limits) -> Outcome:
    """Fuse a pair.

    Parameters
    ----------
    choice : Choice
    pair : Pair
    limits : Limits

    Returns
    -------
    Outcome
        Without scores; `stages` begins with the sources and ends with the fused image.

    Raises
    ------
    ValueError
        For a pair or a protocol that the method refuses, and a protocol that is too much work.
    """
    if choice.protocol is not None:
        _check_work(choice.protocol, pair, limits)
    started = time.perf_counter()
    stages, weight = {"Infrared": pair.infrared, "Visible": pair.visible}, None
    with listening() as heard, images.without_doubt():
        if choice.protocol is None:
            fused = ivfnb.BASELINES[choice.name].image(pair.infrared, pair.visible)
        else:
            result = ivfnb.fuse(pair.infrared, pair.visible, protocol=choice.protocol)
            fused, weight = result.fused, result.weight_map.astype(np.float32)
            stages |= {"Enhanced infrared": result.enhanced_infrared, "Enhanced visible": result.enhanced_visible}
            stages |= {"Weight of the visible image": 255 * result.weight_map, "Weighted mean": result.blended}
            stages |= {"Stretched mean": result.stretched} if choice.protocol.stretch else {}
    seconds = time.perf_counter() - started
    kept = {name: images.to_uint8(image) for name, image in (stages | {"Fused": fused}).items()}
    return Outcome(choice, kept["Fused"], kept, weight, seconds, tuple(heard))


def score(outcome: Outcome, pair: Pair, convention: str) -> dict[str, float]:
    """Metrics of an outcome in a convention, computed once and kept in it.

    Parameters
    ----------
    outcome : Outcome
    pair : Pair
    convention : {"standard", "as_released", "vifb"}

    Returns
    -------
    dict of str to float
        The paper's eleven, or VIFB's thirteen.

    Raises
    ------
    ValueError
        For images too small for a metric.
    """
    if convention not in outcome.scores:
        started = time.perf_counter()
        with images.without_doubt():
            by = "resize" if outcome.choice.protocol is not None and convention != "as_released" else "content"  # the pipeline never crops
            infrared, visible, how = fit_sources(outcome.fused, pair.infrared, pair.visible, convention, by)
            outcome.scores[convention] = ivfnb.score(outcome.fused, infrared, visible, convention=convention)
        outcome.fitted[convention] = how
        outcome.scoring[convention] = time.perf_counter() - started
    return outcome.scores[convention]

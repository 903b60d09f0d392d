"""What makes or reads a method's fused images, in a form that can be sent to a worker."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING

import numpy as np

from ivfnb import paths
from ivfnb.datasets import FusedImage, ImagePair
from ivfnb.fusion.memory import WindowMemory
from ivfnb.fusion.protocol import Protocol
from ivfnb.images import Image

if TYPE_CHECKING:
    from ivfnb.classifier.network import EResNet


@dataclass(frozen=True)
class Read:
    """Images that were made elsewhere.

    Parameters
    ----------
    found : dict
        By the pair's id.
    """

    found: dict[str, FusedImage]

    def __call__(self, pair: ImagePair) -> Image:
        """Fused image of a pair; KeyError for one that has none."""
        return self.found[pair.id].fused

    def of(self, id: str) -> "Read":
        """The image of one pair alone."""
        return Read({id: self.found[id]} if id in self.found else {})


@cache
def _judge(weights: str) -> "tuple[EResNet, WindowMemory]":
    """Network of a weights name with the memory of its scores, once a process."""
    with paths.extra():
        from ivfnb.classifier import network

    net = network.loaded(weights)
    return net, WindowMemory(net)


@lru_cache(maxsize=2)
def judge_on(weights: str, device: str, precision: str) -> "tuple[EResNet, Callable[..., np.ndarray] | None]":
    """A network on a device, once a process, and what stands in for its window scores where another precision is asked for.

    Parameters
    ----------
    weights : str
        Name in data/weights/, or a file.
    device : str
        As `network.load` takes it.
    precision : str
        As `classifier.windows.window_scores` takes it.

    Returns
    -------
    net : EResNet
    window_scores : function or None
        None for "float32".

    Raises
    ------
    ValueError
        For weights, a device or a precision that is not there.
    """
    with paths.extra():
        from ivfnb.classifier import exactness, network, windows

    net = network.load(weights, device)
    with exactness.exactly(net, precision):  # refuses what is not for the device
        return net, None if precision == "float32" else partial(windows.window_scores, precision=precision)


def pipeline(protocol: Protocol, net: "EResNet | None" = None) -> "Pipeline":
    """Our own pipeline by a protocol, small enough to be sent: a network of shipped weights goes by their name.

    Parameters
    ----------
    protocol : Protocol
    net : EResNet, optional
        None: of the weights that the protocol names.

    Returns
    -------
    Pipeline
        With a network of one's own, whose weights are then sent with every pair.
    """
    if net is None or not protocol.weights:
        return Pipeline(protocol, protocol.weights or None)
    memory = WindowMemory(net)
    named = net.branches == protocol.trained_on and memory.weights == _judge(protocol.weights)[1].weights
    return Pipeline(protocol, protocol.weights if named else (net, memory))


@dataclass(frozen=True)
class Pipeline:
    """Our own pipeline by a protocol.

    Parameters
    ----------
    protocol : Protocol
    judge : str, or (EResNet, WindowMemory), or None
        Name of weights, which is all that is sent to a worker; or a network and the memory of its scores; None where nobody judges.
    """

    protocol: Protocol
    judge: "str | tuple[EResNet, WindowMemory] | None"

    def parts(self) -> "tuple[EResNet, WindowMemory] | tuple[None, None]":
        """Network and memory of its scores, where the protocol needs them."""
        return (None, None) if self.judge is None else _judge(self.judge) if isinstance(self.judge, str) else self.judge

    def __call__(self, pair: ImagePair) -> Image:
        """Fused image of a pair."""
        return self.both(pair)[0]

    def both(self, pair: ImagePair) -> tuple[Image, np.ndarray]:
        """Fused image of a pair, and its weight map."""
        from ivfnb import fusion

        net, memory = self.parts()
        result = fusion.fuse(pair.infrared, pair.visible, net, self.protocol, memory)
        return result.fused, result.weight_map

    def told(self, pair: ImagePair) -> tuple[Image, np.ndarray, list[tuple[str, type[Warning]]]]:
        """Fused image of a pair, its weight map, and what was warned of meanwhile: text and kind."""
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            fused, weight_map = self.both(pair)
        return fused, weight_map, [(str(each.message), each.category) for each in said]

    def saved(self) -> float:
        """Seconds of judging that were not needed so far."""
        memory = self.parts()[1]
        return memory.saved if memory else 0.0

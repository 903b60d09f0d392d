"""Pairs fused one behind the other, so that the network does not wait for what surrounds it."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING
from typing import Protocol as Shape

import numpy as np

from ivfnb.fusion.judge import fitting_network
from ivfnb.fusion.pipeline import FusionResult, fuse
from ivfnb.fusion.protocol import AS_PAPER, Protocol
from ivfnb.images import Image

if TYPE_CHECKING:
    from ivfnb.classifier.network import EResNet


class Pair(Shape):
    """What has an infrared and a visible image, such as `datasets.ImagePair`."""

    @property
    def infrared(self) -> Image:
        """Grey infrared image (h, w)."""

    @property
    def visible(self) -> Image:
        """Visible image (h, w) or (h, w, 3)."""


def fuse_each(
    pairs: Iterable[Pair],
    net: "EResNet | None" = None,
    protocol: Protocol = AS_PAPER,
    window_scores: Callable[..., np.ndarray] | None = None,
    at_once: int = 3,
) -> Iterator[FusionResult]:
    """Fuse pairs: while the network judges one, the next is read and enhanced, and the last goes through the Retinex.

    Parameters
    ----------
    pairs : iterable of pairs
        Such as a `Dataset`; images are read when their turn comes.
    net, protocol, window_scores
        As in `fuse`.
    at_once : int
        Pairs under way, each in a thread. It pays where the network runs on CUDA; on a processor the network takes all cores anyway.

    Yields
    ------
    FusionResult
        That of `fuse` in every bit, in the pairs' order.

    Raises
    ------
    ValueError
        For `at_once` below 1; and as `fuse` does, when the pair's turn comes.

    Examples
    --------
    >>> from ivfnb.datasets import dataset
    >>> results = fuse_each(dataset("sample")[:2], protocol=Protocol(classifier="none"))
    >>> [result.fused.shape for result in results]
    [(352, 352), (320, 320)]
    """
    if at_once < 1:
        raise ValueError(f"at_once: found {at_once}, expected at least 1")
    if protocol.classifier == "cnn":
        fitting_network(net, protocol)  # refuses or loads it here, not in each thread
    waiting: deque[Future[FusionResult]] = deque()
    with ThreadPoolExecutor(at_once) as pool:
        try:
            for pair in pairs:
                waiting.append(pool.submit(fuse, pair.infrared, pair.visible, net, protocol, window_scores))
                if len(waiting) == at_once:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for each in waiting:
                each.cancel()

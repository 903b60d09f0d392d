"""Ways to get the fused image of a pair: computed here (a protocol, a baseline, any function) or read (published images, a folder)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from ivfnb import files, images, paths
from ivfnb.baselines import BASELINES
from ivfnb.datasets import Dataset, FusedImage, ImagePair, dataset, names
from ivfnb.fusion.memory import WindowMemory
from ivfnb.fusion.protocol import AS_PAPER, AS_RELEASED, Protocol
from ivfnb.images import Image


@dataclass(frozen=True)
class Method:
    """A way to get the fused image of a pair, under a name of its own."""

    name: str
    fuse: Callable[[ImagePair], Image]
    source: str  # where the images come from, in the words of a table
    key: Any = None  # what a fused image depends on beside the pair and the code; None: never remembered (read, not computed)
    covers: frozenset[str] | None = None  # ids of the pairs it is for, where it is not for all: the others are no news
    code: tuple[str, ...] = ()  # modules whose code makes the fused images, where a key is given
    saved: Callable[[], float] | None = None  # seconds so far that `fuse` did not take because it remembered parts of its work

    def limited(self, ids: Iterable[str]) -> "Method":
        """The same for these pairs only."""
        return replace(self, covers=frozenset(ids))


def by_protocol(name: str, protocol: Protocol, net: Any = None, source: str = "this project") -> Method:
    """Our own pipeline by a `fusion.Protocol`; `net` None loads the shipped weights that fit it (none for protocols without a network)."""
    from ivfnb import fusion

    if net is None and protocol.weights:
        with paths.extra():
            from ivfnb.classifier import network

        net = network.loaded(protocol.weights)
    memory = WindowMemory(net) if net is not None else None

    def fuse(pair: ImagePair) -> Image:
        return fusion.fuse(pair.infrared, pair.visible, net, protocol, memory).fused

    key = protocol, memory.weights if memory else None
    return Method(name, fuse, source, key, code=("ivfnb.fusion.pipeline",), saved=(lambda: memory.saved) if memory else None)


def method(what: str | Protocol, name: str = "") -> Method:
    """A way to get fused images, from its name or from a protocol.

    Parameters
    ----------
    what : the name of a comparison method ("CBF", "ConvSR (multi-focus)"), of a set of published fused images ("published-tno21/CBF"), or a
        `Protocol`.
    name : of the method in tables; "" takes the name, or "as paper", "as released" or the protocol in words.

    Raises
    ------
    ValueError
        For a name that is neither.

    Examples
    --------
    >>> method("CBF").name
    'CBF'
    """
    if isinstance(what, Protocol):
        return by_protocol(name or {AS_PAPER: "as paper", AS_RELEASED: "as released"}.get(what, str(what)), what)
    if what in BASELINES:
        return replace(by_baseline(what), name=name or what)
    if what in names():
        return published(what, name)
    raise ValueError(f"what: found {what!r}, expected a Protocol, one of {', '.join(BASELINES)}, or a set of fused images")


def by_baseline(name: str) -> Method:
    """A comparison method of `ivfnb.baselines`, in its variant where the name says one; ValueError lists the names there are."""
    if name not in BASELINES:
        raise ValueError(f"name: found {name!r}, expected one of {', '.join(BASELINES)}")
    baseline = BASELINES[name]
    learned = files.digest(baseline.weights_file) if baseline.weights_file else None
    key, code = (name, dict(baseline.parameters), learned), (baseline.competitor.function.__module__,)

    def fuse(pair: ImagePair) -> Image:
        return images.to_uint8(baseline.fuse(pair.infrared, images.to_gray(pair.visible)))

    return Method(name, fuse, "own implementation", key, code=code)


def by_images(name: str, fused: Dataset | Iterable[FusedImage], source: str = "published images") -> Method:
    """Fused images that were made elsewhere, found by the pair's id."""
    found = {image.id: image for image in fused}
    return Method(name, lambda pair: found[pair.id].fused, source)


def published(name: str, label: str = "", source: str = "published images") -> Method:
    """Published fused images of a data set of fused images, such as "published-tno21/CBF", for the pairs it has."""
    data = dataset(name)
    return by_images(label or name.rpartition("/")[2], data, source).limited(data.ids)

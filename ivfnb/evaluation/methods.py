"""Ways to get the fused image of a pair: computed here (a protocol, a baseline, any function) or read (published images, a folder)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from ivfnb import images
from ivfnb.baselines import BASELINES
from ivfnb.datasets import Dataset, FusedImage, ImagePair, dataset, names
from ivfnb.evaluation.making import Pipeline, Read
from ivfnb.fusion.memory import WindowMemory
from ivfnb.fusion.protocol import AS_PAPER, AS_RELEASED, Protocol
from ivfnb.images import Image


@dataclass(frozen=True)
class Method:
    """A way to get the fused image of a pair, under a name of its own.

    Parameters
    ----------
    name : str
    fuse : function
        Takes a pair, gives the fused image.
    source : str
        Where the images come from, in the words of a table.
    key : object
        What a fused image depends on beside the pair and the code; None: never remembered (read, not computed).
    covers : frozenset of str, optional
        Ids of the pairs it is for, where it is not for all: the others are no news.
    code : tuple of str
        Modules whose code makes the fused images, where a key is given.
    saved : function, optional
        Gives the seconds so far that `fuse` did not take because it remembered parts of its work.
    """

    name: str
    fuse: Callable[[ImagePair], Image]
    source: str
    key: Any = None
    covers: frozenset[str] | None = None
    code: tuple[str, ...] = ()
    saved: Callable[[], float] | None = None

    def limited(self, ids: Iterable[str]) -> "Method":
        """The same for these pairs only.

        Parameters
        ----------
        ids : iterable of str

        Returns
        -------
        Method
        """
        return replace(self, covers=frozenset(ids))

    def for_pair(self, id: str) -> "Method":
        """The same with no more than one pair needs, to be sent to a worker.

        Parameters
        ----------
        id : str

        Returns
        -------
        Method
        """
        covers = None if self.covers is None else self.covers & {id}
        return replace(self, covers=covers, fuse=self.fuse.of(id)) if isinstance(self.fuse, Read) else replace(self, covers=covers)


def by_protocol(name: str, protocol: Protocol, net: Any = None, source: str = "this project") -> Method:
    """Our own pipeline by a protocol.

    Parameters
    ----------
    name : str
        Of the method in tables.
    protocol : Protocol
    net : EResNet, optional
        None loads the shipped weights that fit the protocol (none for protocols without a network), once a process, workers' included. A
        network is sent to workers with every pair.
    source : str
        In the words of a table.

    Returns
    -------
    Method

    Raises
    ------
    ModuleNotFoundError
        Where the protocol needs a network and torch is not installed.

    Examples
    --------
    >>> by_protocol("plain", Protocol(classifier="none")).source
    'this project'
    """
    named = protocol.weights or None
    fuse = Pipeline(protocol, named if net is None else (net, WindowMemory(net)))
    memory = fuse.parts()[1]
    key = protocol, memory.weights if memory else None
    return Method(name, fuse, source, key, code=("ivfnb.fusion.pipeline",), saved=fuse.saved if memory else None)


def method(what: str | Protocol, name: str = "") -> Method:
    """A way to get fused images, from its name or from a protocol.

    Parameters
    ----------
    what : str or Protocol
        The name of a comparison method ("CBF", "ConvSR (multi-focus)"), of a set of published fused images ("published-tno21/CBF"), or a
        `Protocol`.
    name : str
        Of the method in tables; "" takes the name, or "as paper", "as released" or the protocol in words.

    Returns
    -------
    Method

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
    """A comparison method of `ivfnb.baselines`, in its variant where the name says one.

    Parameters
    ----------
    name : str
        "CBF", "ConvSR (multi-focus)", ...

    Returns
    -------
    Method
        Its images are rounded to 8 bits; of a colour visible image the luma is fused.

    Raises
    ------
    ValueError
        For an unknown name; the message lists the names there are.

    Examples
    --------
    >>> by_baseline("MDLatLRR (level 3)").source
    'own implementation'
    """
    if name not in BASELINES:
        raise ValueError(f"name: found {name!r}, expected one of {', '.join(BASELINES)}")
    baseline = BASELINES[name]
    key, code = (name, dict(baseline.parameters), baseline.fingerprint()), (baseline.competitor.module,)

    def fuse(pair: ImagePair) -> Image:
        return images.to_uint8(baseline.fuse(pair.infrared, images.to_gray(pair.visible)))

    return Method(name, fuse, "own implementation", key, code=code)


def by_images(name: str, fused: Dataset | Iterable[FusedImage], source: str = "published images") -> Method:
    """Fused images that were made elsewhere, found by the pair's id.

    Parameters
    ----------
    name : str
        Of the method in tables.
    fused : Dataset or iterable of FusedImage
    source : str
        In the words of a table.

    Returns
    -------
    Method
        A pair without an image raises KeyError.

    Examples
    --------
    >>> by_images("nobody", []).source
    'published images'
    """
    return Method(name, Read({image.id: image for image in fused}), source)


def published(name: str, label: str = "", source: str = "published images") -> Method:
    """Published fused images of a data set of fused images, for the pairs it has.

    Parameters
    ----------
    name : str
        Of the set, such as "published-tno21/CBF".
    label : str
        Of the method in tables; "" takes the part of the name behind the stroke.
    source : str
        In the words of a table.

    Returns
    -------
    Method

    Raises
    ------
    DatasetError
        Where the set is not at hand.
    """
    data = dataset(name)
    return by_images(label or name.rpartition("/")[2], data, source).limited(data.ids)

"""What is to be known of fused images: metrics, conventions, and values beside them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ivfnb.datasets import ImagePair
from ivfnb.images import Image


@dataclass(frozen=True)
class Extra:
    """A value beside the metrics that is remembered.

    Parameters
    ----------
    function : function
        `function(fused, pair)`, gives a float.
    key : object
        What the value depends on beside images and `code`.
    code : tuple of str
        Modules that take part in the value.
    """

    function: Callable[[Image, ImagePair], float]
    key: Any
    code: tuple[str, ...] = ()

    def __call__(self, fused: Image, pair: ImagePair) -> float:
        """Value for a fused grey image and its pair."""
        return self.function(fused, pair)


@dataclass(frozen=True)
class Wanted:
    """What is to be known of every fused image.

    Parameters
    ----------
    names : tuple of str, or None
        Metrics; None: the paper's eleven.
    conventions : tuple of str
    extra : dict
        Functions of the fused image and its pair, by the name of a value beside the metrics.
    fit : str
        See `fitting.fit_sources`.
    """

    names: tuple[str, ...] | None
    conventions: tuple[str, ...]
    extra: dict[str, Callable[[Image, ImagePair], float]]
    fit: str = "content"

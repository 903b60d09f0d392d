"""What is said of a comparison method, once: its function, publication, variants, published images, cost and weights."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from ivfnb import paths
from ivfnb.images import Image

COSTS = ("quick", "slow")  # slow: ten seconds a megapixel and more


@dataclass(frozen=True)
class Late:
    """A function of a module that is imported when it is first called, since it needs an extra."""

    module: str
    name: str = "fuse"

    def function(self) -> Callable[..., Any]:
        """The function itself; a ModuleNotFoundError names the extra that is missing."""
        with paths.extra():
            return getattr(import_module(self.module), self.name)

    def __call__(self, *arguments: Any, **parameters: Any) -> Any:
        """What the function makes of the arguments."""
        return self.function()(*arguments, **parameters)


@dataclass(frozen=True)
class Variant:
    """One way to run a method.

    Parameters
    ----------
    name : what differs, in brackets after the method's name; "" is the method as its paper describes it.
    parameters : keyword arguments of the method's function.
    words : the variant in the words of a table, where it needs any.
    published : names of sets of pairs ("tno21") whose published images were made in this very variant.
    weights : file in data/weights/ that was trained here for this variant, in place of the authors' weights.
    """

    name: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    words: str = ""
    published: tuple[str, ...] = ()
    weights: str = ""


@dataclass(frozen=True)
class Published:
    """Published fused images of a method on a set of pairs: whose run they are, and the name they lie under where it differs."""

    run: str = ""
    label: str = ""


@dataclass(frozen=True)
class Competitor:
    """A comparison method, described once.

    Parameters
    ----------
    name : the paper's name for it.
    function : `fuse(infrared, visible, **parameters)`: grey images (h, w) of levels 0..255 and of one size in, float64 (h, w) levels
        0..255 out, not rounded; None where only published images can be had.
    citation, doi : the publication.
    row : its place among the paper's 17 competitors, 1 to 17; None for any other.
    reference : whether it is a plain fusion that every method has to beat.
    variants : the ways to run it, that of its paper first.
    published : sets of published fused images, by set of pairs.
    cost : "quick" or "slow" (ten seconds a megapixel and more).
    weights : file in data/weights/ that the method learned here, if any.
    color : `fuse_color(infrared, visible, **parameters)` of an RGB visible image, where the method has a rule of its own for colour.
    fetched : whether it needs weights that `ivfnb fetch weights/<name>` brings.
    needs : what is lacking where `function` is None.
    """

    name: str
    function: Callable[..., Image] | None
    citation: str
    doi: str = ""
    row: int | None = None
    reference: bool = False
    variants: tuple[Variant, ...] = (Variant(),)
    published: Mapping[str, Published] = field(default_factory=dict)
    cost: str = "quick"
    weights: str = ""
    color: Callable[..., Image] | None = None
    fetched: bool = False
    needs: str = ""

    def __post_init__(self) -> None:
        """Refuse what would only show itself in a table."""
        if self.cost not in COSTS:
            raise ValueError(f"{self.name}: found cost {self.cost!r}, expected one of {COSTS}")
        if self.function is None and not self.needs:
            raise ValueError(f"{self.name}: found neither a function nor what it needs, expected one of both")
        if unknown := sorted({name for variant in self.variants for name in variant.published} - set(self.published)):
            raise ValueError(f"{self.name}: found variants of published images of {', '.join(unknown)}, expected sets in `published`")

    @property
    def module(self) -> str:
        """Module whose code makes the fused images."""
        return self.function.module if isinstance(self.function, Late) else getattr(self.function, "__module__", "")

    def label(self, of_set: str) -> str:
        """Name under which its published images of a set of pairs lie."""
        return (self.published[of_set].label if of_set in self.published else "") or self.name

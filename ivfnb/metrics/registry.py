"""The registry of metrics: a metric is one decorated function, and what is known of it stands in the decorator.

    @metric("SF", direction="higher", unit="grey levels", value_range=(0, 361), reference="Eskicioglu and Fisher 1995")
    def spatial_frequency(fused: Image) -> float: ...

A metric of two or three images names its arguments `fused, infrared, visible`. Functions see checked float64 levels and look nothing up.
"""

import inspect
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import ParamSpec

from ivfnb import paths
from ivfnb.images import Image
from ivfnb.metrics.planes import SMALLEST, checked

P = ParamSpec("P")
GROUP = "ivfnb.metrics"  # entry points by which other packages add metrics
INFINITE = float("inf")
JAGALINGAM = "Jagalingam and Hegde 2015, doi 10.1016/j.aqpro.2015.02.019"  # the review that several metrics are defined by

# Tables show metrics in this order, others after them in the order in which they were registered.
ELEVEN = ("EI", "CE", "SF", "EN", "Qabf", "SCD", "Nabf", "MI", "SD", "DF", "VIFF")  # the paper's, as its tables print them
_FURTHER = "AG PSNR RMSE SSIM MS-SSIM VIF CC NMI FMI_pixel FMI_w FMI_dct Qcb Qcv Qy Qncie"
_PLACES = {name: place for place, name in enumerate([*ELEVEN, *_FURTHER.split()])}


@dataclass(frozen=True)
class Metric:
    """One metric: the function and what is known of it. Calling it calls the function, without the sources if it needs none."""

    name: str
    function: Callable[..., float]
    unit: str
    direction: str  # "higher" or "lower" is better
    needs_sources: bool
    reference: str  # author, year and DOI
    value_range: tuple[float, float]
    smallest: int = SMALLEST  # side in pixels of the smallest image it is defined on
    conventions: tuple[str, ...] = ()  # that give it besides the paper's
    side_by_side: tuple[str, ...] = ()  # conventions that score the colour channels set side by side

    def __call__(self, fused: Image, infrared: Image | None = None, visible: Image | None = None) -> float:
        """Value for grey images of one shape in the standard convention; ImageError for bad input (`score` takes colour as well)."""
        return self.function(fused, infrared, visible) if self.needs_sources else self.function(fused)

    @property
    def eleven(self) -> bool:
        """Whether it is among the paper's eleven."""
        return self.name in ELEVEN

    @property
    def arrow(self) -> str:
        """Arrow for table headings: up where higher is better."""
        return "↑" if self.direction == "higher" else "↓"

    @property
    def sign(self) -> int:
        """What values are multiplied by so that more is better: 1 where higher is, else -1."""
        return 1 if self.direction == "higher" else -1


_REGISTERED: dict[str, Metric] = {}
_VARIANTS: dict[tuple[str, str], Callable[..., float]] = {}  # by convention and metric


class _Metrics(Mapping[str, Metric]):
    """Metrics by name, in the order of tables; what installed packages add is looked up once, when one first looks."""

    def __init__(self) -> None:
        self._lock, self._looked = threading.RLock(), False

    def _all(self) -> dict[str, Metric]:
        with self._lock:  # another thread waits; a package that looks while it is loaded sees what there is
            if not self._looked:
                self._looked = True
                paths.additions(GROUP)
            return _REGISTERED

    def __getitem__(self, name: str) -> Metric:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._all(), key=lambda name: _PLACES.get(name, len(_PLACES))))

    def __len__(self) -> int:
        return len(self._all())

    def __repr__(self) -> str:
        return f"METRICS({', '.join(self)})"


METRICS: Mapping[str, Metric] = _Metrics()


def added() -> tuple[str, ...]:
    """Names of the metrics that other packages added, in the order in which they came."""
    return tuple(name for name, each in METRICS.items() if not each.function.__module__.startswith("ivfnb."))


@dataclass(frozen=True)
class Convention:
    """What a convention gives and computes otherwise than the standard one; how `score` prepares the images stands there."""

    name: str
    channels: str = "luma"  # what colour images are scored on, unless said otherwise
    only_names: bool = False  # whether other metrics than `names` have no meaning in it

    @property
    def names(self) -> tuple[str, ...]:
        """Metrics given unless others are asked for."""
        return tuple(name for name, each in METRICS.items() if self.name in each.conventions) if self.only_names else ELEVEN

    @property
    def replaced(self) -> dict[str, Callable[..., float]]:
        """Functions that stand for those of the standard convention, by metric."""
        return {name: function for (convention, name), function in _VARIANTS.items() if convention == self.name}

    @property
    def side_by_side(self) -> tuple[str, ...]:
        """Metrics of which "mean" is that of the colour channels set side by side."""
        return tuple(name for name, each in METRICS.items() if self.name in each.side_by_side)


CONVENTIONS: dict[str, Convention] = {
    "standard": Convention("standard"),
    "as_released": Convention("as_released"),  # the paper's released evaluator
    "vifb": Convention("vifb", "mean", only_names=True),  # Zhang, Ye and Xiao 2020, doi 10.1109/CVPRW50498.2020.00060
}


def _origin(function: Callable) -> str:
    return f"{function.__module__}.{function.__qualname__}"


def _refuse_taken(what: str, taken: Callable | None, function: Callable) -> None:
    """ValueError where another function has the name already; one and the same may come again, as a notebook's cell that is run again."""
    if taken is not None and _origin(taken) != _origin(function):
        raise ValueError(f"{what}: found {_origin(taken)} registered already, expected another name for {_origin(function)}")


def _check_conventions(names: tuple[str, ...]) -> None:
    if unknown := [name for name in names if name not in CONVENTIONS]:
        raise ValueError(f"convention: found {unknown[0]!r}, expected one of {list(CONVENTIONS)}")


def _needs_sources(function: Callable) -> bool:
    """Whether a function compares with the sources, by the names of its parameters."""
    match tuple(inspect.signature(function).parameters):
        case ("fused",):
            return False
        case ("fused", "infrared", "visible"):
            return True
        case other:
            raise ValueError(f"{_origin(function)}: found the parameters {other}, expected fused, or fused, infrared and visible")


def metric(
    name: str,
    *,
    direction: str,
    unit: str,
    value_range: tuple[float, float],
    reference: str,
    smallest: int = SMALLEST,
    conventions: tuple[str, ...] = (),
    side_by_side: tuple[str, ...] = (),
) -> Callable[[Callable[P, float]], Callable[P, float]]:
    """Register a function as a metric: decorator.

    Parameters
    ----------
    name : str
        Short name in tables.
    direction : {"higher", "lower"}
        Which values are better.
    unit : str
        Unit of the value, "1" where it has none.
    value_range : (float, float)
        Least and largest value.
    reference : str
        Author, year and DOI of the definition.
    smallest : int
        Side in pixels of the smallest image it is defined on.
    conventions : tuple of str
        Conventions that give it besides "standard" and "as_released", which give the paper's eleven.
    side_by_side : tuple of str
        Conventions that compute it on the colour channels set side by side, across whose seams differences are taken as well.

    Returns
    -------
    callable
        Decorator of a function `(fused)` or `(fused, infrared, visible)` that gives a float. The function is handed read-only float64
        grey levels 0..255 of one shape, whatever the caller gives; images that are none raise ImageError before it runs.

    Raises
    ------
    ValueError
        If another function has the name already, or the direction, a convention or the function's parameters are unknown.

    Notes
    -----
    An installed package adds metrics by an entry point of the group `ivfnb.metrics` whose value is a module, or a function in it, that
    decorates them when it is imported.

    Examples
    --------
    >>> from ivfnb.metrics import METRICS, spatial_frequency
    >>> METRICS["SF"].function is spatial_frequency
    True
    >>> METRICS["SF"].arrow, METRICS["SF"].unit, METRICS["SF"].needs_sources
    ('↑', 'grey levels', False)
    """
    if direction not in ("higher", "lower"):
        raise ValueError(f"direction: found {direction!r}, expected 'higher' or 'lower'")
    _check_conventions((*conventions, *side_by_side))

    def register(function: Callable[P, float]) -> Callable[P, float]:
        sources = _needs_sources(function)
        _refuse_taken(name, _REGISTERED[name].function if name in _REGISTERED else None, function)
        guarded = checked(function, smallest, f" for {name}")
        _REGISTERED[name] = Metric(
            name, guarded, unit, direction, sources, reference, value_range, smallest, tuple(conventions), tuple(side_by_side)
        )
        return guarded

    return register


def variant(name: str, *, convention: str) -> Callable[[Callable[P, float]], Callable[P, float]]:
    """Register what a convention computes in place of a registered metric: decorator of a function of the same images.

    ValueError for an unknown metric or convention, other parameters than the metric's, or a place already taken.
    """
    _check_conventions((convention,))
    if name not in _REGISTERED:
        raise ValueError(f"name: found {name!r}, expected a registered metric, one of {list(_REGISTERED)}")

    def register(function: Callable[P, float]) -> Callable[P, float]:
        if _needs_sources(function) != _REGISTERED[name].needs_sources:
            raise ValueError(f"{_origin(function)}: found other parameters than those of {name}, expected the same images")
        _refuse_taken(f"{name} in {convention}", _VARIANTS.get((convention, name)), function)
        _VARIANTS[convention, name] = checked(function, _REGISTERED[name].smallest, f" for {name}")
        return _VARIANTS[convention, name]

    return register

"""The conformance kit: eight small triples in `data/conformance/` with the values of every metric, to check any implementation against.

The kit is plain data, PNG files and `expected.json`, so that it serves programs of any language; this module reads it and compares.
"""

import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ivfnb import paths
from ivfnb.images import Image, read_color, read_gray

ROLES = ("fused", "infrared", "visible")


@dataclass(frozen=True)
class Triple:
    """One triple of the kit: files, and what is expected of it.

    Attributes
    ----------
    name, what : str
        Name of its folder, and a sentence on what it is for.
    color : bool
        Whether fused and visible image are RGB.
    values : dict
        Expected values by convention and metric; what is undefined, as on too small images, is not in it.
    folder : Path
    """

    name: str
    what: str
    color: bool
    values: Mapping[str, Mapping[str, float]]
    folder: Path

    @cached_property
    def images(self) -> tuple[Image, Image, Image]:
        """Fused, infrared and visible image, uint8: (h, w), or RGB (h, w, 3) where the file is coloured."""
        read = read_color if self.color else read_gray
        files = {role: self.folder / f"{role}.png" for role in ROLES}
        fused, infrared, visible = read(files["fused"]), read_gray(files["infrared"]), read(files["visible"])
        return fused, infrared, visible


@dataclass(frozen=True)
class Kit:
    """The triples by name, and how far a value of each metric may be off: (relative, absolute)."""

    triples: Mapping[str, Triple]
    tolerances: Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Comparison:
    """One value of an implementation beside the expected one.

    Where it raised, `found` is None and `error` says what; `metric` is empty where it never gave a value, so that none is known to be lost.
    """

    triple: str
    metric: str
    expected: float
    found: float | None
    agrees: bool
    error: str = ""

    @property
    def difference(self) -> float:
        """Difference relative to the expected value, absolute where that is 0; infinite where there is no value to compare."""
        if self.found is None or self.found != self.found:
            return float("inf")
        if self.found == self.expected:
            return 0.0
        return abs(self.found - self.expected) / (abs(self.expected) or 1.0)


def kit(folder: str | Path | None = None) -> Kit:
    """The kit of the repository, or of another folder.

    Parameters
    ----------
    folder : str or Path, optional
        Folder with `expected.json` and one folder of three PNG files for each triple.

    Returns
    -------
    Kit

    Raises
    ------
    ValueError
        If there is no `expected.json` in the folder.

    Examples
    --------
    >>> list(kit().triples)
    ['real', 'pyramid', 'odd', 'resized', 'constant', 'saturated', 'identical', 'colour']
    >>> kit().triples["identical"].values["standard"]["SSIM"]
    1.0
    """
    folder = Path(folder) if folder is not None else paths.root() / "data" / "conformance"
    if not (folder / "expected.json").is_file():
        raise ValueError(f"{folder}: found no expected.json, expected the folder of a conformance kit")
    told = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    triples = {}
    for name, each in told["triples"].items():
        values = {convention: {metric: float(value) for metric, value in row.items()} for convention, row in each["values"].items()}
        triples[name] = Triple(name, each["what"], each["color"], values, folder / name)
    return Kit(triples, {name: (each["relative"], each["absolute"]) for name, each in told["metrics"].items()})


def agrees(found: float, expected: float, tolerance: tuple[float, float]) -> bool:
    """Whether a value is the expected one: off by at most absolute + relative * |expected|; infinity equals itself.

    Parameters
    ----------
    found, expected : float
    tolerance : (float, float)
        Relative and absolute.

    Returns
    -------
    bool
        False for NaN.

    Examples
    --------
    >>> agrees(1.00001, 1.0, (1e-4, 0)), agrees(float("nan"), 1.0, (1, 1)), agrees(float("inf"), float("inf"), (0, 0))
    (True, False, True)
    """
    relative, absolute = tolerance
    return found == expected or abs(found - expected) <= absolute + relative * (abs(expected) if abs(expected) < float("inf") else 0)


def _takes_sources(function: Callable[..., Any]) -> bool:
    """Whether a function is to be handed the sources: not where it can be called with one image only by position."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some compiled functions do not tell
        return True
    required = [
        each for each in parameters if each.default is each.empty and each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)
    ]
    return len(required) != 1 or any(each.kind == each.VAR_POSITIONAL for each in parameters)


def _results(function: Callable[..., Any], triple: Triple, metric: str | None) -> Mapping[str, float]:
    images = triple.images if _takes_sources(function) else triple.images[:1]
    found = function(*(image.copy() for image in images))
    if metric is not None:
        return {metric: float(found)}
    if not isinstance(found, Mapping):
        raise TypeError(f"found {type(found).__name__}, expected a mapping of metric names to values (or name the metric it computes)")
    return {str(name): float(value) for name, value in found.items()}


def compare(
    function: Callable[..., Any],
    convention: str = "standard",
    metric: str | None = None,
    color: bool = False,
    of: Kit | None = None,
) -> Iterator[Comparison]:
    """An implementation against the kit, value by value.

    Parameters
    ----------
    function : callable
        `(fused, infrared, visible)` with uint8 arrays gives a mapping from metric names to values, or one value if `metric` is given. A
        function of one required argument is handed the fused image alone.
    convention : {"standard", "as_released", "vifb"}
        Whose values are expected.
    metric : str, optional
        Name of the metric that the function computes.
    color : bool
        Whether it is handed the coloured triple as well.
    of : Kit, optional
        Another kit than the repository's.

    Yields
    ------
    Comparison
        For each value the function gives under a name of the kit. Where it raises: for each metric that it gave before, or one for all.

    Raises
    ------
    ValueError
        If the kit has no such convention or metric.

    Examples
    --------
    >>> from skimage.measure import shannon_entropy
    >>> sum(each.agrees for each in compare(shannon_entropy, metric="EN"))
    6
    """
    of = of or kit()
    if convention not in (known := {name for triple in of.triples.values() for name in triple.values}):
        raise ValueError(f"convention: found {convention!r}, expected one of {sorted(known)}")
    if metric is not None and metric not in of.tolerances:
        raise ValueError(f"metric: found {metric!r}, expected one of {list(of.tolerances)}")
    given: set[str] = {metric} if metric else set()
    for triple in of.triples.values():
        expected = triple.values[convention]
        if not expected or (triple.color and not color):
            continue
        try:
            found, error = _results(function, triple, metric), ""
        except Exception as raised:
            found, error = {}, f"{type(raised).__name__}: {raised}"
            if not given:
                yield Comparison(triple.name, "", float("nan"), None, False, error)
        given |= found.keys()
        for name, value in expected.items():
            if name in found:
                yield Comparison(triple.name, name, value, found[name], agrees(found[name], value, of.tolerances[name]))
            elif error and name in given:
                yield Comparison(triple.name, name, value, None, False, error)

"""Values that the cache holds, and what they must look like."""

import json
import math
from pathlib import Path
from typing import Any

from ivfnb import cache, files


def _number(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"found {value!r}, expected a number")
    return float(value)


def _value(place: Path) -> Any:
    """A number, or values by their names with a word on how the sources were fitted; an error for anything else."""
    content = json.loads(place.read_bytes())
    if content.keys() == {"value"}:
        return _number(content["value"])
    values = {name: _number(value) for name, value in content["values"].items()}
    if not values or not isinstance(content["fit"], str):
        raise TypeError(f"found {content!r}, expected values and how the sources were fitted")
    return {"values": values, "fit": content["fit"]}


def _seconds(place: Path) -> float:
    seconds = _number(json.loads(place.read_bytes())["seconds"])
    if not math.isfinite(seconds):
        raise ValueError(f"found {seconds}, expected seconds")
    return seconds


def known(place: Path | None) -> Any:
    """Value that is remembered in a file, if any is that can be one.

    Parameters
    ----------
    place : Path or None
        See `cache.place`.

    Returns
    -------
    float, dict or None
        A number; or {"values": {name: float}, "fit": str}; None where there is no file, or one that holds neither (it is removed).

    Examples
    --------
    >>> known(None) is None
    True
    """
    return None if place is None else cache.recall(place, _value)


def keep(place: Path | None, value: Any) -> None:
    """Remember what `known` gives, if there is a place for it.

    Parameters
    ----------
    place : Path or None
    value : float or dict

    Warns
    -----
    CacheWarning
        Where it cannot be written, see `cache.remembering`.

    Notes
    -----
    A number is written in braces: half of a bare one is a number too.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     keep(Path(folder, "entry.json"), 7.5)
    ...     known(Path(folder, "entry.json"))
    7.5
    """
    if place is not None:
        with cache.remembering():
            files.write_json(place, value if isinstance(value, dict) else {"value": value})


def seconds(place: Path) -> float | None:
    """Seconds that a record names.

    Parameters
    ----------
    place : Path

    Returns
    -------
    float or None
        None where there is no record, or one that names none (it is removed).

    Examples
    --------
    >>> seconds(Path("no/such/record.json")) is None
    True
    """
    return cache.recall(place, _seconds)

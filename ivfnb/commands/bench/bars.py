"""What a figure of the bench should be, in words that code compares with what was measured."""

import re
from collections.abc import Callable, Iterable

_NUMBER = r"(-?\d+(?:\.\d+)?)"
# Each form that a bar has, and whether a value meets its numbers.
FORMS: dict[str, Callable[..., bool]] = {
    rf"at most {_NUMBER}": lambda value, most: value <= most,
    rf"at least {_NUMBER}": lambda value, least: value >= least,
    rf"below {_NUMBER}": lambda value, limit: value < limit,
    rf"{_NUMBER} to {_NUMBER}": lambda value, low, high: low <= value <= high,
}


def meets(value: float, bar: str) -> bool | None:
    """Whether a measured value is what its bar asks for.

    Parameters
    ----------
    value : float
        In the unit of its row; NaN meets no bar.
    bar : str
        "at most 60", "at least 65", "below 1500", "0.85 to 1.15" (both ends included); "" asks for nothing.

    Returns
    -------
    bool or None
        None where nothing is asked.

    Raises
    ------
    ValueError
        For a bar of another form.

    Examples
    --------
    >>> meets(59.2, "at most 60"), meets(0.84, "0.85 to 1.15"), meets(3.0, "")
    (True, False, None)
    """
    if not bar:
        return None
    for form, holds in FORMS.items():
        if (found := re.fullmatch(form, bar)) is not None:
            return bool(holds(value, *map(float, found.groups())))
    known = ", ".join(form.replace(_NUMBER, "NUMBER") for form in FORMS)
    raise ValueError(f"bar: found {bar!r}, expected {known} or nothing")


def judged(row: dict) -> dict:
    """A row of the bench with "met" behind its other columns: True, False, or None where nothing is asked.

    A row with a bar and without a value does not meet it: what was to be measured was not.
    """
    return {**row, "met": meets(row.get("value", float("nan")), row.get("bar", ""))}


def falling_short(rows: Iterable[dict]) -> list[str]:
    """Each judged row that does not meet its bar, in words.

    Examples
    --------
    >>> falling_short([judged({"section": "metrics", "what": "all 11", "value": 0.5, "unit": "s", "bar": "at most 0.4"})])
    ['metrics, all 11: found 0.5 s, expected at most 0.4']
    """
    short = []
    for row in (row for row in rows if row["met"] is False):
        found = f"{row['value']:.4g} {row.get('unit', '')}".rstrip() if "value" in row else "no value"
        short.append(f"{row['section']}, {row['what']}: found {found}, expected {row['bar']}")
    return short

"""Fused images of one's own scored: one tidy table, what could not be scored, and rows of the comparison methods beside it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from ivfnb import images, parallel
from ivfnb.datasets import dataset
from ivfnb.datasets.naming import printable
from ivfnb.evaluation.competitors import NAMES, NONE, OWN, PUBLISHED, Row, methods, rows
from ivfnb.evaluation.fitting import fit, fit_sources
from ivfnb.evaluation.gathering import SOURCES, Entry, Gathered
from ivfnb.evaluation.scores import COLUMNS, evaluate
from ivfnb.images import Image, ImageError
from ivfnb.metrics import CONVENTIONS, METRICS, score

SOURCE = "user's folder"


@dataclass(frozen=True)
class Rules:
    """How images are scored: metrics, convention, channels, what the numbers of each role's files mean (`images.by_role`), and `fit_by`."""

    names: tuple[str, ...] | str | None = None
    convention: str = "standard"
    channels: str | None = None
    levels: Mapping[str, Any] = field(default_factory=dict)
    fit: str = "content"

    @property
    def coloured(self) -> bool:
        """Whether colours are looked at, and not their luma alone."""
        return (self.channels or CONVENTIONS[self.convention].channels) == "mean"


@dataclass(frozen=True)
class Scored:
    """Values of one fused image, and how its size was met; or why there are none."""

    entry: Entry
    values: Mapping[str, float] = field(default_factory=dict)
    fit: str = ""
    reason: str = ""


def _read(role: str, file: Path, rules: Rules) -> Image:
    if role == "infrared":
        return images.read_infrared(file, rules.levels.get(role), color=rules.coloured)
    return (images.read_color if rules.coloured else images.read_gray)(file, rules.levels.get(role))


def _fitted(read: dict[str, Image], rules: Rules, file: Path) -> tuple[dict[str, Image], str]:
    """Sources of the fused image's size, and how they were made so; ImageError for sizes that cannot be compared."""
    shape, infrared, visible = (read[role].shape[:2] for role in ("fused", *SOURCES))
    if infrared != visible:
        raise ImageError(f"infrared, visible: found {infrared[1]}x{infrared[0]} and {visible[1]}x{visible[0]} pixels, expected one size")
    if rules.convention != "as_released" and (how := fit(shape, infrared)) in ("enlarged", "distorted"):
        raise ImageError(
            f"{file}: found {shape[1]}x{shape[0]} pixels ({how}), expected the sources' {infrared[1]}x{infrared[0]}, "
            "a crop of it, or a smaller one of the same aspect ratio"
        )
    first, second, how = fit_sources(read["fused"], read["infrared"], read["visible"], rules.convention, rules.fit)
    return {"fused": read["fused"], "infrared": first, "visible": second}, how


def score_entry(entry: Entry, rules: Rules) -> Scored:
    """Metrics of one fused image.

    Parameters
    ----------
    entry : Entry
    rules : Rules

    Returns
    -------
    Scored
        With a reason in place of values where a file cannot be read, or the images do not fit each other.
    """
    try:
        read = {role: _read(role, file, rules) for role, file in entry.files.items() if role in ("fused", *SOURCES)}
        how = ""
        if len(read) == 3:
            read, how = _fitted(read, rules, entry.files["fused"])
        names = rules.names if rules.names is None or isinstance(rules.names, str) else list(rules.names)
        with images.without_doubt():
            values = score(read["fused"], read.get("infrared"), read.get("visible"), names, rules.convention, rules.channels)
        return Scored(entry, values, how)
    except (ValueError, OSError) as error:
        text = " ".join(str(error).split())
        return Scored(entry, reason=text if str(entry.files["fused"]) in text else f"{entry.files['fused']}: {text}")


def score_all(gathered: Gathered, rules: Rules, jobs: int = 1) -> Iterator[Scored]:
    """Metrics of everything that was gathered, one image after the other.

    Parameters
    ----------
    gathered : Gathered
    rules : Rules
    jobs : int
        Images scored at once.

    Yields
    ------
    Scored
        In the order of the entries.
    """
    yield from parallel.stream(score_entry, ((entry, rules) for entry in gathered.entries), jobs, threads=True)


def tidy(name: str, scored: Iterable[Scored], convention: str) -> pd.DataFrame:
    """Values of scored images as `evaluate` gives them: one row a value, with the columns of `COLUMNS`."""
    values = [
        (name, printable(each.entry.method), printable(each.entry.id), metric, value, convention, each.fit, SOURCE, float("nan"))
        for each in scored
        for metric, value in each.values.items()
    ]
    return pd.DataFrame(values, columns=COLUMNS)


def competitors(wanted: Iterable[str] | None = None) -> tuple[str, ...]:
    """Names of the paper's competitors: all, or those wanted; ValueError for another name."""
    chosen = NAMES if wanted is None else tuple(wanted)
    if unknown := [name for name in chosen if name not in NAMES]:
        raise ValueError(f"against: found {unknown[0]!r}, expected some of {', '.join(NAMES)}")
    return chosen


def against(data: str, wanted: Iterable[str] | None, rules: Rules, jobs: int = 1) -> tuple[pd.DataFrame, list[str]]:
    """Rows of the paper's 17 competitors on a known set: of published images where they are at hand, else of the own implementation.

    Parameters
    ----------
    data : str
        Name of the set.
    wanted : iterable of str, optional
        Names of competitors; all by default.
    rules : Rules
        Colours are scored by their luma.
    jobs : int
        Images scored at once.

    Returns
    -------
    scores : DataFrame
        As `evaluate` gives it.
    notes : list of str
        Which of them have no row, and why.

    Raises
    ------
    ValueError
        For a name that is no competitor.
    """
    pairs = dataset(data)
    wanted = competitors(wanted)
    chosen: dict[str, Row] = {}
    for row in rows(pairs):
        if row.name in wanted and row.source in (OWN, PUBLISHED, NONE):
            best = chosen.setdefault(row.name, row)
            if best.method is None or (row.source == PUBLISHED and best.source != PUBLISHED):
                chosen[row.name] = row if row.method is not None else best
    notes = [f"{row.name}: {row.reason}" for row in chosen.values() if row.method is None]
    names = rules.names
    if isinstance(names, str):
        names = CONVENTIONS[rules.convention].names if CONVENTIONS[rules.convention].only_names else tuple(METRICS)
    return evaluate(pairs, methods(chosen.values()), names, rules.convention, jobs, fit=rules.fit), notes

"""Rows and their scores to tables of methods, and how alike rows of different origin are."""

from collections.abc import Iterable, Sequence

import pandas as pd

from ivfnb.datasets import Dataset
from ivfnb.evaluation.competitors.origins import AUTHORS_NAME, OURS, OWN, PUBLISHED, Row
from ivfnb.evaluation.likeness import likenesses
from ivfnb.metrics import ELEVEN

LIKENESS = "SSIM to published"


def against_authors(data: Dataset, chosen: Iterable[Row]) -> dict[tuple[str, str], dict[str, float]]:
    """Similarity (SSIM) of our two protocols to the authors' fused images, by set and name; empty where these are not at hand.

    Of each: how many pairs have both, the mean SSIM and the least.
    """
    by_name = {row.name: row.method for row in chosen if row.method is not None}
    found: dict[tuple[str, str], dict[str, float]] = {}
    if (theirs := by_name.get(AUTHORS_NAME)) is None:
        return found
    for name in OURS:
        values = likenesses(data, by_name[name], theirs)
        found[data.name, name] = {"pairs": len(values), "mean SSIM": values.mean(), "least": values.min()}
    return found


def common_ids(scores: pd.DataFrame, at_least: int) -> tuple[list[str], list[str]]:
    """(ids, methods): the methods of a tidy table that cover at least so many pairs, and the pairs that all of them cover."""
    covered = scores.groupby("method", sort=False)["id"].unique()
    chosen = covered[covered.map(len) >= at_least]
    shared = set.intersection(*map(set, chosen)) if len(chosen) else set()
    return [id for id in dict.fromkeys(scores["id"]) if id in shared], list(chosen.index)


def likeness_to_published(data: Dataset, chosen: Iterable[Row]) -> dict[str, float]:
    """Mean SSIM of each own implementation to the published images of the same competitor, by the own method's name."""
    at_hand = [(row, row.method) for row in chosen if row.method is not None]
    theirs = {row.name: method for row, method in at_hand if row.source == PUBLISHED}
    own = [(row.name, method) for row, method in at_hand if row.source == OWN and row.name in theirs]
    return {method.name: float(likenesses(data, method, theirs[name]).mean()) for name, method in own}


def table(
    chosen: Sequence[Row], scores: pd.DataFrame, likeness: dict[str, float] | None = None, ids: Iterable[str] | None = None
) -> pd.DataFrame:
    """The table of methods: method, source, variant, pairs covered, SSIM to the published images, mean of each metric, note.

    `scores` is tidy, of one set and one convention; `ids` restricts it to these pairs, and leaves out the rows that lack one of them.
    """
    columns = [*ELEVEN, *(name for name in dict.fromkeys(scores["metric"]) if name not in ELEVEN)]
    ids = None if ids is None else list(ids)
    scores = scores if ids is None else scores[scores["id"].isin(ids)]
    grouped = scores.pivot_table(index="method", columns="metric", values="value", aggfunc="mean").reindex(columns=columns)
    pairs = scores.groupby("method")["id"].nunique()
    lines = []
    for row in chosen:
        name = row.method.name if row.method else ""
        count = int(pairs.get(name, 0))
        if ids is None or count == len(ids) > 0:
            values = {metric: grouped.at[name, metric] if name in grouped.index else float("nan") for metric in columns}
            note = row.reason or ("" if count else "no image could be read and scored")
            like = (likeness or {}).get(name, float("nan"))
            lines.append(
                {"method": row.name, "source": row.source, "variant": row.variant, "pairs": count, LIKENESS: like, **values, "note": note}
            )
    return pd.DataFrame(lines, columns=["method", "source", "variant", "pairs", LIKENESS, *columns, "note"])


def one_each(chosen: Sequence[Row], scores: pd.DataFrame) -> list[str]:
    """Methods of the rows that cover every pair of a tidy table, one a name: the own implementation before published images."""
    everything, found = scores["id"].nunique(), dict[str, str]()
    pairs = scores.groupby("method")["id"].nunique()
    for row in chosen:
        if row.method is not None and pairs.get(row.method.name, 0) == everything > 0:
            found.setdefault(row.name, row.method.name)
    return list(found.values())

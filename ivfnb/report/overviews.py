"""Scores of methods as a reader of a terminal, a paper or another program wants them: per image, and means with intervals and ranks."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from ivfnb.metrics import METRICS
from ivfnb.report.ranks import average_ranks, complete
from ivfnb.report.rendering import rendered
from ivfnb.report.tables import in_order
from ivfnb.report.uncertainty import bounds

FORMS = ("csv", "json", "md", "tex")


def per_image(scores: pd.DataFrame) -> pd.DataFrame:
    """Values of every image.

    Parameters
    ----------
    scores : DataFrame
        Tidy, of one set and one convention, as `evaluate` makes it.

    Returns
    -------
    DataFrame
        A row an image, a column a metric; before them `method` where there are several, `id`, and `fit` where a size had to be fitted.

    Examples
    --------
    >>> rows = [("ours", "01", "EN", 6.0, "same size"), ("ours", "02", "EN", 7.0, "same size")]
    >>> list(per_image(pd.DataFrame(rows, columns=["method", "id", "metric", "value", "fit"])))
    ['id', 'EN']
    """
    wide = scores.pivot_table(index=["method", "id", "fit"], columns="metric", values="value", sort=False, dropna=False, observed=True)
    wide = wide.dropna(how="all")[in_order(wide.columns)].reset_index().rename_axis(columns=None)
    needless = [name for name, needed in (("method", wide["method"].nunique() > 1), ("fit", _fitted(scores))) if not needed]
    return wide.drop(columns=needless)


def _fitted(scores: pd.DataFrame) -> bool:
    return not set(scores["fit"]) <= {"", "same size"}


def summary(scores: pd.DataFrame) -> pd.DataFrame:
    """Means of every method, how far they would move with other images, and how the methods rank.

    Parameters
    ----------
    scores : DataFrame
        As in `per_image`.

    Returns
    -------
    DataFrame
        A row for each metric and method: columns metric, method, mean, low and high (95 % bootstrap interval, NaN below 3 images), pairs
        (how many images), rank (mean over the pairs that all methods have, 1 is best; NaN of a single method or without such pairs).

    Examples
    --------
    >>> rows = [("ours", "01", "EN", 7.0), ("mean", "01", "EN", 6.0), ("ours", "02", "EN", 8.0), ("mean", "02", "EN", 6.0)]
    >>> scores = pd.DataFrame(rows, columns=["method", "id", "metric", "value"]).assign(dataset="set")
    >>> summary(scores)[["method", "mean", "rank"]].values.tolist()
    [['ours', 7.5, 1.0], ['mean', 6.0, 2.0]]
    """
    methods, found = list(dict.fromkeys(scores["method"])), []
    for metric in in_order(dict.fromkeys(scores["metric"])):
        chosen = scores[scores["metric"] == metric]
        common = complete(scores, metric, methods)
        ranks = average_ranks(common, METRICS[metric].direction) if len(methods) > 1 and len(common) else pd.Series(dtype=float)
        for method in methods:
            values = chosen.loc[chosen["method"] == method, "value"]
            found.append((metric, method, values.mean(), *bounds(values), len(values), ranks.get(method, math.nan)))
    return pd.DataFrame(found, columns=["metric", "method", "mean", "low", "high", "pairs", "rank"])


def common_pairs(scores: pd.DataFrame) -> int:
    """Number of images that every method has."""
    ids = [set(part["id"]) for _, part in scores.groupby("method")]
    return len(set.intersection(*ids)) if ids else 0


def means_table(found: pd.DataFrame) -> pd.DataFrame:
    """Means of a `summary` as a table: a row a method, with pairs, the mean rank over all metrics where methods are ranked, and metrics."""
    wide = found.pivot_table(index="method", columns="metric", values="mean", sort=False, dropna=False)
    wide = wide[in_order(wide.columns)].rename_axis(columns=None)
    by_method = found.groupby("method", sort=False)
    wide.insert(0, "pairs", by_method["pairs"].max())
    if found["rank"].notna().any():
        wide.insert(1, "rank", by_method["rank"].mean())
    return wide.reset_index()


def intervals_table(found: pd.DataFrame) -> pd.DataFrame:
    """Means and intervals of a `summary` as text: a row a metric, a column a method."""

    def text(row: Mapping[Any, Any]) -> str:
        return f"{row['mean']:.4g}" + ("" if math.isnan(row["low"]) else f" ({row['low']:.4g} to {row['high']:.4g})")

    cells = found.assign(text=[text(row) for row in found.to_dict("records")])
    wide = cells.pivot(index="metric", columns="method", values="text").reindex(index=list(dict.fromkeys(found["metric"])))
    wide = wide[list(dict.fromkeys(found["method"]))].rename_axis(columns=None).reset_index()
    wide["metric"] = [f"{name} {METRICS[name].arrow}" for name in wide["metric"]]
    return wide


def ranks_table(found: pd.DataFrame) -> pd.DataFrame:
    """Average ranks of a `summary`: a row a method, a column a metric, best first."""
    wide = found.pivot_table(index="method", columns="metric", values="rank", sort=False)
    wide = wide[in_order(wide.columns)].rename_axis(columns=None)
    wide.insert(0, "mean rank", wide.mean(axis=1))
    return wide.sort_values("mean rank", kind="stable").reset_index()


def _plain(value: Any) -> Any:
    """A number as JSON can hold it: none for what is not known, text for an infinite one."""
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value


def as_json(scores: pd.DataFrame) -> dict[str, Any]:
    """Scores for another program.

    Parameters
    ----------
    scores : DataFrame
        As in `per_image`.

    Returns
    -------
    dict
        "convention", "metrics" (direction and unit by name), "methods": by name "pairs", "images" (id -> metric -> value), "means",
        "intervals" (metric -> [low, high]), "ranks"; of what JSON can hold.
    """
    found, methods = summary(scores), {}
    for method, part in found.groupby("method", sort=False):
        own = scores[scores["method"] == method]
        rows = part.to_dict("records")
        images = {
            id: {row["metric"]: _plain(row["value"]) for row in some.to_dict("records")} for id, some in own.groupby("id", sort=False)
        }
        methods[str(method)] = {
            "pairs": len(images),
            "source": own["source"].iloc[0],
            "means": {row["metric"]: _plain(row["mean"]) for row in rows},
            "intervals": {row["metric"]: [_plain(row["low"]), _plain(row["high"])] for row in rows},
            "ranks": {row["metric"]: _plain(row["rank"]) for row in rows},
            "images": images,
            "fit": dict(zip(own["id"], own["fit"], strict=True)) if _fitted(own) else {},
        }
    metrics = {name: {"better": METRICS[name].direction, "unit": METRICS[name].unit} for name in in_order(dict.fromkeys(scores["metric"]))}
    return {"dataset": scores["dataset"].iloc[0], "convention": scores["convention"].iloc[0], "metrics": metrics, "methods": methods}


def with_means(scores: pd.DataFrame) -> pd.DataFrame:
    """Values of every image, and below those of each method a row of their means where there are several images."""
    wide, parts = per_image(scores), []
    grouped = [part for _, part in wide.groupby("method", sort=False)] if "method" in wide else [wide]
    for part in grouped:
        parts.append(part)
        if len(part) > 1:
            mean: dict[str, Any] = {"id": "mean", **part.mean(numeric_only=True)}
            parts.append(pd.DataFrame([mean | ({"method": part["method"].iloc[0]} if "method" in part else {})], columns=wide.columns))
    return pd.concat(parts, ignore_index=True)


def document(scores: pd.DataFrame, form: str, note: str = "") -> str:
    """Scores as one text: CSV in all digits (values and means), or tables of means, ranks and images as Markdown or LaTeX.

    Parameters
    ----------
    scores : DataFrame
        As in `per_image`.
    form : {"csv", "md", "tex"}
    note : str
        Plain text below the first table.

    Returns
    -------
    str
    """
    if form == "csv":
        return rendered(with_means(scores), "csv")
    found, convention = summary(scores), scores["convention"].iloc[0]
    parts = []
    if scores["id"].nunique() > 1 or scores["method"].nunique() > 1:
        parts.append(rendered(means_table(found), form, f"Means, {convention} convention", note=note))
        parts.append(rendered(intervals_table(found), form, "Means and 95 % bootstrap intervals"))
        if found["rank"].notna().any():
            parts.append(
                rendered(ranks_table(found), form, f"Average ranks over {common_pairs(scores)} common pairs, 1 is best", among=False)
            )
    parts.append(rendered(per_image(scores), form, f"Every image, {convention} convention", among=False))
    return "\n".join(parts)

"""Rows and their scores to tables of methods, and how alike rows of different origin are."""

from collections.abc import Iterable, Sequence

import pandas as pd

from ivfnb.datasets import Dataset
from ivfnb.evaluation.competitors.origins import AUTHORS_NAME, OURS, OWN, PUBLISHED, Row
from ivfnb.evaluation.likeness import difference_to, likeness_to, likenesses
from ivfnb.evaluation.methods import by_baseline
from ivfnb.evaluation.scores import evaluate
from ivfnb.metrics import ELEVEN

LIKENESS = "SSIM to published"


def against_authors(data: Dataset, chosen: Iterable[Row]) -> dict[tuple[str, str], dict[str, float]]:
    """Similarity (SSIM) of our two protocols to the authors' fused images.

    Parameters
    ----------
    data : Dataset
        A set of pairs.
    chosen : iterable of Row
        As `rows` makes them.

    Returns
    -------
    dict
        By set and name: how many pairs have both ("pairs"), the "mean SSIM" and the "least". Empty where the authors' images are not at
        hand.

    Examples
    --------
    >>> from ivfnb.datasets import dataset
    >>> against_authors(dataset("sample"), [])
    {}
    """
    by_name = {row.name: row.method for row in chosen if row.method is not None}
    found: dict[tuple[str, str], dict[str, float]] = {}
    if (theirs := by_name.get(AUTHORS_NAME)) is None:
        return found
    for name in OURS:
        values = likenesses(data, by_name[name], theirs)
        found[data.name, name] = {"pairs": len(values), "mean SSIM": values.mean(), "least": values.min()}
    return found


def nearness_to_mean(data: Dataset, chosen: Iterable[Row], names: Sequence[str] = ("VggML", "ResNet-ZCA")) -> pd.DataFrame:
    """How near the images of some methods are to the plain mean of the sources, which takes no network.

    Returns
    -------
    DataFrame
        A row for each row of `chosen` of these names: pairs, mean and least SSIM to the mean, mean absolute difference in grey levels.
    """
    mean = by_baseline("Mean")
    found = [row.method for row in chosen if row.name in names and row.method is not None]
    extra = {"SSIM to the mean": likeness_to(mean), "mean difference, grey levels": difference_to(mean)}
    scores = evaluate(data, found, ["EN"], extra=dict(extra)) if found else pd.DataFrame(columns=["method", "id", "metric", "value"])
    wide = scores.pivot_table(index=["method", "id"], columns="metric", values="value", sort=False).reindex(columns=list(extra))
    by_method = wide.groupby(level="method", sort=False)
    table = by_method.mean()
    table.insert(0, "pairs", by_method.size())
    table.insert(2, "least", by_method["SSIM to the mean"].min())
    return table


def common_ids(scores: pd.DataFrame, at_least: int) -> tuple[list[str], list[str]]:
    """The methods of a tidy table that cover enough pairs, and the pairs that all of them cover.

    Parameters
    ----------
    scores : DataFrame
        As `evaluate` makes it.
    at_least : int
        Number of pairs.

    Returns
    -------
    ids, methods : lists of str

    Examples
    --------
    >>> common_ids(pd.DataFrame({"method": ["CBF", "CBF", "PMGI"], "id": ["1", "2", "2"]}), at_least=2)
    (['1', '2'], ['CBF'])
    """
    covered = scores.groupby("method", sort=False)["id"].unique()
    chosen = covered[covered.map(len) >= at_least]
    shared = set.intersection(*map(set, chosen)) if len(chosen) else set()
    return [id for id in dict.fromkeys(scores["id"]) if id in shared], list(chosen.index)


def likeness_to_published(data: Dataset, chosen: Iterable[Row]) -> dict[str, float]:
    """Mean SSIM of each own implementation to the published images of the same competitor.

    Parameters
    ----------
    data : Dataset
        A set of pairs.
    chosen : iterable of Row
        As `rows` makes them.

    Returns
    -------
    dict
        By the own method's name; methods without published images are left out.

    Examples
    --------
    >>> from ivfnb.datasets import dataset
    >>> likeness_to_published(dataset("sample"), [])
    {}
    """
    at_hand = [(row, row.method) for row in chosen if row.method is not None]
    theirs = {row.name: method for row, method in at_hand if row.source == PUBLISHED}
    own = [(row.name, method) for row, method in at_hand if row.source == OWN and row.name in theirs]
    return {method.name: float(likenesses(data, method, theirs[name]).mean()) for name, method in own}


def table(
    chosen: Sequence[Row], scores: pd.DataFrame, likeness: dict[str, float] | None = None, ids: Iterable[str] | None = None
) -> pd.DataFrame:
    """The table of methods.

    Parameters
    ----------
    chosen : sequence of Row
    scores : DataFrame
        Tidy, of one set and one convention.
    likeness : dict, optional
        As `likeness_to_published` makes it.
    ids : iterable of str, optional
        Restricts it to these pairs, and leaves out the rows that lack one of them.

    Returns
    -------
    DataFrame
        Method, source, variant, pairs covered, SSIM to the published images, mean of each metric, note.

    Examples
    --------
    >>> scores = pd.DataFrame({"method": ["CBF"], "id": ["1"], "metric": ["EN"], "value": [6.5]})
    >>> from ivfnb.evaluation.methods import by_baseline
    >>> table([Row("CBF", OWN, method=by_baseline("CBF")), Row("PMGI", "none at hand")], scores)[["method", "pairs", "EN"]]
      method  pairs   EN
    0    CBF      1  6.5
    1   PMGI      0  NaN
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
    """Methods of the rows that cover every pair of a tidy table, one a name: the own implementation before published images.

    Parameters
    ----------
    chosen : sequence of Row
    scores : DataFrame
        As `evaluate` makes it.

    Returns
    -------
    list of str
        Names of methods.

    Examples
    --------
    >>> from ivfnb.evaluation.methods import by_baseline
    >>> one_each([Row("CBF", OWN, method=by_baseline("CBF"))], pd.DataFrame({"method": ["CBF"], "id": ["1"]}))
    ['CBF']
    """
    everything, found = scores["id"].nunique(), dict[str, str]()
    pairs = scores.groupby("method")["id"].nunique()
    for row in chosen:
        if row.method is not None and pairs.get(row.method.name, 0) == everything > 0:
            found.setdefault(row.name, row.method.name)
    return list(found.values())

"""Whether orders agree: of methods in two tables of means, and of metrics over the same methods."""

from collections.abc import Sequence
from typing import cast

import numpy as np
import pandas as pd
from scipy import stats

from ivfnb.metrics import METRICS


def agreement_of_orders(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Whether two tables of means order their methods alike: Kendall's tau-b of each metric.

    Parameters
    ----------
    first, second : DataFrame (methods, metrics)
        Means in the metrics' units; methods and metrics that one of them lacks are left out.

    Returns
    -------
    DataFrame
        A row a metric: columns tau (1 is the same order, -1 the opposite one), p, methods (how many), exchanged (pairs of methods that
        stand the other way round), best of the first, best of the second. Metrics that fewer than 2 methods share are left out.

    References
    ----------
    Kendall 1945, doi 10.1093/biomet/33.3.239

    Examples
    --------
    >>> first = pd.DataFrame({"EN": [1.0, 2.0, 3.0]}, index=["a", "b", "c"])
    >>> second = pd.DataFrame({"EN": [1.0, 3.0, 2.0]}, index=["a", "b", "c"])
    >>> agreement_of_orders(first, second)["exchanged"].to_dict()
    {'EN': 1}
    """
    rows = {}
    for metric in (name for name in first.columns if name in second.columns and name in METRICS):
        both = pd.DataFrame({"first": first[metric], "second": second[metric]}).dropna()
        if len(both) < 2:
            continue
        outcome = stats.kendalltau(both["first"], both["second"])
        order = [np.sign(np.subtract.outer(both[name].to_numpy(), both[name].to_numpy())) for name in both]
        best = [both[name].idxmax() if METRICS[metric].direction == "higher" else both[name].idxmin() for name in both]
        exchanged = int((order[0] * order[1] < 0).sum() // 2)
        rows[metric] = (outcome.statistic, outcome.pvalue, len(both), exchanged, *best)
    columns = ["tau", "p", "methods", "exchanged", "best of the first", "best of the second"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("metric")


def correlations(scores: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    """Which metrics measure the same: Spearman's correlation over methods, within each pair, averaged over the pairs.

    Parameters
    ----------
    scores : DataFrame
        Tidy: columns dataset, method, id (of the pair), metric, value.
    metrics : sequence of str

    Returns
    -------
    DataFrame (metrics, metrics)
        -1..1; values are turned so that more is better, so above 0 is agreement. NaN where no pair tells.

    Notes
    -----
    Only methods that have all metrics count; pairs with fewer than 3 of them are left out.

    References
    ----------
    Spearman 1904, doi 10.2307/1412159
    """
    names = list(metrics)
    signs = pd.Series({name: METRICS[name].sign for name in names})
    found = []
    for _, group in scores[scores["metric"].isin(names)].groupby(["dataset", "id"], sort=False):
        wide = group.pivot(index="method", columns="metric", values="value").reindex(columns=names).dropna()
        if len(wide) > 2:
            found.append((wide * signs).reindex(columns=names).corr("spearman").to_numpy())
    if not found:
        return pd.DataFrame(np.nan, index=names, columns=names)
    known = np.array(found)
    counts = np.isfinite(known).sum(axis=0)
    return pd.DataFrame(np.nansum(known, axis=0) / np.where(counts > 0, counts, np.nan), index=names, columns=names)


def strongest_pairs(matrix: pd.DataFrame) -> pd.Series:
    """Each pair of metrics with its correlation, the most alike first.

    Parameters
    ----------
    matrix : DataFrame (metrics, metrics)
        Symmetric, as of `correlations`.

    Returns
    -------
    Series
        By (metric, metric), each pair once; pairs without a number are left out.

    Examples
    --------
    >>> names = ["EI", "SF", "EN"]
    >>> strongest_pairs(pd.DataFrame([[1, 0.9, 0.2], [0.9, 1, 0.4], [0.2, 0.4, 1]], index=names, columns=names)).index.tolist()
    [('EI', 'SF'), ('SF', 'EN'), ('EI', 'EN')]
    """
    above = np.triu(np.ones(matrix.shape, dtype=bool), 1)
    return cast(pd.Series, matrix.where(above).stack()).dropna().sort_values(ascending=False)

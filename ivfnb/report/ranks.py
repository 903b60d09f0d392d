"""Whether methods differ by more than chance: their ranks over the pairs, Friedman's test, Nemenyi's, and the critical difference.

As Demsar recommends for comparing several methods: Journal of Machine Learning Research 7:1-30, 2006, jmlr.org/papers/v7/demsar06a.html.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy import stats

from ivfnb.metrics import METRICS

ALPHA = 0.05


def complete(scores: pd.DataFrame, metric: str, methods: Iterable[str] | None = None) -> pd.DataFrame:
    """Values of a metric on the pairs that all methods cover.

    Parameters
    ----------
    scores : DataFrame
        Tidy: columns dataset, method, id (of the pair), metric, value.
    metric : str
    methods : iterable of str, optional
        All by default.

    Returns
    -------
    DataFrame
        A row a pair (dataset, id), a column a method; no cell is missing.
    """
    chosen = scores[scores["metric"] == metric]
    wide = chosen.pivot(index=["dataset", "id"], columns="method", values="value")
    return wide.reindex(columns=list(dict.fromkeys(chosen["method"]) if methods is None else methods)).dropna()


def average_ranks(values: pd.DataFrame, direction: str) -> pd.Series:
    """Mean rank of each method over the pairs.

    Parameters
    ----------
    values : DataFrame (pairs, methods)
    direction : {"higher", "lower"}
        The better one.

    Returns
    -------
    Series
        A number a method: 1 is best, equal values share their mean rank.

    Examples
    --------
    >>> average_ranks(pd.DataFrame({"ours": [3.0, 2.0], "mean": [1.0, 2.0]}), "higher").to_dict()
    {'ours': 1.25, 'mean': 1.75}
    """
    return values.rank(axis=1, ascending=direction == "lower").mean()


def average_ranks_over(scores: pd.DataFrame, methods: Sequence[str], metrics: Iterable[str]) -> pd.Series:
    """Mean over the metrics of the average ranks of methods, over the pairs that all of them cover.

    Parameters
    ----------
    scores : DataFrame
        As in `complete`.
    methods : sequence of str
    metrics : iterable of str

    Returns
    -------
    Series
        A number a method; 1 is best.
    """
    return pd.DataFrame({name: average_ranks(complete(scores, name, methods), METRICS[name].direction) for name in metrics}).mean(axis=1)


def friedman(values: pd.DataFrame) -> tuple[float, float]:
    """Friedman's test whether methods differ at all.

    Parameters
    ----------
    values : DataFrame (pairs, methods)

    Returns
    -------
    statistic, p : float
        Chi-squared, corrected for ties, and its p value. NaN for fewer than 3 methods or 2 pairs, or where all methods are equal on all
        pairs.

    References
    ----------
    Friedman 1937, doi 10.1080/01621459.1937.10503522

    Examples
    --------
    >>> statistic, p = friedman(pd.DataFrame([[1.0, 2.0, 3.0]] * 5))
    >>> round(statistic, 6), round(p, 6)
    (10.0, 0.006738)
    """
    if values.shape[1] < 3 or values.shape[0] < 2 or (values.nunique(axis=1) == 1).all():
        return float("nan"), float("nan")
    outcome = stats.friedmanchisquare(*values.to_numpy().T)
    return float(outcome.statistic), float(outcome.pvalue)


def nemenyi(values: pd.DataFrame) -> pd.DataFrame:
    """Nemenyi's test of each method against each other.

    Parameters
    ----------
    values : DataFrame (pairs, methods)
        At least 2 methods, no cell missing.

    Returns
    -------
    DataFrame (methods, methods)
        p values, 1 on the diagonal. Below 0.05 where average ranks differ by more than `critical_difference`.

    Notes
    -----
    `scikit_posthocs.posthoc_nemenyi_friedman`. It is imported here and not before: its import takes seconds and draws in matplotlib.

    References
    ----------
    Nemenyi 1963, Distribution-free multiple comparisons, thesis, Princeton University; Demsar 2006
    """
    from scikit_posthocs import posthoc_nemenyi_friedman

    p: pd.DataFrame = posthoc_nemenyi_friedman(values)
    return p


@lru_cache
def nemenyi_quantile(methods: int, alpha: float = ALPHA) -> float:
    """Critical value of Nemenyi's test: the studentised range's quantile for infinite degrees of freedom over the root of 2.

    Parameters
    ----------
    methods : int
        At least 2.
    alpha : float, 0..1
        Level of significance.

    Returns
    -------
    float

    Examples
    --------
    >>> round(nemenyi_quantile(4), 3)
    2.569
    """
    return float(stats.studentized_range.ppf(1 - alpha, methods, np.inf) / np.sqrt(2))


def critical_difference(methods: int, pairs: int, alpha: float = ALPHA) -> float:
    """Nemenyi's critical difference: average ranks that differ by at least this differ significantly.

    Parameters
    ----------
    methods, pairs : int
        How many were ranked, and on how many.
    alpha : float, 0..1
        Level of significance.

    Returns
    -------
    float
        In ranks.

    Raises
    ------
    ValueError
        Below 2 methods or 1 pair.

    Notes
    -----
    scikit-posthocs computes p values and draws a given difference, but has no function for it; the quantile is scipy's, as there.

    References
    ----------
    Demsar 2006, section 3.2.2

    Examples
    --------
    >>> round(critical_difference(4, 14), 2)
    1.25
    """
    if methods < 2 or pairs < 1:
        raise ValueError(f"methods, pairs: found {methods} and {pairs}, expected at least 2 and 1")
    return nemenyi_quantile(methods, alpha) * float(np.sqrt(methods * (methods + 1) / (6 * pairs)))


@dataclass(frozen=True)
class Significance:
    """Outcome of `significance`; its length is the number of metrics that could be tested.

    Attributes
    ----------
    tests : DataFrame
        A row a metric: columns pairs, methods, chi2, p (of Friedman's test), critical difference (in ranks).
    ranks : DataFrame
        A row a metric, a column a method: average ranks, 1 is best.
    values : mapping of str to DataFrame (pairs, methods)
        What was ranked, by metric.
    """

    tests: pd.DataFrame
    ranks: pd.DataFrame
    values: Mapping[str, pd.DataFrame]

    def __len__(self) -> int:
        return len(self.values)


def significance(scores: pd.DataFrame, methods: Sequence[str], metrics: Iterable[str]) -> Significance:
    """Friedman test, average ranks and Nemenyi's critical difference of each metric over the pairs that all methods cover.

    Parameters
    ----------
    scores : DataFrame
        As in `complete`.
    methods : sequence of str
    metrics : iterable of str

    Returns
    -------
    Significance
        Without the metrics that fewer than 3 methods or 2 pairs have.
    """
    found = {metric: complete(scores, metric, methods) for metric in metrics}
    found = {metric: values for metric, values in found.items() if values.shape[1] > 2 and len(values) > 1}
    ranks = {metric: average_ranks(values, METRICS[metric].direction).to_dict() for metric, values in found.items()}
    rows = {}
    for metric, values in found.items():
        pairs, count = values.shape
        rows[metric] = (pairs, count, *friedman(values), critical_difference(count, pairs))
    columns = ["pairs", "methods", "chi2", "p", "critical difference"]
    return Significance(
        tests=pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("metric"),
        ranks=pd.DataFrame.from_dict(ranks, orient="index", columns=list(methods)).rename_axis("metric"),
        values=found,
    )

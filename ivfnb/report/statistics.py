"""What the means of a table leave out: their uncertainty, whether ranks differ by more than chance, whether a convention changes them.

Tests over methods as Demsar 2006 recommends them, Journal of Machine Learning Research 7:1-30 (jmlr.org/papers/v7/demsar06a.html).
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy import stats

from ivfnb.metrics import METRICS
from ivfnb.report.tables import in_order

RESAMPLES = 2000


def bounds(values: Iterable[float], seed: int = 0, level: float = 0.95) -> tuple[float, float]:
    """Bootstrap interval (percentile, 2000 resamples) of the mean of a sample; (NaN, NaN) for fewer than 3 values."""
    values = np.asarray(list(values), dtype=float)
    values = values[~np.isnan(values)]
    if len(values) < 3:
        return float("nan"), float("nan")
    drawn = np.random.default_rng(seed).integers(0, len(values), (RESAMPLES, len(values)))
    low, high = np.quantile(values[drawn].mean(axis=1), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def interval(values: pd.Series, seed: int = 0) -> str:
    """Mean and 95 % bootstrap interval of a sample's mean as text; the mean alone for fewer than 3 values."""
    values = values.dropna()
    if len(values) < 3:
        return f"{values.mean():.3g}" if len(values) else ""
    low, high = bounds(values, seed)
    return f"{values.mean():.3g} ({low:.3g} to {high:.3g})"


def intervals(scores: pd.DataFrame) -> pd.DataFrame:
    """Mean with its 95 % bootstrap interval of every (dataset, method, convention, metric) of a tidy table, a row each."""
    rows = []
    for labels, values in scores.groupby(["dataset", "method", "convention", "metric"], sort=False)["value"]:
        rows.append((*labels, values.mean(), *bounds(values), int(values.notna().sum())))
    return pd.DataFrame(rows, columns=["dataset", "method", "convention", "metric", "mean", "low", "high", "pairs"])


def _paired(scores: pd.DataFrame, factors: Sequence[str], levels: tuple[str, str]) -> pd.DataFrame:
    """Value with a step minus value without, averaged over all other factors: a row a pair, a column a metric."""
    without, included = levels
    factor = next(name for name in factors if {without, included} <= set(scores[name]))
    grouped = scores.groupby(["id", "metric", factor], sort=False)["value"].mean().unstack()
    return (grouped[included] - grouped[without]).unstack("metric")


def main_effects(scores: pd.DataFrame, factors: Sequence[str], levels: dict[str, tuple[str, str]]) -> pd.DataFrame:
    """What each step of a full factorial experiment adds, in percent of the metric's overall mean: a row a step, a column a metric.

    `scores` is tidy with one column a factor beside `id`, `metric` and `value`; `levels` names a step and the two levels (without, with) of
    the factor that holds both. The effect is the mean over everything else of value with minus value without.
    """
    overall = scores.groupby("metric")["value"].mean().abs()
    frame = pd.DataFrame({step: 100 * _paired(scores, factors, pair).mean() / overall for step, pair in levels.items()}).T
    return frame[in_order(frame.columns)]


def step_effects(scores: pd.DataFrame, factors: Sequence[str], levels: dict[str, tuple[str, str]]) -> pd.DataFrame:
    """The same with 95 % bootstrap intervals over the pairs, in the metric's own unit and turned so that above 0 is better.

    Columns step, metric, better_by, low, high, pairs; metrics of the registry only.
    """
    rows = []
    for step, pair in levels.items():
        effects = _paired(scores, factors, pair)
        for metric in (name for name in in_order(effects.columns) if name in METRICS):
            gain = effects[metric] * (1 if METRICS[metric].direction == "higher" else -1)
            rows.append((step, metric, gain.mean(), *bounds(gain), len(gain)))
    return pd.DataFrame(rows, columns=["step", "metric", "better_by", "low", "high", "pairs"])


def complete(scores: pd.DataFrame, metric: str, methods: Iterable[str] | None = None) -> pd.DataFrame:
    """Values of a metric, a row a pair, a column a method: the pairs that all `methods` (default: all) cover."""
    chosen = scores[scores["metric"] == metric]
    wide = chosen.pivot(index=["dataset", "id"], columns="method", values="value")
    return wide.reindex(columns=list(dict.fromkeys(chosen["method"]) if methods is None else methods)).dropna()


def average_ranks(values: pd.DataFrame, direction: str) -> pd.Series:
    """Mean over the rows (pairs) of the rank of each column (method); 1 is best, equal values share their mean rank."""
    return values.rank(axis=1, ascending=direction == "lower").mean()


def average_ranks_over(scores: pd.DataFrame, methods: Sequence[str], metrics: Iterable[str]) -> pd.Series:
    """Mean over the metrics of the average ranks of methods, over the pairs that all of them cover."""
    return pd.DataFrame({name: average_ranks(complete(scores, name, methods), METRICS[name].direction) for name in metrics}).mean(axis=1)


def friedman(values: pd.DataFrame) -> tuple[float, float]:
    """Friedman's chi-squared over the columns (methods), blocked by rows (pairs), and its p value.

    (NaN, NaN) for fewer than 3 methods or 2 pairs, or where all methods are equal on all pairs. Friedman 1937,
    doi 10.1080/01621459.1937.10503522, corrected for ties (scipy).
    """
    if values.shape[1] < 3 or values.shape[0] < 2 or (values.nunique(axis=1) == 1).all():
        return float("nan"), float("nan")
    outcome = stats.friedmanchisquare(*values.to_numpy().T)
    return float(outcome.statistic), float(outcome.pvalue)


@lru_cache
def nemenyi_quantile(methods: int, alpha: float = 0.05) -> float:
    """Critical value of Nemenyi's test: the studentised range's quantile for infinite degrees of freedom over the root of 2."""
    return float(stats.studentized_range.ppf(1 - alpha, methods, np.inf) / np.sqrt(2))


def critical_difference(methods: int, pairs: int, alpha: float = 0.05) -> float:
    """Average ranks that differ by at least this differ significantly (Nemenyi, in Demsar 2006). ValueError below 2 methods, 1 pair."""
    if methods < 2 or pairs < 1:
        raise ValueError(f"methods, pairs: found {methods} and {pairs}, expected at least 2 and 1")
    return nemenyi_quantile(methods, alpha) * np.sqrt(methods * (methods + 1) / (6 * pairs))


def cliques(ranks: pd.Series, difference: float) -> list[tuple[str, str]]:
    """Largest groups of methods whose average ranks differ by less than `difference`, each as (best, worst), groups of two or more."""
    ordered = ranks.sort_values()
    found, reached = [], -1
    for first in range(len(ordered)):
        last = int(np.searchsorted(ordered.to_numpy(), ordered.iloc[first] + difference, side="left")) - 1
        if last > reached and last > first:
            found.append((ordered.index[first], ordered.index[last]))
        reached = max(reached, last)
    return found


def significance(scores: pd.DataFrame, methods: Sequence[str], metrics: Iterable[str]) -> pd.DataFrame:
    """Friedman test and Nemenyi's critical difference of each metric over the pairs that all methods cover; a row a metric.

    Columns pairs, methods, chi2, p, critical difference, then the average rank of each method. Empty where fewer than 3 methods or 2 pairs.
    """
    rows = {}
    for metric in metrics:
        values = complete(scores, metric, methods)
        if values.shape[1] > 2 and len(values) > 1:
            statistic, p = friedman(values)
            head = {"pairs": len(values), "methods": values.shape[1], "chi2": statistic, "p": p}
            difference = {"critical difference": critical_difference(values.shape[1], len(values))}
            rows[metric] = head | difference | average_ranks(values, METRICS[metric].direction).to_dict()
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("metric")


def agreement_of_orders(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Whether two tables of means (a row a method, a column a metric) order their methods alike: Kendall's tau-b, a row a metric.

    Columns tau, p, methods, exchanged (pairs of methods that stand the other way round), best of each table. 1 is the same order.
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
    """Which metrics measure the same: Spearman's correlation over methods, within each pair, averaged over the pairs; above 0 is agreement.

    Values are turned so that more is better. Pairs with fewer than 3 methods are left out.
    """
    signs = {name: 1 if METRICS[name].direction == "higher" else -1 for name in metrics}
    found = []
    for _, group in scores[scores["metric"].isin(list(metrics))].groupby(["dataset", "id"], sort=False):
        wide = group.pivot(index="method", columns="metric", values="value").reindex(columns=list(metrics)).dropna()
        if len(wide) > 2:
            found.append((wide * pd.Series(signs)).reindex(columns=list(metrics)).corr("spearman").to_numpy())
    if not found:
        return pd.DataFrame(np.nan, index=list(metrics), columns=list(metrics))
    known = np.array(found)
    counts = np.isfinite(known).sum(axis=0)
    return pd.DataFrame(np.nansum(known, axis=0) / np.where(counts > 0, counts, np.nan), index=list(metrics), columns=list(metrics))


def strongest_pairs(matrix: pd.DataFrame) -> pd.Series:
    """Each pair of metrics with its correlation, the most alike first."""
    above = np.triu(np.ones(matrix.shape, dtype=bool), 1)
    return matrix.where(above).stack().dropna().sort_values(ascending=False)

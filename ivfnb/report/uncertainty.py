"""What the means of a table leave out: how far they would move with other pairs, and what each step of an experiment adds."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from ivfnb.metrics import METRICS
from ivfnb.report.tables import in_order

RESAMPLES = 2000


def bounds(values: Iterable[float], seed: int = 0, level: float = 0.95) -> tuple[float, float]:
    """Bootstrap interval of the mean of a sample.

    Parameters
    ----------
    values : iterable of float
        The sample, in any unit; NaN are left out.
    seed : int
        Decides the resamples, so that a sample has one interval.
    level : float, 0..1
        Share of the resamples' means that lie within.

    Returns
    -------
    low, high : float
        In the unit of `values`; NaN for fewer than 3 values.

    Notes
    -----
    Percentiles of the means of 2000 resamples (`scipy.stats.bootstrap`). The percentiles are NumPy's: scipy's own, computed in another
    order, differ in the last bit.

    References
    ----------
    Efron 1979, doi 10.1214/aos/1176344552

    Examples
    --------
    >>> bounds([1.0, 2.0, 3.0, 4.0])
    (1.5, 3.5)
    """
    sample = np.asarray(list(values), dtype=float)
    sample = sample[~np.isnan(sample)]
    if len(sample) < 3:
        return float("nan"), float("nan")
    generator = np.random.default_rng(seed)
    found = stats.bootstrap((sample,), np.mean, n_resamples=RESAMPLES, confidence_level=level, method="percentile", rng=generator)
    low, high = np.quantile(found.bootstrap_distribution, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def interval(values: pd.Series, seed: int = 0) -> str:
    """Mean of a sample and its 95 % bootstrap interval as text.

    Parameters
    ----------
    values : Series of float
        NaN are left out.
    seed : int
        As in `bounds`.

    Returns
    -------
    str
        Three significant digits; the mean alone for fewer than 3 values, "" for none.

    Examples
    --------
    >>> interval(pd.Series([1.0, 2.0, 3.0, 4.0])), interval(pd.Series([1.0, 2.0]))
    ('2.5 (1.5 to 3.5)', '1.5')
    """
    values = values.dropna()
    if len(values) < 3:
        return f"{values.mean():.3g}" if len(values) else ""
    low, high = bounds(values, seed)
    return f"{values.mean():.3g} ({low:.3g} to {high:.3g})"


def intervals(scores: pd.DataFrame) -> pd.DataFrame:
    """Means of a tidy table with their 95 % bootstrap intervals.

    Parameters
    ----------
    scores : DataFrame
        Tidy: columns dataset, method, convention, metric, value.

    Returns
    -------
    DataFrame
        A row for each (dataset, method, convention, metric); then columns mean, low, high in the metric's unit, and pairs (how many).
    """
    rows = []
    for labels, values in scores.groupby(["dataset", "method", "convention", "metric"], sort=False)["value"]:
        rows.append((*labels, values.mean(), *bounds(values), int(values.notna().sum())))
    return pd.DataFrame(rows, columns=["dataset", "method", "convention", "metric", "mean", "low", "high", "pairs"])


def _paired(scores: pd.DataFrame, factors: Sequence[str], levels: tuple[str, str]) -> pd.DataFrame:
    """Value with a step minus value without, averaged over all other factors: a row a pair, a column a metric."""
    without, included = levels
    factor = next((name for name in factors if {without, included} <= set(scores[name])), None)
    if factor is None:
        raise ValueError(f"levels: found {levels}, expected two that one of the columns {list(factors)} holds")
    grouped = scores.groupby(["id", "metric", factor], sort=False)["value"].mean().unstack()
    return (grouped[included] - grouped[without]).unstack("metric")


def main_effects(scores: pd.DataFrame, factors: Sequence[str], levels: Mapping[str, tuple[str, str]]) -> pd.DataFrame:
    """What each step of a full factorial experiment adds.

    Parameters
    ----------
    scores : DataFrame
        Tidy: columns id, metric, value, and a column for each factor.
    factors : sequence of str
        The factors' columns.
    levels : mapping of str to (str, str)
        By the name of a step, the two levels (without, with) of the factor that holds both.

    Returns
    -------
    DataFrame
        A row a step, a column a metric: mean over everything else of value with minus value without, in percent of the metric's overall
        mean.

    Raises
    ------
    ValueError
        Where no factor holds both levels of a step.
    """
    overall = scores.groupby("metric")["value"].mean().abs()
    frame = pd.DataFrame({step: 100 * _paired(scores, factors, pair).mean() / overall for step, pair in levels.items()}).T
    return frame[in_order(frame.columns)]


def carried_by(effects: pd.DataFrame, steps: Sequence[str]) -> dict[str, list[str]]:
    """Metrics (columns of `main_effects`) on which each of the steps has the largest effect; the step that carries most comes first."""
    strongest = effects.loc[list(steps)].abs().idxmax()
    found = {step: list(strongest.index[strongest == step]) for step in steps}
    return dict(sorted(((step, metrics) for step, metrics in found.items() if metrics), key=lambda each: -len(each[1])))


def step_effects(scores: pd.DataFrame, factors: Sequence[str], levels: Mapping[str, tuple[str, str]]) -> pd.DataFrame:
    """What each step of a full factorial experiment adds, with 95 % bootstrap intervals over the pairs.

    Parameters
    ----------
    scores, factors, levels
        As in `main_effects`.

    Returns
    -------
    DataFrame
        A row for each step and metric of the registry: columns step, metric, better_by, low, high (the metric's own unit, turned so that
        above 0 is better), pairs.

    Raises
    ------
    ValueError
        Where no factor holds both levels of a step.
    """
    rows = []
    for step, pair in levels.items():
        effects = _paired(scores, factors, pair)
        for metric in (name for name in in_order(effects.columns) if name in METRICS):
            gain = effects[metric] * METRICS[metric].sign
            rows.append((step, metric, gain.mean(), *bounds(gain), len(gain)))
    return pd.DataFrame(rows, columns=["step", "metric", "better_by", "low", "high", "pairs"])

"""Notebook 5: tables of scores condensed to what a sentence or a chart says."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ivfnb.metrics import METRICS
from ivfnb.report.ranks import Significance, average_ranks_over
from ivfnb.report.tables import table


def listed(values: pd.Series, pattern: str = "{} ({:.2f})") -> str:
    """A series in words.

    Parameters
    ----------
    values : Series
    pattern : str
        How a name and its value are written.

    Returns
    -------
    str
        "none" of an empty series.

    Examples
    --------
    >>> listed(pd.Series({"EN": 0.5, "SD": 0.25}))
    'EN (0.50), SD (0.25)'
    """
    return ", ".join(pattern.format(name, value) for name, value in values.items()) or "none"


def gains_over(means: pd.DataFrame, reference: str, metrics: Sequence[str]) -> pd.DataFrame:
    """By how much each method is better than a reference.

    Parameters
    ----------
    means : DataFrame (methods, metrics)
        In the metrics' units.
    reference : str
        One of the methods.
    metrics : sequence of str
        Of the registry.

    Returns
    -------
    DataFrame (methods, metrics)
        Percent of the reference's value, turned so that above 0 is better.

    Examples
    --------
    >>> means = pd.DataFrame({"EN": [6.0, 3.0], "Nabf": [0.2, 0.1]}, index=["ours", "mean"])
    >>> gains_over(means, "mean", ["EN", "Nabf"]).loc["ours"].tolist()
    [100.0, -100.0]
    """
    sign = pd.Series({name: METRICS[name].sign for name in metrics})
    chosen = means[list(metrics)]
    gains: pd.DataFrame = 100 * sign * (chosen - chosen.loc[reference]) / chosen.loc[reference].abs()
    return gains


def relative_changes(means: pd.DataFrame) -> pd.Series:
    """Mean relative change of a row's numbers against the first row's, the largest change first.

    Parameters
    ----------
    means : DataFrame
        A row a protocol, the unchanged one first; a column "pairs" is left out.

    Returns
    -------
    Series
        Share, 0 where a row has the numbers of the first.

    Examples
    --------
    >>> relative_changes(pd.DataFrame({"EN": [2.0, 3.0], "SD": [4.0, 4.0]}, index=["base", "no SSR"])).to_dict()
    {'no SSR': 0.25}
    """
    numbers = means.drop(columns="pairs", errors="ignore")
    change = (numbers - numbers.iloc[0]) / numbers.iloc[0].abs()
    return change.iloc[1:].abs().mean(axis=1).sort_values(ascending=False)


def cost_table(scores: pd.DataFrame, entrants: Sequence[str], metrics: Sequence[str]) -> pd.DataFrame:
    """Seconds to fuse a pair and average rank of every method that was fused here.

    Parameters
    ----------
    scores : DataFrame
        Tidy, of one set and one convention, with the column seconds (NaN for images that were read).
    entrants : sequence of str
        Methods that are ranked.
    metrics : sequence of str
        Over which ranks are averaged.

    Returns
    -------
    DataFrame
        Indexed by method: "seconds a pair" (median), "pairs timed", rank (1 is best; NaN of methods that are not ranked).
    """
    once = scores.drop_duplicates(["method", "id"]).groupby("method", sort=False)["seconds"].agg(["median", "count"])
    costs = once[once["count"] > 0].assign(rank=average_ranks_over(scores, entrants, metrics))
    return costs.rename(columns={"median": "seconds a pair", "count": "pairs timed"})


def write_significance(found: Significance, folder: str | Path, data: str, convention: str) -> None:
    """Write the tests and the average ranks of a convention as tables, if any metric could be tested.

    Parameters
    ----------
    found : Significance
    folder : path
        Gets `05_friedman_<convention>` and `05_ranks_<convention>`.
    data : str
        Name of the set, for the captions.
    convention : str
    """
    if len(found):
        printed = found.tests.assign(p=found.tests["p"].map("{:.1e}".format))
        table(printed, Path(folder, f"05_friedman_{convention}"), f"Friedman and Nemenyi, {convention}", 2)
        ranks = found.ranks.T.rename_axis("method").assign(mean=found.ranks.mean())
        caption = f"Average ranks on {data}, convention {convention} (1 is best)"
        table(ranks.sort_values("mean"), Path(folder, f"05_ranks_{convention}"), caption, 1, among=False)

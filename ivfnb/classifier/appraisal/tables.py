"""Right answers of a classifier by group: by blur, by texture, by network."""

from collections.abc import Callable, Mapping
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.stats import binomtest

TEXTURED = 4.0  # standard deviation of a block's grey levels above which it counts as textured
TEXTURE_EDGES = (0, 1, 2, 4, 8, 16, 32, np.inf)  # of the texture levels: above the one, at most the other


def right_answers(groups: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Samples, wrong ones, and right ones in percent with their 95 % Wilson interval.

    Parameters
    ----------
    groups : mapping
        Parts of an outcome by name.

    Returns
    -------
    DataFrame
        A row a group, none for empty ones: samples, wrong, "right, %", from, to.

    Notes
    -----
    The interval takes samples as independent; both orders and all blurs of a block, and blocks of one photograph, are less than that, so
    the truth may lie a little further out.

    References
    ----------
    Wilson 1927, doi 10.1080/01621459.1927.10502953

    Examples
    --------
    >>> right_answers({"all": pd.DataFrame({"right": [True] * 9 + [False]})}).round(1)
         samples  wrong  right, %  from    to
    all       10      1      90.0  59.6  98.2
    """
    rows = {}
    for name, group in groups.items():
        n, right = len(group), int(group["right"].sum())
        if n:
            interval = binomtest(right, n).proportion_ci(method="wilson")
            rows[name] = (n, n - right, 100 * right / n, 100 * interval.low, 100 * interval.high)
    return pd.DataFrame.from_dict(rows, orient="index", columns=["samples", "wrong", "right, %", "from", "to"])


def by_blur(outcome: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Groups of an outcome: all samples, the textured ones, those without texture, and those of each blur size.

    Parameters
    ----------
    outcome : DataFrame

    Returns
    -------
    dict
        Parts of the outcome by name.

    Examples
    --------
    >>> list(by_blur(pd.DataFrame({"texture": [9.0, 1.0], "blur_size": [9, 15]})))
    ['all', 'textured', 'without texture', '9 taps', '15 taps']
    """
    textured = outcome["texture"] > TEXTURED
    groups = {"all": outcome, "textured": outcome[textured], "without texture": outcome[~textured]}
    return groups | {f"{size} taps": group for size, group in outcome.groupby("blur_size")}


def by_texture(outcome: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Groups of an outcome by texture level.

    Parameters
    ----------
    outcome : DataFrame

    Returns
    -------
    dict
        Parts of the outcome by level in grey levels, "0 to 1", ..., "above 32"; a level includes its upper end, the first also 0.

    Examples
    --------
    >>> groups = by_texture(pd.DataFrame({"texture": [0.0, 1.0, 40.0]}))
    >>> len(groups["0 to 1"]), len(groups["above 32"])
    (2, 1)
    """
    levels = pd.cut(outcome["texture"], TEXTURE_EDGES, include_lowest=True, labels=False)
    names = [f"{low} to {high}" if np.isfinite(high) else f"above {low}" for low, high in pairwise(TEXTURE_EDGES)]
    return {name: outcome[levels == level] for level, name in enumerate(names)}


def accuracy(
    found: Mapping[str, pd.DataFrame], groups: Callable[[pd.DataFrame], Mapping[str, pd.DataFrame]] = by_blur, kind: str = "blocks"
) -> pd.DataFrame:
    """`right_answers` of the groups of several networks' outcomes.

    Parameters
    ----------
    found : mapping
        Outcomes by network.
    groups : function
        `by_blur` or `by_texture`, or another that makes groups of an outcome.
    kind : str
        What the groups are, for the index.

    Returns
    -------
    DataFrame
        Indexed by network and `kind` of group.

    Examples
    --------
    >>> outcome = pd.DataFrame({"texture": [9.0, 1.0], "blur_size": 9, "right": [True, False]})
    >>> accuracy({"shipped": outcome}).loc[("shipped", "textured"), "right, %"].item()
    100.0
    """
    return pd.concat({name: right_answers(groups(outcome)) for name, outcome in found.items()}, names=["network", kind])


def with_textured(found: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Outcomes by name, and of each the textured samples alone.

    Parameters
    ----------
    found : mapping
        Outcomes by name.

    Returns
    -------
    dict
        The same, and "name, textured".

    Examples
    --------
    >>> found = with_textured({"shipped": pd.DataFrame({"texture": [9.0, 1.0]})})
    >>> {name: len(outcome) for name, outcome in found.items()}
    {'shipped': 2, 'shipped, textured': 1}
    """
    return {**found, **{f"{name}, textured": outcome[outcome["texture"] > TEXTURED] for name, outcome in found.items()}}

"""What the answers of a classifier say: right ones by group, confusion, calibration, the hardest samples."""

from collections.abc import Callable, Mapping
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from ivfnb.classifier.patches import PatchIndex

TEXTURED = 4.0  # standard deviation of a block's grey levels above which it counts as textured
TEXTURE_EDGES = (0, 1, 2, 4, 8, 16, 32, np.inf)  # of the texture levels: above the one, at most the other
# Of the bins of confidence: narrower towards 1, where nearly all answers lie.
CONFIDENCE_EDGES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999, 1.0)
CLASSES = ("sharp above", "sharp below")


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


def _answers(outcome: pd.DataFrame) -> np.ndarray:
    return np.where(outcome["right"], outcome["order"], 1 - outcome["order"])


def confusion(outcome: pd.DataFrame) -> pd.DataFrame:
    """Counts of samples by what they are and what the network says.

    Parameters
    ----------
    outcome : DataFrame

    Returns
    -------
    DataFrame (2, 2)
        Rows: what the samples are; columns: what the network says.

    Examples
    --------
    >>> confusion(pd.DataFrame({"order": [0, 1, 1], "right": [True, True, False]})).to_numpy()
    array([[1, 0],
           [1, 1]])
    """
    counts = np.zeros((2, 2), dtype=int)
    np.add.at(counts, (outcome["order"].to_numpy(), _answers(outcome)), 1)
    return pd.DataFrame(counts, index=pd.Index(CLASSES, name="sample"), columns=[f"says {name}" for name in CLASSES])


def calibration(outcome: pd.DataFrame) -> pd.DataFrame:
    """`right_answers` by confidence, the probability that the network gives its own answer.

    Parameters
    ----------
    outcome : DataFrame

    Returns
    -------
    DataFrame
        A row a bin of `CONFIDENCE_EDGES`, empty ones left out, with each bin's mean confidence in percent before the other columns.

    Notes
    -----
    A calibrated network is right as often as it is confident.

    Examples
    --------
    >>> outcome = pd.DataFrame({"order": [0, 1], "right": [True, False], "probability": [0.25, 0.25]})
    >>> calibration(outcome)[["mean confidence, %", "right, %"]]
                   mean confidence, %  right, %
    confidence, %
    70 to 80                     75.0      50.0
    """
    confidence = np.where(_answers(outcome) == 1, outcome["probability"], 1 - outcome["probability"])
    bins = np.clip(np.searchsorted(CONFIDENCE_EDGES, confidence, side="left") - 1, 0, len(CONFIDENCE_EDGES) - 2)
    names = {f"{100 * low:g} to {100 * high:g}": bins == which for which, (low, high) in enumerate(pairwise(CONFIDENCE_EDGES))}
    table = right_answers({name: outcome[chosen] for name, chosen in names.items()}).rename_axis("confidence, %")
    table.insert(0, "mean confidence, %", [100 * confidence[names[name]].mean() for name in table.index])
    return table


def calibration_error(outcome: pd.DataFrame) -> float:
    """Expected calibration error: mean distance of a bin's share of right answers from its mean confidence, weighted by samples.

    Parameters
    ----------
    outcome : DataFrame

    Returns
    -------
    float
        Percent, over the uneven bins of `calibration`.

    References
    ----------
    Guo, Pleiss, Sun and Weinberger 2017, proceedings.mlr.press/v70/guo17a.html

    Examples
    --------
    >>> calibration_error(pd.DataFrame({"order": [0, 1], "right": [True, False], "probability": [0.25, 0.25]}))
    25.0
    """
    table = calibration(outcome)
    return float(((table["right, %"] - table["mean confidence, %"]).abs() * table["samples"]).sum() / table["samples"].sum())


def hardest(outcome: pd.DataFrame, index: PatchIndex, n: int) -> np.ndarray:
    """The samples with the largest loss, one of a block: the most confident mistakes, if there are so many.

    Parameters
    ----------
    outcome : DataFrame
    index : PatchIndex
        Of its samples.
    n : int
        How many, at most.

    Returns
    -------
    array
        Positions of samples, the worst first.

    Examples
    --------
    >>> from ivfnb.classifier.patches import make_index
    >>> index = make_index([np.zeros((32, 64))], 4, seed=0, blur_sizes=[9])
    >>> hardest(pd.DataFrame({"loss": [0.1, 0.4, 0.3, 0.2]}), index, 2)
    array([1, 2])
    """
    order = np.argsort(-outcome["loss"].to_numpy(), kind="stable")
    blocks = np.stack([index.photograph, index.row, index.column], axis=1)[order]
    _, first = np.unique(blocks, axis=0, return_index=True)
    return order[np.sort(first)[:n]]

"""How sure a classifier is of its answers, and which it gives wrongly: confusion, calibration, the hardest samples."""

from itertools import pairwise

import numpy as np
import pandas as pd

from ivfnb.classifier.appraisal.tables import right_answers
from ivfnb.classifier.patches import PatchIndex

# Of the bins of confidence: narrower towards 1, where nearly all answers lie.
CONFIDENCE_EDGES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999, 1.0)
CLASSES = ("sharp above", "sharp below")


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

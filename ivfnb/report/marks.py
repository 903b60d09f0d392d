"""Which cells of a table are the best and the second best."""

import numpy as np
import pandas as pd

from ivfnb.metrics import METRICS


def rank_marks(values: pd.Series, direction: str, digits: int, among: pd.Series | None = None) -> list[str]:
    """Which numbers of a column are the best and the second best, judged as printed: numbers that print alike get the same mark.

    Parameters
    ----------
    values : Series of n numbers
    direction : {"higher", "lower"}
        The better one.
    digits : int
        Decimals that are printed.
    among : Series of n bool, optional
        Which numbers take part; all by default.

    Returns
    -------
    list of n str
        "best", "second" or "". Among fewer than two numbers nothing is marked, among two only the best.

    Examples
    --------
    >>> rank_marks(pd.Series([1.0, 3.0, 3.0001, 2.0]), "higher", 2)
    ['', 'best', 'best', 'second']
    """
    printed = values.round(digits) if among is None else values.round(digits).where(among)
    levels = np.sort(printed.dropna().unique())
    levels = levels[::-1] if direction == "higher" else levels
    competing = int(printed.notna().sum())
    marks = dict(zip(levels[: 2 if competing > 2 else max(0, competing - 1)], ("best", "second"), strict=False))
    return [marks.get(value, "") for value in printed]


def of_table(frame: pd.DataFrame, digits: int, among: pd.Series | bool, italic: bool) -> np.ndarray:
    """Mark of every cell, "" outside metrics; each group of the first level of a MultiIndex (a data set) has its own best."""
    marks = np.full(frame.shape, "", dtype=object)
    metrics = [(place, str(name)) for place, name in enumerate(frame.columns) if name in METRICS]
    if italic:
        marks[:, [place for place, _ in metrics]] = "elsewhere"
    if italic or among is False:
        return marks
    grouped = isinstance(frame.index, pd.MultiIndex)
    groups = list(frame.groupby(level=0, sort=False).indices.values()) if grouped else [np.arange(len(frame))]
    for place, name in metrics:
        if not pd.api.types.is_numeric_dtype(frame[name]):
            continue
        for rows in groups:
            chosen = among.iloc[rows] if isinstance(among, pd.Series) else None
            marks[rows, place] = rank_marks(frame[name].iloc[rows], METRICS[name].direction, digits, chosen)
    return marks

"""Values that others reported (data/paper/reported_elsewhere.csv), each with its source and convention, never mixed with ours."""

import pandas as pd

from ivfnb import paths
from ivfnb.metrics import ELEVEN


def reported(of_set: str | None = None) -> pd.DataFrame:
    """Values that others reported, as the file has them.

    Parameters
    ----------
    of_set : str, optional
        Name of a set of pairs; None: all.

    Returns
    -------
    DataFrame
        Columns set, method, metric, value (text, with the digits that were printed), convention, pairs, source.

    Examples
    --------
    >>> sorted(reported().columns)
    ['convention', 'method', 'metric', 'pairs', 'set', 'source', 'value']
    """
    frame = pd.read_csv(paths.root() / "data" / "paper" / "reported_elsewhere.csv", dtype={"value": str})
    return frame if of_set is None else frame[frame["set"] == of_set]


def wide(of_set: str | None = None) -> pd.DataFrame:
    """Values that others reported, a column each of the paper's metrics.

    Parameters
    ----------
    of_set : str, optional
        Name of a set of pairs; None: all.

    Returns
    -------
    DataFrame
        A row a (set, method, convention, pairs, source); a cell that nobody reported is empty.

    Examples
    --------
    >>> wide().columns[:4].tolist()
    ['set', 'method', 'convention', 'pairs']
    """
    labels = ["set", "method", "convention", "pairs", "source"]
    frame = reported(of_set).pivot(index=labels, columns="metric", values="value").reindex(columns=list(ELEVEN))
    order = list(dict.fromkeys(map(tuple, reported(of_set)[labels].to_numpy())))
    frame = frame.reindex(pd.MultiIndex.from_tuples(order, names=labels)).reset_index().fillna("")
    return frame[["set", "method", "convention", "pairs", *ELEVEN, "source"]].rename_axis(columns=None)


def against(means: pd.Series, of_set: str, method: str, convention: str) -> pd.DataFrame:
    """Means computed here beside the reported ones.

    Parameters
    ----------
    means : Series
        Value by metric.
    of_set, method, convention : str
        Whose values.

    Returns
    -------
    DataFrame
        Metric, reported, here, relative difference, equal to the printed digits: rounded to the digits that were printed, the two are the
        same number.

    Examples
    --------
    >>> len(against(pd.Series({"EN": 7.0}), "no such set", "CBF", "standard"))
    0
    """
    of_all = reported(of_set)
    known = of_all[(of_all["method"] == method) & (of_all["convention"] == convention)].set_index("metric")["value"].to_dict()
    computed = means.to_dict()
    rows = []
    for metric in (name for name in ELEVEN if name in known and name in computed):
        text, here = known[metric], float(computed[metric])
        printed = f"{here:.{len(text.partition('.')[2])}f}"
        relative = abs(here - float(text)) / abs(float(text)) if float(text) else abs(here)
        rows.append((metric, text, here, relative, printed == text))
    return pd.DataFrame(rows, columns=["metric", "reported", "here", "relative difference", "equal to the printed digits"])

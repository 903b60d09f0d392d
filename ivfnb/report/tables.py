"""DataFrames as tables: CSV with all digits, Markdown, LaTeX (booktabs) and HTML, the best and the second best marked."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from ivfnb import files
from ivfnb.metrics import METRICS
from ivfnb.report import formats
from ivfnb.report.origins import one_run
from ivfnb.report.rendering import printed, rendered

if TYPE_CHECKING:
    from IPython.display import Markdown


def in_order(names: Iterable[str]) -> list[str]:
    """Metrics in the registry's order, then other names in theirs.

    Parameters
    ----------
    names : iterable of str

    Returns
    -------
    list of str

    Examples
    --------
    >>> in_order(["seconds", "EN", "EI"])
    ['EI', 'EN', 'seconds']
    """
    names = list(names)
    return [name for name in METRICS if name in names] + [name for name in names if name not in METRICS]


def means(scores: pd.DataFrame, mixed: bool = False) -> pd.DataFrame:
    """Means over the pairs of a tidy table.

    Parameters
    ----------
    scores : DataFrame
        Tidy: columns dataset, method, id (of the pair), metric, value in the metric's unit.
    mixed : bool
        Takes rows of several commits or profiles (columns "commit" and "profile", where there are such), else a ValueError.

    Returns
    -------
    DataFrame
        A row each (dataset, method) in order of appearance; column pairs (how many), then a column a metric in the registry's order, then
        values that are no metrics of the registry (`extra` of `evaluate`).

    Examples
    --------
    >>> rows = [("set", "ours", "01", "EN", 6.0), ("set", "ours", "02", "EN", 7.0)]
    >>> means(pd.DataFrame(rows, columns=["dataset", "method", "id", "metric", "value"])).loc[("set", "ours")].tolist()
    [2.0, 6.5]
    """
    if not mixed:
        one_run(scores, "scores")
    values = scores.pivot_table(index=["dataset", "method"], columns="metric", values="value", aggfunc="mean", sort=False)
    values = values[in_order(values.columns)]
    values.insert(0, "pairs", scores.groupby(["dataset", "method"], sort=False)["id"].nunique())
    return values


def save_csv(frame: pd.DataFrame, path: str | Path, index: bool = False) -> Path:
    """Write a frame as CSV in all digits, whole or not at all; texts that a spreadsheet would calculate get an apostrophe.

    Parameters
    ----------
    frame : DataFrame
    path : path
        Its folder is made.
    index : bool
        Whether the index is written too.

    Returns
    -------
    Path
        `path`.
    """
    return files.write_text(path, formats.csv(frame, index))


def table(
    frame: pd.DataFrame,
    path: str | Path,
    caption: str = "",
    digits: int = 3,
    among: pd.Series | bool = True,
    note: str = "",
    italic: bool = False,
    mixed: bool = False,
) -> pd.DataFrame:
    """Write a table as CSV, Markdown, LaTeX and HTML, the best and the second best of each metric marked.

    Parameters
    ----------
    frame : DataFrame
        Any; columns that are metrics of the registry get the arrow of their better direction, the best bold and the second best underlined:
        of each group of a MultiIndex (the sets of `means`), else of the column. An index that is no mere numbering becomes columns.
    path : path without suffix
        `<path>.csv` (all digits, no marks), `.md`, `.tex` (booktabs) and `.html` are written, each whole or not at all.
    caption, note : str
        Plain text above and below.
    digits : int
        Decimals in all formats but CSV.
    among : Series of bool, a row each, or bool
        Which rows compete; False for none.
    italic : bool
        Sets metrics in italics and marks no best, for values that were not computed here.
    mixed : bool
        As in `means`.

    Returns
    -------
    DataFrame
        Of text, as the Markdown file has it.

    Notes
    -----
    A missing value is an empty cell. Texts (cells, headings, caption, note) are written so that each format shows them as they are and none
    reads them as markup, a command or a formula (`escaping`).
    """
    if not mixed:
        one_run(frame)
    path = Path(path)
    for suffix in ("csv", "md", "tex", "html"):
        files.write_text(path.with_name(f"{path.name}.{suffix}"), rendered(frame, suffix, caption, digits, among, note, italic))
    return printed(frame, "md", digits, among, italic)


def show(path: str | Path) -> "Markdown":
    """A written table as a notebook shows it, marks and all.

    Parameters
    ----------
    path : path without suffix
        As given to `table`.

    Returns
    -------
    IPython.display.Markdown
    """
    from IPython.display import Markdown

    return Markdown(Path(f"{path}.md").read_text(encoding="utf-8"))

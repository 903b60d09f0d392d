"""DataFrames as tables: CSV with all digits, Markdown, LaTeX (booktabs) and HTML, the best and the second best marked."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ivfnb import files
from ivfnb.metrics import METRICS
from ivfnb.report import escaping, formats, marks
from ivfnb.report.origins import one_run

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


def _text(value: object, digits: int) -> str:
    """A cell as printed; a cell nobody knows is empty."""
    if value is None or (isinstance(value, float) and np.isnan(value)) or value is pd.NA:
        return ""
    return f"{value:.{digits}f}" if isinstance(value, float) else str(value)


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


def _printed(frame: pd.DataFrame, suffix: str, digits: int, among: pd.Series | bool = True, italic: bool = False) -> pd.DataFrame:
    """Headings and cells of a table as a format writes them, the best and the second best of each metric marked."""
    found = marks.of_table(frame, digits, among, italic)
    if not isinstance(frame.index, pd.RangeIndex):
        found = np.hstack([np.full((len(frame), frame.index.nlevels), "", dtype=object), found])
        frame = frame.reset_index()
    headings = [f"{name} {METRICS[str(name)].arrow}" if name in METRICS else str(name) for name in frame.columns]
    texts, escape, looks = (
        frame.map(lambda cell: _text(cell, digits)).to_numpy(),
        formats.ESCAPES[suffix],
        {"": "{}", **formats.MARKS[suffix]},
    )
    cells = [[looks[m].format(escape(t)) if t else "" for t, m in zip(*row, strict=True)] for row in zip(texts, found, strict=True)]
    return pd.DataFrame(cells, columns=[escape(heading) for heading in headings])


def rendered(
    frame: pd.DataFrame,
    suffix: str,
    caption: str = "",
    digits: int = 3,
    among: pd.Series | bool = True,
    note: str = "",
    italic: bool = False,
) -> str:
    """A table in one format, the best and the second best of each metric marked.

    Parameters
    ----------
    frame, caption, digits, among, note, italic
        As in `table`.
    suffix : {"csv", "md", "tex", "html"}
        CSV has all digits and no marks, caption or note.

    Returns
    -------
    str

    Examples
    --------
    >>> print(rendered(pd.DataFrame({"method": ["ours", "mean"], "EN": [7.25, 6.5]}), "md", digits=2), end="")
    | method   | EN ↑     |
    |:---------|:---------|
    | ours     | **7.25** |
    | mean     | 6.50     |
    """
    if suffix == "csv":
        return formats.csv(frame if isinstance(frame.index, pd.RangeIndex) else frame.reset_index(), index=False)
    printed = _printed(frame, suffix, digits, among, italic)
    if suffix == "md":
        above, below = (escaping.markdown(text) for text in (caption, note))
        text = (f"{above}\n\n" if above else "") + printed.to_markdown(index=False, disable_numparse=True)
        return text + (f"\n\n{below}" if below else "") + "\n"
    if suffix == "tex":
        latex = printed.to_latex(index=False, escape=False, caption=escaping.latex(caption) or None)
        return latex + (f"% {escaping.one_line(note)}\n" if note else "")
    whole = frame if isinstance(frame.index, pd.RangeIndex) else frame.reset_index()
    numeric = [bool(pd.api.types.is_numeric_dtype(whole[name])) for name in whole.columns]
    return formats.page(printed, caption, numeric, note)


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
    return _printed(frame, "md", digits, among, italic)


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

"""DataFrames as tables: CSV with all digits, Markdown, LaTeX (booktabs) and HTML, the best and the second best marked."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ivfnb import files
from ivfnb.metrics import METRICS
from ivfnb.report import escaping, formats
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


def _marks(frame: pd.DataFrame, digits: int, among: pd.Series | bool, italic: bool) -> np.ndarray:
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
    path = Path(path)
    if not mixed:
        one_run(frame)
    marks = _marks(frame, digits, among, italic)
    if not isinstance(frame.index, pd.RangeIndex):
        marks = np.hstack([np.full((len(frame), frame.index.nlevels), "", dtype=object), marks])
        frame = frame.reset_index()
    headings = [f"{name} {METRICS[str(name)].arrow}" if name in METRICS else str(name) for name in frame.columns]
    texts, shown = frame.map(lambda cell: _text(cell, digits)).to_numpy(), {}
    for suffix, escape in formats.ESCAPES.items():
        looks = {"": "{}", **formats.MARKS[suffix]}
        cells = [[looks[m].format(escape(t)) if t else "" for t, m in zip(*row, strict=True)] for row in zip(texts, marks, strict=True)]
        shown[suffix] = pd.DataFrame(cells, columns=[escape(heading) for heading in headings])
    numeric = [bool(pd.api.types.is_numeric_dtype(frame[name])) for name in frame.columns]
    above, below = (escaping.markdown(text) for text in (caption, note))
    text = (f"{above}\n\n" if above else "") + shown["md"].to_markdown(index=False, disable_numparse=True)
    latex = shown["tex"].to_latex(index=False, escape=False, caption=escaping.latex(caption) or None)
    contents = {
        "csv": formats.csv(frame, index=False),
        "md": text + (f"\n\n{below}" if below else "") + "\n",
        "tex": latex + (f"% {escaping.one_line(note)}\n" if note else ""),
        "html": formats.page(shown["html"], caption, numeric, note),
    }
    for suffix, content in contents.items():
        files.write_text(path.with_name(f"{path.name}.{suffix}"), content)
    return shown["md"]


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

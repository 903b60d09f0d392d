"""A table as text in one format: CSV with all digits, or Markdown, LaTeX (booktabs) and HTML with the best and the second best marked."""

import numpy as np
import pandas as pd

from ivfnb.metrics import METRICS
from ivfnb.report import escaping, formats


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


def _flat(frame: pd.DataFrame) -> pd.DataFrame:
    return frame if isinstance(frame.index, pd.RangeIndex) else frame.reset_index()


def printed(frame: pd.DataFrame, suffix: str, digits: int, among: pd.Series | bool = True, italic: bool = False) -> pd.DataFrame:
    """Headings and cells of a table as a format writes them, the best and the second best of each metric marked."""
    marks = _marks(frame, digits, among, italic)
    if not isinstance(frame.index, pd.RangeIndex):
        marks = np.hstack([np.full((len(frame), frame.index.nlevels), "", dtype=object), marks])
    frame = _flat(frame)
    headings = [f"{name} {METRICS[str(name)].arrow}" if name in METRICS else str(name) for name in frame.columns]
    texts, escape, looks = (
        frame.map(lambda cell: _text(cell, digits)).to_numpy(),
        formats.ESCAPES[suffix],
        {"": "{}", **formats.MARKS[suffix]},
    )
    cells = [[looks[m].format(escape(t)) if t else "" for t, m in zip(*row, strict=True)] for row in zip(texts, marks, strict=True)]
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
    suffix : {"csv", "md", "tex", "html"}; CSV has all digits and no marks, caption or note

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
        return formats.csv(_flat(frame), index=False)
    shown = printed(frame, suffix, digits, among, italic)
    if suffix == "md":
        above, below = (escaping.markdown(text) for text in (caption, note))
        text = (f"{above}\n\n" if above else "") + shown.to_markdown(index=False, disable_numparse=True)
        return text + (f"\n\n{below}" if below else "") + "\n"
    if suffix == "tex":
        latex = shown.to_latex(index=False, escape=False, caption=escaping.latex(caption) or None)
        return latex + (f"% {escaping.one_line(note)}\n" if note else "")
    whole = _flat(frame)
    numeric = [bool(pd.api.types.is_numeric_dtype(whole[name])) for name in whole.columns]
    return formats.page(shown, caption, numeric, note)

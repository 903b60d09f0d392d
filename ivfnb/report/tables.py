"""DataFrames as tables: CSV with all digits, Markdown, LaTeX (booktabs) and HTML, the best and the second best marked."""

import html
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ivfnb.metrics import METRICS

if TYPE_CHECKING:
    from IPython.display import Markdown

# How a number looks by its mark, by suffix of the file: the best bold, the second best underlined (GitHub shows <ins> so, not <u>), those
# that were not computed here in italics.
MARKS = {
    "md": {"best": "**{}**", "second": "<ins>{}</ins>", "elsewhere": "*{}*"},
    "tex": {"best": r"\textbf{{{}}}", "second": r"\underline{{{}}}", "elsewhere": r"\textit{{{}}}"},
    "html": {"best": "<b>{}</b>", "second": "<u>{}</u>", "elsewhere": "<i>{}</i>"},
}
STYLE = (
    "body{font:14px sans-serif;margin:1em}table{border-collapse:collapse;border-top:2px solid;border-bottom:2px solid}"
    "caption{text-align:left;margin-bottom:.5em}th{border-bottom:1px solid;text-align:left}th,td{padding:.2em .7em}"
    "td.number{text-align:right;font-variant-numeric:tabular-nums}"
)


def in_order(names: Iterable[str]) -> list[str]:
    """Metrics in the registry's order, then other names in theirs."""
    names = list(names)
    return [name for name in METRICS if name in names] + [name for name in names if name not in METRICS]


def means(scores: pd.DataFrame) -> pd.DataFrame:
    """Means over the pairs of a tidy table: a row each (dataset, method), with the number of pairs, a column a metric in registry order.

    Values that are no metrics of the registry (`extra` of `evaluate`) follow.
    """
    values = scores.pivot_table(index=["dataset", "method"], columns="metric", values="value", aggfunc="mean", sort=False)
    values = values[in_order(values.columns)]
    values.insert(0, "pairs", scores.groupby(["dataset", "method"], sort=False)["id"].nunique())
    return values


def rank_marks(values: pd.Series, direction: str, digits: int, among: pd.Series | None = None) -> list[str]:
    """ "best", "second" or "" for each number, judged as printed with `digits`; numbers that print alike get the same mark.

    Only values with `among` True take part (all by default). Among fewer than two nothing is marked, among two only the best.
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
    numeric = [name for name in frame.columns if pd.api.types.is_numeric_dtype(frame[name])]
    if italic:
        marks[:, [name in METRICS for name in frame.columns]] = "elsewhere"
    if italic or among is False:
        return marks
    grouped = isinstance(frame.index, pd.MultiIndex)
    groups = frame.groupby(level=0, sort=False).indices.values() if grouped else [np.arange(len(frame))]
    for name in (name for name in numeric if name in METRICS):
        for rows in groups:
            chosen = None if among is True else among.iloc[rows]
            marks[rows, frame.columns.get_loc(name)] = rank_marks(frame[name].iloc[rows], METRICS[name].direction, digits, chosen)
    return marks


def _text(value: object, digits: int) -> str:
    """A cell as printed; a cell nobody knows is empty."""
    if value is None or (isinstance(value, float) and np.isnan(value)) or value is pd.NA:
        return ""
    return f"{value:.{digits}f}" if isinstance(value, float) else str(value)


def _latex(text: str) -> str:
    """Text in LaTeX: arrows, and the characters that LaTeX reads as commands."""
    pairs = (("_", r"\_"), ("%", r"\%"), ("&", r"\&"), ("#", r"\#"), ("↑", r"$\uparrow$"), ("↓", r"$\downarrow$"), ("±", r"$\pm$"))
    for plain, command in pairs:
        text = text.replace(plain, command)
    return text


def _page(printed: pd.DataFrame, caption: str, numeric: list[bool], note: str) -> str:
    """A table as one HTML page that needs nothing else; cells are HTML already."""
    head = "".join(f"<th>{html.escape(str(name))}</th>" for name in printed.columns)
    classes = [' class="number"' if each else "" for each in numeric]
    rows = (
        "<tr>" + "".join(f"<td{style}>{cell}</td>" for style, cell in zip(classes, row, strict=True)) + "</tr>"
        for row in printed.itertuples(index=False)
    )
    title = html.escape(caption)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style></head><body>\n'
        f"<table><caption>{title}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n"
        + "\n".join(rows)
        + f"\n</tbody></table>\n{f'<p>{html.escape(note)}</p>' if note else ''}</body></html>\n"
    )


def table(
    frame: pd.DataFrame,
    path: str | Path,
    caption: str = "",
    digits: int = 3,
    among: pd.Series | bool = True,
    note: str = "",
    italic: bool = False,
) -> pd.DataFrame:
    """Write a table as `<path>.csv` (all digits, no marks), `.md`, `.tex` (booktabs) and `.html`, and return it as Markdown shows it.

    Columns that are metrics get the arrow of their better direction, the best bold and the second best underlined: of each group of a
    MultiIndex (the sets of `means`), else of the column. `among` says which rows compete (a bool a row, or False for none); `note` stands
    below; `italic` sets metrics in italics, for values that were not computed here. A missing value is an empty cell.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    marks = _marks(frame, digits, among, italic)
    if not isinstance(frame.index, pd.RangeIndex):
        marks = np.hstack([np.full((len(frame), frame.index.nlevels), "", dtype=object), marks])
        frame = frame.reset_index()
    arrows = {name: f"{name} {METRICS[name].arrow}" for name in frame.columns if name in METRICS}
    texts, shown = frame.map(lambda cell: _text(cell, digits)).to_numpy(), {}
    for suffix, escape in (("md", lambda text: text.replace("|", r"\|")), ("tex", _latex), ("html", html.escape)):
        looks = {"": "{}", **MARKS[suffix]}
        cells = [[looks[m].format(escape(t)) if t else "" for t, m in zip(*row, strict=True)] for row in zip(texts, marks, strict=True)]
        shown[suffix] = pd.DataFrame(cells, columns=frame.columns).rename(columns=arrows)
    numeric = [bool(pd.api.types.is_numeric_dtype(frame[name])) for name in frame.columns]
    text = (f"{caption}\n\n" if caption else "") + shown["md"].to_markdown(index=False, disable_numparse=True)
    latex = shown["tex"].rename(columns=_latex).to_latex(index=False, escape=False, caption=_latex(caption) or None)
    content = {
        "csv": frame.to_csv(index=False),
        "md": text + (f"\n\n{note}" if note else "") + "\n",
        "tex": latex + (f"% {note}\n" if note else ""),
        "html": _page(shown["html"], caption, numeric, note),
    }
    for suffix, written in content.items():
        beside = path.with_name(f".{path.name}.{suffix}.{os.getpid()}")
        beside.write_text(written, encoding="utf-8")
        beside.replace(path.with_name(f"{path.name}.{suffix}"))
    return shown["md"]


def show(path: str | Path) -> "Markdown":
    """A written table as a notebook shows it, marks and all."""
    from IPython.display import Markdown

    return Markdown(Path(f"{path}.md").read_text(encoding="utf-8"))

"""What the files of a table have in common and what they differ in: marks, safe texts, a page of HTML, CSV."""

import html
from collections.abc import Callable, Hashable, Sequence

import pandas as pd

from ivfnb.report import escaping

# How a number looks by its mark, by suffix of the file: the best bold, the second best underlined (GitHub shows <ins> so, not <u>), those
# that were not computed here in italics.
MARKS = {
    "md": {"best": "**{}**", "second": "<ins>{}</ins>", "elsewhere": "*{}*"},
    "tex": {"best": r"\textbf{{{}}}", "second": r"\underline{{{}}}", "elsewhere": r"\textit{{{}}}"},
    "html": {"best": "<b>{}</b>", "second": "<u>{}</u>", "elsewhere": "<i>{}</i>"},
}
ESCAPES: dict[str, Callable[[str], str]] = {"md": escaping.markdown, "tex": escaping.latex, "html": html.escape}
STYLE = (
    "body{font:14px sans-serif;margin:1em}table{border-collapse:collapse;border-top:2px solid;border-bottom:2px solid}"
    "caption{text-align:left;margin-bottom:.5em}th{border-bottom:1px solid;text-align:left}th,td{padding:.2em .7em}"
    "td.number{text-align:right;font-variant-numeric:tabular-nums}"
)


def page(printed: pd.DataFrame, caption: str, numeric: Sequence[bool], note: str) -> str:
    """A table as one HTML page that needs nothing else.

    Parameters
    ----------
    printed : DataFrame of n columns
        Headings and cells, HTML already.
    caption, note : str
        Plain text above and below.
    numeric : sequence of n bool
        Which columns stand at the right.

    Returns
    -------
    str
    """
    head = "".join(f"<th>{name}</th>" for name in printed.columns)
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


def csv(frame: pd.DataFrame, index: bool) -> str:
    """A frame as CSV in all digits, of which no spreadsheet calculates a text.

    Parameters
    ----------
    frame : DataFrame
    index : bool
        Whether the index is written too.

    Returns
    -------
    str
        Lines end with a line feed.

    Examples
    --------
    >>> print(csv(pd.DataFrame({"method": ["=1+1", "Mean"], "EN": [-0.5, 6.75]}), index=False), end="")
    method,EN
    '=1+1,-0.5
    Mean,6.75
    """

    def safe(cell: Hashable) -> Hashable:
        return escaping.csv_cell(cell) if isinstance(cell, str) else cell

    frame = frame.rename(index=safe, columns=safe)
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place]
        if not pd.api.types.is_numeric_dtype(column):
            frame.isetitem(place, pd.array([safe(cell) for cell in column], dtype=object))
    return frame.to_csv(index=index, lineterminator="\n")

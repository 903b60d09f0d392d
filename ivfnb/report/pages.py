"""What a page of a notebook shows: figures as small as their kind allows, and tables whole."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from ivfnb.report import escaping
from ivfnb.report.figures import FILE_DOTS, save_figure

if TYPE_CHECKING:
    from IPython.display import Markdown
    from PIL.Image import Image

DOTS = 80  # an inch, on a page; files have more
QUALITY = 85  # of JPEG: no block is seen at it


def whole_tables() -> None:
    """Have pandas print tables whole: no text and no column of a table is cut off with dots.

    Examples
    --------
    >>> whole_tables()
    >>> "..." in pd.DataFrame({"said": ["a word " * 40]}).to_html()
    False
    """
    pd.set_option("display.max_colwidth", None, "display.max_columns", None, "display.width", 200)


def shown_table(texts: pd.DataFrame, rows: pd.Series | None = None, caption: str = "") -> "Markdown":
    """A table of texts that are Markdown already, as a page shows it.

    Parameters
    ----------
    texts : DataFrame of str
        As `table` returns it.
    rows : Series of bool, optional
        Which rows are shown; all by default.
    caption : str
        Plain text above.

    Returns
    -------
    IPython.display.Markdown
        Without the columns that are empty in all its rows, all of them flush left.

    Examples
    --------
    >>> print(shown_table(pd.DataFrame({"method": ["CBF"], "note": [""]})).data)
    | method   |
    |:---------|
    | CBF      |
    """
    from IPython.display import Markdown

    chosen = texts if rows is None else texts[rows.to_numpy()]
    chosen = chosen.loc[:, (chosen != "").any()]
    text = chosen.to_markdown(index=False, disable_numparse=True, colalign=["left"] * chosen.shape[1])
    return Markdown(f"{escaping.markdown(caption)}\n\n{text}" if caption else text)


def text_table(frame: pd.DataFrame) -> "Markdown":
    """A table of words as a page shows it, every column flush left.

    Parameters
    ----------
    frame : DataFrame
        An index that is no mere numbering becomes columns. A missing value is an empty cell.

    Returns
    -------
    IPython.display.Markdown

    Examples
    --------
    >>> print(text_table(pd.DataFrame({"switch": ["size"], "decides": ["pixels"]})).data)
    | switch   | decides   |
    |:---------|:----------|
    | size     | pixels    |
    """
    frame = frame if isinstance(frame.index, pd.RangeIndex) else frame.reset_index()
    return shown_table(frame.astype(object).where(frame.notna(), "").map(lambda cell: escaping.markdown(str(cell))))


def is_photographic(figure: Figure) -> bool:
    """Whether a figure shows images, of grey levels or of colours, rather than lines or a matrix of numbers.

    Parameters
    ----------
    figure : Figure

    Returns
    -------
    bool

    Examples
    --------
    >>> is_photographic(plt.figure())
    False
    """
    shown = [image.get_array() for axis in figure.axes for image in axis.images]
    return any(array is not None and array.dtype == np.uint8 for array in shown)


def described(figure: Figure) -> str:
    """What a figure shows in words, for those who do not see it: its own title, then those of its panels.

    Parameters
    ----------
    figure : Figure

    Returns
    -------
    str

    Examples
    --------
    >>> figure, axes = plt.subplots(1, 2)
    >>> _ = axes[0].set_title("infrared"), axes[1].set_title("visible")
    >>> described(figure)
    'infrared; visible'
    """
    titles = [figure.get_suptitle(), *(axis.get_title() for axis in figure.axes if axis.get_visible())]
    return "; ".join(" ".join(title.split()) for title in titles if title).replace("\\$", "$")


def encoded(drawn: "Image", photographic: bool) -> tuple[bytes, str]:
    """A drawn figure as a file for a page.

    Parameters
    ----------
    drawn : Image of Pillow
        The figure as `save_figure` drew it.
    photographic : bool
        Whether it shows images (`is_photographic`).

    Returns
    -------
    data : bytes
    kind : {"jpeg", "png"}
        JPEG of quality 85 for images, PNG of at most 256 colours for charts.
    """
    from PIL import Image

    size = round(drawn.width * DOTS / FILE_DOTS), round(drawn.height * DOTS / FILE_DOTS)
    image, written = drawn.convert("RGB").resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0), io.BytesIO()
    if photographic:
        image.save(written, "JPEG", quality=QUALITY, optimize=True)
        return written.getvalue(), "jpeg"
    image.quantize(256, dither=Image.Dither.NONE).save(written, "PNG", optimize=True)
    return written.getvalue(), "png"


def show_figure(figure: Figure, path: str | Path, shown: bool = True) -> None:
    """Write a figure to a file, show it on the notebook's page, and close it. It is drawn once: laying it out costs more than its pixels.

    Parameters
    ----------
    figure : Figure
    path : path
        A PNG file, as of `save_figure`.
    shown : bool
        False only writes and closes it.
    """
    save_figure(figure, path)
    if shown:
        from IPython import display
        from PIL import Image

        with Image.open(path) as drawn:
            data, kind = encoded(drawn, is_photographic(figure))
        display.display(display.Image(data, format=kind, alt=described(figure)))
    plt.close(figure)

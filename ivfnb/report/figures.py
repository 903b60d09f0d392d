"""What all figures share: colours, panels, how metrics and methods are named in them, and how they are written."""

from collections.abc import Iterable
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ivfnb import files
from ivfnb.metrics import METRICS

# Okabe and Ito's colours, which the colour-blind can tell apart; one a method, in the order methods are first seen.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
FILE_DOTS = 150  # an inch, of figures as files
OTHERS = "0.75"  # grey of the methods that stand for the rest of the field


def colours(names: Iterable[str]) -> dict[str, str]:
    """A colour for each name, the same order giving the same colours throughout.

    Parameters
    ----------
    names : iterable of str
        A name that comes again keeps its colour.

    Returns
    -------
    dict of str to str
        Eight colours that the colour-blind can tell apart; a ninth name gets the first again.

    References
    ----------
    Okabe and Ito 2008, Color universal design, jfly.uni-koeln.de/color; Wong 2011, doi 10.1038/nmeth.1618

    Examples
    --------
    >>> colours(["ours", "mean", "ours"])
    {'ours': '#0072B2', 'mean': '#D55E00'}
    """
    return {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(dict.fromkeys(names))}


def plain(text: str) -> str:
    """Text that a figure shows as it is: Matplotlib would read what stands between two dollar signs as a formula.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Examples
    --------
    >>> print(plain("$x$"))
    \\$x\\$
    """
    return text.replace("$", r"\$")


def title_of(metric: str) -> str:
    """A metric's name with the arrow of its better direction.

    Parameters
    ----------
    metric : str
        Of the registry.

    Returns
    -------
    str

    Examples
    --------
    >>> title_of("Nabf")
    'Nabf ↓'
    """
    return f"{metric} {METRICS[metric].arrow}"


def label(metric: str) -> str:
    """A metric's name with its unit, where it has one, for an axis.

    Parameters
    ----------
    metric : str
        Of the registry.

    Returns
    -------
    str

    Examples
    --------
    >>> label("EN"), label("Qabf")
    ('EN, bit', 'Qabf')
    """
    unit = METRICS[metric].unit
    return metric if unit == "1" else f"{metric}, {unit}"


def panels(
    count: int, columns: int, size: tuple[float, float], sharex: bool = False, sharey: bool = False
) -> tuple[Figure, list[Axes], Axes | None]:
    """A figure with panels in a grid, row by row.

    Parameters
    ----------
    count, columns : int
        How many panels, and how many in a row.
    size : (float, float)
        Width and height of a panel, inches.
    sharex, sharey : bool
        Whether all panels have one axis.

    Returns
    -------
    figure : Figure
    axes : list of `count` Axes
    spare : Axes or None
        An empty panel for a legend, where the grid has one.
    """
    rows = -(-count // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(size[0] * columns, size[1] * rows), squeeze=False, layout="constrained", sharex=sharex, sharey=sharey
    )
    for axis in axes.flat[count:]:
        axis.set_axis_off()
    return figure, list(axes.flat[:count]), axes.flat[count] if axes.size > count else None


def save_figure(figure: Figure, path: str | Path) -> Path:
    """Write a figure at 150 dots an inch, whole or not at all.

    Parameters
    ----------
    figure : Figure
    path : path
        Its suffix decides the format (.png, .pdf, .svg); its folder is made.

    Returns
    -------
    Path
        `path`.
    """
    with files.replacing(path) as beside:
        figure.savefig(beside, dpi=FILE_DOTS)
    return Path(path)

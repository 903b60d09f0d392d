"""Images side by side."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ivfnb.metrics.targets import Box, inset_box
from ivfnb.report.figures import plain

FRAME = "#F0E442"  # of an inset: seen on dark and on bright images


def montage(
    images: Sequence[np.ndarray], titles: Sequence[str], columns: int, width: float = 12.0, insets: Sequence[Box | None] | None = None
) -> Figure:
    """Images in a grid, row by row.

    Parameters
    ----------
    images : sequence of n arrays (h, w) or (h, w, 3)
        Grey levels 0..255, black and white in every image alike; what lies beyond is clipped. Weight maps are to be given as levels.
    titles : sequence of n str
    columns : int
        Images in a row.
    width : float
        Of the figure, inches.
    insets : sequence of n Box or None, optional
        What of each image is shown enlarged in a corner: top, left, height and width as shares of the image; None for nothing.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        Where images, titles and insets are not equally many, or there are none.

    Examples
    --------
    >>> figure = montage([np.zeros((20, 30)), np.full((20, 30), 255)], ["infrared", "visible"], columns=2)
    >>> [axis.get_title() for axis in figure.axes]
    ['infrared', 'visible']
    """
    if len(images) != len(titles) or not images:
        raise ValueError(f"images, titles: found {len(images)} and {len(titles)}, expected as many of both, at least one")
    if insets is not None and len(insets) != len(images):
        raise ValueError(f"insets: found {len(insets)}, expected one for each of the {len(images)} images, or None")
    rows = -(-len(images) // columns)
    aspect = np.mean([image.shape[0] / image.shape[1] for image in images])
    figure, axes = plt.subplots(
        rows, columns, figsize=(width, rows * (width / columns * aspect + 0.35)), squeeze=False, layout="constrained"
    )
    for axis in axes.flat[len(images) :]:
        axis.set_axis_off()
    boxes = insets or [None] * len(images)
    for axis, image, title, box in zip(axes.flat, images, titles, boxes, strict=False):
        levels = np.clip(image, 0, 255).astype(np.uint8)
        _show(axis, levels)
        axis.set_title(plain(title), fontsize=9)
        if box is not None:
            _enlarge(axis, levels, box)
    return figure


def _show(axis: Axes, levels: np.ndarray) -> None:
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set(color="0.6", linewidth=0.5)  # a frame, or white images would have no edge
    axis.imshow(levels, cmap="gray" if levels.ndim == 2 else None, vmin=0, vmax=255, interpolation="antialiased")


def _enlarge(axis: Axes, levels: np.ndarray, box: Box) -> None:
    """Frame the box and show it enlarged in the lower corner that is farther from it."""
    height, width = levels.shape[:2]
    top, left = int(box[0] * height), int(box[1] * width)
    rows, columns = max(2, int(box[2] * height)), max(2, int(box[3] * width))
    part = levels[top : top + rows, left : left + columns]
    axis.add_patch(plt.Rectangle((left, top), columns, rows, fill=False, color=FRAME, linewidth=1.2))
    share = 0.42  # of the image's height that the inset takes, and of its width at most
    shown_height, shown_width = (share, share * height / width * part.shape[1] / part.shape[0])
    if shown_width > share:
        shown_height, shown_width = shown_height * share / shown_width, share
    corner = 0.01 if left + columns / 2 > width / 2 else 0.99 - shown_width
    inset = axis.inset_axes((corner, 0.01, shown_width, shown_height))
    inset.set_in_layout(False)  # it lies within its image: the layout need not measure it
    _show(inset, part)
    inset.spines[:].set(color=FRAME, linewidth=1.2)


def subjective(shown: Mapping[str, Mapping[str, np.ndarray]], columns: int = 8, width: float = 17.0) -> Figure:
    """Pairs with their fused images for comparison by eye, the brightest hot target enlarged.

    Parameters
    ----------
    shown : mapping of str to (mapping of str to array (h, w) or (h, w, 3))
        By a pair's id and a name (as of `evaluation.side_by_side`), images in grey levels 0..255; each pair has one named "infrared".
    columns : int
        Images in a row; every pair starts a new one.
    width : float
        Of the figure, inches.

    Returns
    -------
    Figure
    """
    views, titles, boxes = [], [], []
    for id, by_name in shown.items():
        blank = -len(by_name) % columns
        views += [*by_name.values(), *[np.full_like(by_name["infrared"], 255)] * blank]
        titles += [f"{id}, {name}" if name == "infrared" else name for name in by_name] + [""] * blank
        boxes += [inset_box(by_name["infrared"])] * len(by_name) + [None] * blank
    figure = montage(views, titles, columns, width, boxes)
    for axis, title in zip(figure.axes, titles, strict=False):
        axis.set_visible(bool(title))  # insets are no axes of the figure
    return figure

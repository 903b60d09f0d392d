"""Images side by side, and what all figures share: colours, and how they are written."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ivfnb.metrics.targets import Box, inset_box

# Okabe and Ito's colours, which the colour-blind can tell apart; one a method, in the order methods are first seen.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
OTHERS = "0.75"  # grey of the methods that stand for the rest of the field
FRAME = "#F0E442"  # of an inset: seen on dark and on bright images


def montage(
    images: Sequence[np.ndarray], titles: Sequence[str], columns: int, width: float = 12.0, insets: Sequence[Box | None] | None = None
) -> Figure:
    """Figure of images in a grid, row by row; grey ones with 0 black and 255 white, weight maps must be given as levels.

    `insets`: for each image the box that is shown enlarged in a corner (None: none), as shares of the image's height and width.
    """
    if len(images) != len(titles) or not images:
        raise ValueError(f"images, titles: found {len(images)} and {len(titles)}, expected as many of both, at least one")
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
        axis.set_title(title, fontsize=9)
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
    _show(inset, part)
    inset.spines[:].set(color=FRAME, linewidth=1.2)


def subjective(shown: Mapping[str, Mapping[str, np.ndarray]], columns: int = 8, width: float = 17.0) -> Figure:
    """Montage of pairs by id, each with its sources and methods by name (`evaluate.side_by_side`), the brightest hot target enlarged.

    Every pair starts a new row.
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


def colours(names: Iterable[str]) -> dict[str, str]:
    """A colour for each name, the same order giving the same colours throughout."""
    return {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(dict.fromkeys(names))}


def save_figure(figure: Figure, path: str | Path) -> Path:
    """Write a figure as PNG (150 dpi), whole or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{os.getpid()}.{path.name}")
    figure.savefig(beside, dpi=150)
    beside.replace(path)
    return path

"""Grey levels of the sources: how much of the range 0..255 they use, and where a photograph has texture."""

from collections.abc import Iterable

import cv2
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.ndimage import uniform_filter

from ivfnb import images
from ivfnb.datasets import Dataset
from ivfnb.images import Image

SOURCES = ("infrared", "visible")
MANY = 30  # images whose names have room below a chart


def grey_levels(sets: Iterable[Dataset]) -> pd.DataFrame:
    """Mean, spread and range of the grey levels of every source image.

    Parameters
    ----------
    sets : iterable of Dataset
        Sets of pairs; colour images count with all their channels.

    Returns
    -------
    DataFrame
        A row an image: dataset, id, source ("infrared" or "visible"), size (width x height, pixels), and in grey levels mean, deviation,
        "1 % level" and "99 % level": what 1 % and 99 % of the pixels lie below.

    Examples
    --------
    >>> from ivfnb.datasets import dataset
    >>> grey_levels([dataset("sample")[:1]])[["id", "source", "size"]].values.tolist()
    [['astronaut', 'infrared', '352x352'], ['astronaut', 'visible', '352x352']]
    """
    rows = []
    for pairs in sets:
        for pair, source in ((pair, source) for pair in pairs for source in SOURCES):
            image = getattr(pair, source)
            size = f"{image.shape[1]}x{image.shape[0]}"
            rows.append((pairs.name, pair.id, source, size, image.mean(), image.std(), *np.percentile(image, (1, 99))))
    return pd.DataFrame(rows, columns=["dataset", "id", "source", "size", "mean", "deviation", "1 % level", "99 % level"])


def _name_sets(axis: Axes, sets: pd.Series) -> None:
    """Name the sets below their images, and draw a line between two of them."""
    places = pd.Series(range(len(sets))).groupby(sets.to_numpy(), sort=False)
    middles = places.mean()
    axis.set_xticks(middles, middles.index.tolist(), fontsize=9)
    axis.tick_params(axis="x", length=0)
    for first in places.min()[1:]:
        axis.axvline(first - 0.5, color="0.5", lw=0.8)
    axis.set_xlabel("pairs, set by set")


def levels_chart(levels: pd.DataFrame) -> Figure:
    """Mean and range of the grey levels, a bar an image, infrared images at the left and visible ones at the right.

    Where there are more images than names have room, the sets are named instead of the pairs.

    Parameters
    ----------
    levels : DataFrame
        As `grey_levels` makes it.

    Returns
    -------
    Figure
    """
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.4), sharey=True, layout="constrained")
    for axis, source in zip(axes, SOURCES, strict=True):
        chosen = levels[levels["source"] == source]
        places = range(len(chosen))
        axis.vlines(places, chosen["1 % level"], chosen["99 % level"], color="#0072B2", lw=2, label="1 % to 99 % of the pixels")
        axis.plot(places, chosen["mean"], "o", color="#D55E00", ms=4, label="mean")
        axis.set(title=f"{source.capitalize()} images", xlabel="pair", ylim=(0, 255))
        if len(chosen) > MANY:
            _name_sets(axis, chosen["dataset"])
        else:
            axis.set_xticks(places, chosen["id"], rotation=90 if len(chosen) > 8 else 0, fontsize=7 if len(chosen) > 8 else 9)
    axes[0].set_ylabel("grey level")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def busiest_window(gray: Image, side: int = 96) -> tuple[slice, slice]:
    """The square window of an image in which grey levels change most from pixel to pixel.

    Parameters
    ----------
    gray : array (h, w), levels 0..255
    side : int
        Of the window, pixels; even, at most the image's shorter side.

    Returns
    -------
    rows, columns : slices

    Raises
    ------
    ValueError
        If the window is larger than the image.

    Notes
    -----
    By the sum of the absolute Sobel gradients.

    Examples
    --------
    >>> image = np.zeros((60, 80))
    >>> image[40:50, 60:70] = 255
    >>> busiest_window(image, 20)[0].stop > 40
    True
    """
    gray = images.levels(gray, "gray").astype(np.float32)
    if side > min(gray.shape):
        raise ValueError(f"side: found {side}, expected at most the image's {min(gray.shape)} pixels")
    gradients = [cv2.Sobel(gray, cv2.CV_32F, dx, dy, borderType=cv2.BORDER_REPLICATE) for dx, dy in ((1, 0), (0, 1))]
    texture = uniform_filter(np.abs(gradients).sum(axis=0), side)
    half = side // 2
    inner = texture[half : gray.shape[0] - half + 1, half : gray.shape[1] - half + 1]
    row, column = np.unravel_index(inner.argmax(), inner.shape)
    return slice(int(row), int(row) + side), slice(int(column), int(column) + side)

"""DataFrames and images to what a paper prints: tables in CSV, Markdown and LaTeX, montages and charts."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.stats import bootstrap

from ivfnb.metrics import METRICS

# Okabe and Ito's colours, which the colour-blind can tell apart; one a method, in the order methods are first seen.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")


def means(scores: pd.DataFrame) -> pd.DataFrame:
    """Means over the pairs of a tidy table: a row each (dataset, method), with the number of pairs, a column a metric in registry order.

    Values that are no metrics of the registry (`extra` of `evaluate`) follow.
    """
    values = scores.pivot_table(index=["dataset", "method"], columns="metric", values="value", aggfunc="mean", sort=False)
    values = values[[name for name in METRICS if name in values.columns] + [name for name in values.columns if name not in METRICS]]
    values.insert(0, "pairs", scores.groupby(["dataset", "method"], sort=False)["id"].nunique())
    return values


def interval(values: pd.Series, seed: int = 0) -> str:
    """Mean and 95 % bootstrap interval (percentile, 2000 resamples) of a sample's mean as text; the mean alone for fewer than 3 values."""
    values = values.dropna()
    if len(values) < 3:
        return f"{values.mean():.3g}" if len(values) else ""
    found = bootstrap((values,), np.mean, n_resamples=2000, method="percentile", rng=np.random.default_rng(seed)).confidence_interval
    return f"{values.mean():.3g} ({found.low:.3g} to {found.high:.3g})"


def main_effects(scores: pd.DataFrame, factors: Sequence[str], levels: dict[str, tuple[str, str]]) -> pd.DataFrame:
    """What each step of a full factorial experiment adds, in percent of the metric's overall mean: a row a step, a column a metric.

    `scores` is tidy with one column a factor beside `id`, `metric` and `value`; `levels` names a step and the two levels (without, with) of
    the factor that holds both. The effect is the mean over everything else of value with minus value without.
    """
    rows = {}
    for step, (without, included) in levels.items():
        factor = next(name for name in factors if {without, included} <= set(scores[name]))
        grouped = scores.groupby(["metric", factor], sort=False)["value"].mean().unstack()
        rows[step] = 100 * (grouped[included] - grouped[without]) / scores.groupby("metric")["value"].mean().abs()
    frame = pd.DataFrame(rows).T
    return frame[[name for name in METRICS if name in frame.columns] + [name for name in frame.columns if name not in METRICS]]


def _marked(values: pd.Series, direction: str, digits: int) -> list[str]:
    """Numbers as text, the best in bold (Markdown), in a group of at least two."""
    best = values.max() if direction == "higher" else values.min()
    texts = ["" if np.isnan(value) else f"{value:.{digits}f}" for value in values]
    several = values.notna().sum() > 1
    return [f"**{text}**" if several and text and value == best else text for text, value in zip(texts, values, strict=True)]


def table(frame: pd.DataFrame, path: str | Path, caption: str = "", digits: int = 3) -> pd.DataFrame:
    """Write a table as `<path>.csv` (all digits), `.md` and `.tex` (booktabs), and return it as shown there.

    Columns that are metrics (`frame` is what `means` gives) get the arrow of their better direction, the best of each set in bold.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    shown = frame.astype(object).copy()
    for name in (name for name in frame.select_dtypes("number") if name in METRICS):
        for _, group in frame.groupby(level=0, sort=False):
            shown.loc[group.index, name] = _marked(group[name], METRICS[name].direction, digits)
    shown = shown.rename(columns={name: f"{name} {METRICS[name].arrow}" for name in frame.columns if name in METRICS})
    flat, shown = (each if isinstance(frame.index, pd.RangeIndex) else each.reset_index() for each in (frame, shown))
    printed = shown.map(lambda cell: f"{cell:.{digits}f}" if isinstance(cell, float) else cell)
    text = (f"{caption}\n\n" if caption else "") + printed.to_markdown(index=False, disable_numparse=True) + "\n"
    latex = printed.map(lambda cell: _latex(str(cell))).rename(columns=_latex)
    latex = latex.to_latex(index=False, escape=False, caption=_latex(caption) or None)
    for suffix, content in ((".csv", flat.to_csv(index=False)), (".md", text), (".tex", latex)):
        beside = path.with_name(f".{path.name}{suffix}.{os.getpid()}")
        beside.write_text(content, encoding="utf-8")
        beside.replace(path.with_name(path.name + suffix))
    return printed


def _latex(text: str) -> str:
    """Text of a table's cell in LaTeX: arrows, bold and the characters that LaTeX reads as commands."""
    for plain, command in (("_", r"\_"), ("%", r"\%"), ("&", r"\&"), ("↑", r"$\uparrow$"), ("↓", r"$\downarrow$")):
        text = text.replace(plain, command)
    return rf"\textbf{{{text[2:-2]}}}" if text.startswith("**") and text.endswith("**") else text


def montage(images: Sequence[np.ndarray], titles: Sequence[str], columns: int, width: float = 12.0) -> Figure:
    """Figure of images in a grid, row by row; grey ones with 0 black and 255 white, weight maps must be given as levels."""
    if len(images) != len(titles) or not images:
        raise ValueError(f"images, titles: found {len(images)} and {len(titles)}, expected as many of both, at least one")
    rows = -(-len(images) // columns)
    aspect = np.mean([image.shape[0] / image.shape[1] for image in images])
    figure, axes = plt.subplots(
        rows, columns, figsize=(width, rows * (width / columns * aspect + 0.35)), squeeze=False, layout="constrained"
    )
    for axis in axes.flat[len(images) :]:
        axis.set_axis_off()
    for axis, image, title in zip(axes.flat, images, titles, strict=False):
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set(color="0.6", linewidth=0.5)  # a frame, or white images would have no edge
        levels = np.clip(image, 0, 255).astype(np.uint8)
        axis.imshow(levels, cmap="gray" if levels.ndim == 2 else None, vmin=0, vmax=255, interpolation="antialiased")
        axis.set_title(title, fontsize=9)
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

"""Notebook 2: right answers of several networks side by side, with their intervals."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ivfnb.classifier import appraisal
from ivfnb.report.figures import plain

MARKERS = "osD^v"
Shades = Mapping[str, str]  # colour by network


def _spread(table: pd.DataFrame) -> np.ndarray:
    """Distances of the interval's ends from the share of right answers, as Matplotlib wants them."""
    return np.abs([table["right, %"] - table["from"], table["to"] - table["right, %"]])


def answers_panel(axis: Axes, table: pd.DataFrame, shades: Shades, title: str, xlabel: str) -> None:
    """Draw the right answers of every network with their intervals, a place a group.

    Parameters
    ----------
    axis : Axes
        To draw on.
    table : DataFrame indexed by network and group
        With the columns "right, %", "from" and "to", as `appraisal.accuracy` gives it.
    shades : mapping of str to str
        Colours by network.
    title, xlabel : str
        What the panel and its groups are.
    """
    places = {group: place for place, group in enumerate(dict.fromkeys(table.index.get_level_values(1)))}
    for (name, colour), shift, marker in zip(shades.items(), np.linspace(-0.2, 0.2, len(shades)), MARKERS, strict=False):
        chosen = table.loc[name]
        where = [places[group] + shift for group in chosen.index]
        axis.errorbar(where, chosen["right, %"], yerr=_spread(chosen), fmt=marker, ms=5, color=colour, capsize=3, label=plain(name))
    axis.set(title=title, xlabel=xlabel, ylabel="right, %")
    axis.set_xticks(range(len(places)), list(places))


def answers_chart(by_blur: pd.DataFrame, by_texture: pd.DataFrame, shades: Shades) -> Figure:
    """Right answers by blur and by texture, side by side.

    Parameters
    ----------
    by_blur, by_texture : DataFrame indexed by network and group
        As `appraisal.accuracy` gives them; of the first only the groups of blurs ("taps") are drawn.
    shades : mapping of str to str
        Colours by network.

    Returns
    -------
    Figure
    """
    figure, axes = plt.subplots(1, 2, figsize=(12, 3.8), width_ratios=(2, 3), layout="constrained")
    sizes = by_blur[by_blur.index.get_level_values(1).str.endswith("taps")]
    answers_panel(axes[0], sizes, shades, "By blur size", "kernel")
    answers_panel(axes[1], by_texture, shades, "By texture level", "standard deviation of the sharp block, grey levels")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def branches_chart(contributions: pd.DataFrame, shades: Shades) -> Figure:
    """Right answers with branches silenced, a group of bars for each choice of branches.

    Parameters
    ----------
    contributions : DataFrame indexed by network and branches
        With the column "right, %".
    shades : mapping of str to str
        Colours by network.

    Returns
    -------
    Figure
    """
    names = list(dict.fromkeys(contributions.index.get_level_values(0)))
    wide = contributions["right, %"].unstack(0).loc[list(dict.fromkeys(contributions.index.get_level_values(1)))]
    figure, axis = plt.subplots(figsize=(9, 3.4), layout="constrained")
    for name, shift in zip(names, np.linspace(-0.2, 0.2, len(names)), strict=True):
        axis.bar(np.arange(len(wide)) + shift, wide[name], width=0.36, color=shades[name], label=plain(name))
    axis.axhline(50, color="0.3", lw=1, ls="--")
    axis.set(title="Right answers with branches silenced (dashed: guessing)", ylabel="right, %", ylim=(40, 102))
    axis.set_xticks(range(len(wide)), wide.index)
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def transfer_chart(transferred: pd.DataFrame, domains: Sequence[str], shades: Shades) -> Figure:
    """Right answers by kind of image, on all blocks and on those with texture.

    Parameters
    ----------
    transferred : DataFrame indexed by network and images
        As `appraisal.right_answers` of `appraisal.with_textured`: a kind of images, and the same with ", textured".
    domains : sequence of str
        Kinds of images, from the top.
    shades : mapping of str to str
        Colours by network.

    Returns
    -------
    Figure
    """
    names = list(dict.fromkeys(transferred.index.get_level_values(0)))
    figure, axes = plt.subplots(1, 2, figsize=(12, 0.9 + 0.42 * len(domains)), sharey=True, layout="constrained")
    for axis, suffix, title in zip(axes, ("", ", textured"), ("All blocks", "Blocks with texture"), strict=True):
        for name, shift, marker in zip(names, np.linspace(-0.12, 0.12, len(names)), "sD^v", strict=False):
            chosen = transferred.loc[name].reindex([domain + suffix for domain in domains])
            where = np.arange(len(domains)) + shift
            drawn = {"fmt": marker, "color": shades[name], "capsize": 3, "label": plain(name)}
            axis.errorbar(chosen["right, %"], where, xerr=_spread(chosen), **drawn)
        axis.set(title=f"{title}, right answers", xlabel="right, %")
        axis.grid(axis="x", color="0.9")
    axes[0].set_yticks(range(len(domains)), [plain(domain) for domain in domains])
    axes[0].set_ylim(len(domains) - 0.5, -0.5)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def calibration_chart(groups: Mapping[str, Mapping[str, pd.DataFrame]], shades: Shades) -> Figure:
    """Share of right answers against confidence, a panel a kind of images; a bar marks the mean confidence itself.

    Parameters
    ----------
    groups : mapping of str to (mapping of str to DataFrame)
        By a title, outcomes (`classifier.appraisal`) by network.
    shades : mapping of str to str
        Colours by network.

    Returns
    -------
    Figure

    Notes
    -----
    In a calibrated network the dots lie on the bars.
    """
    steps = [f"{100 * low:g} to {100 * high:g}" for low, high in pairwise(appraisal.CONFIDENCE_EDGES)]
    figure, axes = plt.subplots(1, len(groups), figsize=(6 * len(groups), 4.2), sharey=True, squeeze=False, layout="constrained")
    for axis, (title, outcomes) in zip(axes[0], groups.items(), strict=True):
        for (name, outcome), shift, marker in zip(outcomes.items(), np.linspace(-0.15, 0.15, len(outcomes)), "sD^v", strict=False):
            bins = appraisal.calibration(outcome)
            where = [steps.index(step) + shift for step in bins.index]
            label = plain(f"{name}: calibration error {appraisal.calibration_error(outcome):.2f} points")
            axis.errorbar(where, bins["right, %"], yerr=_spread(bins), fmt=marker, color=shades[name], capsize=2, label=label)
            axis.scatter(where, bins["mean confidence, %"], marker="_", s=260, color="black", zorder=3)
        axis.set(title=plain(f"Calibration, {title}"), xlabel="confidence, %", xlim=(-0.5, len(steps) - 0.5))
        axis.set_xticks(range(len(steps)), steps, fontsize=8)
        axis.legend(loc="lower right", fontsize=9)
    axes[0][0].set_ylabel("right, %")
    return figure

"""Charts of scores: box plots, curves over the pairs, radar, gains over a reference."""

from collections.abc import Sequence
from typing import cast

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.projections.polar import PolarAxes

from ivfnb.metrics import METRICS
from ivfnb.report.figures import OTHERS, colours, label, panels, plain, title_of


def boxplot(scores: pd.DataFrame, metrics: Sequence[str], highlighted: Sequence[str] = (), title: str = "") -> Figure:
    """How the values of each method spread over the pairs: a panel a metric, a box a method.

    Parameters
    ----------
    scores : DataFrame
        Tidy: columns method, id (of the pair), metric, value in the metric's unit.
    metrics : sequence of str
        Of the registry.
    highlighted : sequence of str
        Methods that are drawn in colour.
    title : str

    Returns
    -------
    Figure

    Notes
    -----
    Methods stand in order of appearance; one that has fewer pairs than another says how many. A box spans the quartiles, its whiskers reach
    to the farthest value within 1.5 of their distance, values beyond are points.

    References
    ----------
    McGill, Tukey and Larsen 1978, doi 10.2307/2683468
    """
    pairs = scores.groupby("method", sort=False)["id"].nunique()
    methods = list(pairs.index)
    labels = [plain(str(name) if count == pairs.max() else f"{name} ({count} of {pairs.max()})") for name, count in pairs.items()]
    shades = colours(highlighted)
    figure, axes, _ = panels(len(metrics), 4, (3.6, 0.8 + 0.19 * len(methods)), sharey=True)
    for axis, metric in zip(axes, metrics, strict=True):
        chosen = scores[scores["metric"] == metric]
        values = [chosen.loc[chosen["method"] == method, "value"].dropna() for method in methods]
        drawn = axis.boxplot(
            values, orientation="horizontal", patch_artist=True, widths=0.65, medianprops={"color": "black"}, flierprops={"markersize": 2.5}
        )
        for box, method in zip(drawn["boxes"], methods, strict=True):
            box.set(facecolor=shades.get(method, OTHERS), linewidth=0.6)
        axis.set(title=title_of(metric), xlabel=label(metric))
        axis.set_yticks(range(1, len(methods) + 1), labels, fontsize=7.5)
        axis.grid(axis="x", color="0.9")
        axis.set_axisbelow(True)
    axes[0].invert_yaxis()
    figure.suptitle(plain(title))
    return figure


def curves(scores: pd.DataFrame, metrics: Sequence[str], highlighted: Sequence[str], title: str = "") -> Figure:
    """Values over the pairs: a panel a metric, highlighted methods in colour, all others thin and grey.

    Parameters
    ----------
    scores : DataFrame
        Tidy: columns method, id (of the pair), metric, value in the metric's unit.
    metrics : sequence of str
        Of the registry.
    highlighted : sequence of str
        Methods in colour; those that `scores` lacks are passed over.
    title : str

    Returns
    -------
    Figure
    """
    ids = list(dict.fromkeys(scores["id"]))
    shades = colours(highlighted)
    figure, axes, spare = panels(len(metrics), 3, (5.0, 2.5), sharex=True)
    for axis, metric in zip(axes, metrics, strict=True):
        wide = scores[scores["metric"] == metric].pivot(index="id", columns="method", values="value").reindex(ids)
        for method in (name for name in wide if name not in shades):
            axis.plot(range(len(ids)), wide[method], color=OTHERS, lw=0.7, marker=".", ms=2, zorder=1)
        for method, marker in zip((name for name in shades if name in wide), "osD^vP*X", strict=False):
            axis.plot(range(len(ids)), wide[method], color=shades[method], lw=1.4, marker=marker, ms=3.5, label=plain(method), zorder=2)
        axis.set(title=title_of(metric), ylabel=label(metric))
        axis.set_xticks(range(len(ids)), ids, rotation=90 if max(map(len, ids)) > 2 else 0, fontsize=7)
        axis.tick_params(labelbottom=True)
    for axis in axes[-3:]:
        axis.set_xlabel("pair")
    handles, labels = axes[0].get_legend_handles_labels()
    handles.append(plt.Line2D([], [], color=OTHERS, lw=0.7, marker=".", ms=2))
    (spare or axes[0]).legend(handles, [*labels, "other methods"], loc="center" if spare else "best", fontsize=9, frameon=False)
    figure.suptitle(plain(title))
    return figure


def radar(means: pd.DataFrame, metrics: Sequence[str], highlighted: Sequence[str], title: str = "") -> Figure:
    """Means of the highlighted methods, each axis from the worst (centre) to the best (rim) of all methods.

    Parameters
    ----------
    means : DataFrame (methods, metrics)
        In the metrics' units.
    metrics : sequence of str
        Of the registry; an axis each.
    highlighted : sequence of str
        Methods that are drawn; those that `means` lacks are passed over.
    title : str

    Returns
    -------
    Figure

    Notes
    -----
    A metric in which all methods are equal, or that a method lacks, is drawn half way.
    """
    signs = pd.Series({name: METRICS[name].sign for name in metrics})
    turned = means[list(metrics)] * signs
    scaled = (turned - turned.min()) / (turned.max() - turned.min()).replace(0, np.nan)
    angles = np.linspace(0, 2 * np.pi, len(metrics), endpoint=False)
    figure = plt.figure(figsize=(9.6, 6), layout="constrained")
    axis = cast(PolarAxes, figure.add_subplot(projection="polar"))
    for (method, colour), style in zip(colours(highlighted).items(), ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1))), strict=False):
        if method in scaled.index:
            values = scaled.loc[method].fillna(0.5).to_numpy()
            axis.plot(np.append(angles, angles[0]), np.append(values, values[0]), color=colour, ls=style, lw=1.8, label=plain(method))
            axis.fill(angles, values, color=colour, alpha=0.06)
    axis.set_theta_offset(np.pi / 2)
    axis.set_xticks(angles, [title_of(name) for name in metrics])
    axis.tick_params(axis="x", pad=8)
    axis.set_yticks([0.5, 1], ["", ""])
    axis.set_ylim(0, 1.02)
    legend = axis.legend(loc="center left", bbox_to_anchor=(1.12, 0.5), frameon=False)
    legend.set_title(f"rim: best mean of {len(means)} methods\ncentre: worst")
    axis.set_title(plain(title), pad=16)
    return figure


def gains(frame: pd.DataFrame, highlighted: Sequence[str], title: str = "") -> Figure:
    """By how much methods better a reference: a group of bars a metric, a bar a method.

    Parameters
    ----------
    frame : DataFrame (methods, metrics)
        Percent; above 0 is better than the reference.
    highlighted : sequence of str
        Methods that are drawn in colour.
    title : str

    Returns
    -------
    Figure

    Notes
    -----
    The axis is linear near 0 and logarithmic farther away.
    """
    figure, axis = plt.subplots(figsize=(10, 3.6), layout="constrained")
    width = 0.8 / len(frame)
    shades = colours(highlighted)
    for i, name in enumerate(frame.index):
        places = np.arange(frame.shape[1]) + width * (i - (len(frame) - 1) / 2)
        axis.bar(places, frame.loc[name], width=0.9 * width, color=shades.get(name, OTHERS), label=plain(name))
    axis.axhline(0, color="black", lw=0.8)
    axis.set_xticks(range(frame.shape[1]), [title_of(name) for name in frame.columns])
    axis.set(title=plain(title), ylabel="better by, %", yscale="symlog")
    figure.legend(loc="outside lower center", ncols=len(frame))
    return figure

"""Charts of scores: box plots, curves over the pairs, radar, cost against quality, critical differences, correlations of metrics."""

from collections.abc import Iterable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from ivfnb.metrics import METRICS
from ivfnb.report.figures import OTHERS, colours
from ivfnb.report.statistics import cliques


def _title(metric: str) -> str:
    return f"{metric} {METRICS[metric].arrow}"


def _label(metric: str) -> str:
    unit = METRICS[metric].unit
    return metric if unit == "1" else f"{metric}, {unit}"


def _panels(count: int, columns: int, size: tuple[float, float], **more: bool) -> tuple[Figure, list[Axes], Axes | None]:
    """Figure, its panels, and a spare one for the legend where the grid has one."""
    rows = -(-count // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(size[0] * columns, size[1] * rows), squeeze=False, layout="constrained", **more)
    for axis in axes.flat[count:]:
        axis.set_axis_off()
    return figure, list(axes.flat[:count]), axes.flat[count] if axes.size > count else None


def boxplot(scores: pd.DataFrame, metrics: Sequence[str], highlighted: Sequence[str] = (), title: str = "") -> Figure:
    """A panel a metric, a box a method (in order of appearance) over its pairs: quartiles, whiskers to 1.5 of their distance, outliers.

    A method that has fewer pairs than another says how many.
    """
    pairs = scores.groupby("method", sort=False)["id"].nunique()
    methods = list(pairs.index)
    labels = [name if count == pairs.max() else f"{name} ({count} of {pairs.max()})" for name, count in pairs.items()]
    shades = colours(highlighted)
    figure, axes, _ = _panels(len(metrics), 4, (3.6, 0.8 + 0.19 * len(methods)), sharey=True)
    for axis, metric in zip(axes, metrics, strict=True):
        chosen = scores[scores["metric"] == metric]
        values = [chosen.loc[chosen["method"] == method, "value"].dropna() for method in methods]
        drawn = axis.boxplot(
            values, orientation="horizontal", patch_artist=True, widths=0.65, medianprops={"color": "black"}, flierprops={"markersize": 2.5}
        )
        for box, method in zip(drawn["boxes"], methods, strict=True):
            box.set(facecolor=shades.get(method, OTHERS), linewidth=0.6)
        axis.set(title=_title(metric), xlabel=_label(metric))
        axis.set_yticks(range(1, len(methods) + 1), labels, fontsize=7.5)
        axis.grid(axis="x", color="0.9")
        axis.set_axisbelow(True)
    axes[0].invert_yaxis()
    figure.suptitle(title)
    return figure


def curves(scores: pd.DataFrame, metrics: Sequence[str], highlighted: Sequence[str], title: str = "") -> Figure:
    """A panel a metric, its values over the pairs: highlighted methods in colour, all others thin and grey."""
    ids = list(dict.fromkeys(scores["id"]))
    shades = colours(highlighted)
    figure, axes, spare = _panels(len(metrics), 3, (5.0, 2.5), sharex=True)
    for axis, metric in zip(axes, metrics, strict=True):
        wide = scores[scores["metric"] == metric].pivot(index="id", columns="method", values="value").reindex(ids)
        for method in (name for name in wide if name not in shades):
            axis.plot(range(len(ids)), wide[method], color=OTHERS, lw=0.7, marker=".", ms=2, zorder=1)
        for method, marker in zip((name for name in shades if name in wide), "osD^vP*X", strict=False):
            axis.plot(range(len(ids)), wide[method], color=shades[method], lw=1.4, marker=marker, ms=3.5, label=method, zorder=2)
        axis.set(title=_title(metric), ylabel=_label(metric))
        axis.set_xticks(range(len(ids)), ids, rotation=90 if max(map(len, ids)) > 2 else 0, fontsize=7)
        axis.tick_params(labelbottom=True)
    for axis in axes[-3:]:
        axis.set_xlabel("pair")
    handles, labels = axes[0].get_legend_handles_labels()
    handles.append(plt.Line2D([], [], color=OTHERS, lw=0.7, marker=".", ms=2))
    (spare or axes[0]).legend(handles, [*labels, "other methods"], loc="center" if spare else "best", fontsize=9, frameon=False)
    figure.suptitle(title)
    return figure


def radar(means: pd.DataFrame, metrics: Sequence[str], highlighted: Sequence[str], title: str = "") -> Figure:
    """Means of the highlighted methods (rows of `means`), each axis from the worst (centre) to the best (rim) of all rows."""
    signs = pd.Series({name: 1 if METRICS[name].direction == "higher" else -1 for name in metrics})
    turned = means[list(metrics)] * signs
    scaled = (turned - turned.min()) / (turned.max() - turned.min()).replace(0, np.nan)
    angles = np.linspace(0, 2 * np.pi, len(metrics), endpoint=False)
    figure, axis = plt.subplots(figsize=(9.6, 6), layout="constrained", subplot_kw={"polar": True})
    for (method, colour), style in zip(colours(highlighted).items(), ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1))), strict=False):
        if method in scaled.index:
            values = scaled.loc[method].fillna(0.5).to_numpy()
            axis.plot(np.append(angles, angles[0]), np.append(values, values[0]), color=colour, ls=style, lw=1.8, label=method)
            axis.fill(angles, values, color=colour, alpha=0.06)
    axis.set_theta_offset(np.pi / 2)
    axis.set_xticks(angles, [_title(name) for name in metrics])
    axis.tick_params(axis="x", pad=8)
    axis.set_yticks([0.5, 1], ["", ""])
    axis.set_ylim(0, 1.02)
    legend = axis.legend(loc="center left", bbox_to_anchor=(1.12, 0.5), frameon=False)
    legend.set_title(f"rim: best mean of {len(means)} methods\ncentre: worst")
    axis.set_title(title, pad=16)
    return figure


def _set_apart(axis: Axes, points: pd.DataFrame) -> None:
    """Names beside points (columns seconds, rank), moved in height where one would cover another."""
    decades = np.subtract(*np.log10(axis.get_xlim())[::-1])
    gap, placed = 0.042 * (np.ptp(points["rank"]) or 1), []
    for name, row in points.iterrows():
        left = np.log10(row["seconds"]) + 0.012 * decades
        right, height = left + 0.0085 * decades * len(name), row["rank"]
        while any(left < other[1] and other[0] < right and abs(height - other[2]) < gap for other in placed):
            height += gap / 4
        placed.append((left, right, height))
        axis.annotate(name, (row["seconds"], row["rank"]), (10**left, height), va="center", fontsize=8)


def cost_chart(seconds: pd.Series, ranks: pd.Series, highlighted: Sequence[str] = (), title: str = "") -> Figure:
    """Time per pair against the average rank: one point a method that both know; lower left is fast and good."""
    both = pd.DataFrame({"seconds": seconds, "rank": ranks}).dropna().sort_values("rank")
    figure, axis = plt.subplots(figsize=(9, 5.2), layout="constrained")
    shades = colours(highlighted)
    axis.scatter(both["seconds"], both["rank"], s=42, color=[shades.get(name, "0.45") for name in both.index], zorder=2)
    axis.set_xscale("log")
    low, high = both["seconds"].min(), both["seconds"].max()
    axis.set_xlim(low / 2, 2 * high * (high / low) ** 0.25)  # room for the last name
    _set_apart(axis, both)
    axis.invert_yaxis()
    axis.grid(color="0.9", which="both", lw=0.5)
    axis.set(title=title, xlabel="seconds to fuse a pair, median", ylabel="average rank over the metrics (1 is best)")
    return figure


def gains(frame: pd.DataFrame, highlighted: Sequence[str], title: str = "") -> Figure:
    """Percent by which methods (rows) better a reference, a group of bars a metric (column), on an axis that is linear only near 0."""
    figure, axis = plt.subplots(figsize=(10, 3.6), layout="constrained")
    width = 0.8 / len(frame)
    shades = colours(highlighted)
    for i, name in enumerate(frame.index):
        places = np.arange(frame.shape[1]) + width * (i - (len(frame) - 1) / 2)
        axis.bar(places, frame.loc[name], width=0.9 * width, color=shades.get(name, OTHERS), label=name)
    axis.axhline(0, color="black", lw=0.8)
    axis.set_xticks(range(frame.shape[1]), [_title(name) for name in frame.columns])
    axis.set(title=title, ylabel="better by, %", yscale="symlog")
    figure.legend(loc="outside lower center", ncols=len(frame))
    return figure


def _difference_diagram(axis: Axes, ranks: pd.Series, difference: float, shades: Mapping[str, str]) -> None:
    """Average ranks on a line, names at both sides, a bar over methods that do not differ significantly (Demsar 2006)."""
    ordered, count = ranks.sort_values(), len(ranks)
    half = -(-count // 2)
    groups = cliques(ordered, difference)
    ceiling = 1.2 + 0.45 * len(groups)
    axis.set(xlim=(1 - 0.42 * count, count + 0.42 * count), ylim=(-half - 0.8, ceiling + 2.2))
    axis.set_axis_off()
    axis.hlines(ceiling, 1, count, color="black", lw=1)
    for tick in np.unique(np.linspace(1, count, min(count, 8)).round().astype(int)):
        axis.vlines(tick, ceiling, ceiling + 0.25, color="black", lw=1)
        axis.text(tick, ceiling + 0.4, str(tick), ha="center", va="bottom", fontsize=7)
    axis.plot([1, min(1 + difference, count)], [ceiling + 1.7] * 2, color="black", lw=1.5)
    axis.text(1 + min(difference, count - 1) + 0.1, ceiling + 1.7, f"CD {difference:.2f}", va="center", fontsize=7)
    for i, (name, rank) in enumerate(ordered.items()):
        left = i < half
        row, side = -(i if left else count - 1 - i) - 0.3, 1 - 0.05 * count if left else count + 0.05 * count
        colour = shades.get(name, "0.35")
        axis.plot([rank, rank, side], [ceiling, row, row], color=colour, lw=0.8)
        gap = (-0.03 if left else 0.03) * count
        axis.text(
            side + gap,
            row,
            f"{name}  {rank:.1f}" if left else f"{rank:.1f}  {name}",
            ha="right" if left else "left",
            va="center",
            fontsize=7,
            color=colour,
        )
    for i, (first, last) in enumerate(groups):
        axis.hlines(ceiling - 0.45 * (i + 1), ranks[first] - 0.05, ranks[last] + 0.05, color="black", lw=2.5)


def difference_diagrams(significance: pd.DataFrame, highlighted: Iterable[str] = (), title: str = "") -> Figure:
    """A critical-difference diagram for each metric (row) of `statistics.significance`: best methods at the left."""
    methods = list(significance.columns[5:])
    shades = colours(highlighted)
    figure, axes, spare = _panels(len(significance), 2, (7.4, 1.3 + 0.115 * len(methods)))
    for axis, (metric, row) in zip(axes, significance.iterrows(), strict=True):
        _difference_diagram(axis, row[methods].astype(float), row["critical difference"], shades)
        axis.set_title(f"{_title(metric)}: Friedman p = {row['p']:.1e}, {int(row['pairs'])} pairs", fontsize=9)
    if spare is not None:
        text = (
            "Average rank over the pairs, 1 is best.\nA bar joins methods whose ranks differ by less\n"
            "than the critical difference (CD; Nemenyi, 5 %)."
        )
        spare.text(0.5, 0.5, text, ha="center", va="center", fontsize=9, transform=spare.transAxes)
    figure.suptitle(title)
    return figure


def correlation_chart(matrix: pd.DataFrame, title: str = "") -> Figure:
    """Matrix of rank correlations with its numbers, metrics that go together beside each other."""
    distance = (1 - matrix.fillna(0)).clip(lower=0).to_numpy()
    distance = (distance + distance.T) / 2
    np.fill_diagonal(distance, 0)
    order = hierarchy.leaves_list(hierarchy.optimal_leaf_ordering(hierarchy.average(squareform(distance)), squareform(distance)))
    ordered = matrix.iloc[order, order]
    figure, axis = plt.subplots(figsize=(7, 6), layout="constrained")
    shown = axis.imshow(ordered, cmap="PuOr", vmin=-1, vmax=1)
    names = [_title(name) for name in ordered]
    axis.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axis.set_yticks(range(len(names)), names)
    for (row, column), value in np.ndenumerate(ordered.to_numpy()):
        if np.isfinite(value):
            axis.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=8, color="white" if abs(value) > 0.7 else "black")
    figure.colorbar(shown, label="rank correlation, more is better for both", shrink=0.8)
    axis.set_title(title)
    return figure

"""Charts that compare: critical differences of ranks, cost against quality, correlations of metrics."""

from collections.abc import Iterable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from ivfnb.report.figures import colours, panels, plain, title_of
from ivfnb.report.ranks import ALPHA, Significance, nemenyi


def _set_apart(axis: Axes, points: pd.DataFrame) -> None:
    """Names beside points (columns seconds, rank), moved in height where one would cover another."""
    decades = np.subtract(*np.log10(axis.get_xlim())[::-1])
    gap, placed = 0.042 * (np.ptp(points["rank"]) or 1), list[tuple[float, float, float]]()
    for name, row in zip(map(str, points.index), points.to_dict("records"), strict=True):
        left = np.log10(row["seconds"]) + 0.012 * decades
        right, height = left + 0.0085 * decades * len(name), row["rank"]
        while any(left < other[1] and other[0] < right and abs(height - other[2]) < gap for other in placed):
            height += gap / 4
        placed.append((left, right, height))
        axis.annotate(plain(name), (row["seconds"], row["rank"]), (10**left, height), va="center", fontsize=8)


def cost_chart(seconds: pd.Series, ranks: pd.Series, highlighted: Sequence[str] = (), title: str = "") -> Figure:
    """Time per pair against the average rank: one point a method that both know; the upper left is fast and good.

    Parameters
    ----------
    seconds : Series
        Seconds to fuse a pair, by method.
    ranks : Series
        Average rank (1 is best), by method.
    highlighted : sequence of str
        Methods that are drawn in colour.
    title : str

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        Where no method has both.
    """
    both = pd.DataFrame({"seconds": seconds, "rank": ranks}).dropna().sort_values("rank")
    if both.empty:
        raise ValueError(f"seconds, ranks: found {list(seconds.index)} and {list(ranks.index)}, expected a method that both have")
    figure, axis = plt.subplots(figsize=(9, 5.2), layout="constrained")
    shades = colours(highlighted)
    axis.scatter(both["seconds"], both["rank"], s=42, color=[shades.get(name, "0.45") for name in both.index], zorder=2)
    axis.set_xscale("log")
    low, high = both["seconds"].min(), both["seconds"].max()
    axis.set_xlim(low / 2, 2 * high * (high / low) ** 0.25)  # room for the last name
    _set_apart(axis, both)
    axis.invert_yaxis()
    axis.grid(color="0.9", which="both", lw=0.5)
    axis.set(title=plain(title), xlabel="seconds to fuse a pair, median", ylabel="average rank over the metrics (1 is best)")
    return figure


def _difference_diagram(axis: Axes, ranks: pd.Series, values: pd.DataFrame, difference: float, shades: Mapping[str, str]) -> None:
    """One metric's diagram by scikit-posthocs, with the same scale in every panel."""
    from scikit_posthocs import critical_difference_diagram  # late, for its import takes seconds

    count = len(ranks)
    p = nemenyi(values).rename(index=plain, columns=plain)
    critical_difference_diagram(
        ranks.rename(index=plain),
        p,
        alpha=ALPHA,
        ax=axis,
        label_fmt_left="{label}  {rank:.1f}  ",
        label_fmt_right="  {rank:.1f}  {label}",
        label_props={"fontsize": 7},
        marker_props={"visible": False},  # the elbows say where
        elbow_props={"linewidth": 0.8},
        crossbar_props={"linewidth": 2.5},
        color_palette={plain(name): shades.get(name, "0.35") for name in ranks.index},
        text_h_margin=0.03 * count,
    )
    axis.set(xlim=(1 - 0.42 * count, count + 0.42 * count), ylim=(axis.get_ylim()[0] - 0.6, 2.2))
    axis.spines["top"].set_bounds(1, count)
    axis.set_xticks(np.unique(np.linspace(1, count, min(count, 8)).round().astype(int)))
    axis.tick_params(labelsize=7)
    shown = min(difference, count - 1)  # the library's own ruler covers the ticks' numbers
    axis.plot([1, 1 + shown], [1.8, 1.8], color="black", lw=1.5)
    axis.text(1.1 + shown, 1.8, f"CD {difference:.2f}", va="center", fontsize=7)


def difference_diagrams(significance: Significance, highlighted: Iterable[str] = (), title: str = "") -> Figure:
    """A critical-difference diagram for each metric: average ranks on a line, best at the left, a bar over methods that do not differ.

    Parameters
    ----------
    significance : Significance
        Outcome of `ranks.significance`, of at least one metric.
    highlighted : iterable of str
        Methods that are drawn in colour.
    title : str

    Returns
    -------
    Figure

    Notes
    -----
    Drawn by `scikit_posthocs.critical_difference_diagram`, from the p values of `nemenyi`.

    References
    ----------
    Demsar 2006, jmlr.org/papers/v7/demsar06a.html
    """
    shades, tests = colours(highlighted), significance.tests.to_dict("index")
    figure, axes, spare = panels(len(significance), 2, (7.4, 1.3 + 0.115 * significance.ranks.shape[1]))
    for axis, (metric, values) in zip(axes, significance.values.items(), strict=True):
        test, ranks = tests[metric], significance.ranks.T[metric]
        _difference_diagram(axis, ranks, values, test["critical difference"], shades)
        axis.set_title(f"{title_of(metric)}: Friedman p = {test['p']:.1e}, {int(test['pairs'])} pairs", fontsize=9)
    if spare is not None:
        text = (
            "Average rank over the pairs, 1 is best.\nA bar joins methods whose ranks differ by less\n"
            "than the critical difference (CD; Nemenyi, 5 %)."
        )
        spare.text(0.5, 0.5, text, ha="center", va="center", fontsize=9, transform=spare.transAxes)
    figure.suptitle(plain(title))
    return figure


def correlation_chart(matrix: pd.DataFrame, title: str = "") -> Figure:
    """Matrix of rank correlations with its numbers, metrics that go together beside each other.

    Parameters
    ----------
    matrix : DataFrame (metrics, metrics)
        -1..1, as of `correlations`; NaN stays empty.
    title : str

    Returns
    -------
    Figure

    Notes
    -----
    Metrics stand as the leaves of an average-linkage tree of 1 minus their correlation, its branches turned so that neighbours are alike.

    References
    ----------
    Bar-Joseph, Gifford and Jaakkola 2001, doi 10.1093/bioinformatics/17.suppl_1.S22
    """
    distance = (1 - matrix.fillna(0)).clip(lower=0).to_numpy()
    distance = (distance + distance.T) / 2
    np.fill_diagonal(distance, 0)
    order = hierarchy.leaves_list(hierarchy.optimal_leaf_ordering(hierarchy.average(squareform(distance)), squareform(distance)))
    ordered = matrix.iloc[order, order]
    figure, axis = plt.subplots(figsize=(7, 6), layout="constrained")
    shown = axis.imshow(ordered, cmap="PuOr", vmin=-1, vmax=1)
    names = [title_of(str(name)) for name in ordered]
    axis.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axis.set_yticks(range(len(names)), names)
    for (row, column), value in np.ndenumerate(ordered.to_numpy()):
        if np.isfinite(value):
            axis.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=8, color="white" if abs(value) > 0.7 else "black")
    figure.colorbar(shown, label="rank correlation, more is better for both", shrink=0.8)
    axis.set_title(plain(title))
    return figure

"""Right answers of several networks side by side, with their intervals."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

MARKERS = "osD^v"


def answers_panel(axis: Axes, table: pd.DataFrame, shades: Mapping[str, str], title: str, xlabel: str) -> None:
    """Draw the right answers of every network with their intervals, a place a group.

    Parameters
    ----------
    axis : Axes
        To draw on.
    table : DataFrame indexed by network and group
        With the columns "right, %", "from" and "to", as `appraisal.accuracy` gives it.
    shades : colours by network
    title, xlabel : what the panel and its groups are
    """
    places = {group: place for place, group in enumerate(dict.fromkeys(table.index.get_level_values(1)))}
    for (name, colour), shift, marker in zip(shades.items(), np.linspace(-0.2, 0.2, len(shades)), MARKERS, strict=False):
        chosen = table.loc[name]
        spread = [chosen["right, %"] - chosen["from"], chosen["to"] - chosen["right, %"]]
        where = [places[group] + shift for group in chosen.index]
        axis.errorbar(where, chosen["right, %"], yerr=np.abs(spread), fmt=marker, ms=5, color=colour, capsize=3, label=name)
    axis.set(title=title, xlabel=xlabel, ylabel="right, %")
    axis.set_xticks(range(len(places)), list(places))

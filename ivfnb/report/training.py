"""Notebook 2: the samples a classifier is trained on, how training went, and the samples that are hardest for it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ivfnb import enhance
from ivfnb.classifier import appraisal, patches
from ivfnb.report.figures import colours, plain
from ivfnb.report.montages import montage

if TYPE_CHECKING:
    from ivfnb.classifier.patches import PatchDataset

NEARLY_FLAT = 1  # grey level of deviation up to which a block is nearly flat


def sample_counts(parts: Mapping[str, "PatchDataset"]) -> pd.DataFrame:
    """How many samples there are of each kind.

    Parameters
    ----------
    parts : mapping of str to PatchDataset
        Parts of the samples by name.

    Returns
    -------
    DataFrame
        A column a part; rows: samples, those of each class and of each blur, those without texture, those that are nearly flat.

    Examples
    --------
    >>> flat = patches.samples_of([np.zeros((64, 64), np.uint8)], 4, seed=0)
    >>> sample_counts({"flat": flat})["flat"].tolist()[:3]
    [4, 2, 2]
    """
    columns = {}
    for part, samples in parts.items():
        order, blur, texture = samples.index.order, samples.index.blur_size, samples.texture()
        columns[part] = {
            "samples": len(samples),
            **{f"class {which}": int((order == which).sum()) for which in (0, 1)},
            **{f"{size} taps": int((blur == size).sum()) for size in patches.BLUR_SIZES},
            f"without texture (deviation at most {appraisal.TEXTURED:g} levels)": int((texture <= appraisal.TEXTURED).sum()),
            f"nearly flat (deviation at most {NEARLY_FLAT} level)": int((texture <= NEARLY_FLAT).sum()),
        }
    return pd.DataFrame(columns)


def texture_chart(parts: Mapping[str, "PatchDataset"]) -> Figure:
    """Which share of the samples has how much texture, a group of bars a level.

    Parameters
    ----------
    parts : mapping of str to PatchDataset
        Parts of the samples by name.

    Returns
    -------
    Figure
    """
    figure, axis = plt.subplots(figsize=(8, 3.2), layout="constrained")
    groups: dict[str, pd.DataFrame] = {}
    for (part, colour), shift in zip(colours(parts).items(), np.linspace(-0.2, 0.2, len(parts)), strict=True):
        groups = appraisal.by_texture(pd.DataFrame({"texture": parts[part].texture()}))
        shares = [100 * len(group) / len(parts[part]) for group in groups.values()]
        axis.bar(np.arange(len(groups)) + shift, shares, width=0.38, color=colour, label=plain(part))
    axis.set(title="Texture of the blocks", xlabel="standard deviation of the sharp block, grey levels", ylabel="samples, %")
    axis.set_xticks(range(len(groups)), list(groups))
    axis.legend()
    return figure


def training_chart(log: pd.DataFrame, checks: pd.DataFrame) -> Figure:
    """Loss and accuracy batch by batch, smoothed, and on photographs that were not trained on.

    Parameters
    ----------
    log, checks : DataFrame
        `log` and `validation` of a training's `History`: columns step, loss (nats), accuracy (share).

    Returns
    -------
    Figure
    """
    smooth = log[["loss", "accuracy"]].ewm(halflife=8).mean()
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.4), layout="constrained")
    for axis, name, unit in zip(axes, ("loss", "accuracy"), ("nats", "share of the batch"), strict=True):
        axis.plot(log["step"], log[name], ".", color="#56B4E9", ms=3, label="each batch")
        axis.plot(log["step"], smooth[name], color="#0072B2", label="smoothed")
        if len(checks):
            axis.plot(checks["step"], checks[name], "D", color="#D55E00", ms=7, label="photographs not trained on, each epoch")
        axis.set(title=f"Training {name}", xlabel="batch", ylabel=unit)
    axes[0].set_yscale("log")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def hardest_montage(name: str, outcome: pd.DataFrame, samples: "PatchDataset", count: int = 10) -> Figure:
    """The samples with the largest loss, one of a block, each stretched to be seen.

    Parameters
    ----------
    name : str
        Of the network, for the title.
    outcome : DataFrame
        The network's outcome (`classifier.appraisal`) of the samples.
    samples : PatchDataset
    count : int
        How many are shown, in a row.

    Returns
    -------
    Figure
        A title says whether the answer was right, how sure the network was, and the grey levels that became black and white.
    """
    views, titles = [], []
    for i in appraisal.hardest(outcome, samples.index, count):
        view, row = samples[i][0][0].numpy(), outcome.iloc[i]
        sure = 100 * max(row["probability"], 1 - row["probability"])
        views.append(enhance.stretch(view))
        titles.append(f"{'right' if row['right'] else 'wrong'}, {sure:.1f} %\n{view.min():.0f} to {view.max():.0f}")
    figure = montage(views, titles, columns=len(views))
    figure.suptitle(plain(f"Hardest samples of {name}"))
    return figure


def wrong_answers(found: Mapping[str, pd.DataFrame], samples: "PatchDataset") -> pd.DataFrame:
    """What the wrongly judged samples have in common.

    Parameters
    ----------
    found : mapping of str to DataFrame
        Outcomes (`classifier.appraisal`) by network.
    samples : PatchDataset
        What they judged.

    Returns
    -------
    DataFrame
        A row a network: samples, wrong; of these, without texture, nearly flat, and with equal grey levels in both halves.
    """
    rows = {}
    for name, outcome in found.items():
        wrong = np.flatnonzero(~outcome["right"])
        texture = outcome["texture"].iloc[wrong]
        equal = sum(np.array_equal(*(half[0] for half in samples.halves(i))) for i in wrong)
        flat = (texture <= appraisal.TEXTURED).sum(), (texture <= NEARLY_FLAT).sum()
        rows[name] = (len(outcome), len(wrong), *map(int, flat), equal)
    columns = ["samples", "wrong", "without texture", "nearly flat", "equal grey levels in both halves"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("network")

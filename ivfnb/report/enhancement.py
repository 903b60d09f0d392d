"""Notebook 3: what the enhancements and the Retinex do to pairs, as tables and charts."""

from collections.abc import Iterable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ivfnb import enhance, images
from ivfnb.datasets import Dataset, ImagePair
from ivfnb.images import Image
from ivfnb.report.figures import plain
from ivfnb.report.montages import montage

STAGES = ("infrared", "stretched", "visible", "HDRC", "mean of both", "after SSR")


def stages(pair: ImagePair, sigma: float = 300.0) -> dict[str, Image]:
    """The images of a pair at every stage of the paper's enhancement, and its Retinex on the plain mean of the enhanced images.

    Parameters
    ----------
    pair : ImagePair
        Grey.
    sigma : float
        Of the Retinex' surround, pixels.

    Returns
    -------
    dict
        Arrays (h, w) of levels 0..255 by the names of `STAGES`.

    Examples
    --------
    >>> from ivfnb.datasets import dataset
    >>> list(stages(dataset("sample")[0]))[:2]
    ['infrared', 'stretched']
    """
    stretched, compressed = enhance.stretch(pair.infrared), enhance.hdrc(pair.visible)
    blend = (stretched + compressed) / 2
    return dict(zip(STAGES, (pair.infrared, stretched, pair.visible, compressed, blend, enhance.ssr(blend, sigma)), strict=True))


def spread_by_stage(sets: Iterable[Dataset], sigma: float = 300.0) -> pd.DataFrame:
    """Standard deviation of the grey levels at every stage, and how much of the Retinex one curve of the level explains.

    Parameters
    ----------
    sets : iterable of Dataset
        Sets of grey pairs.
    sigma : float
        Of the Retinex' surround, pixels.

    Returns
    -------
    DataFrame
        A row a pair: dataset, id, a column for each of `STAGES` (grey levels), and "one curve explains" (share of the variance, 0..1).

    Examples
    --------
    >>> from ivfnb.datasets import dataset
    >>> spread_by_stage([dataset("sample")[:1]]).round(1)[["id", "infrared", "stretched"]].values.tolist()
    [['astronaut', 47.5, 55.1]]
    """
    rows = []
    for pairs in sets:
        for pair in pairs:
            found = stages(pair, sigma)
            explained = enhance.explained_by_level(found["mean of both"], found["after SSR"])
            rows.append((pairs.name, pair.id, *(image.std() for image in found.values()), explained))
    return pd.DataFrame(rows, columns=["dataset", "id", *STAGES, "one curve explains"])


def histogram_chart(pairs: Sequence[ImagePair]) -> Figure:
    """Histograms of the grey levels before and after the enhancement, a row a pair.

    Parameters
    ----------
    pairs : sequence of ImagePair
        Grey.

    Returns
    -------
    Figure
    """
    figure, axes = plt.subplots(len(pairs), 2, figsize=(10, 0.5 + 2.5 * len(pairs)), squeeze=False, layout="constrained")
    for row, pair in zip(axes, pairs, strict=True):
        found = stages(pair)
        for axis, (source, enhanced) in zip(row, (STAGES[:2], STAGES[2:4]), strict=True):
            for name, color, label in ((source, "#0072B2", "source"), (enhanced, "#D55E00", "enhanced")):
                axis.hist(np.ravel(found[name]), bins=64, range=(0, 256), histtype="step", color=color, label=label)
            axis.set(title=plain(f"{pair.id}: {source}, {enhanced}"), xlabel="grey level", ylabel="pixels")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def contrast_montage(pairs: Sequence[ImagePair], title: str = "") -> Figure:
    """Maps of the local contrast before and after the enhancement, a row a pair, each row drawn with one scale.

    Parameters
    ----------
    pairs : sequence of ImagePair
        Grey.
    title : str

    Returns
    -------
    Figure

    Notes
    -----
    White is what 1 % of the pixels of the row's strongest map exceed; its level in grey levels stands in the first title of a row.
    """
    views, titles = [], []
    for pair in pairs:
        maps = {name: enhance.local_contrast(image) for name, image in list(stages(pair).items())[:4]}
        white = max(float(np.percentile(each, 99)) for each in maps.values())
        views += [np.clip(255 / white * each, 0, 255) for each in maps.values()]
        words = [f"{name}: mean {each.mean():.1f}" for name, each in maps.items()]
        titles += [f"{pair.id} (white {white:.0f}), {words[0]}", *words[1:]]
    figure = montage(views, titles, columns=4)
    figure.suptitle(plain(title))
    return figure


def curve_chart(blends: Mapping[str, Image], sigmas: Sequence[float]) -> Figure:
    """Output level of the Retinex against input level, for every seventh pixel: a row an image, a column a surround.

    Parameters
    ----------
    blends : mapping of str to array (h, w)
        Images by a name, levels 0..255.
    sigmas : sequence of float
        Deviations of the surround, pixels.

    Returns
    -------
    Figure
    """
    figure, axes = plt.subplots(
        len(blends), len(sigmas), figsize=(9, 0.4 + 3 * len(blends)), sharex=True, sharey=True, squeeze=False, layout="constrained"
    )
    for row, (name, blend) in zip(axes, blends.items(), strict=True):
        for axis, sigma in zip(row, sigmas, strict=True):
            axis.plot(np.ravel(blend)[::7], enhance.ssr(blend, sigma).ravel()[::7], ",", color="#0072B2")
            axis.set(title=plain(f"{name}: SSR, sigma {sigma:g} pixels"), xlim=(0, 255), ylim=(0, 255))
        row[0].set_ylabel("level after")
    for axis in axes[-1]:
        axis.set_xlabel("level before")
    return figure


def differences_to_authors(sources: Dataset, theirs: Dataset, quality: int = 75) -> pd.DataFrame:
    """Absolute differences of our enhanced images to those that the paper's authors released as JPEG files.

    Parameters
    ----------
    sources : Dataset
        Pairs that are enhanced here.
    theirs : Dataset
        The authors' enhanced pairs, in the same order.
    quality : int
        Of the JPEG through which ours go as theirs did.

    Returns
    -------
    DataFrame
        A row an image (id, image): "before JPEG, mean", "through JPEG, mean" and "through JPEG, largest" in grey levels, and "pixels that
        differ" through JPEG.

    Examples
    --------
    >>> from ivfnb.datasets import dataset
    >>> pairs = dataset("sample")[4:]
    >>> differences_to_authors(pairs, pairs).loc[("sentinel2", "infrared"), "before JPEG, mean"].item()
    0.0
    """
    rows = {}
    for source, published in zip(sources, theirs, strict=True):
        for kind, ours in (("infrared", enhance.stretch(source.infrared)), ("visible", enhance.hdrc(source.visible))):
            expected = getattr(published, kind)
            difference = images.through_jpeg(ours, quality).astype(int) - expected
            rows[source.id, kind] = {
                "before JPEG, mean": np.abs(images.to_uint8(ours).astype(int) - expected).mean(),
                "through JPEG, mean": np.abs(difference).mean(),
                "through JPEG, largest": np.abs(difference).max(),
                "pixels that differ": (difference != 0).sum(),
            }
    return pd.DataFrame(rows).T.rename_axis(["id", "image"])

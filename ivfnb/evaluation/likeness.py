"""Own fused images beside published ones: how alike they are, image by image."""

import numpy as np
import pandas as pd

from ivfnb import cache, datasets, images
from ivfnb.baselines import Baseline
from ivfnb.datasets import Dataset, ImagePair
from ivfnb.evaluation import entries
from ivfnb.evaluation.fitting import fit, is_crop
from ivfnb.evaluation.fused import fuse, pair_hash
from ivfnb.evaluation.methods import Method
from ivfnb.evaluation.wanted import Extra
from ivfnb.images import Image

JPEG_QUALITY = 75  # MATLAB's default, with which VIFB's fused images were written


def likeness(first: Image, second: Image) -> float:
    """Structural similarity (SSIM) of two images: 7x7 uniform window, range 255.

    Parameters
    ----------
    first, second : arrays (h, w), uint8
        Of one size of at least 7x7.

    Returns
    -------
    float
        At most 1, which only equal images reach.

    Notes
    -----
    scikit-image's with its defaults.

    References
    ----------
    Wang et al. 2004, doi 10.1109/TIP.2003.819861

    Examples
    --------
    >>> ramp = np.tile(np.arange(64, dtype=np.uint8), (64, 1))
    >>> likeness(ramp, ramp), likeness(ramp, ramp[:, ::-1]) < 0.5
    (1.0, True)
    """
    from skimage.metrics import structural_similarity  # imported late: it takes longer than the methods it judges

    return float(structural_similarity(first, second, data_range=255))


def fuse_uint8(baseline: Baseline, infrared: Image, visible: Image) -> Image:
    """Fused image of a comparison method as published images are made: rounded to 8 bits, colours fused one by one.

    Parameters
    ----------
    baseline : Baseline
    infrared : array (h, w)
    visible : array (h, w) or (h, w, 3) RGB
        Fused by the method's own rule for colour, else each of its channels with the infrared, as VIFB does it.

    Returns
    -------
    array of the visible image's shape, uint8

    Examples
    --------
    >>> from ivfnb.baselines import BASELINES
    >>> fuse_uint8(BASELINES["Mean"], np.zeros((2, 2)), np.full((2, 2, 3), 9)).tolist()[0]
    [[5, 5, 5], [5, 5, 5]]
    """
    if visible.ndim == 2:
        return images.to_uint8(baseline.fuse(infrared, visible))
    if baseline.competitor.color is not None:
        return images.to_uint8(baseline.competitor.color(infrared, visible, **baseline.parameters))
    return np.stack([images.to_uint8(baseline.fuse(infrared, visible[..., channel])) for channel in range(3)], axis=2)


def published_likeness(baseline: Baseline, pairs: str, published: str = "", ids: list[str] | None = None) -> list[dict]:
    """How alike own and published fused images of a set of pairs are, image by image.

    Parameters
    ----------
    baseline : Baseline
        The own implementation, in a variant.
    pairs : str
        Name of the set, "tno21" or "vifb21".
    published : str
        Name of the images; "": those of the baseline's own variant.
    ids : list of str, optional
        Limits the pairs.

    Returns
    -------
    list of dict
        A row a published image: "id", "ssim", "ssim_jpeg" (after our own went through JPEG too; None where the images were not published as
        JPEG), "equal" (share of equal pixels), "largest" and "mean_difference" (ours less theirs, grey levels).

    Raises
    ------
    ValueError
        Where the two differ in size.
    DatasetError
        Where the images are not at hand.

    Notes
    -----
    Both images are compared as luma, uint8.
    """
    found = datasets.dataset(f"published-{pairs}/{published or baseline.published[pairs]}", color=True)
    sources, rows = datasets.dataset(pairs, color=True), []
    for id in found.ids if ids is None else ids:
        theirs, pair = found[id], sources[id]
        ours, reference = fuse_uint8(baseline, pair.infrared, pair.visible), images.to_gray(theirs.fused)
        if fit(reference.shape, ours.shape[:2]) == "cropped" or fit(ours.shape[:2], reference.shape) == "cropped":
            height, width = np.minimum(ours.shape[:2], reference.shape)
            ours, reference = ours[:height, :width], reference[:height, :width]
        if ours.shape[:2] != reference.shape:
            raise ValueError(f"{id}: found a published image of shape {reference.shape}, expected that of the sources, {ours.shape[:2]}")
        jpeg = theirs.files["fused"].suffix.lower() in (".jpg", ".jpeg")
        difference = images.to_gray(ours).astype(np.float64) - reference
        rows.append(
            {
                "id": id,
                "ssim": likeness(images.to_gray(ours), reference),
                "ssim_jpeg": likeness(images.to_gray(images.through_jpeg(ours, JPEG_QUALITY)), reference) if jpeg else None,
                "equal": float(np.mean(difference == 0)),
                "largest": float(np.abs(difference).max()),
                "mean_difference": float(difference.mean()),
            }
        )
    return rows


def _aligned(first: Image, second: Image) -> tuple[Image, Image]:
    """Both images uint8 and of one size: what both show where one is a crop, else the first resized (bilinear) to the second."""
    first, second = images.to_uint8(first), images.to_uint8(second)
    if fit(first.shape, second.shape) == "cropped" and is_crop(first, second, second):
        return first, second[: first.shape[0], : first.shape[1]]
    if fit(second.shape, first.shape) == "cropped" and is_crop(second, first, first):
        return first[: second.shape[0], : second.shape[1]], second
    return images.resize(first, second.shape), second


def likeness_to(method: Method) -> Extra:
    """SSIM of a fused image to the one that another method has of the same pair.

    Parameters
    ----------
    method : Method
        Published images.

    Returns
    -------
    Extra
        For `extra` of `evaluate`.

    Examples
    --------
    >>> from ivfnb.datasets import dataset
    >>> from ivfnb.evaluation.methods import by_baseline
    >>> pair, mean = dataset("sample")[0], by_baseline("Mean")
    >>> likeness_to(mean)(mean.fuse(pair), pair)
    1.0
    """
    return Extra(
        lambda fused, pair: likeness(*_aligned(fused, images.to_gray(method.fuse(pair)))), (method.name, method.source), (__name__,)
    )


def difference_to(method: Method) -> Extra:
    """Mean absolute difference, grey levels, of a fused image to that of `method`, for `extra` of `evaluate`."""

    def difference(fused: Image, pair: ImagePair) -> float:
        first, second = _aligned(fused, images.to_gray(method.fuse(pair)))
        return float(np.abs(first.astype(float) - second).mean())

    return Extra(difference, ("difference", method.name, method.source), (__name__,))


def likenesses(data: Dataset, first: Method, second: Method) -> pd.Series:
    """Structural similarity (SSIM) of two methods' fused images, remembered.

    Parameters
    ----------
    data : Dataset
        A set of pairs.
    first, second : Method
        Where their sizes differ the first's image is resized to the second's (bilinear); crops are compared with crops.

    Returns
    -------
    Series
        By pair id, for the pairs that both have. Images that fail are left out: `evaluate` names them.

    Examples
    --------
    >>> from ivfnb.evaluation.methods import by_baseline
    >>> likenesses(datasets.dataset("sample")[:1], by_baseline("Mean"), by_baseline("Mean")).tolist()
    [1.0]
    """
    found = {}
    for pair in data:
        if all(method.covers is None or pair.id in method.covers for method in (first, second)):
            try:
                pair_key = pair_hash(pair)
                both = [fuse(method, pair, pair_key) for method in (first, second)]
                place = cache.place("similarities", (both[0].key, both[1].key, cache.code_hash(__name__)), ".json")
                if (value := entries.known(place)) is None:
                    value = likeness(*_aligned(both[0].load(), both[1].load()))
                    entries.keep(place, value)
                found[pair.id] = value
            except (ValueError, KeyError, OSError):
                continue
    return pd.Series(found, dtype=float)

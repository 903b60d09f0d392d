"""Own fused images beside published ones: how alike they are, image by image."""

import numpy as np
import pandas as pd

from ivfnb import cache, datasets, files, images
from ivfnb.baselines import Baseline
from ivfnb.datasets import Dataset
from ivfnb.evaluation.fitting import fit
from ivfnb.evaluation.fused import fuse, pair_hash
from ivfnb.evaluation.methods import Method
from ivfnb.evaluation.scores import Extra
from ivfnb.images import Image

JPEG_QUALITY = 75  # MATLAB's default, with which VIFB's fused images were written


def likeness(first: Image, second: Image) -> float:
    """Structural similarity (SSIM) of two uint8 images (h, w), 7x7 uniform window, range 255: at most 1, which only equal images reach.

    scikit-image's with its defaults; Wang et al. 2004, doi 10.1109/TIP.2003.819861.
    """
    from skimage.metrics import structural_similarity  # imported late: it takes longer than the methods it judges

    return float(structural_similarity(first, second, data_range=255))


def fuse_uint8(baseline: Baseline, infrared: Image, visible: Image) -> Image:
    """Fused uint8 image; each channel of a coloured visible image (h, w, 3) is fused with the infrared, as VIFB does it."""
    if visible.ndim == 2:
        return images.to_uint8(baseline.fuse(infrared, visible))
    return np.stack([images.to_uint8(baseline.fuse(infrared, visible[..., channel])) for channel in range(3)], axis=2)


def published_likeness(baseline: Baseline, pairs: str, published: str = "", ids: list[str] | None = None) -> list[dict]:
    """One row per published image of a set of pairs ("tno21" or "vifb21"): id, SSIM, share of equal pixels, mean difference.

    `published` names the images (default: those of the baseline's own variant), `ids` limits the pairs. Both images are compared as luma,
    uint8; images published as JPEG also after our own went through JPEG ("ssim_jpeg", None for others). ValueError where the two differ in
    size, DatasetError where the images are not at hand.
    """
    found = datasets.dataset(f"published-{pairs}/{published or baseline.published[pairs]}", color=True)
    sources, rows = datasets.dataset(pairs, color=True), []
    for id in found.ids if ids is None else ids:
        theirs, pair = found[id], sources[id]
        ours, reference = fuse_uint8(baseline, pair.infrared, pair.visible), images.to_gray(theirs.fused)
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
                "mean_difference": float(difference.mean()),
            }
        )
    return rows


def _aligned(first: Image, second: Image) -> tuple[Image, Image]:
    """Both images uint8 and of one size: what both show where one is a crop, else the first resized (bilinear) to the second."""
    first, second = images.to_uint8(first), images.to_uint8(second)
    if fit(first.shape, second.shape) == "cropped" or fit(second.shape, first.shape) == "cropped":
        height, width = np.minimum(first.shape, second.shape)
        return first[:height, :width], second[:height, :width]
    return images.resize(first, second.shape), second


def likeness_to(method: Method) -> Extra:
    """SSIM of a fused image to the one that `method` (published images) has of the same pair, for `extra` of `evaluate`."""
    return Extra(
        lambda fused, pair: likeness(*_aligned(fused, images.to_gray(method.fuse(pair)))), (method.name, method.source), (__name__,)
    )


def likenesses(data: Dataset, first: Method, second: Method) -> pd.Series:
    """Structural similarity (SSIM) of two methods' fused images by pair id, for the pairs that both have; remembered.

    Where the sizes differ the first is resized to the second's (bilinear); crops are compared with crops. Images that fail are left out:
    `evaluate` names them.
    """
    found = {}
    for pair in data:
        if all(method.covers is None or pair.id in method.covers for method in (first, second)):
            try:
                pair_key = pair_hash(pair)
                both = [fuse(method, pair, pair_key) for method in (first, second)]
                place = cache.place("similarities", (both[0].key, both[1].key, cache.code_hash(__name__)), ".json")
                if (value := files.read_json(place)) is None:
                    value = likeness(*_aligned(both[0].load(), both[1].load()))
                    files.write_json(place, value)
                found[pair.id] = value
            except (ValueError, KeyError, OSError):
                continue
    return pd.Series(found, dtype=float)

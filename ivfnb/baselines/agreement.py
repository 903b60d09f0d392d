"""Own fused images beside published ones: how alike they are, image by image."""

import numpy as np

from ivfnb import datasets, images
from ivfnb.baselines import Baseline
from ivfnb.images import Image

JPEG_QUALITY = 75  # MATLAB's default, with which VIFB's fused images were written


def similarity(first: Image, second: Image) -> float:
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


def agreement(baseline: Baseline, pairs: str, published: str = "", ids: list[str] | None = None) -> list[dict]:
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
                "ssim": similarity(images.to_gray(ours), reference),
                "ssim_jpeg": similarity(images.to_gray(images.through_jpeg(ours, JPEG_QUALITY)), reference) if jpeg else None,
                "equal": float(np.mean(difference == 0)),
                "mean_difference": float(difference.mean()),
            }
        )
    return rows

"""What the sharpness rule costs: how much of the infrared hot targets is left in a fused image, which none of the 11 metrics sees."""

import numpy as np
from scipy import ndimage

from ivfnb import images
from ivfnb.images import Image

UNITS = ("levels", "deviations")
RING = (2.0, 12.0)  # pixels from a target: closer ones are its blurred edge, farther ones another scene


def hot_regions(infrared: Image, percentile: float = 99.0, least: int = 30) -> np.ndarray:
    """Labels 1.. of the infrared image's hot targets, 0 elsewhere; int32 (h, w).

    Connected regions (8 neighbours) of at least `least` pixels above the percentile; where so many pixels are saturated that it equals the
    maximum, the saturated ones are taken. A constant image has no target.
    """
    infrared = images.levels(infrared, "infrared")
    if not 0 < percentile < 100:
        raise ValueError(f"percentile: found {percentile}, expected more than 0 and less than 100")
    top, threshold = infrared.max(), np.percentile(infrared, percentile)
    hot = (infrared > threshold) if threshold < top else (infrared == top) & (infrared.min() < top)
    labels, count = ndimage.label(hot, structure=np.ones((3, 3)))
    large = np.bincount(labels.ravel(), minlength=count + 1) >= least
    large[0] = False
    return np.where(large, np.cumsum(large), 0).astype(np.int32)[labels]


def largest_target(infrared: Image, margin: int = 40, **regions) -> tuple[slice, slice]:
    """Rows and columns of the largest hot target of `infrared` and `margin` pixels around it; the whole image where there is no target."""
    labels = hot_regions(infrared, **regions)
    if not labels.any():
        return slice(0, labels.shape[0]), slice(0, labels.shape[1])
    box = ndimage.find_objects(labels)[np.bincount(labels.ravel())[1:].argmax()]
    rows, columns = (
        slice(max(0, side.start - margin), min(side.stop + margin, size)) for side, size in zip(box, labels.shape, strict=True)
    )
    return rows, columns


def target_contrasts(image: Image, infrared: Image, **regions) -> np.ndarray:
    """Mean level of each hot target of `infrared` minus that of its surroundings, both taken in `image`; float64, grey levels.

    `image` is (h, w) or (h, w, 3) RGB (its luma counts) and is resized to the infrared image's size where it differs. Surroundings: the
    pixels 2 to 12 away that are nearest to this target and not themselves in the hot class; targets without such pixels are left out.
    `regions`: `percentile` and `least` of `hot_regions`.
    """
    image = images.to_gray(image)
    labels = hot_regions(infrared, **regions)
    image = images.resize(images.levels(image), labels.shape)
    if not labels.any():
        return np.empty(0)
    distance, nearest = ndimage.distance_transform_edt(labels == 0, return_indices=True)
    infrared = images.levels(infrared, "infrared")
    around = np.where((distance > RING[0]) & (distance <= RING[1]), labels[tuple(nearest)], 0)
    around[hot_regions(infrared, regions.get("percentile", 99.0), 1) > 0] = 0  # the specks too small for a target

    def means(of: np.ndarray) -> np.ndarray:
        pixels = np.bincount(of.ravel(), minlength=labels.max() + 1)
        sums = np.bincount(of.ravel(), weights=image.ravel(), minlength=labels.max() + 1)
        return (sums / np.where(pixels > 0, pixels, np.nan))[1:]

    contrasts = means(labels) - means(around)
    return contrasts[np.isfinite(contrasts)]


def target_retention(fused: Image, infrared: Image, unit: str = "levels", **regions) -> float:
    """Contrast of the infrared image's hot targets in the fused image, relative to that in the infrared image; higher keeps more.

    1: as strong as in the infrared image, 0: gone, below 0: darker than the surroundings; can exceed 1. The contrasts of the targets are
    summed, each target counting once. "levels" takes grey levels, so that any gain of contrast counts; "deviations" divides both contrasts
    by the standard deviation of their whole image, so that a linear stretch changes nothing. NaN where the infrared image has no target.
    """
    if unit not in UNITS:
        raise ValueError(f"unit: found {unit!r}, expected one of {UNITS}")
    kept, there = (target_contrasts(image, infrared, **regions).sum() for image in (fused, infrared))
    if not there > 0:
        return float("nan")
    gray = images.to_gray(fused)
    gain = np.std(images.levels(gray)) / np.std(images.levels(infrared, "infrared")) if unit == "deviations" else 1.0
    return float(kept / there / gain) if gain > 0 else 0.0


Box = tuple[float, float, float, float]  # top, left, height, width as shares of the image


def inset_box(infrared: np.ndarray, side: float = 0.18) -> Box:
    """Box around the brightest hot target of an infrared image (the centre where there is none): `side` of the shorter side each way.

    Of equally bright targets the largest is taken.
    """
    height, width = infrared.shape[:2]
    labels = hot_regions(infrared)
    counts = np.bincount(labels.ravel())[1:]
    if len(counts):
        levels = np.bincount(labels.ravel(), weights=infrared.ravel())[1:] / counts
        where = np.argwhere(labels == np.lexsort((counts, levels))[-1] + 1).mean(axis=0)
    else:
        where = np.array([height / 2, width / 2])
    extent = side * min(height, width)
    top, left = np.clip(where - extent / 2, 0, [height - extent, width - extent])
    return float(top / height), float(left / width), extent / height, extent / width

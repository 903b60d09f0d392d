"""What the sharpness rule costs: how much of the infrared hot targets is left in a fused image, which none of the 11 metrics sees."""

import numpy as np
from scipy import ndimage

from ivfnb import images
from ivfnb.images import Image

UNITS = ("levels", "deviations")
RING = (2.0, 12.0)  # pixels from a target: closer ones are its blurred edge, farther ones another scene


def hot_regions(infrared: Image, percentile: float = 99.0, least: int = 30) -> np.ndarray:
    """Hot targets of an infrared image: labels of connected regions of its brightest pixels.

    Parameters
    ----------
    infrared : array (h, w), grey levels 0..255
        uint8, uint16 (divided by 257), other integers or floating point.
    percentile : float
        Level above which a pixel is hot, more than 0 and less than 100 per cent.
    least : int
        Pixels that a region has at least.

    Returns
    -------
    int32 (h, w)
        1, 2, ... on targets, 0 elsewhere.

    Raises
    ------
    ValueError
        If `percentile` is out of range; ImageError if `infrared` is no grey image.

    Notes
    -----
    Pixels connect to their 8 neighbours. Where so many pixels are saturated that the percentile equals the maximum, the saturated ones are
    taken. A constant image has no target.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((40, 50), 60)
    >>> image[5:11, 5:11] = 200
    >>> labels = hot_regions(image, percentile=98)
    >>> int(labels.max()), int((labels == 1).sum())
    (1, 36)
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
    """Where the largest hot target is, with what is around it.

    Parameters
    ----------
    infrared : array (h, w), grey levels 0..255
        As in `hot_regions`.
    margin : int
        Pixels around the target, as far as the image goes.
    **regions
        `percentile` and `least` of `hot_regions`.

    Returns
    -------
    (slice, slice)
        Rows and columns; the whole image where there is no target.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((40, 50), 60)
    >>> image[5:11, 5:11] = 200
    >>> largest_target(image, margin=10, percentile=98)
    (slice(0, 21, None), slice(0, 21, None))
    """
    labels = hot_regions(infrared, **regions)
    if not labels.any():
        return slice(0, labels.shape[0]), slice(0, labels.shape[1])
    box = ndimage.find_objects(labels)[np.bincount(labels.ravel())[1:].argmax()]
    rows, columns = (
        slice(max(0, side.start - margin), min(side.stop + margin, size)) for side, size in zip(box, labels.shape, strict=True)
    )
    return rows, columns


def target_contrasts(image: Image, infrared: Image, **regions) -> np.ndarray:
    """Contrast of each hot target of `infrared` with its surroundings, both taken in `image`.

    Parameters
    ----------
    image : array (h, w) or RGB (h, w, 3), levels 0..255
        Of RGB the luma counts. Resized to the infrared image's size where it differs.
    infrared : array (h, w), grey levels 0..255
        Where the targets are.
    **regions
        `percentile` and `least` of `hot_regions`.

    Returns
    -------
    float64 (targets,)
        Mean level of the target minus that of its surroundings, grey levels.

    Notes
    -----
    Surroundings are the pixels 2 to 12 away that are nearest to this target and not themselves in the hot class; targets without such
    pixels are left out.

    Examples
    --------
    >>> import numpy as np
    >>> infrared = np.full((40, 50), 60)
    >>> infrared[5:11, 5:11] = 200
    >>> target_contrasts(infrared / 2, infrared, percentile=98)
    array([70.])
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
    """Contrast of the infrared image's hot targets that is left in the fused image; higher keeps more.

    Parameters
    ----------
    fused : array (h, w) or RGB (h, w, 3), levels 0..255
        Of RGB the luma counts. Resized to the infrared image's size where it differs.
    infrared : array (h, w), grey levels 0..255
        Where the targets are.
    unit : {"levels", "deviations"}
        "levels" takes grey levels, so that any gain of contrast counts; "deviations" divides both contrasts by the standard deviation of
        their whole image, so that a linear stretch changes nothing.
    **regions
        `percentile` and `least` of `hot_regions`.

    Returns
    -------
    float
        1: as strong as in the infrared image, 0: gone, below 0: darker than the surroundings; can exceed 1. NaN where the infrared image
        has no target.

    Raises
    ------
    ValueError
        If `unit` is unknown; ImageError if an image is none of grey levels.

    Notes
    -----
    The contrasts of the targets are summed, so that each target counts once, whatever its size.

    Examples
    --------
    >>> import numpy as np
    >>> infrared = np.full((40, 50), 60)
    >>> infrared[5:11, 5:11] = 200
    >>> target_retention(infrared / 2, infrared, percentile=98)
    0.5
    >>> round(target_retention(infrared / 2, infrared, unit="deviations", percentile=98), 9)
    1.0
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
    """Box around the brightest hot target of an infrared image, for an enlarged inset.

    Parameters
    ----------
    infrared : array (h, w), grey levels 0..255
        Of equally bright targets the largest is taken; where there is none, the box lies in the centre.
    side : float
        Side of the box as a share of the image's shorter side.

    Returns
    -------
    (float, float, float, float)
        Top, left, height and width as shares of the image's height and width.

    Examples
    --------
    >>> import numpy as np
    >>> inset_box(np.zeros((100, 200)), side=0.5)
    (0.25, 0.375, 0.5, 0.25)
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

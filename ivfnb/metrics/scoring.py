"""`score`: all wanted metrics of one fused image, in one of the conventions in use."""

from collections.abc import Iterable

import numpy as np

from ivfnb.images import (
    Image,
    ImageError,
    Levels,
    as_levels,
    by_role,
    matlab_imresize,
    plain,
    to_gray,
    to_uint8,
    warn_of_colours,
    without_doubt,
)
from ivfnb.metrics.planes import SMALLEST, Plane, planes
from ivfnb.metrics.registry import CONVENTIONS, METRICS, Convention

CHANNELS = ("luma", "mean")


def _resolve(names: Iterable[str] | str | None, convention: Convention, has_sources: bool) -> list[str]:
    """Wanted names in the registry's order; ValueError for a name unknown or without meaning in the convention."""
    known = convention.names if convention.only_names else tuple(METRICS)
    if names is None:
        wanted = [name for name in convention.names if has_sources or not METRICS[name].needs_sources]
    else:
        wanted = list(known) if names == "all" else [names] if isinstance(names, str) else list(names)
    if unknown := [name for name in wanted if name not in known]:
        raise ValueError(f"names: found {unknown}, expected names among {list(known)}")
    return [name for name in METRICS if name in wanted]


def _checked(name: str, image: object, meant: Levels | None) -> Image:
    """Grey or colour image: uint8 as it is, else float64 levels; ImageError names the argument."""
    array = plain(image, name)
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 3):
        raise ImageError(f"{name}: found shape {array.shape}, expected (h, w) or (h, w, 3)")
    if min(array.shape[:2]) < SMALLEST:
        raise ImageError(f"{name}: found {array.shape[0]}x{array.shape[1]} pixels, expected at least {SMALLEST}x{SMALLEST}")
    result = as_levels(array, name, meant)
    if name == "infrared":
        warn_of_colours(result, name)
    return result


def _as_gray(image: Image) -> Image:
    """Grey image unchanged, colour as luma; equal channels keep their exact levels."""
    if image.ndim == 2:
        return image
    return image[..., 0] if (image[..., :1] == image).all() else to_gray(image)


def _sets(images: dict[str, Image], channels: str) -> list[dict[str, Image]]:
    """The grey images to score: one set of lumas, or one set per colour channel, where a grey image stands for all its channels."""
    if channels == "luma" or all(image.ndim == 2 for image in images.values()):
        return [{name: _as_gray(image) for name, image in images.items()}]
    return [{name: image if image.ndim == 2 else image[..., i] for name, image in images.items()} for i in range(3)]


def _released(images: dict[str, Image]) -> dict[str, Image]:
    """Images as the released evaluator sees them: uint8, the sources resized to the fused image's size as MATLAB does it."""
    images = {name: to_uint8(image) for name, image in images.items()}
    shape = images["fused"].shape
    return {name: image if image.shape == shape else matlab_imresize(image, shape) for name, image in images.items()}


def _values(names: list[str], images: dict[str, Plane], convention: Convention) -> dict[str, float]:
    """Metrics of planes, which share their work: the functions find the planes again by their levels."""
    given = [each.levels for each in images.values()]
    functions = {name: convention.replaced.get(name, METRICS[name].function) for name in names}
    return {name: functions[name](*given if METRICS[name].needs_sources else given[:1]) for name in names}


def score(
    fused: Image,
    infrared: Image | None,
    visible: Image | None,
    names: Iterable[str] | str | None = None,
    convention: str = "standard",
    channels: str | None = None,
    levels: Levels | str | tuple[float, float] | None = None,
    levels_infrared: Levels | str | tuple[float, float] | None = None,
    levels_visible: Levels | str | tuple[float, float] | None = None,
) -> dict[str, float]:
    """Metrics of a fused image, name -> value.

    Parameters
    ----------
    fused, infrared, visible : arrays (h, w) or RGB (h, w, 3), levels 0..255
        uint8, uint16 (divided by 257), other integers or floating point. The sources may be None where no metric needs them.
    names : None, str or iterable of str
        None gives the paper's eleven, or VIFB's thirteen (without sources: those that need none), "all" every metric of the convention,
        else the given ones.
    convention : {"standard", "as_released", "vifb"}
        "standard" wants one size for all. "as_released" does what the paper's released evaluator does: it rounds to uint8, resizes the
        sources to the fused image's size with MATLAB's bicubic rule, lets SCD's differences stop at 0 and gives 2*EN for MI. "vifb" gives
        the benchmark VIFB's metrics by its rules.
    channels : None, "luma" or "mean"
        What colour images are scored on: their luma, or the mean of the three channels' values (a grey image stands for all its
        channels). None gives luma, but mean for VIFB.
    levels : Levels, str, (low, high) or None
        What the numbers of images of more than 8 bits mean: "full", "minmax" or "LOW:HIGH" (`ivfnb.images.Levels`).
    levels_infrared, levels_visible : Levels, str, (low, high) or None
        The same of one source, whatever its depth.

    Returns
    -------
    dict of str to float
        In the order of `METRICS`, whatever the order of `names`.

    Raises
    ------
    ValueError
        If `names`, `convention` or `channels` holds an unknown word; ImageError if an image is missing, of another size than `fused`,
        too small for a wanted metric, or not of levels 0..255. The message names the argument.

    Warns
    -----
    LevelsWarning
        Where the numbers of an image may not be levels 0..255 (`ivfnb.images.levels`), and for an infrared image in colours.

    Examples
    --------
    >>> import numpy as np
    >>> from ivfnb.metrics import score
    >>> columns = np.tile([0, 100], (4, 2))
    >>> score(columns, columns, columns.T, names=["SF", "MI"])
    {'SF': 86.60..., 'MI': 1.0}
    >>> score(columns, columns, columns.T, names=["SF", "MI"], convention="as_released")
    {'SF': 86.60..., 'MI': 2.0}
    """
    if convention not in CONVENTIONS:
        raise ValueError(f"convention: found {convention!r}, expected one of {list(CONVENTIONS)}")
    rules = CONVENTIONS[convention]
    channels = channels or rules.channels
    if channels not in CHANNELS:
        raise ValueError(f"channels: found {channels!r}, expected one of {CHANNELS}")
    given = {"fused": fused, "infrared": infrared, "visible": visible}
    wanted = _resolve(names, rules, has_sources=infrared is not None and visible is not None)
    if not any(METRICS[name].needs_sources for name in wanted):
        given = {"fused": fused}
    if missing := [name for name, image in given.items() if image is None]:
        needing = [name for name in wanted if METRICS[name].needs_sources]
        raise ImageError(f"{missing[0]}: found None, expected an image, since {needing} compare with the sources")
    smallest = max((METRICS[name].smallest for name in wanted), default=1)
    why = f" for {', '.join(name for name in wanted if METRICS[name].smallest == smallest)}"
    meant = by_role(levels, levels_infrared, levels_visible)
    sets = _sets({name: _checked(name, image, meant[name]) for name, image in given.items()}, channels)
    sets = [_released(images) if convention == "as_released" else images for images in sets]
    seams = [name for name in wanted if name in rules.side_by_side]
    rest = [name for name in wanted if name not in seams]
    with without_doubt():
        values = [_values(rest, planes(images, smallest, why), rules) for images in sets]
    result = {name: float(np.mean([value[name] for value in values])) for name in rest}
    if seams:
        joined = {name: np.hstack([images[name] for images in sets]) for name in given}
        with without_doubt():
            result |= _values(seams, planes(joined, smallest, why), rules)
    return {name: result[name] for name in wanted}

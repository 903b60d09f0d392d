"""`score`: all wanted metrics of one fused image, in one of the conventions in use."""

from collections.abc import Iterable

import numpy as np

from ivfnb.images import Image, matlab_imresize, to_gray, to_uint8
from ivfnb.metrics.registry import CONVENTIONS, METRICS, Convention, make_triple
from ivfnb.metrics.triple import check_image

CHANNELS = ("luma", "mean")


def _resolve(names: Iterable[str] | str | None, convention: Convention, has_sources: bool) -> list[str]:
    """Wanted names in the registry's order; ValueError for a name unknown or without meaning in the convention."""
    known = convention.names if convention.only_names else tuple(METRICS)
    if names is None:
        wanted = [name for name in convention.names if has_sources or not METRICS[name].needs_sources]
    else:
        wanted = known if names == "all" else [names] if isinstance(names, str) else list(names)
    if unknown := [name for name in wanted if name not in known]:
        raise ValueError(f"names: found {unknown}, expected names among {list(known)}")
    return [name for name in METRICS if name in wanted]


def _as_gray(image: Image) -> Image:
    """Grey image unchanged, colour as luma; equal channels keep their exact levels."""
    if image.ndim == 2:
        return image
    if (image[..., :1] == image).all():
        return image[..., 0]
    return to_gray(image if image.dtype == np.uint8 else image.astype(np.float64))


def _planes(images: dict[str, Image], channels: str) -> list[dict[str, Image]]:
    """The grey images to score: one set of lumas, or one set per colour channel, where a grey image stands for all its channels."""
    if channels == "luma" or all(image.ndim == 2 for image in images.values()):
        return [{name: _as_gray(image) for name, image in images.items()}]
    return [{name: image if image.ndim == 2 else image[..., i] for name, image in images.items()} for i in range(3)]


def _released(images: dict[str, Image]) -> dict[str, Image]:
    """Images as the released evaluator sees them: uint8, the sources resized to the fused image's size as MATLAB does it."""
    images = {name: to_uint8(image) for name, image in images.items()}
    shape = images["fused"].shape
    return {name: image if image.shape == shape else matlab_imresize(image, shape) for name, image in images.items()}


def score(
    fused: Image,
    infrared: Image | None,
    visible: Image | None,
    names: Iterable[str] | str | None = None,
    convention: str = "standard",
    channels: str | None = None,
) -> dict[str, float]:
    """Metrics of a fused image, name -> value, in the registry's order.

    Images hold levels 0..255, (h, w) or RGB (h, w, 3), any numeric dtype. `names`: None gives the paper's eleven, or VIFB's thirteen
    (without sources: those that need none), "all" every metric of the convention, else the given ones.
    `convention`: "standard" wants one size for all; "as_released" rounds to uint8, resizes the sources to the fused image's size with
    MATLAB's bicubic rule, lets SCD's differences stop at 0 and gives 2*EN for MI, as the paper's released evaluator does; "vifb" gives
    the benchmark VIFB's metrics by its rules.
    `channels`: what colour images are scored on, "luma" or "mean", the mean of the three channels' values (a grey image stands for all
    its channels). None gives luma, but mean for VIFB. ValueError names the argument that is wrong.
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
        raise ValueError(f"{missing[0]}: found None, expected an image, since {needing} compare with the sources")
    smallest = max((METRICS[name].smallest for name in wanted), default=1)
    why = f" for {', '.join(name for name in wanted if METRICS[name].smallest == smallest)}"
    sets = _planes({name: check_image(name, image) for name, image in given.items()}, channels)
    sets = [_released(images) if convention == "as_released" else images for images in sets]
    functions = {name: rules.replaced.get(name, METRICS[name].function) for name in wanted}
    seams = [name for name in wanted if name in rules.side_by_side]
    values = []
    for images in sets:
        triple = make_triple(images, smallest, why)
        values.append({name: functions[name](triple) for name in wanted if name not in seams})
    result = {name: float(np.mean([value[name] for value in values])) for name in wanted if name not in seams}
    if seams:
        triple = make_triple({name: np.hstack([images[name] for images in sets]) for name in given}, smallest, why)
        result |= {name: functions[name](triple) for name in seams}
    return {name: result[name] for name in wanted}

"""The simple fusions every method has to beat."""

import cv2
import numpy as np

from ivfnb.baselines.common.pair import check_pair
from ivfnb.baselines.registry import Competitor, Variant, register
from ivfnb.images import Image


def mean(infrared: Image, visible: Image) -> Image:
    """Plain mean of the sources: float64 (h, w), levels 0..255."""
    infrared, visible = check_pair(infrared, visible)
    return (infrared + visible) / 2


def maximum(infrared: Image, visible: Image) -> Image:
    """Pixelwise maximum of the sources: float64 (h, w), levels 0..255."""
    return np.maximum(*check_pair(infrared, visible))


def _pyramid(image: Image, levels: int) -> list[Image]:
    """Laplacian pyramid, finest band first, the Gaussian rest last: `levels` + 1 arrays whose sides halve (rounded up)."""
    bands = []
    for _ in range(levels):
        smaller = cv2.pyrDown(image)
        bands.append(image - cv2.pyrUp(smaller, dstsize=image.shape[::-1]))
        image = smaller
    return [*bands, image]


def laplacian_pyramid(infrared: Image, visible: Image, levels: int = 4) -> Image:
    """Of each band the coefficient of larger magnitude (of equal ones the mean), of the rest the mean: float64 (h, w), levels 0..255.

    Burt and Adelson 1983, doi 10.1109/TCOM.1983.1095851. `levels` is cut to what the size allows (a side of at least 2 in every band); what
    the choice of coefficients puts outside 0..255 is clipped. ValueError for fewer than one level.
    """
    infrared, visible = check_pair(infrared, visible)
    if levels < 1:
        raise ValueError(f"levels: found {levels}, expected at least 1")
    levels = min(levels, int(np.log2(min(infrared.shape))))
    *bands, rest = zip(_pyramid(infrared, levels), _pyramid(visible, levels), strict=True)
    fused = (rest[0] + rest[1]) / 2
    for of_infrared, of_visible in reversed(bands):
        lead = np.abs(of_infrared) - np.abs(of_visible)
        chosen = np.where(lead > 0, of_infrared, np.where(lead < 0, of_visible, (of_infrared + of_visible) / 2))
        fused = chosen + cv2.pyrUp(fused, dstsize=chosen.shape[::-1])
    return np.clip(fused, 0, 255)


register(Competitor("Mean", mean, "Plain mean of the sources", reference=True))
register(Competitor("Maximum", maximum, "Pixelwise maximum of the sources", reference=True))
register(
    Competitor(
        "Laplacian pyramid",
        laplacian_pyramid,
        "Burt and Adelson, The Laplacian pyramid as a compact image code, IEEE Transactions on Communications 31(4):532-540, 1983",
        "10.1109/TCOM.1983.1095851",
        reference=True,
        variants=(Variant(parameters={"levels": 4}),),
    )
)

"""Sobel edges: their strength in the fused image (EI), what of the sources' it keeps (Qabf), and what it adds (Nabf).

The inner edges of an image are computed once for all three, whose borders differ (`ivfnb.metrics.planes`).
"""

import cv2
import numpy as np

from ivfnb.images import Image
from ivfnb.metrics.planes import Edges, parts, plane
from ivfnb.metrics.registry import JAGALINGAM, metric

SMALLEST_NUMBER = np.finfo(np.float64).tiny


# The levels of a 3x3 Sobel gradient reach 4*255 per axis; both axes cannot reach it at once.
@metric("EI", direction="higher", unit="grey levels", value_range=(0, 1443), reference=JAGALINGAM, conventions=("vifb",))
def edge_intensity(fused: Image) -> float:
    """Edge intensity (EI): mean strength of the 3x3 Sobel gradient; higher is more contrast, or more noise.

    Parameters
    ----------
    fused : array (h, w), grey levels 0..255
        uint8, uint16 (divided by 257), other integers or floating point.

    Returns
    -------
    float
        Grey levels, 0 for a constant image, below 1443.

    Raises
    ------
    ImageError
        If `fused` is no grey image of at least 2x2 pixels; the message names what was found.

    Notes
    -----
    The border is repeated. Sobel sums are not divided, so that a ramp of 1 level a pixel has strength 8.

    References
    ----------
    Jagalingam and Hegde 2015, doi 10.1016/j.aqpro.2015.02.019

    Examples
    --------
    >>> import numpy as np
    >>> edge_intensity(np.tile(np.arange(4), (3, 1)))
    6.0
    """
    of_fused = plane(fused)
    return sum(float(of_fused.edges("edge", rows).strength.sum()) for rows in parts(fused.shape)) / fused.size


def _logistic(slope: float, middle: float, x: Image) -> Image:
    """1 + exp(-slope*(x - middle)), under which a logistic's top is divided. `x` is overwritten."""
    x -= middle
    x *= -slope
    cv2.exp(x, x)  # as exact as NumPy's, in a quarter of its time
    x += 1
    return x


def _ratio(first: Image, second: Image) -> Image:
    """Smaller over larger of two non-negative images, 0 where either is 0."""
    low = np.minimum(first, second)
    low /= np.maximum(np.maximum(first, second), SMALLEST_NUMBER)
    return low


def _preservation_qabf(source: Edges, fused: Edges) -> Image:
    """Edge preservation (h, w) from a source to F of Xydeas and Petrovic, with the released code's rule where the strengths are equal."""
    strength = _ratio(source.strength, fused.strength)
    np.copyto(strength, fused.strength, where=source.strength == fused.strength)
    angle = 1 - np.abs(source.angle - fused.angle) / (np.pi / 2)
    return 0.9994 * 0.9879 / (_logistic(15, 0.5, strength) * _logistic(22, 0.8, angle))


@metric(
    "Qabf",
    direction="higher",
    unit="1",
    value_range=(0, 1),
    reference="Xydeas and Petrovic 2000, doi 10.1049/el:20000267",
    conventions=("vifb",),
)
def qabf(fused: Image, infrared: Image, visible: Image) -> float:
    """Edge transfer (Qabf): edge strength and angle kept from the sources, weighted by the source's strength; higher is better.

    Parameters
    ----------
    fused : array (h, w), grey levels 0..255
        uint8, uint16 (divided by 257), other integers or floating point.
    infrared, visible : arrays (h, w), grey levels 0..255
        The sources of `fused`.

    Returns
    -------
    float
        0 (also where no source has an edge) to below 1.

    Raises
    ------
    ImageError
        If an image is not grey, below 2x2 pixels or of another size than `fused`; the message names it.

    Notes
    -----
    A quirk is kept from the released code: where the strengths of source and F are exactly equal their ratio is the strength itself, not
    1. Zeros lie beyond the border, which makes an edge of it. The angle is pi/2 where the rightward gradient vanishes, and opposite angles
    about it count as different, unlike in `nabf`.

    References
    ----------
    Xydeas and Petrovic 2000, doi 10.1049/el:20000267

    Examples
    --------
    >>> import numpy as np
    >>> columns = np.tile([0, 0, 200, 200], (4, 1))
    >>> qabf(columns, columns, columns), qabf(columns.T, columns, columns)
    (0.975..., 0.087...)
    """
    sources, of_fused, total, kept = [plane(infrared), plane(visible)], plane(fused), [0.0, 0.0], [0.0, 0.0]
    for rows in parts(fused.shape):
        fused_edges = of_fused.edges("constant", rows)
        for i, source in enumerate(sources):
            edges = source.edges("constant", rows)
            total[i] += float(edges.strength.sum())
            kept[i] += float(np.sum(_preservation_qabf(edges, fused_edges) * edges.strength))
    return sum(kept) / sum(total) if sum(total) > 0 else 0.0


@metric(
    "Nabf",
    direction="lower",
    unit="1",
    value_range=(0, 1),
    reference="Kumar 2013, doi 10.1007/s11760-012-0361-x",
)
def nabf(fused: Image, infrared: Image, visible: Image) -> float:
    """Artefacts (Nabf): edges of F, stronger than in both sources, that neither source explains; lower is better.

    Parameters
    ----------
    fused : array (h, w), grey levels 0..255
        uint8, uint16 (divided by 257), other integers or floating point.
    infrared, visible : arrays (h, w), grey levels 0..255
        The sources of `fused`.

    Returns
    -------
    float
        0 (no artefact) to 1.

    Raises
    ------
    ImageError
        If an image is not grey, below 2x2 pixels or of another size than `fused`; the message names it.

    Notes
    -----
    Kumar's modification of Petrovic's measure. Sobel sums are divided by 8, the border is mirrored without repeating the edge; flat areas
    count as edges of angle pi/2 with the ratio of strengths 0.

    References
    ----------
    Kumar 2013, doi 10.1007/s11760-012-0361-x

    Examples
    --------
    >>> import numpy as np
    >>> columns, flat = np.tile([0, 0, 200, 200], (4, 1)), np.zeros((4, 4))
    >>> nabf(columns, columns, flat), nabf(columns, flat, flat)
    (0.0, 0.4...)
    """
    sources, of_fused, unexplained, total = [plane(infrared), plane(visible)], plane(fused), [0.0, 0.0], [0.0, 0.0]
    for rows in parts(fused.shape):
        fused_edges, edges = of_fused.edges("reflect", rows), [source.edges("reflect", rows) for source in sources]
        artefact = np.flatnonzero(np.logical_and.reduce([fused_edges.strength > source.strength for source in edges]))
        there = Edges(*(np.take(each, artefact) for each in fused_edges))
        for i, source in enumerate(edges):
            strong = source.strength / 8
            weight = strong * np.sqrt(strong)
            weight[strong < 2] = 0.001
            total[i] += float(weight.sum())
            strength, angle = (np.take(each, artefact) for each in source)
            angle = np.abs(np.abs(angle - there.angle) - np.pi / 2) * 2 / np.pi
            kept = np.sqrt(0.9999 * 0.9995 / (_logistic(19, 0.5, _ratio(strength, there.strength)) * _logistic(22, 0.5, angle)))
            unexplained[i] += float(np.sum((1 - kept) * np.take(weight, artefact)))
    return sum(unexplained) / sum(total)

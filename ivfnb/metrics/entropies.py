"""Histograms of the grey levels, 256 bins, in bits: entropy of the fused image, and its histogram's distance from the sources'.

Levels are rounded to a bin. The histogram of an image is made once, whatever asks for it (`ivfnb.metrics.planes`).
"""

import numpy as np

from ivfnb.images import Image
from ivfnb.metrics.planes import Plane, plane
from ivfnb.metrics.registry import INFINITE, metric


def _divergence(source: Plane, fused: Plane) -> float:
    """Kullback-Leibler divergence in bits of a source's histogram from the fused image's; bins empty in either are skipped.

    0 where no bin is filled in both: the definition has no value there.
    """
    both = (source.probabilities > 0) & (fused.probabilities > 0)
    p, q = source.probabilities[both], fused.probabilities[both]
    return float(np.sum(p * np.log2(p / q)))


@metric(
    "CE",
    direction="lower",
    unit="bit",
    value_range=(-INFINITE, INFINITE),
    reference="Bulanon, Burks and Alchanatis 2009, doi 10.1016/j.biosystemseng.2009.02.009",
    conventions=("vifb",),
)
def cross_entropy(fused: Image, infrared: Image, visible: Image) -> float:
    """Cross entropy (CE): how far the histograms of the sources are from that of F; lower is better.

    Parameters
    ----------
    fused : array (h, w), grey levels 0..255
        uint8, uint16 (divided by 257), other integers or floating point.
    infrared, visible : arrays (h, w), grey levels 0..255
        The sources of `fused`.

    Returns
    -------
    float
        Bits, 0 for equal histograms; can be negative, since bins are skipped.

    Raises
    ------
    ImageError
        If an image is not grey, below 2x2 pixels or of another size than `fused`; the message names it.

    Notes
    -----
    Mean over the sources of the Kullback-Leibler divergence sum p log2(p/q) of the source's histogram p from that of F, q. Bins empty in
    either are skipped; where none is filled in both, the source counts 0.

    References
    ----------
    Bulanon, Burks and Alchanatis 2009, doi 10.1016/j.biosystemseng.2009.02.009

    Examples
    --------
    >>> import numpy as np
    >>> dark, half = np.zeros((2, 2)), np.array([[0, 9], [0, 9]])
    >>> cross_entropy(half, dark, half)
    0.5
    """
    return sum(_divergence(plane(source), plane(fused)) for source in (infrared, visible)) / 2


@metric(
    "EN",
    direction="higher",
    unit="bit",
    value_range=(0, 8),
    reference="Roberts, van Aardt and Ahmed 2008, doi 10.1117/1.2945910",
    conventions=("vifb",),
)
def entropy(fused: Image) -> float:
    """Entropy (EN) of the grey levels of F; higher is more information, or more noise.

    Parameters
    ----------
    fused : array (h, w), grey levels 0..255
        uint8, uint16 (divided by 257), other integers or floating point.

    Returns
    -------
    float
        Bits, 0 (constant) to 8 (all 256 levels equally often).

    Raises
    ------
    ImageError
        If `fused` is no grey image of at least 2x2 pixels; the message names what was found.

    References
    ----------
    Roberts, van Aardt and Ahmed 2008, doi 10.1117/1.2945910

    Examples
    --------
    >>> import numpy as np
    >>> entropy(np.arange(256).reshape(16, 16))
    8.0
    """
    return plane(fused).entropy

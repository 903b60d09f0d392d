"""Correlation of the fused image, or of what it adds to one source, with its sources."""

import numpy as np

from ivfnb.images import Image
from ivfnb.metrics.planes import mean_over_sources
from ivfnb.metrics.registry import JAGALINGAM, metric, variant


def _correlation(first: Image, second: Image) -> float:
    """Pearson correlation of two images of one shape, -1 to 1; 0 where either is constant, where it has no value."""
    first, second = first - first.mean(), second - second.mean()
    squares = float(np.sum(first**2)), float(np.sum(second**2))
    # The mean of a constant image may be off by rounding: relative to 255^2 per pixel such sums of squares are nothing.
    if min(squares) <= 1e-20 * first.size:
        return 0.0
    return float(np.sum(first * second) / np.sqrt(squares[0]) / np.sqrt(squares[1]))


@metric(
    "SCD",
    direction="higher",
    unit="1",
    value_range=(-2, 2),
    reference="Aslantas and Bendes 2015, doi 10.1016/j.aeue.2015.09.004",
)
def scd(fused: Image, infrared: Image, visible: Image) -> float:
    """Sum of the correlations of differences (SCD): whether what F adds to one source is the other source; higher is better.

    Parameters
    ----------
    fused : array (h, w), grey levels 0..255
        uint8, uint16 (divided by 257), other integers or floating point.
    infrared, visible : arrays (h, w), grey levels 0..255
        The sources of `fused`.

    Returns
    -------
    float
        -2 to 2; 2 where F is the sum of its sources.

    Raises
    ------
    ImageError
        If an image is not grey, below 2x2 pixels or of another size than `fused`; the message names it.

    Notes
    -----
    corr(F - visible, infrared) + corr(F - infrared, visible); a constant difference counts 0. The released evaluator loses negative
    differences: `scd_released`.

    References
    ----------
    Aslantas and Bendes 2015, doi 10.1016/j.aeue.2015.09.004

    Examples
    --------
    >>> import numpy as np
    >>> infrared, visible = np.array([[0, 90], [0, 90]]), np.array([[50, 50], [0, 100]])
    >>> scd(infrared + visible, infrared, visible)
    2.0
    """
    return _correlation(fused - visible, infrared) + _correlation(fused - infrared, visible)


@variant("SCD", convention="as_released")
def scd_released(fused: Image, infrared: Image, visible: Image) -> float:
    """SCD as released: the differences are of uint8, which stop at 0, so that most of a darker fused image is lost.

    Parameters and errors are those of `scd`.

    Examples
    --------
    >>> import numpy as np
    >>> infrared, visible = np.array([[0, 90], [0, 90]]), np.array([[50, 50], [0, 100]])
    >>> darker = np.minimum(infrared, visible)
    >>> scd_released(darker, infrared, visible), scd(darker, infrared, visible)
    (0.0, 0.485...)
    """
    return _correlation(np.maximum(fused - visible, 0), infrared) + _correlation(np.maximum(fused - infrared, 0), visible)


@metric("CC", direction="higher", unit="1", value_range=(-1, 1), reference=JAGALINGAM)
def correlation_coefficient(fused: Image, infrared: Image, visible: Image) -> float:
    """Correlation coefficient (CC) of F with its sources, mean over the two; higher is better.

    Parameters
    ----------
    fused : array (h, w), grey levels 0..255
        uint8, uint16 (divided by 257), other integers or floating point.
    infrared, visible : arrays (h, w), grey levels 0..255
        The sources of `fused`.

    Returns
    -------
    float
        -1 to 1; 1 where all three images are equal but for linear stretches. A constant image counts 0.

    Raises
    ------
    ImageError
        If an image is not grey, below 2x2 pixels or of another size than `fused`; the message names it.

    Notes
    -----
    Some codes report the sum over the sources.

    References
    ----------
    Jagalingam and Hegde 2015, doi 10.1016/j.aqpro.2015.02.019

    Examples
    --------
    >>> import numpy as np
    >>> image = np.arange(16).reshape(4, 4)
    >>> correlation_coefficient(image, 2 * image, 255 - image)
    0.0
    """
    return mean_over_sources(_correlation, fused, infrared, visible)

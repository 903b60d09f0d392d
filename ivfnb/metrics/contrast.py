"""How much the grey levels of the fused image vary: from pixel to pixel (SF, DF, AG) or at all (SD). None looks at the sources.

All of them grow with noise as with detail, and a linear stretch of the levels by k multiplies them by k.
"""

import numpy as np

from ivfnb.images import Image
from ivfnb.metrics.registry import JAGALINGAM, metric, variant


@metric(
    "SF",
    direction="higher",
    unit="grey levels",
    value_range=(0, 361),
    reference="Eskicioglu and Fisher 1995, doi 10.1109/26.477498",
    conventions=("vifb",),
    side_by_side=("vifb",),
)
def spatial_frequency(fused: Image) -> float:
    """Spatial frequency (SF): how much neighbouring pixels differ; higher is sharper, or noisier.

    Parameters
    ----------
    fused : array (h, w), grey levels 0..255
        uint8, uint16 (divided by 257), other integers or floating point.

    Returns
    -------
    float
        Grey levels, 0 for a constant image, below 255 * sqrt(2).

    Raises
    ------
    ImageError
        If `fused` is no grey image of at least 2x2 pixels; the message names what was found.

    Notes
    -----
    Root of the summed mean squares of horizontal and vertical first differences, both divided by h*w as in the released evaluator; some
    implementations divide by h*(w-1). The benchmark VIFB takes colour images with their channels side by side.

    References
    ----------
    Eskicioglu and Fisher 1995, doi 10.1109/26.477498

    Examples
    --------
    >>> import numpy as np
    >>> spatial_frequency(np.array([[0, 3], [4, 0]]))
    3.5355...
    """
    return np.sqrt((np.sum(np.diff(fused, axis=1) ** 2) + np.sum(np.diff(fused, axis=0) ** 2)) / fused.size)


@metric("SD", direction="higher", unit="grey levels", value_range=(0, 148), reference=JAGALINGAM, conventions=("vifb",))
def standard_deviation(fused: Image) -> float:
    """Standard deviation (SD) of the grey levels, divisor N-1; higher is more contrast.

    Parameters
    ----------
    fused : array (h, w), grey levels 0..255
        uint8, uint16 (divided by 257), other integers or floating point.

    Returns
    -------
    float
        Grey levels, 0 for a constant image; at most 147.3, for 2x2 pixels, and 127.5 as images grow.

    Raises
    ------
    ImageError
        If `fused` is no grey image of at least 2x2 pixels; the message names what was found.

    Notes
    -----
    VIFB divides by N: `standard_deviation_vifb`.

    References
    ----------
    Jagalingam and Hegde 2015, doi 10.1016/j.aqpro.2015.02.019

    Examples
    --------
    >>> import numpy as np
    >>> standard_deviation(np.array([[0, 255], [255, 0]]))
    147.22...
    """
    return fused.std(ddof=1)


@variant("SD", convention="vifb")
def standard_deviation_vifb(fused: Image) -> float:
    """SD of the benchmark VIFB, grey levels: divisor N.

    Parameters and errors are those of `standard_deviation`.

    Examples
    --------
    >>> import numpy as np
    >>> standard_deviation_vifb(np.array([[0, 255], [255, 0]]))
    127.5
    """
    return fused.std()


@metric("DF", direction="higher", unit="grey levels", value_range=(0, 255), reference=JAGALINGAM)
def definition(fused: Image) -> float:
    """Definition (DF): mean length of the gradient from forward differences; higher is sharper, or noisier.

    Parameters
    ----------
    fused : array (h, w), grey levels 0..255
        uint8, uint16 (divided by 257), other integers or floating point.

    Returns
    -------
    float
        Grey levels, 0 for a constant image, at most 255.

    Raises
    ------
    ImageError
        If `fused` is no grey image of at least 2x2 pixels; the message names what was found.

    Notes
    -----
    Mean over (h-1) x (w-1) pixels of sqrt((dx^2 + dy^2)/2). Many authors call this the average gradient; see `average_gradient`.

    References
    ----------
    Jagalingam and Hegde 2015, doi 10.1016/j.aqpro.2015.02.019

    Examples
    --------
    >>> import numpy as np
    >>> definition(np.array([[0, 3], [4, 0]]))
    3.5355...
    """
    dx, dy = np.diff(fused, axis=1)[:-1], np.diff(fused, axis=0)[:, :-1]
    return np.sqrt((dx**2 + dy**2) / 2).mean()


@metric(
    "AG",
    direction="higher",
    unit="grey levels",
    value_range=(0, 1020),
    reference="Cui et al. 2015, doi 10.1016/j.optcom.2014.12.032",
    conventions=("vifb",),
)
def average_gradient(fused: Image) -> float:
    """Average gradient (AG): mean length of the gradient from central differences; higher is sharper, or noisier.

    Parameters
    ----------
    fused : array (h, w), grey levels 0..255
        uint8, uint16 (divided by 257), other integers or floating point.

    Returns
    -------
    float
        Grey levels, 0 for a constant image; at most 1020, for 2x2 pixels, and 127.5 as images grow.

    Raises
    ------
    ImageError
        If `fused` is no grey image of at least 2x2 pixels; the message names what was found.

    Notes
    -----
    Sum of sqrt((gx^2 + gy^2)/2) over all pixels, divided by (h-1)*(w-1). One-sided differences at the border, as MATLAB's `gradient`.
    With forward differences the same formula is the paper's DF, `definition`.

    References
    ----------
    Cui et al. 2015, doi 10.1016/j.optcom.2014.12.032

    Examples
    --------
    >>> import numpy as np
    >>> average_gradient(np.array([[0, 1, 2], [0, 1, 2], [0, 1, 2]]))
    1.5909...
    """
    gy, gx = np.gradient(fused)
    height, width = fused.shape
    return np.sqrt((gx**2 + gy**2) / 2).sum() / ((height - 1) * (width - 1))

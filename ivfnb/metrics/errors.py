"""Differences of the fused image from its sources, averaged over the two (some codes report the sum); VIFB's rules beside them."""

import numpy as np

from ivfnb.images import Image
from ivfnb.metrics.planes import mean_over_sources
from ivfnb.metrics.registry import INFINITE, JAGALINGAM, metric, variant


def _mean_squared_error(first: Image, second: Image) -> float:
    return float(np.mean((first - second) ** 2))


def _decibels(error: float) -> float:
    """10 log10(255^2/error), infinite for no error."""
    return 10 * float(np.log10(255**2 / error)) if error > 0 else INFINITE


@metric("PSNR", direction="higher", unit="dB", value_range=(0, INFINITE), reference=JAGALINGAM, conventions=("vifb",))
def psnr(fused: Image, infrared: Image, visible: Image) -> float:
    """Peak signal-to-noise ratio (PSNR) of the fused image, taken as a copy of its sources; higher is nearer to their mean.

    Parameters
    ----------
    fused : array (h, w), grey levels 0..255
        uint8, uint16 (divided by 257), other integers or floating point.
    infrared, visible : arrays (h, w), grey levels 0..255
        The sources of `fused`.

    Returns
    -------
    float
        Decibels, at least 0; infinite where all three images are equal.

    Raises
    ------
    ImageError
        If an image is not grey, below 2x2 pixels or of another size than `fused`; the message names it.

    Notes
    -----
    10 log10(255^2 / m), m the mean of the squared errors to both sources; not the mean of two PSNR.

    References
    ----------
    Jagalingam and Hegde 2015, doi 10.1016/j.aqpro.2015.02.019

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((4, 4), 100)
    >>> psnr(image + 10, image, image + 20)
    28.13...
    """
    return _decibels(mean_over_sources(_mean_squared_error, fused, infrared, visible))


@metric("RMSE", direction="lower", unit="grey levels", value_range=(0, 255), reference=JAGALINGAM, conventions=("vifb",))
def rmse(fused: Image, infrared: Image, visible: Image) -> float:
    """Root mean squared error (RMSE), mean over the two sources; lower is nearer to both.

    Parameters
    ----------
    fused : array (h, w), grey levels 0..255
        uint8, uint16 (divided by 257), other integers or floating point.
    infrared, visible : arrays (h, w), grey levels 0..255
        The sources of `fused`.

    Returns
    -------
    float
        Grey levels, 0 (all three images are equal) to 255.

    Raises
    ------
    ImageError
        If an image is not grey, below 2x2 pixels or of another size than `fused`; the message names it.

    References
    ----------
    Jagalingam and Hegde 2015, doi 10.1016/j.aqpro.2015.02.019

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((4, 4), 100)
    >>> rmse(image + 10, image, image + 30)
    15.0
    """
    return mean_over_sources(lambda source, fused: _mean_squared_error(source, fused) ** 0.5, fused, infrared, visible)


@variant("RMSE", convention="vifb")
def rmse_vifb(fused: Image, infrared: Image, visible: Image) -> float:
    """RMSE of the benchmark VIFB: mean over the sources of sqrt(sum of squared errors)/(h*w), which shrinks as the image grows.

    Parameters and errors are those of `rmse`.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((4, 4), 100)
    >>> rmse_vifb(image + 10, image, image + 30)
    3.75
    """
    return mean_over_sources(lambda source, fused: float(np.sqrt(np.sum((source - fused) ** 2)) / source.size), fused, infrared, visible)


@variant("PSNR", convention="vifb")
def psnr_vifb(fused: Image, infrared: Image, visible: Image) -> float:
    """PSNR of the benchmark VIFB, dB: 10 log10(255^2/RMSE) with VIFB's RMSE where a mean squared error belongs; infinite for equal images.

    Parameters and errors are those of `psnr`.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((4, 4), 100)
    >>> psnr_vifb(image + 10, image, image + 20)
    44.15...
    """
    return _decibels(rmse_vifb(fused, infrared, visible))

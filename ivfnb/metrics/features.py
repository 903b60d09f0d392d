"""Feature mutual information (FMI): how much small windows of a feature image of F tell of the same windows of the sources."""

import numpy as np

from ivfnb.images import Image
from ivfnb.metrics.joint import SIDE, mean_shared
from ivfnb.metrics.registry import INFINITE, metric

HAGHIGHAT = "Haghighat, Aghagolzadeh and Seyedarabi 2011, doi 10.1016/j.compeleceng.2011.07.012"
# Features of a flat area carry rounding noise of a transform, which the window's stretch would blow up to full range.
FEATURE_DECIMALS = 9


@metric(
    "FMI_pixel",
    direction="higher",
    unit="1",
    value_range=(-INFINITE, INFINITE),
    reference=HAGHIGHAT,
    smallest=SIDE,
)
def fmi_pixel(fused: Image, infrared: Image, visible: Image) -> float:
    """FMI of the grey levels themselves: windows of 3x3 pixels, each taken as a distribution; higher is better.

    Parameters
    ----------
    fused : array (h, w), grey levels 0..255
        uint8, uint16 (divided by 257), other integers or floating point.
    infrared, visible : arrays (h, w), grey levels 0..255
        The sources of `fused`.

    Returns
    -------
    float
        About 0 to 1; 1 where all three images are equal. Single windows can leave 0..1.

    Raises
    ------
    ImageError
        If an image is not grey, below 3x3 pixels or of another size than `fused`; the message names it.

    Notes
    -----
    Values leave 0..1 since the mixed joint distribution need not be one where the correlation is larger than its bound's. A flat window
    shares nothing with another one, unless the two are equal. Departure from the authors' code: it compares the second source with a
    fused window already stretched, by which equal flat windows count 1 for the first source and 0 for the second.

    References
    ----------
    Haghighat, Aghagolzadeh and Seyedarabi 2011, doi 10.1016/j.compeleceng.2011.07.012

    Examples
    --------
    >>> import numpy as np
    >>> image = np.add.outer(np.arange(12) % 7, np.arange(12) % 5) * 20
    >>> fmi_pixel(image, image, image)
    1.0
    >>> fmi_pixel(image, image.T, image.T)
    0...
    """
    return mean_shared(fused, infrared, visible)


def _wavelet_feature(image: Image) -> Image:
    """Discrete Meyer wavelet transform, one level, its four bands side by side, stretched to 0..1 (ones if constant)."""
    import pywt  # late: slow to import, and only this metric needs it

    approximation, (horizontal, vertical, diagonal) = pywt.dwt2(image, "dmey", mode="symmetric")
    bands = np.round(np.block([[approximation, horizontal], [vertical, diagonal]]), FEATURE_DECIMALS)
    low, high = bands.min(), bands.max()
    return (bands - low) / (high - low) if high > low else np.ones_like(bands)


@metric(
    "FMI_w",
    direction="higher",
    unit="1",
    value_range=(-INFINITE, INFINITE),
    reference=HAGHIGHAT,
)
def fmi_wavelet(fused: Image, infrared: Image, visible: Image) -> float:
    """FMI of the discrete Meyer wavelet transform, one level; higher is better.

    Parameters
    ----------
    fused : array (h, w), grey levels 0..255
        uint8, uint16 (divided by 257), other integers or floating point.
    infrared, visible : arrays (h, w), grey levels 0..255
        The sources of `fused`.

    Returns
    -------
    float
        About 0 to 1; 1 where all three images are equal. Single windows can leave 0..1.

    Raises
    ------
    ImageError
        If an image is not grey, below 2x2 pixels or of another size than `fused`; the message names it.

    Notes
    -----
    Windows as in `fmi_pixel`. Departure: PyWavelets' filter has 62 taps and MATLAB's 102, so that the bands' margins are narrower here.

    References
    ----------
    Haghighat, Aghagolzadeh and Seyedarabi 2011, doi 10.1016/j.compeleceng.2011.07.012

    Examples
    --------
    >>> import numpy as np
    >>> image = np.add.outer(np.arange(12) % 7, np.arange(12) % 5) * 20
    >>> fmi_wavelet(image, image, image)
    1.0
    >>> fmi_wavelet(image, image.T, image.T)
    0...
    """
    return mean_shared(*(_wavelet_feature(image) for image in (fused, infrared, visible)))


def _dct_feature(image: Image) -> Image:
    """Orthonormal 2-D discrete cosine transform (type II) of the whole image."""
    from scipy import fft  # late: slow to import

    return np.round(fft.dctn(image, norm="ortho"), FEATURE_DECIMALS)


@metric(
    "FMI_dct",
    direction="higher",
    unit="1",
    value_range=(-INFINITE, INFINITE),
    reference=HAGHIGHAT,
    smallest=SIDE,
)
def fmi_dct(fused: Image, infrared: Image, visible: Image) -> float:
    """FMI of the 2-D discrete cosine transform of the whole image; higher is better.

    Parameters
    ----------
    fused : array (h, w), grey levels 0..255
        uint8, uint16 (divided by 257), other integers or floating point.
    infrared, visible : arrays (h, w), grey levels 0..255
        The sources of `fused`.

    Returns
    -------
    float
        About 0 to 1; 1 where all three images are equal. Single windows can leave 0..1.

    Raises
    ------
    ImageError
        If an image is not grey, below 3x3 pixels or of another size than `fused`; the message names it.

    Notes
    -----
    Windows as in `fmi_pixel`.

    References
    ----------
    Haghighat, Aghagolzadeh and Seyedarabi 2011, doi 10.1016/j.compeleceng.2011.07.012

    Examples
    --------
    >>> import numpy as np
    >>> image = np.add.outer(np.arange(12) % 7, np.arange(12) % 5) * 20
    >>> fmi_dct(image, image, image)
    1.0
    >>> fmi_dct(image, image.T, image.T)
    0...
    """
    return mean_shared(*(_dct_feature(image) for image in (fused, infrared, visible)))

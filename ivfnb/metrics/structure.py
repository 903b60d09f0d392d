"""Structural similarity of the fused image to its sources: Wang's SSIM, over several scales, and Yang's measure for fusion made of it."""

import numpy as np

from ivfnb.images import Image
from ivfnb.metrics.filters import gaussian, runs
from ivfnb.metrics.registry import metric, variant
from ivfnb.metrics.similarity import local_of, similarity, structure

SSIM_WINDOW = gaussian(11, 1.5)
SSIM_SMALLEST = 11
SSIM_CONSTANTS = (0.01 * 255) ** 2, (0.03 * 255) ** 2
MS_SSIM_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
MS_SSIM_SMALLEST = 161  # four halvings, rounded up, leave the 11 pixels of the window
QY_WINDOW = gaussian(7, 1.5)
QY_SMALLEST = 7


def _mean_similarities(fused: Image, sources: tuple[Image, ...], whole: bool) -> np.ndarray:
    """Mean over all windows, for each source, of Wang's SSIM, or where not `whole` of its part without the luminance."""
    total, windows = np.zeros(len(sources)), 0
    for part, *others in runs((fused, *sources), SSIM_WINDOW):
        of_fused = local_of(part, SSIM_WINDOW)
        windows += of_fused.mean.size
        for i, other in enumerate(others):
            pair = local_of(other, SSIM_WINDOW), of_fused, SSIM_WINDOW
            total[i] += (similarity(*pair, SSIM_CONSTANTS) if whole else structure(*pair, SSIM_CONSTANTS[1])).sum()
    return total / windows


@metric(
    "SSIM",
    direction="higher",
    unit="1",
    value_range=(-1, 1),
    reference="Wang et al. 2004, doi 10.1109/TIP.2003.819861",
    smallest=SSIM_SMALLEST,
    conventions=("vifb",),
)
def ssim(fused: Image, infrared: Image, visible: Image) -> float:
    """Structural similarity (SSIM) of F to its sources, mean over the two; higher is better.

    Parameters
    ----------
    fused : array (h, w), grey levels 0..255
        uint8, uint16 (divided by 257), other integers or floating point.
    infrared, visible : arrays (h, w), grey levels 0..255
        The sources of `fused`.

    Returns
    -------
    float
        -1 to 1; 1 where all three images are equal.

    Raises
    ------
    ImageError
        If an image is not grey, below 11x11 pixels or of another size than `fused`; the message names it.

    Notes
    -----
    Wang's definition: a Gaussian window of 11x11 pixels and sigma 1.5, variances with divisor N, whole windows only. The default of
    scikit-image is another: a uniform window of 7x7 pixels and variances with divisor N-1. By that one `ivfnb.evaluation.likeness` says
    how like two images of one method are, which is no metric of fusion. For the means of the five sample pairs the two definitions
    differ by 0.003 to 0.063. Some codes report the sum over the sources, VIFB among them (`ssim_vifb`).

    References
    ----------
    Wang et al. 2004, doi 10.1109/TIP.2003.819861

    Examples
    --------
    >>> import numpy as np
    >>> ramp = np.tile(np.arange(0, 240, 20), (12, 1))
    >>> ssim(ramp, ramp, ramp)
    1.0
    >>> ssim(255 - ramp, ramp, ramp)
    -0...
    """
    return float(_mean_similarities(fused, (infrared, visible), whole=True).mean())


@variant("SSIM", convention="vifb")
def ssim_vifb(fused: Image, infrared: Image, visible: Image) -> float:
    """SSIM of the benchmark VIFB, -2 to 2: the sum over the sources, not the mean.

    Parameters and errors are those of `ssim`.

    Examples
    --------
    >>> import numpy as np
    >>> ramp = np.tile(np.arange(0, 240, 20), (12, 1))
    >>> ssim_vifb(ramp, ramp, ramp)
    2.0
    """
    return 2 * ssim(fused, infrared, visible)


def _halve(image: Image) -> Image:
    """Means of 2x2 pixels; an odd last row or column is repeated."""
    if any(size % 2 for size in image.shape):
        image = np.pad(image, [(0, size % 2) for size in image.shape], mode="edge")
    rows = image[::2] + image[1::2]
    return (rows[:, ::2] + rows[:, 1::2]) / 4


@metric(
    "MS-SSIM",
    direction="higher",
    unit="1",
    value_range=(0, 1),
    reference="Wang, Simoncelli and Bovik 2003, doi 10.1109/ACSSC.2003.1292216",
    smallest=MS_SSIM_SMALLEST,
)
def ms_ssim(fused: Image, infrared: Image, visible: Image) -> float:
    """Multi-scale structural similarity (MS-SSIM) of F to its sources, mean over the two; higher is better.

    Parameters
    ----------
    fused : array (h, w), grey levels 0..255
        uint8, uint16 (divided by 257), other integers or floating point.
    infrared, visible : arrays (h, w), grey levels 0..255
        The sources of `fused`.

    Returns
    -------
    float
        0 to 1; 1 where all three images are equal.

    Raises
    ------
    ImageError
        If an image is not grey, below 161x161 pixels or of another size than `fused`; the message names it.

    Notes
    -----
    Five scales, each half the one before. A scale whose mean is negative counts 0, since its fractional power has no value.

    References
    ----------
    Wang, Simoncelli and Bovik 2003, doi 10.1109/ACSSC.2003.1292216

    Examples
    --------
    >>> import numpy as np
    >>> ramp = np.tile(np.arange(161), (161, 1))
    >>> round(ms_ssim(ramp, ramp, ramp), 12)
    1.0
    """
    result = np.ones(2)
    for scale, weight in enumerate(MS_SSIM_WEIGHTS):
        if scale > 0:
            fused, infrared, visible = _halve(fused), _halve(infrared), _halve(visible)
        last = scale == len(MS_SSIM_WEIGHTS) - 1
        result *= np.maximum(_mean_similarities(fused, (infrared, visible), whole=last), 0) ** weight
    return float(result.mean())


@metric(
    "Qy",
    direction="higher",
    unit="1",
    value_range=(-1, 1),
    reference="Yang et al. 2008 as in Liu et al. 2012, doi 10.1109/TPAMI.2011.109",
    smallest=QY_SMALLEST,
)
def qy(fused: Image, infrared: Image, visible: Image) -> float:
    """Yang's similarity (Qy): SSIM of F to both sources where these agree, to the more similar one elsewhere; higher is better.

    Parameters
    ----------
    fused : array (h, w), grey levels 0..255
        uint8, uint16 (divided by 257), other integers or floating point.
    infrared, visible : arrays (h, w), grey levels 0..255
        The sources of `fused`.

    Returns
    -------
    float
        -1 to 1; 1 where all three images are equal.

    Raises
    ------
    ImageError
        If an image is not grey, below 7x7 pixels or of another size than `fused`; the message names it.

    Notes
    -----
    Sources agree where their own SSIM is at least 0.75; there F's similarities to them are weighted by their variances, alike where both
    are flat. Gaussian window 7, sigma 1.5; constants 2e-16, which makes variances below 1e-10 count as none here, lest rounding errors
    decide.

    References
    ----------
    Yang et al. 2008 as in Liu et al. 2012, doi 10.1109/TPAMI.2011.109

    Examples
    --------
    >>> import numpy as np
    >>> ramp = np.tile(np.arange(0, 240, 20), (12, 1))
    >>> round(qy(ramp, ramp, 255 - ramp), 12)
    1.0
    """
    total, windows = 0.0, 0
    for some in runs((infrared, visible, fused), QY_WINDOW):
        local = [local_of(image, QY_WINDOW) for image in some]
        between, first, second = (similarity(local[i], local[j], QY_WINDOW, (2e-16, 2e-16)) for i, j in ((0, 1), (0, 2), (1, 2)))
        v1, v2 = local[0].variance, local[1].variance
        weight = np.divide(v1, v1 + v2, out=np.full_like(v1, 0.5), where=v1 + v2 > 0)
        total += float(np.where(between >= 0.75, weight * first + (1 - weight) * second, np.maximum(first, second)).sum())
        windows += between.size
    return total / windows

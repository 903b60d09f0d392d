"""Perceptual metrics with a contrast sensitivity function: Chen and Blum's Qcb, Chen and Varshney's Qcv.

Both follow the MATLAB toolbox that goes with Liu et al. 2012 (doi 10.1109/TPAMI.2011.109) and is what others report: images are first
stretched to 0..255 and rounded, and the viewing distance is fixed relative to the image's size.
"""

import numpy as np

from ivfnb.images import Image
from ivfnb.metrics.filters import smooth_zero
from ivfnb.metrics.planes import sobel_valid
from ivfnb.metrics.registry import INFINITE, metric

_X = np.arange(-15, 16)
NARROW, WIDE = (np.exp(-(_X**2) / (2 * sigma**2)) / np.sqrt(2 * np.pi) / sigma for sigma in (2, 4))  # 31 taps, not renormalised
BLOCK = 16  # side of Qcv's regions, pixels
SALIENCY_POWER = 5


def _stretched(image: Image) -> Image:
    """Levels stretched to 0..255 and rounded, halves up; a constant image gives zeros."""
    low, high = image.min(), image.max()
    return np.floor((image - low) / (high - low) * 255 + 0.5) if high > low else np.zeros_like(image)


def _frequencies(shape: tuple[int, int], cycles: float) -> Image:
    """Radial frequency on the grid of `rfft2`: Nyquist lies at width/cycles horizontally and height/cycles vertically."""
    vertical = 2 * np.fft.fftfreq(shape[0]) * shape[0] / cycles
    horizontal = 2 * np.fft.rfftfreq(shape[1]) * shape[1] / cycles
    return np.hypot(vertical[:, None], horizontal[None, :])


def _filtered(image: Image, response: Image) -> Image:
    """Image filtered by a frequency response on the grid of `rfft2`."""
    from scipy import fft  # late: slow to import

    return fft.irfft2(fft.rfft2(image) * response, s=image.shape)


def _safe_ratio(first: Image, second: Image, otherwise: float) -> Image:
    return np.divide(first, second, out=np.full_like(first, otherwise), where=second != 0)


def _masked_contrast(image: Image, response: Image) -> Image:
    """Contrast after masking of Chen and Blum, C^3/(C^2 + 0.0001), of the contrast C between Gaussians of sigma 2 and 4."""
    seen = _filtered(image, response)
    contrast = np.abs(_safe_ratio(smooth_zero(seen, NARROW), smooth_zero(seen, WIDE), 1.0) - 1)
    return contrast**3 / (contrast**2 + 0.0001)


@metric(
    "Qcb",
    direction="higher",
    unit="1",
    value_range=(0, 1),
    reference="Chen and Blum 2009, doi 10.1016/j.imavis.2007.12.002",
    conventions=("vifb",),
)
def qcb(fused: Image, infrared: Image, visible: Image) -> float:
    """Chen and Blum's metric (Qcb): seen contrast that F keeps of the sources, weighted by the sources' contrast; higher is better.

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
        If an image is not grey, below 2x2 pixels or of another size than `fused`; the message names it.

    Notes
    -----
    Every image is stretched first, so that a linear stretch changes nothing. Departure: where the toolbox divides 0 by 0, no contrast in
    source and fused image counts as kept, and sources share the weight.

    References
    ----------
    Chen and Blum 2009, doi 10.1016/j.imavis.2007.12.002

    Examples
    --------
    >>> import numpy as np
    >>> image = np.add.outer(np.arange(32) % 7, np.arange(32) % 5) * 20
    >>> qcb(image, image, image)
    1.0
    >>> qcb(np.zeros((32, 32)), image, image)
    0.0
    """
    radius = _frequencies(fused.shape, 30)
    response = np.exp(-((radius / 15.3870) ** 2)) - 0.7622 * np.exp(-((radius / 1.3456) ** 2))
    of_fused, of_infrared, of_visible = (_masked_contrast(_stretched(image), response) for image in (fused, infrared, visible))
    kept = [_safe_ratio(np.minimum(source, of_fused), np.maximum(source, of_fused), 1.0) for source in (of_infrared, of_visible)]
    weight = _safe_ratio(of_infrared**2, of_infrared**2 + of_visible**2, 0.5)
    return float(np.mean(weight * kept[0] + (1 - weight) * kept[1]))


def _block_sums(image: Image) -> Image:
    """Sums over 16x16 regions, the last ones filled up with zeros."""
    padded = np.pad(image, [(0, -size % BLOCK) for size in image.shape])
    return padded.reshape(padded.shape[0] // BLOCK, BLOCK, padded.shape[1] // BLOCK, BLOCK).sum(axis=(1, 3))


@metric(
    "Qcv",
    direction="lower",
    unit="grey levels squared",
    value_range=(0, INFINITE),
    reference="Chen and Varshney 2007, doi 10.1016/j.inffus.2005.10.001",
    conventions=("vifb",),
)
def qcv(fused: Image, infrared: Image, visible: Image) -> float:
    """Chen and Varshney's metric (Qcv): mean square of the difference of F to each source, as the eye sees it; lower is better.

    Parameters
    ----------
    fused : array (h, w), grey levels 0..255
        uint8, uint16 (divided by 257), other integers or floating point.
    infrared, visible : arrays (h, w), grey levels 0..255
        The sources of `fused`.

    Returns
    -------
    float
        Grey levels squared; 0 where all three images are equal, and where no source has an edge.

    Raises
    ------
    ImageError
        If an image is not grey, below 2x2 pixels or of another size than `fused`; the message names it.

    Notes
    -----
    Images are stretched first; the differences are filtered by Mannos and Sakrison's contrast sensitivity and taken over regions of 16x16
    pixels, which count by the source's edge strength to the 5th power.

    References
    ----------
    Chen and Varshney 2007, doi 10.1016/j.inffus.2005.10.001

    Examples
    --------
    >>> import numpy as np
    >>> image = np.add.outer(np.arange(32) % 7, np.arange(32) % 5) * 20
    >>> qcv(image, image, image), round(qcv(image.T, image, image))
    (0.0, 2812)
    """
    fused, *sources = (_stretched(image) for image in (fused, infrared, visible))
    radius = 0.144 * _frequencies(fused.shape, 8)
    response = 2.6 * (0.0192 + radius) * np.exp(-(radius**1.1))
    weighted = total = 0.0
    for source in sources:
        right, down = sobel_valid(np.pad(source, 1))
        saliency = _block_sums((right**2 + down**2) ** (SALIENCY_POWER / 2))
        weighted += float(np.sum(saliency * _block_sums(_filtered(source - fused, response) ** 2))) / BLOCK**2
        total += float(saliency.sum())
    return weighted / total if total > 0 else 0.0

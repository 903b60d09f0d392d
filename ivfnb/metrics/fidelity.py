"""Visual information fidelity: VIF in the pixel domain (Sheikh and Bovik) and the fusion measure VIFF (Han et al.) on its pyramid."""

from collections.abc import Iterator

import cv2
import numpy as np

from ivfnb.images import Image
from ivfnb.metrics.filters import MIDDLE, TINY, gaussian, runs, smooth_valid
from ivfnb.metrics.planes import parts
from ivfnb.metrics.registry import INFINITE, metric
from ivfnb.metrics.similarity import covariance, local_of

WINDOWS = tuple(gaussian(side, side / 5) for side in (17, 9, 5, 3))  # one per scale
SMALLEST = 41  # side in pixels below which the fourth scale has no whole window
VIFF_NOISE = 0.005 * 255**2  # variance of the visual noise, grey levels squared
VIFF_WEIGHTS = (1 / 2.15, 0, 0.15 / 2.15, 1 / 2.15)  # one per scale
VIF_NOISE = 2.0

Channel = tuple[Image, Image, Image]  # gain from source to fused, fused variance it leaves unexplained, source variance


def _channel(source: Image, fused: Image, both: Image) -> Channel:
    """Channel of the local variances of a source and the fused image and their covariance.

    No gain where either is flat or the covariance is not positive (a zero one whatever its rounding: the gain decides which source
    counts). VIF's other clamps concern what is left unexplained where there is no gain, which then plays no part.
    """
    gain = both / (source + TINY)
    gain[(source == 0) | (fused == 0) | (both < TINY)] = 0
    return gain, np.maximum(fused - gain * both, TINY), source


def _reduced(image: Image, window: np.ndarray, shift: float) -> Image:
    """The next scale of `image - shift`: filtered and decimated by 2."""
    height, width = (-(-(size - len(window) + 1) // 2) for size in image.shape)
    result = np.empty((height, width))
    for rows in parts((height, 2 * image.shape[1])):
        seen = image[2 * rows.start : 2 * rows.stop + len(window) - 2] - shift
        result[rows] = smooth_valid(seen, window)[::2, ::2]
    return result


def _bands(images: list[Image], window: np.ndarray, shift: float) -> Iterator[list[Channel]]:
    """Channels (infrared, visible) of one scale of (fused, infrared, visible), a run of rows at a time."""
    for part in runs(tuple(images), window):
        fused, *sources = (local_of(image, window, shift) for image in part)
        yield [_channel(source.variance, fused.variance, covariance(source, fused, window)) for source in sources]


def _scales(fused: Image, infrared: Image, visible: Image, wanted: tuple[bool, ...] = (True,) * 4) -> Iterator[Iterator[list[Channel]]]:
    """The `_bands` of each wanted scale; every scale after the first is filtered and decimated by 2."""
    images, shift = [fused, infrared, visible], MIDDLE
    for scale, window in enumerate(WINDOWS):
        if scale > 0:
            images, shift = [_reduced(image, window, shift) for image in images], 0.0
        if wanted[scale]:
            yield _bands(images, window, shift)


def _information(channel: Channel, noise: float) -> tuple[Image, Image]:
    """What the fused image tells of the source and what the source holds, both ln(1 + signal/noise) per pixel.

    OpenCV's logarithm is as exact as NumPy's, in an eighth of the time of NumPy's of base 10.
    """
    gain, rest, variance = channel
    return cv2.log(1 + gain * gain * variance / (rest + noise)), cv2.log(1 + variance / noise)


@metric(
    "VIFF",
    direction="higher",
    unit="1",
    value_range=(0, INFINITE),
    reference="Han, Cai, Cao and Xu 2013, doi 10.1016/j.inffus.2011.08.002",
    smallest=SMALLEST,
)
def viff(fused: Image, infrared: Image, visible: Image) -> float:
    """Visual information fidelity for fusion (VIFF): what F tells of what an observer would see in the sources; higher is better.

    Parameters
    ----------
    fused : array (h, w), grey levels 0..255
        uint8, uint16 (divided by 257), other integers or floating point.
    infrared, visible : arrays (h, w), grey levels 0..255
        The sources of `fused`.

    Returns
    -------
    float
        At least 0; 1 where all three images are equal. Can exceed 1, by a gain of contrast.

    Raises
    ------
    ImageError
        If an image is not grey, below 41x41 pixels or of another size than `fused`; the message names it.

    Notes
    -----
    At every pixel the source with the smaller gain counts, the infrared one only where it is strictly smaller: of the paper's eleven the
    one metric that changes, a little, when the sources change places. Departure: levels are taken about 128, which changes nothing but
    rounding noise on flat, saturated areas.

    References
    ----------
    Han, Cai, Cao and Xu 2013, doi 10.1016/j.inffus.2011.08.002

    Examples
    --------
    >>> import numpy as np
    >>> image = np.add.outer(np.arange(41) % 7, np.arange(41) % 5) * 20
    >>> round(viff(image, image, image), 6), round(viff(image * 0.5, image, image), 6)
    (1.0, 0...)
    """
    result = 0.0
    weights = [weight for weight in VIFF_WEIGHTS if weight]
    scales = _scales(fused, infrared, visible, tuple(w > 0 for w in VIFF_WEIGHTS))
    for bands, weight in zip(scales, weights, strict=True):
        all_seen = all_there = 0.0
        for of_infrared, of_visible in bands:
            from_infrared = of_infrared[0] < of_visible[0]
            gain, rest, variance = (np.where(from_infrared, a, b) for a, b in zip(of_infrared, of_visible, strict=True))
            seen, there = _information((gain, rest, variance), VIFF_NOISE)
            # The authors' 1e-7 a pixel belongs to logarithms of base 10.
            all_seen += float(seen.sum()) / np.log(10) + 1e-7 * seen.size
            all_there += float(there.sum()) / np.log(10) + 1e-7 * there.size
        result += weight * (all_seen / all_there)
    return result


@metric(
    "VIF",
    direction="higher",
    unit="1",
    value_range=(0, INFINITE),
    reference="Sheikh and Bovik 2006, doi 10.1109/TIP.2005.859378",
    smallest=SMALLEST,
)
def vif(fused: Image, infrared: Image, visible: Image) -> float:
    """Visual information fidelity in the pixel domain (VIF, VIFP), mean over the two sources; higher is better.

    Parameters
    ----------
    fused : array (h, w), grey levels 0..255
        uint8, uint16 (divided by 257), other integers or floating point.
    infrared, visible : arrays (h, w), grey levels 0..255
        The sources of `fused`.

    Returns
    -------
    float
        At least 0; 1 where all three images are equal. Can exceed 1, by a gain of contrast.

    Raises
    ------
    ImageError
        If an image is not grey, below 41x41 pixels or of another size than `fused`; the message names it.

    Notes
    -----
    A source without any variance holds no information to lose and counts 1. Some codes report the sum over the sources.

    References
    ----------
    Sheikh and Bovik 2006, doi 10.1109/TIP.2005.859378

    Examples
    --------
    >>> import numpy as np
    >>> image = np.add.outer(np.arange(41) % 7, np.arange(41) % 5) * 20
    >>> round(vif(image, image, image), 6), round(vif(image * 0.5, image, image), 6)
    (1.0, 0...)
    """
    seen, there = np.zeros(2), np.zeros(2)
    for bands in _scales(fused, infrared, visible):
        for channels in bands:
            for i, channel in enumerate(channels):
                sums = [float(image.sum()) for image in _information(channel, VIF_NOISE)]
                seen[i] += sums[0]
                there[i] += sums[1]
    return float(np.mean([s / t if t > 0 else 1.0 for s, t in zip(seen, there, strict=True)]))

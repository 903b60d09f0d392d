"""Further metrics this field's users expect: errors, correlations, structural similarity and normalised mutual information.

A measure of two images is averaged over the two sources, so that identical images give its known optimum; some codes report the sum.
"""

from collections.abc import Callable

import numpy as np

from ivfnb.images import Image
from ivfnb.metrics.filters import MIDDLE, TINY, gaussian, smooth_valid
from ivfnb.metrics.paper import correlation
from ivfnb.metrics.triple import Triple, entropy_bits, joint_probabilities

SSIM_WINDOW = gaussian(11, 1.5)
SSIM_SMALLEST = 11
SSIM_CONSTANTS = (0.01 * 255) ** 2, (0.03 * 255) ** 2
MS_SSIM_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
MS_SSIM_SMALLEST = 161  # four halvings, rounded up, leave the 11 pixels of the window
QY_WINDOW = gaussian(7, 1.5)
QY_SMALLEST = 7


def mean_over_sources(triple: Triple, measure: Callable[[Image, Image], float]) -> float:
    """Mean of measure(source, fused) over infrared and visible, on float64 levels."""
    return sum(measure(source.levels, triple.fused.levels) for source in triple.sources) / 2


def average_gradient(triple: Triple) -> float:
    """Average gradient (AG), grey levels: sum of sqrt((gx^2 + gy^2)/2) of central differences over (h-1)*(w-1).

    One-sided differences at the border, as MATLAB's `gradient`. With forward differences the same formula is the paper's DF.
    """
    gy, gx = np.gradient(triple.fused.levels)
    height, width = gx.shape
    return float(np.sqrt((gx**2 + gy**2) / 2).sum() / ((height - 1) * (width - 1)))


def _mean_squared_error(first: Image, second: Image) -> float:
    return float(np.mean((first - second) ** 2))


def psnr(triple: Triple) -> float:
    """Peak signal-to-noise ratio (PSNR), dB: 10 log10(255^2 / the mean squared error over both sources); infinite for identical images."""
    error = mean_over_sources(triple, _mean_squared_error)
    return 10 * float(np.log10(255**2 / error)) if error > 0 else float("inf")


def rmse(triple: Triple) -> float:
    """Root mean squared error (RMSE), grey levels, lower is better: mean over the sources."""
    return mean_over_sources(triple, lambda source, fused: _mean_squared_error(source, fused) ** 0.5)


def ssim_of(source: Image, fused: Image) -> float:
    """Structural similarity of two images as in Wang et al. 2004: Gaussian window 11, sigma 1.5, whole windows only (scikit-image's)."""
    from skimage.metrics import structural_similarity  # slow to import, and few callers need it

    return float(structural_similarity(source, fused, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False))


def ssim(triple: Triple) -> float:
    """Structural similarity (SSIM), -1 to 1, mean over the sources. Needs 11x11 pixels."""
    return mean_over_sources(triple, ssim_of)


def _similarity(first: Image, second: Image, window: np.ndarray, c1: float, c2: float) -> tuple[Image, Image, Image, Image]:
    """Luminance and contrast-structure maps of SSIM and the two local variances, whole windows only."""
    first, second = first - MIDDLE, second - MIDDLE
    m1, m2 = smooth_valid(first, window), smooth_valid(second, window)
    v1, v2 = smooth_valid(first**2, window) - m1**2, smooth_valid(second**2, window) - m2**2
    both = smooth_valid(first * second, window) - m1 * m2
    v1, v2, both = np.where(v1 < TINY, 0, v1), np.where(v2 < TINY, 0, v2), np.where((v1 < TINY) | (v2 < TINY), 0, both)
    m1, m2 = m1 + MIDDLE, m2 + MIDDLE
    return (2 * m1 * m2 + c1) / (m1**2 + m2**2 + c1), (2 * both + c2) / (v1 + v2 + c2), v1, v2


def _halve(image: Image) -> Image:
    """Means of 2x2 pixels; an odd last row or column is repeated."""
    image = np.pad(image, [(0, size % 2) for size in image.shape], mode="edge")
    return (image[::2, ::2] + image[1::2, ::2] + image[::2, 1::2] + image[1::2, 1::2]) / 4


def _ms_ssim_of(source: Image, fused: Image) -> float:
    result = 1.0
    for scale, weight in enumerate(MS_SSIM_WEIGHTS):
        if scale > 0:
            source, fused = _halve(source), _halve(fused)
        luminance, structure, _, _ = _similarity(source, fused, SSIM_WINDOW, *SSIM_CONSTANTS)
        last = scale == len(MS_SSIM_WEIGHTS) - 1
        result *= max(float(np.mean(luminance * structure if last else structure)), 0.0) ** weight
    return result


def ms_ssim(triple: Triple) -> float:
    """Multi-scale structural similarity (MS-SSIM), 0 to 1, mean over the sources: five scales, each half the one before.

    A scale whose mean is negative counts 0, since its fractional power has no value. Needs 161x161 pixels.
    """
    return mean_over_sources(triple, _ms_ssim_of)


def cc(triple: Triple) -> float:
    """Correlation coefficient (CC), -1 to 1, mean over the sources; a constant image counts 0."""
    return mean_over_sources(triple, correlation)


def nmi(triple: Triple) -> float:
    """Normalised mutual information (NMI), 0 to 2: sum over the sources X of 2*MI(X, F)/(H(X) + H(F)); 0 where both are constant."""
    sums = [source.entropy + triple.fused.entropy for source in triple.sources]
    return sum(2 * shared / total if total > 0 else 0.0 for shared, total in zip(triple.mutual_information, sums, strict=True))


def qncie(triple: Triple) -> float:
    """Nonlinear correlation information entropy (Qncie), 0 to 1, of infrared, visible and fused image.

    1 plus the entropy-like sum of r/3 log256(r/3) over the eigenvalues r of the matrix of their mutual informations in units of log 256,
    with ones on the diagonal. Never below 1 - log256(3) = 0.80, which independent images give.
    """
    infrared, visible = triple.sources
    shared = infrared.entropy + visible.entropy - entropy_bits(joint_probabilities(infrared, visible))
    between, infrared_fused, visible_fused = (max(bits, 0.0) / 8 for bits in (shared, *triple.mutual_information))
    matrix = [[1, between, infrared_fused], [between, 1, visible_fused], [infrared_fused, visible_fused, 1]]
    return 1 - entropy_bits(np.linalg.eigvalsh(matrix) / 3) / 8


def qy(triple: Triple) -> float:
    """Yang's similarity (Qy), at most 1: SSIM of the sources with F, weighted by their variances where the sources agree (SSIM of
    infrared and visible at least 0.75), else the better of the two.

    Gaussian window 7, sigma 1.5; constants 2e-16, which makes variances below 1e-10 count as none here, lest rounding errors decide;
    where both sources are flat their weights are equal. Needs 7x7 pixels.
    """
    fused, infrared, visible = triple.fused.levels, triple.infrared.levels, triple.visible.levels
    maps = [_similarity(*pair, QY_WINDOW, 2e-16, 2e-16) for pair in ((infrared, visible), (infrared, fused), (visible, fused))]
    between, first, second = (luminance * structure for luminance, structure, _, _ in maps)
    _, _, v1, v2 = maps[0]
    weight = np.divide(v1, v1 + v2, out=np.full_like(v1, 0.5), where=v1 + v2 > 0)
    return float(np.mean(np.where(between >= 0.75, weight * first + (1 - weight) * second, np.maximum(first, second))))

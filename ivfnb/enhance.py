"""Grey-level work before and after fusion: linear stretch, High-Dynamic-Range Compression (HDRC), Single Scale Retinex (SSR).

All functions take a grey image (h, w): uint8, uint16 (0..65535, read as level/257) or floating point levels 0..255, and return float64
levels 0..255 without rounding. An image without contrast (one level) comes back with its levels unchanged: there is nothing to stretch or
compress. Temporaries are reused in place, since touching fresh memory costs more here than the arithmetic.
"""

from collections.abc import Callable

import cv2
import numpy as np
from scipy import fft

from ivfnb.images import Image, ImageError

MULTI_SHARES = (0.06, 0.32, 1.0)  # of the widest surround: 15, 80 and 250 pixels in Rahman et al. 1996, doi 10.1109/ICIP.1996.560995
CLIPS = ("released", "percentile", "none")


def levels(image: Image, name: str = "image") -> Image:
    """Grey image (h, w) as float64 levels 0..255; uint16 is divided by 257. ImageError for other shapes, dtypes or values."""
    image = np.asarray(image)
    if image.ndim != 2 or image.size == 0:
        raise ImageError(f"{name}: found an array of shape {image.shape}, expected a grey image (h, w)")
    if image.dtype == np.uint8:
        return image.astype(np.float64)
    if image.dtype == np.uint16:
        return image / 257.0
    if image.dtype.kind not in "uif":
        raise ImageError(f"{name}: found {image.dtype}, expected uint8, uint16 or floating point grey levels")
    result = image.astype(np.float64)
    low, high = result.min(), result.max()
    if not (low >= -1e-6 and high <= 255 + 1e-6):  # NaN fails too; the margin is for rounding in earlier stages
        raise ImageError(f"{name}: found levels from {low:g} to {high:g}, expected finite grey levels 0..255")
    return result


def _is_flat(values: np.ndarray) -> bool:
    """Whether all values are equal but for rounding, which must not be stretched to black and white noise."""
    return np.ptp(values) <= 1e-9


def _full_range(values: np.ndarray) -> np.ndarray | None:
    """Values mapped linearly to 0..255 in place; None where all are equal. Multiplying before dividing gives the released last bits."""
    if _is_flat(values):
        return None
    low, high = values.min(), values.max()
    values -= low
    values *= 255
    values /= high - low
    return values


def stretch(image: Image) -> Image:
    """Linear stretch to the full range, (I - min) / (max - min) * 255: the paper's enhancement of the infrared image.

    Rounding can leave the maximum a hair below 255, so a later truncation to uint8 may give 254, as in the released script.
    """
    image = levels(image)
    return image.round(9) if _full_range(image) is None else image  # rounded, so that a flat 89.999... is not truncated to 89 later


def _subsampled(size: int, subsampling: float) -> np.ndarray:
    """Indices that MATLAB's `imresize(..., 1/subsampling, 'nearest')` takes from `size` samples: ceil(size/subsampling) of them."""
    centre = (np.arange(np.ceil(size / subsampling)) + 0.5) * subsampling - 0.5
    nearest = np.floor(centre + 0.5).astype(int) % (2 * size)
    return np.minimum(nearest, 2 * size - 1 - nearest)  # MATLAB mirrors beyond the border, and the base layer's extremes see it


def _upsampled(image: Image, size: int, axis: int) -> Image:
    """Image of `size` samples along one axis: linear between pixel centres, the border repeated, as MATLAB's bilinear `imresize`."""
    last = image.shape[axis] - 1
    centre = np.clip((np.arange(size) + 0.5) * (last + 1) / size - 0.5, 0, last)
    left = np.floor(centre).astype(int)
    share = np.expand_dims(centre - left, 1 - axis)
    result = image.take(left, axis)
    result += share * (image.take(np.minimum(left + 1, last), axis) - result)
    return result


def _window_means(image: Image, radius: int) -> Image:
    """Mean of the (2 radius + 1)^2 window, of its part inside the image at the borders."""
    side = (2 * radius + 1, 2 * radius + 1)
    total = cv2.boxFilter(image, -1, side, normalize=False, borderType=cv2.BORDER_CONSTANT)
    return total / cv2.boxFilter(np.ones_like(image), -1, side, normalize=False, borderType=cv2.BORDER_CONSTANT)


def local_contrast(image: Image, side: int = 9) -> Image:
    """Standard deviation of the grey levels in the `side` x `side` window (an odd number) around each pixel; float64 (h, w)."""
    image = levels(image)
    mean = _window_means(image, side // 2)
    return np.sqrt(np.maximum(_window_means(image * image, side // 2) - mean * mean, 0))


def fast_guided_filter(image: Image, radius: int, eps: float = 0.01, subsampling: float = 1.0) -> Image:
    """Edge-preserving smoothing of a grey image by itself; float64 (h, w). `eps` is a variance of levels on the scale 0..1.

    He and Sun 2015 (arXiv 1505.00996) as in MATLAB: nearest-neighbour subsampling (the factor may be fractional), windows of
    radius/subsampling, bilinear upsampling of both coefficients.
    """
    if radius < 0 or subsampling < 1 or eps <= 0:
        raise ValueError(f"radius, subsampling, eps: found {radius}, {subsampling}, {eps}, expected at least 0, at least 1, above 0")
    unit = levels(image) / 255
    small = unit[np.ix_(_subsampled(unit.shape[0], subsampling), _subsampled(unit.shape[1], subsampling))]
    small_radius = round(radius / subsampling)
    mean = _window_means(small, small_radius)
    variance = _window_means(small * small, small_radius) - mean * mean
    gain = variance / (variance + eps)
    offset = mean - gain * mean
    gain, offset = (
        _upsampled(_upsampled(_window_means(plane, small_radius), unit.shape[0], 0), unit.shape[1], 1) for plane in (gain, offset)
    )
    gain *= unit
    gain += offset
    gain *= 255
    return gain


def _log_base(full: Image, radius: float, eps: float) -> Image:
    """Natural logarithm of the base layer + 1 of a stretched image; the filter's subsampling is a quarter of its radius, at least 1."""
    pixels = int(radius * max(full.shape))
    base = fast_guided_filter(full, pixels, eps, max(1.0, pixels / 4))
    return np.log1p(base, out=base)


def layers(image: Image, radius: float = 0.04, eps: float = 0.01) -> tuple[Image, Image]:
    """Base and detail layers of the stretched image as HDRC sees them: two float64 (h, w) arrays of natural logarithms of level + 1.

    Their sum is log(stretch(image) + 1). `radius` of the filter is a share of the longer side, rounded down to pixels.
    """
    full = stretch(image)
    base = _log_base(full, radius, eps)
    return base, np.log1p(full, out=full) - base


def hdrc(image: Image, radius: float = 0.04, eps: float = 0.01, contrast: float = 4.0) -> Image:
    """High-Dynamic-Range Compression: the paper's enhancement of the visible image; float64 (h, w), up to 255.

    The base layer is scaled in the logarithm to a range of log(contrast), the detail layer kept, the brightest base held in place
    (Zhou et al. 2016, doi 10.1364/AO.55.006480; after Durand and Dorsey 2002, doi 10.1145/566654.566574). Levels above 255 are cut.
    """
    image = levels(image)
    if _is_flat(image):
        return image
    if contrast <= 1:
        raise ValueError(f"contrast: found {contrast}, expected above 1 (the ratio of the compressed base layer's extremes)")
    _full_range(image)
    base = _log_base(image, radius, eps)
    top, spread = base.max(), np.ptp(base)
    scale = np.log(contrast) / spread if spread > 0 else 1.0  # a flat base leaves nothing to compress
    # exp(scale * base + detail + (1 - scale) * top) with detail = log(image + 1) - base: one logarithm and one array fewer
    np.subtract(top, base, out=base)
    base *= 1 - scale
    np.exp(base, out=base)
    image += 1
    image *= base
    return np.minimum(image, 255, out=image)


def clahe(image: Image, clip_limit: float = 0.01) -> Image:
    """Contrast-limited adaptive histogram equalisation (scikit-image's, Zuiderveld 1994), an alternative to HDRC; float64 (h, w)."""
    from skimage import exposure  # imported late: it takes longer than the rest of the module

    image = levels(image)
    if _is_flat(image):
        return image
    return 255 * exposure.equalize_adapthist(np.clip(image / 255, 0, 1), clip_limit=clip_limit)


def gamma(image: Image, exponent: float = 0.5) -> Image:
    """Power law on the stretched image, 255 * (level / 255)^exponent (scikit-image's), an alternative to HDRC; float64 (h, w)."""
    from skimage import exposure

    full = stretch(image)
    return full if _is_flat(full) else 255 * exposure.adjust_gamma(full / 255, exponent)


def surround(image: Image, sigma: float) -> Image:
    """Gaussian mean of a grey image, as OpenCV's GaussianBlur on float64 (kernel cut at 4 sigma, border mirrored without repetition).

    Computed in the cosine basis, where mirroring makes the blur a product: at sigma 300 the kernel has 2,401 taps an axis.
    """
    if not 0 < sigma < np.inf:
        raise ValueError(f"sigma: found {sigma}, expected pixels above 0")
    kernel = cv2.getGaussianKernel(round(8 * sigma + 1) | 1, sigma).ravel()
    taps = np.arange(kernel.size) - kernel.size // 2
    result = levels(image)
    for axis, size in enumerate(result.shape):
        if size == 1:
            continue
        period = 2 * (size - 1)
        transfer = np.fft.rfft(np.bincount(taps % period, weights=kernel, minlength=period)).real
        shape = (-1, 1) if axis == 0 else (1, -1)
        result = fft.dct(result, 1, axis=axis, overwrite_x=True)
        result *= transfer.reshape(shape)
        result = fft.idct(result, 1, axis=axis, overwrite_x=True)
    return result


def _limits(reflectance: np.ndarray, clip: str) -> tuple[float, float]:
    """Lowest and highest reflectance that `ssr` keeps."""
    if clip == "none":
        return reflectance.min(), reflectance.max()
    if clip == "percentile":
        return tuple(np.percentile(reflectance, (1, 99)))
    hundredths = (100 * reflectance).astype(np.int32)  # the cast truncates toward zero, as released
    lowest = hundredths.min()
    counts = np.bincount((hundredths - lowest).ravel())
    bins = np.arange(counts.size) + lowest
    rare = (counts > 0) & (counts < 0.1 * counts[bins == 0].sum())
    negative, positive = bins[rare & (bins < 0)], bins[rare & (bins > 0)]
    return (negative[-1] if negative.size else bins[0]) / 100, (positive[0] if positive.size else bins[-1]) / 100


def ssr(image: Image, sigma: float | tuple[float, ...] = 300.0, clip: str = "released") -> Image:
    """Single Scale Retinex: log10 of the image over its Gaussian surround, clipped and stretched to 0..255; float64 (h, w), not rounded.

    `sigma` in pixels; several of them give the multi-scale Retinex (mean of the logarithms; `MULTI_SHARES`). `clip`: "released" cuts at
    the innermost hundredths of a decade that hold fewer than a tenth of the pixels of hundredth 0 (the whole range where no pixel lies
    there); "percentile" cuts at 1 % and 99 %; "none" keeps all. The released script truncates the result to uint8 (`astype`).
    Where no contrast is left (constant image, or less than a hundredth of a decade with "released") the levels come back unchanged.
    Source: Jobson, Rahman and Woodell 1997, doi 10.1109/83.557356; the clip rule is the released script's.
    """
    if clip not in CLIPS:
        raise ValueError(f"clip: found {clip!r}, expected one of {CLIPS}")
    image = levels(image)
    sigmas = np.atleast_1d(sigma).tolist()
    if not sigmas:
        raise ValueError("sigma: found no value, expected one or several numbers of pixels")
    if _is_flat(image):
        return image
    reflectance = np.log10(image + 1)
    for each in sigmas:
        around = surround(image, each)
        around += 1
        np.log10(around, out=around)
        around /= len(sigmas)
        reflectance -= around
    low, high = _limits(reflectance, clip)
    full = _full_range(np.clip(reflectance, low, high, out=reflectance))
    return image if full is None else full


# The enhancements by the names a Protocol gives them.
INFRARED: dict[str, Callable[[Image], Image]] = {"stretch": stretch, "none": levels}
VISIBLE: dict[str, Callable[[Image], Image]] = {"hdrc": hdrc, "clahe": clahe, "gamma": gamma, "none": levels}

"""Window means, local contrast, the fast guided filter and the Gaussian surround."""

import cv2
import numpy as np
from scipy import fft

from ivfnb.images import Image, bands, levels
from ivfnb.images.threads import threads


def _subsampled(size: int, subsampling: float) -> np.ndarray:
    """Indices that MATLAB's `imresize(..., 1/subsampling, 'nearest')` takes from `size` samples: ceil(size/subsampling) of them."""
    centre = (np.arange(np.ceil(size / subsampling)) + 0.5) * subsampling - 0.5
    nearest = np.floor(centre + 0.5).astype(int) % (2 * size)
    return np.minimum(nearest, 2 * size - 1 - nearest)  # MATLAB mirrors beyond the border, and the base layer's extremes see it


def _upsampled(image: Image, size: int, axis: int, part: slice = slice(None)) -> Image:
    """Image of `size` samples along one axis: linear between pixel centres, the border repeated, as MATLAB's bilinear `imresize`.

    Of these samples only a `part` is computed.
    """
    last = image.shape[axis] - 1
    centre = np.clip((np.arange(size)[part] + 0.5) * (last + 1) / size - 0.5, 0, last)
    left = np.floor(centre).astype(int)
    share = np.expand_dims(centre - left, 1 - axis)
    result = image.take(left, axis)
    result += share * (image.take(np.minimum(left + 1, last), axis) - result)
    return result


def window_means(image: Image, radius: int) -> Image:
    """Mean of a window around each pixel, of its part inside the image at the borders.

    Parameters
    ----------
    image : array (h, w), floating point
    radius : int
        Of the window in pixels: its side is 2 radius + 1.

    Returns
    -------
    array (h, w), float64

    Examples
    --------
    >>> window_means(np.array([[0.0, 3.0, 6.0]]), 1)
    array([[1.5, 3. , 4.5]])
    """
    side = (2 * radius + 1, 2 * radius + 1)
    total = cv2.boxFilter(image, cv2.CV_64F, side, normalize=False, borderType=cv2.BORDER_CONSTANT)
    return total / cv2.boxFilter(np.ones_like(image), cv2.CV_64F, side, normalize=False, borderType=cv2.BORDER_CONSTANT)


def local_contrast(image: Image, side: int = 9) -> Image:
    """Standard deviation of the grey levels around each pixel.

    Parameters
    ----------
    image : array (h, w)
        uint8, uint16 or levels 0..255.
    side : int
        Of the window in pixels, an odd number.

    Returns
    -------
    array (h, w), float64
        Grey levels, 0..127.5.

    Raises
    ------
    ImageError
        If `image` is no grey image.

    Examples
    --------
    >>> local_contrast(np.array([[0, 0, 100, 100]]), 3).round(1)
    array([[ 0. , 47.1, 47.1,  0. ]])
    """
    image = levels(image)
    mean = window_means(image, side // 2)
    return np.sqrt(np.maximum(window_means(image * image, side // 2) - mean * mean, 0))


def fast_guided_filter(image: Image, radius: int, eps: float = 0.01, subsampling: float = 1.0) -> Image:
    """Edge-preserving smoothing of a grey image by itself.

    Parameters
    ----------
    image : array (h, w)
        uint8, uint16 or levels 0..255.
    radius : int
        Of the windows at full size, pixels.
    eps : float
        Variance, of levels on the scale 0..1, below which a window is smoothed and above which it is kept.
    subsampling : float
        By how much the image is reduced before its windows are looked at; at least 1, may be fractional.

    Returns
    -------
    array (h, w), float64
        Levels 0..255.

    Raises
    ------
    ImageError
        If `image` is no grey image.
    ValueError
        For a negative radius, a subsampling below 1, or an eps that is not positive.

    Notes
    -----
    As in MATLAB: nearest-neighbour subsampling, windows of radius/subsampling, bilinear upsampling of both coefficients.

    References
    ----------
    He and Sun 2015, Fast guided filter, arXiv 1505.00996

    Examples
    --------
    >>> fast_guided_filter(np.full((4, 4), 51.0), 1).round(6)[0]
    array([51., 51., 51., 51.])
    """
    if radius < 0 or subsampling < 1 or eps <= 0:
        raise ValueError(f"radius, subsampling, eps: found {radius}, {subsampling}, {eps}, expected at least 0, at least 1, above 0")
    unit = levels(image)
    unit /= 255
    small = unit[np.ix_(_subsampled(unit.shape[0], subsampling), _subsampled(unit.shape[1], subsampling))]
    small_radius = round(radius / subsampling)
    mean = window_means(small, small_radius)
    variance = window_means(small * small, small_radius) - mean * mean
    gain = variance / (variance + eps)
    offset = mean - gain * mean
    gain, offset = (window_means(plane, small_radius) for plane in (gain, offset))
    for rows in bands(unit.shape):  # both at full size would take twice the image
        full_gain, full_offset = (_upsampled(_upsampled(plane, unit.shape[0], 0, rows), unit.shape[1], 1) for plane in (gain, offset))
        unit[rows] *= full_gain
        unit[rows] += full_offset
    unit *= 255
    return unit


def surround(image: Image, sigma: float) -> Image:
    """Gaussian mean of a grey image.

    Parameters
    ----------
    image : array (h, w)
        uint8, uint16 or levels 0..255.
    sigma : float
        Standard deviation in pixels.

    Returns
    -------
    array (h, w), float64
        Levels 0..255.

    Raises
    ------
    ImageError
        If `image` is no grey image.
    ValueError
        For a sigma that is not positive and finite.

    Notes
    -----
    As OpenCV's GaussianBlur on float64: the kernel is cut at 4 sigma, the border mirrored without repetition. Computed in the cosine basis,
    where mirroring makes the blur a product: at sigma 300 the kernel has 2,401 taps an axis.

    Examples
    --------
    >>> surround(np.array([[0, 0, 90, 0, 0]]), 0.5).round(1)
    array([[ 0. ,  9.6, 70.8,  9.6,  0. ]])
    """
    if not 0 < sigma < np.inf:
        raise ValueError(f"sigma: found {sigma}, expected pixels above 0")
    kernel = cv2.getGaussianKernel(round(8 * sigma + 1) | 1, sigma).ravel()
    taps = np.arange(kernel.size) - kernel.size // 2
    result = levels(image)
    workers = threads(result.size)  # each transforms whole lines, so that they change no bit
    for axis, size in enumerate(result.shape):
        if size == 1:
            continue
        period = 2 * (size - 1)
        transfer = np.fft.rfft(np.bincount(taps % period, weights=kernel, minlength=period)).real
        shape = (-1, 1) if axis == 0 else (1, -1)
        result = fft.dct(result, 1, axis=axis, overwrite_x=True, workers=workers)
        result *= transfer.reshape(shape)
        result = fft.idct(result, 1, axis=axis, overwrite_x=True, workers=workers)
    return result

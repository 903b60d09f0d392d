"""The few resizing rules that the field's codes differ in."""

import cv2
import numpy as np

from ivfnb.images.arrays import Image


def resize(image: Image, shape: tuple[int, int], kind: str = "bilinear") -> Image:
    """Image of another size.

    Parameters
    ----------
    image : array (h, w), or (h, w, 3) unless `kind` is "bicubic"
        Levels 0..255.
    shape : (height, width)
        Pixels.
    kind : str
        "bilinear" (OpenCV's, without antialiasing, as in the released script), "nearest", "area", or "bicubic" (MATLAB's, antialiased:
        `matlab_imresize`).

    Returns
    -------
    array (height, width) or (height, width, 3)
        Of the same dtype; a copy where the size is the same.

    Raises
    ------
    ValueError
        For an unknown kind.

    Examples
    --------
    >>> resize(np.array([[0.0, 100.0]]), (1, 4))
    array([[  0.,  25.,  75., 100.]])
    """
    kinds = {"bilinear": cv2.INTER_LINEAR, "nearest": cv2.INTER_NEAREST, "area": cv2.INTER_AREA}
    if kind == "bicubic":
        return matlab_imresize(image, shape)
    if kind not in kinds:
        raise ValueError(f"kind: found {kind!r}, expected one of {[*kinds, 'bicubic']}")
    return image.copy() if image.shape[:2] == tuple(shape) else cv2.resize(image, (shape[1], shape[0]), interpolation=kinds[kind])


def _cubic_weights(size_in: int, size_out: int) -> np.ndarray:
    """(size_out, size_in) matrix of MATLAB's bicubic kernel (a = -0.5), widened when shrinking, indices mirrored at the borders."""
    scale = size_out / size_in
    stretch = min(scale, 1.0)
    support = 4 / stretch
    centre = (np.arange(size_out) + 0.5) / scale - 0.5
    taps = np.floor(centre - support / 2)[:, None] + 1 + np.arange(int(np.ceil(support)) + 2) - 1
    x = np.abs(centre[:, None] - taps) * stretch
    weights = np.where(x <= 1, 1.5 * x**3 - 2.5 * x**2 + 1, np.where(x <= 2, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2, 0.0))
    weights /= weights.sum(axis=1, keepdims=True)
    folded = np.mod(taps.astype(int), 2 * size_in)
    folded = np.where(folded < size_in, folded, 2 * size_in - 1 - folded)
    matrix = np.zeros((size_out, size_in))
    np.add.at(matrix, (np.arange(size_out)[:, None], folded), weights)
    return matrix


def matlab_imresize(image: Image, shape: tuple[int, int]) -> Image:
    """Grey image resized as MATLAB's `imresize(image, [height width])` does it by default.

    Parameters
    ----------
    image : array (h, w)
        Levels 0..255.
    shape : (height, width)
        Pixels, at least 1x1.

    Returns
    -------
    array (height, width)
        uint8 of a uint8 image, which is rounded and saturated after each axis; else float64.

    Raises
    ------
    ValueError
        For an image that is not grey, or a shape below 1x1.

    Notes
    -----
    Bicubic (a = -0.5), antialiased when shrinking, borders mirrored, the axis of the smaller scale first (rows on a tie).

    References
    ----------
    Keys 1981, doi 10.1109/TASSP.1981.1163711

    Examples
    --------
    >>> matlab_imresize(np.full((4, 4), 7.0), (2, 3)).round(9)
    array([[7., 7., 7.],
           [7., 7., 7.]])
    """
    is_uint8 = image.dtype == np.uint8
    if image.ndim != 2 or min(shape) < 1:
        raise ValueError(f"image, shape: found {image.shape} to {tuple(shape)}, expected a grey image and a shape of at least 1x1")
    result = image.astype(np.float64)
    for axis in sorted((0, 1), key=lambda axis: shape[axis] / image.shape[axis]):
        if shape[axis] == result.shape[axis]:
            continue
        weights = _cubic_weights(result.shape[axis], shape[axis])
        result = weights @ result if axis == 0 else result @ weights.T
        result = np.clip(np.floor(result + 0.5), 0, 255) if is_uint8 else result
    return result.astype(np.uint8) if is_uint8 else result

"""Files to arrays and back, and the few resizing rules the field's codes differ in.

A grey image is a 2-D array of grey levels 0..255; a colour image is h x w x 3, RGB.
"""

from pathlib import Path

import cv2
import numpy as np
import PIL.Image

from ivfnb import files

Image = np.ndarray


class ImageError(ValueError):
    """An image file or array that is not what was asked for; the message names it, what was found and what was expected."""


def read_header(path: str | Path) -> dict[str, int | str]:
    """Width, height, channels, bits (per channel) and format of an image file, from its header alone. ImageError names the file."""
    path = Path(path)
    if not path.is_file():
        raise ImageError(f"{path}: found no such file, expected an image")
    try:
        with PIL.Image.open(path) as image:
            raw = str(image.tile[0].args) if image.tile else ""  # such as RGB;16B: Pillow itself holds 16-bit colour in 8 bits
            deep = {"1": 1, "I": 32, "F": 32}.get(image.mode, 16 if ";16" in image.mode + raw else 8)
            return {
                "width": image.width,
                "height": image.height,
                "channels": len(image.getbands()),
                "bits": deep,
                "mode": image.mode,
                "format": image.format or "",
            }
    except Exception as error:
        raise ImageError(f"{path}: found no image header ({error}), expected PNG, JPEG, BMP or TIFF") from error


def _read(path: str | Path) -> Image:
    """Array of a file as it is stored: uint8, or float64 grey levels 0..255 from deeper files; (h, w), or (h, w, 3) RGB (alpha dropped)."""
    path = Path(path)
    if not path.is_file():
        raise ImageError(f"{path}: found no such file, expected an image")
    stored = np.fromfile(path, dtype=np.uint8)
    try:
        image = cv2.imdecode(stored, cv2.IMREAD_UNCHANGED) if stored.size else None
    except cv2.error as error:
        raise ImageError(f"{path}: found a file OpenCV refuses ({error.err}), expected an image") from error
    if image is None:
        raise ImageError(f"{path}: found {stored.size} bytes that are no whole image, expected PNG, JPEG, BMP or TIFF")
    if image.ndim == 3 and (space := _color_space(path)) in ("CMYK", "LAB"):
        raise ImageError(f"{path}: found {space} colours, expected grey or RGB (with or without palette and alpha)")
    if image.ndim == 3:
        image = image[..., 0] if image.shape[2] < 3 else image[..., :3][..., ::-1]
    if image.dtype == np.uint8:
        return np.ascontiguousarray(image)
    if image.dtype == np.uint16:
        return image / 257.0
    levels = image.astype(np.float64)
    if not np.isfinite(levels).all() or levels.min() < 0 or levels.max() > 255:
        raise ImageError(f"{path}: found {image.dtype} values outside 0..255 or not finite, expected grey levels 0..255")
    return levels


def _color_space(path: Path) -> str:
    try:
        return str(read_header(path)["mode"])
    except ImageError:  # a kind that OpenCV knows and Pillow does not, such as TIFF of 64-bit floats
        return ""


def read_gray(path: str | Path) -> Image:
    """Grey image (h, w) of a file: uint8 from 8-bit files, float64 from 16-bit ones (divided by 257, so that levels are 0..255).

    Colour becomes luma (ITU-R BT.601, rounded to uint8 for 8-bit files), palettes are looked up, alpha is dropped; floating point is
    taken as grey levels. ImageError names a file that is absent, broken, cut short, CMYK or Lab, or whose levels leave 0..255.
    """
    image = _read(path)
    if image.ndim == 2 or (image[..., :1] == image).all():  # a colour file that holds a grey image keeps its exact levels
        return np.ascontiguousarray(image if image.ndim == 2 else image[..., 0])
    return to_gray(image)


def to_gray(image: Image) -> Image:
    """Luma (ITU-R BT.601) of an RGB image (h, w, 3), a grey image (h, w) as it is; uint8 stays uint8, rounded, as OpenCV does it."""
    image = np.asarray(image)
    if image.ndim == 2:
        return image
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) if image.dtype == np.uint8 else image @ np.array([0.299, 0.587, 0.114])


def read_color(path: str | Path) -> Image:
    """Colour image (h, w, 3) RGB of a file, levels as in `read_gray`; a grey file gives three equal channels."""
    image = _read(path)
    return image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)


def to_uint8(image: Image) -> Image:
    """Grey levels rounded to the nearest (halves up, as MATLAB rounds positive numbers) and saturated to uint8."""
    return image if image.dtype == np.uint8 else np.clip(np.floor(image + 0.5), 0, 255).astype(np.uint8)


def through_jpeg(image: Image, quality: int) -> Image:
    """What is left of an image, (h, w) or (h, w, 3) RGB, that was rounded to 8 bits, stored as a JPEG file of `quality` 1..100 and read.

    uint8 of the same shape. OpenCV's codec (libjpeg-turbo, accurate DCT, colour at half resolution), whose tables are those of MATLAB's
    `imwrite` and of the Independent JPEG Group.
    """
    colour = image.ndim == 3
    levels = to_uint8(image)
    _, file = cv2.imencode(".jpg", levels[..., ::-1] if colour else levels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    stored = cv2.imdecode(file, cv2.IMREAD_COLOR if colour else cv2.IMREAD_GRAYSCALE)
    assert stored is not None  # it was written a line ago
    return np.ascontiguousarray(stored[..., ::-1]) if colour else stored


def write_image(path: str | Path, image: Image) -> Path:
    """Write (h, w) or (h, w, 3) RGB grey levels as the 8-bit file its suffix names (PNG is lossless); whole or not at all.

    Floating point is rounded to nearest and saturated. ImageError for other shapes, non-finite values or an unknown suffix.
    """
    path, image = Path(path), np.asarray(image)
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3) or image.size == 0:
        raise ImageError(f"{path}: found an array of shape {image.shape}, expected (h, w) or (h, w, 3)")
    if image.dtype.kind not in "uif" or not np.isfinite(image).all():
        raise ImageError(f"{path}: found {image.dtype} with non-finite or non-numeric values, expected grey levels 0..255")
    levels = to_uint8(image)
    try:
        _, encoded = cv2.imencode(path.suffix.lower(), levels if image.ndim == 2 else levels[..., ::-1])
    except cv2.error as error:
        raise ImageError(f"{path}: found the suffix {path.suffix!r}, expected .png, .jpg, .bmp or .tif") from error
    return files.write_bytes(path, encoded.tobytes())


def resize(image: Image, shape: tuple[int, int], kind: str = "bilinear") -> Image:
    """Image resized to (height, width). `kind`: "bilinear" (OpenCV, no antialiasing, as the released script), "nearest", "area" or
    "bicubic" (MATLAB's, antialiased: `matlab_imresize`). The dtype is kept.
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
    """Grey image (h, w) resized to (height, width) as MATLAB's `imresize(image, [height width])` does by default.

    Bicubic (a = -0.5), antialiased when shrinking, the axis of the smaller scale first (rows on a tie); uint8 is rounded and saturated
    after each axis and stays uint8, floating point stays float64.
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


def to_ycbcr(image: Image) -> Image:
    """RGB (h, w, 3) -> float64 (h, w, 3) of luma and centred chroma (ITU-R BT.601, full range: Y 0..255, Cb and Cr about 128)."""
    red, green, blue = np.moveaxis(image.astype(np.float64), 2, 0)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return np.stack([luma, 128 + (blue - luma) / 1.772, 128 + (red - luma) / 1.402], axis=2)


def from_ycbcr(image: Image) -> Image:
    """Inverse of `to_ycbcr`; float64 RGB (h, w, 3), clipped to 0..255."""
    luma, cb, cr = np.moveaxis(image.astype(np.float64), 2, 0)
    red, blue = luma + 1.402 * (cr - 128), luma + 1.772 * (cb - 128)
    return np.clip(np.stack([red, (luma - 0.299 * red - 0.114 * blue) / 0.587, blue], axis=2), 0, 255)


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

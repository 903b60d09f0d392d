"""Files to arrays and back."""

import io
from pathlib import Path

import cv2
import numpy as np
import PIL.Image

from ivfnb import files
from ivfnb.images.arrays import Image, ImageError, to_gray, to_uint8
from ivfnb.images.ranges import HOW, Levels, as_levels, warn_of_colours
from ivfnb.images.tiff import is_tiff, read_plain


def read_header(path: str | Path) -> dict[str, int | str]:
    """What an image file says of itself, from its header alone: no pixel is decoded.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    dict
        width and height in pixels, channels, bits per channel, mode (Pillow's word for the kind of pixel) and format ("PNG", ...).

    Raises
    ------
    ImageError
        Naming a file that is absent or has no header of an image.

    Examples
    --------
    >>> from ivfnb.datasets import dataset
    >>> header = read_header(dataset("sample")[0].files["infrared"])
    >>> header["channels"], header["bits"]
    (1, 8)
    """
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


Meant = Levels | str | tuple[float, float] | None


def read_image(path: str | Path, levels: Meant = None) -> Image:
    """Image of a file, grey or in colours as it is stored.

    Parameters
    ----------
    path : str or Path
    levels : Levels, str, (low, high) or None
        What the numbers mean: "full", "minmax" or "LOW:HIGH", see `Levels`. None takes 8 and 16 bits in full and refuses other numbers.

    Returns
    -------
    array (h, w), or (h, w, 3) RGB
        uint8 where the file holds levels of 8 bits; else float64 levels 0..255.

    Raises
    ------
    ImageError
        As `read_gray` does.

    Warns
    -----
    LevelsWarning
        As `read_gray` does.

    Examples
    --------
    >>> from ivfnb.datasets import dataset
    >>> read_image(dataset("sample")["chelsea"].files["visible"]).shape
    (241, 361, 3)
    """
    path = Path(path)
    if not path.is_file():
        raise ImageError(f"{path}: found no such file, expected an image")
    return decode(path.read_bytes(), str(path), levels)


def decode(stored: bytes, name: str, levels: Meant = None) -> Image:
    """Image of a file's bytes: what `read_image` does, for files that lie in memory alone.

    Parameters
    ----------
    stored : bytes
        The whole file.
    name : str
        What errors and warnings call it.
    levels : Levels, str, (low, high) or None
        What the numbers mean, see `read_image`.

    Returns
    -------
    array (h, w), or (h, w, 3) RGB

    Raises
    ------
    ImageError
        As `read_gray` does.

    Examples
    --------
    >>> decode(b"no image", "upload.png")
    Traceback (most recent call last):
    ...
    ivfnb.images.arrays.ImageError: upload.png: found 8 bytes that are no whole image, expected PNG, JPEG, BMP or TIFF
    """
    image = read_plain(stored) if is_tiff(stored) else None
    image = _by_opencv(name, stored) if image is None else image
    if levels is None and image.dtype not in (np.uint8, np.uint16):
        found = f"found {image.dtype} values from {image.min():g} to {image.max():g}, which are no grey levels by themselves"
        raise ImageError(f"{name}: {found}; expected 8 or 16 bits, or {HOW}")
    return np.ascontiguousarray(as_levels(image, name, levels))


def _by_opencv(name: str, stored: bytes) -> Image:
    """Array of a file as OpenCV reads it, (h, w) or (h, w, 3) RGB, in the file's depth; ImageError where it does not."""
    try:
        image = cv2.imdecode(np.frombuffer(stored, np.uint8), cv2.IMREAD_UNCHANGED) if stored else None
    except cv2.error as error:
        raise ImageError(f"{name}: found a file OpenCV refuses ({error.err}), expected an image") from error
    if image is None:
        raise ImageError(f"{name}: found {len(stored)} bytes that are no whole image, expected PNG, JPEG, BMP or TIFF")
    if image.ndim == 3 and (space := _color_space(stored)) in ("CMYK", "LAB"):
        raise ImageError(f"{name}: found {space} colours, expected grey or RGB (with or without palette and alpha)")
    if image.ndim == 3:
        image = image[..., 0] if image.shape[2] < 3 else image[..., :3][..., ::-1]
    return image


def _color_space(stored: bytes) -> str:
    try:
        with PIL.Image.open(io.BytesIO(stored)) as image:
            return str(image.mode)
    except Exception:  # a kind that OpenCV knows and Pillow does not, such as TIFF of 64-bit floats
        return ""


def read_gray(path: str | Path, levels: Meant = None) -> Image:
    """Grey image of a file.

    Parameters
    ----------
    path : str or Path
        PNG, JPEG, BMP, TIFF or whatever else OpenCV reads.
    levels : Levels, str, (low, high) or None
        What the numbers mean, see `read_image`.

    Returns
    -------
    array (h, w)
        uint8 from 8-bit files; float64 from 16-bit ones, divided by 257, so that levels are 0..255.

    Raises
    ------
    ImageError
        Naming a file that is absent, broken, cut short, CMYK or Lab, or whose levels leave 0..255.

    Notes
    -----
    Colour becomes luma (ITU-R BT.601, rounded to uint8 for 8-bit files), but a colour file that holds a grey image keeps its exact levels.
    Palettes are looked up, alpha is dropped; floating point is taken as grey levels.

    Examples
    --------
    >>> from ivfnb.datasets import dataset
    >>> image = read_gray(dataset("sample")[0].files["infrared"])
    >>> image.ndim, str(image.dtype)
    (2, 'uint8')
    """
    return _in_gray(read_image(path, levels))


def _in_gray(image: Image) -> Image:
    if image.ndim == 2 or (image[..., :1] == image).all():  # a colour file that holds a grey image keeps its exact levels
        return np.ascontiguousarray(image if image.ndim == 2 else image[..., 0])
    return to_gray(image)


def read_infrared(path: str | Path, levels: Meant = None, color: bool = False) -> Image:
    """Infrared image of a file: as `read_gray` (or, with `color`, `read_color`) reads it, and a coloured one is warned of.

    Parameters
    ----------
    path : str or Path
    levels : Levels, str, (low, high) or None
        What the numbers mean, see `read_image`.
    color : bool
        Whether three channels are wanted.

    Returns
    -------
    array (h, w), or (h, w, 3)

    Raises
    ------
    ImageError
        As `read_gray` does.

    Warns
    -----
    LevelsWarning
        As `read_gray` does, and where the file shows colours, whose luma is not temperature.

    Examples
    --------
    >>> from ivfnb.datasets import dataset
    >>> read_infrared(dataset("sample")[0].files["infrared"]).ndim
    2
    """
    image = read_image(path, levels)
    warn_of_colours(image, str(path))
    return _in_color(image) if color else _in_gray(image)


def read_color(path: str | Path, levels: Meant = None) -> Image:
    """Colour image of a file.

    Parameters
    ----------
    path : str or Path
    levels : Levels, str, (low, high) or None
        What the numbers mean, see `read_image`.

    Returns
    -------
    array (h, w, 3) RGB
        Levels as in `read_gray`; a grey file gives three equal channels.

    Raises
    ------
    ImageError
        As `read_gray` does.

    Examples
    --------
    >>> from ivfnb.datasets import dataset
    >>> read_color(dataset("sample")[0].files["infrared"]).shape[2]
    3
    """
    return _in_color(read_image(path, levels))


def _in_color(image: Image) -> Image:
    return image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)


def through_jpeg(image: Image, quality: int) -> Image:
    """What is left of an image that was rounded to 8 bits, stored as a JPEG file and read.

    Parameters
    ----------
    image : array (h, w), or (h, w, 3) RGB
        Levels 0..255.
    quality : int
        1..100, the file's quality.

    Returns
    -------
    array of the same shape, uint8

    Notes
    -----
    OpenCV's codec (libjpeg-turbo, accurate DCT, colour at half resolution), whose tables are those of MATLAB's `imwrite` and of the
    Independent JPEG Group.

    Examples
    --------
    >>> through_jpeg(np.full((2, 2), 90.0), 75)
    array([[90, 90],
           [90, 90]], dtype=uint8)
    """
    colour = image.ndim == 3
    levels = to_uint8(image)
    _, file = cv2.imencode(".jpg", levels[..., ::-1] if colour else levels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    stored = cv2.imdecode(file, cv2.IMREAD_COLOR if colour else cv2.IMREAD_GRAYSCALE)
    assert stored is not None  # it was written a line ago
    return np.ascontiguousarray(stored[..., ::-1]) if colour else stored


def write_image(path: str | Path, image: Image) -> Path:
    """Write grey levels as the 8-bit file that its suffix names, whole or not at all.

    Parameters
    ----------
    path : str or Path
        Its suffix chooses the format: .png (lossless), .jpg, .bmp or .tif.
    image : array (h, w), or (h, w, 3) RGB
        Levels 0..255; floating point is rounded to the nearest and saturated.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    ImageError
        For other shapes, values that are not finite, or an unknown suffix.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     read_gray(write_image(f"{folder}/ramp.png", np.array([[0.4, 9.5]])))
    array([[ 0, 10]], dtype=uint8)
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

"""Arrays to files: which formats are written, what each of them cannot hold, and the text that a PNG file carries."""

import io
import warnings
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import PIL.PngImagePlugin

from ivfnb import files
from ivfnb.images.arrays import Image, ImageError, plain, to_uint8
from ivfnb.images.doubts import warn_of_unit

LOSSLESS = (".png", ".tif", ".tiff", ".bmp", ".webp", ".pgm", ".ppm")
LOSSY = (".jpg", ".jpeg")
CHANNELS = {".pgm": 1, ".ppm": 3}  # of formats that hold one kind of image only
LONGEST = {**dict.fromkeys(LOSSY, 65500), ".webp": 16383}  # pixels of a side


class LossyWarning(UserWarning):
    """An image was written in a format that changes its levels; the message names the file."""


def _suffix(path: Path) -> str:
    """Suffix that chooses the format, in lower case; PNG for a special file, such as /dev/stdout, that has none."""
    return path.suffix.lower() or (".png" if files.special(path) else "")


def check_format(path: str | Path, shape: tuple[int, ...] | None = None) -> None:
    """Whether an image can be written to a file, by the file's suffix.

    Parameters
    ----------
    path : str or Path
        Looked at is the suffix alone; upper and lower case are alike.
    shape : (h, w) or (h, w, 3), optional
        Of the image, where it is known.

    Raises
    ------
    ImageError
        For a suffix of no format that keeps levels or is known to lose few of them, and for an image that the format cannot hold.

    Examples
    --------
    >>> check_format("fused.png", (480, 640, 3))
    >>> check_format("fused.gif")
    Traceback (most recent call last):
    ...
    ivfnb.images.arrays.ImageError: fused.gif: found the suffix '.gif', expected .png, .tif, .tiff, .bmp, .webp, .pgm, .ppm, .jpg or .jpeg
    """
    suffix = _suffix(Path(path))
    if suffix not in LOSSLESS + LOSSY:
        known = ", ".join((*LOSSLESS, *LOSSY[:-1]))
        raise ImageError(f"{path}: found the suffix {Path(path).suffix!r}, expected {known} or {LOSSY[-1]}")
    if shape is None:
        return
    channels = 1 if len(shape) == 2 else shape[2]
    if CHANNELS.get(suffix, channels) != channels:
        expected = "a grey image" if channels == 3 else "a colour image"
        raise ImageError(f"{path}: found {'a colour' if channels == 3 else 'a grey'} image, expected {expected} for {suffix}, or .png")
    if max(shape[:2]) > LONGEST.get(suffix, max(shape[:2])):
        raise ImageError(f"{path}: found {shape[1]}x{shape[0]} pixels, expected at most {LONGEST[suffix]} a side for {suffix}, or .png")


def _png(levels: Image, text: Mapping[str, str]) -> bytes:
    """PNG file with texts (iTXt chunks, UTF-8) before its pixels."""
    info, stored = PIL.PngImagePlugin.PngInfo(), io.BytesIO()
    for key, value in text.items():
        info.add_itxt(key, value)
    PIL.Image.fromarray(levels).save(stored, "PNG", pnginfo=info, compress_level=3)
    return stored.getvalue()


def write_image(path: str | Path, image: Image, text: Mapping[str, str] | None = None) -> Path:
    """Write grey levels as the 8-bit file that its suffix names, whole or not at all.

    Parameters
    ----------
    path : str or Path
        Its suffix chooses the format: .png, .tif, .bmp, .webp (lossless), .pgm (grey) or .ppm (colour), or .jpg (lossy). What a link leads
        to is written; a special file (a pipe) is written to.
    image : array (h, w), or (h, w, 3) RGB
        Levels 0..255; floating point is rounded to the nearest and saturated.
    text : mapping of str to str, optional
        What a PNG file says of itself; other formats do not carry it.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    ImageError
        For other shapes, values that are not finite, masked arrays, or a format that is unknown or cannot hold the image.

    Warns
    -----
    LossyWarning
        For .jpg.
    LevelsWarning
        For a floating-point image whose maximum is at most 1: levels are 0..255.

    Examples
    --------
    >>> import tempfile
    >>> from ivfnb.images import read_gray
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     read_gray(write_image(f"{folder}/ramp.png", np.array([[0.4, 9.5]])))
    array([[ 0, 10]], dtype=uint8)
    """
    path, image = Path(path), plain(image, str(path))
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3) or image.size == 0:
        raise ImageError(f"{path}: found an array of shape {image.shape}, expected (h, w) or (h, w, 3)")
    if image.dtype.kind not in "uif" or not np.isfinite(image).all():
        raise ImageError(f"{path}: found {image.dtype} with non-finite or non-numeric values, expected grey levels 0..255")
    check_format(path, image.shape)
    warn_of_unit(image, str(path))
    suffix, levels = _suffix(path), to_uint8(image)
    if suffix in LOSSY:
        warnings.warn(f"{path}: {suffix} changes levels; .png keeps them", LossyWarning, stacklevel=2)
    if text and suffix == ".png":
        return files.write_bytes(path, _png(levels, text))
    done, encoded = cv2.imencode(suffix, levels if levels.ndim == 2 else levels[..., ::-1])
    if not done:
        raise ImageError(f"{path}: found an image of shape {image.shape} that OpenCV does not write as {suffix}, expected .png")
    return files.write_bytes(path, encoded.tobytes())


def read_text(path: str | Path) -> dict[str, str]:
    """Texts that a PNG file carries, by their keys.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    dict
        Empty where the file is absent, carries none or is no PNG.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     read_text(write_image(f"{folder}/dot.png", np.zeros((1, 1)), {"Author": "Zoë"}))
    {'Author': 'Zoë'}
    """
    try:
        with PIL.Image.open(path, formats=["PNG"]) as image:
            return {str(key): str(value) for key, value in image.info.items() if isinstance(value, str)}
    except Exception:  # whatever is wrong with the file, it says nothing
        return {}

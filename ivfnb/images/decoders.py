"""Pixels of image files that are no TIFF, as they are stored: JPEG, GIF, and what OpenCV reads."""

import warnings

import cv2
import numpy as np

from ivfnb.images import headers
from ivfnb.images.arrays import Image, ImageError
from ivfnb.images.doubts import ImageWarning, LevelsWarning

NOT_WHOLE = ("Premature end of JPEG file", "Empty input", "Unsupported marker type")  # libjpeg's words where pixels are missing


def other(stored: bytes) -> str:
    """What a file is that is not read here."""
    if stored[:4] == b"FFF\0":
        return "a raw FLIR file (FFF, SEQ), which is not supported: export 16-bit TIFF by FLIR's software"
    return f"{len(stored)} bytes that are no whole image of a kind read here"


def decoded(stored: bytes, name: str, kind: str) -> tuple[Image, int]:
    """Pixels of a file that is no TIFF, (h, w) or (h, w, 3) RGB in the file's depth, and its orientation."""
    with headers.opened(stored, name, kind) as header:
        if (space := header.mode) in ("CMYK", "LAB"):
            raise ImageError(f"{name}: found {space} colours, expected grey or RGB (with or without palette and alpha)")
        orientation = headers.orientation(header, stored)
        grey = header.mode == "L"
    if kind == "JPEG":
        return _jpeg(stored, name, grey), orientation
    if kind == "PPM" and stored[1:2] in b"23" and (headers.declared_most(stored) or 0) < 255:
        raise ImageError(f"{name}: found PNM in letters with fewer than 256 levels, which is not supported; expected {headers.READ}")
    return (_gif(stored, name) if kind == "GIF" else _by_opencv(stored, name)), orientation


def _jpeg(stored: bytes, name: str, grey: bool) -> Image:
    """Pixels of a JPEG file; what the decoder reports and passes over becomes a warning."""
    import simplejpeg

    if (what := headers.radiometric(stored)) is not None:
        warnings.warn(f"{name}: found {what}; its picture (the camera's palette and range) is read as levels", LevelsWarning, stacklevel=4)
    colours = "GRAY" if grey else "RGB"
    try:
        image = simplejpeg.decode_jpeg(stored, colours)
    except ValueError as error:
        reported = str(error)
        if reported.startswith(NOT_WHOLE):
            raise ImageError(
                f"{name}: found {len(stored)} bytes that are no whole image (JPEG: {reported}), expected {headers.READ}"
            ) from error
        try:
            image = simplejpeg.decode_jpeg(stored, colours, strict=False)
        except ValueError:
            raise ImageError(f"{name}: found damaged data, no whole image (JPEG: {reported}), expected {headers.READ}") from error
        text = f"found damaged data (the decoder says: {reported}); pixels behind the damage are wrong; expected an undamaged file"
        warnings.warn(f"{name}: {text}", ImageWarning, stacklevel=4)
    return image[..., 0] if grey else image


def _gif(stored: bytes, name: str) -> Image:
    """First frame of a GIF file."""
    try:
        with headers.opened(stored, name, "GIF") as image:
            return np.asarray(image.convert("RGB"))
    except OSError as error:
        raise ImageError(f"{name}: found {len(stored)} bytes that are no whole image (GIF: {error}), expected {headers.READ}") from error


def _by_opencv(stored: bytes, name: str) -> Image:
    """Pixels of a file as OpenCV reads it; alpha is dropped."""
    try:
        image = cv2.imdecode(np.frombuffer(stored, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise ImageError(f"{name}: found a file that OpenCV refuses ({error.err}), expected {headers.READ}") from error
    if image is None:
        raise ImageError(f"{name}: found {len(stored)} bytes that are no whole image, expected {headers.READ}")
    if image.ndim == 2:
        return image
    return image[..., 0] if image.shape[2] < 3 else image[..., 2::-1]

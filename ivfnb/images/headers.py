"""What an image file says of itself before a pixel is decoded: its kind, size, orientation and radiometric contents."""

import io
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import PIL.Image

from ivfnb.images import tiff
from ivfnb.images.arrays import Image, ImageError

READ = "PNG, JPEG, TIFF, BMP, WebP, JPEG 2000, PNM or GIF"
MOST_PIXELS = 80_000_000  # that a file may declare, unless IVFNB_MAX_PIXELS says otherwise: in 16-bit colour 2 GB as levels
ORIENTATION = 0x0112  # tag of EXIF and TIFF
_SIGNATURES = {
    "PNG": rb"\x89PNG\r\n\x1a\n",
    "JPEG": rb"\xff\xd8\xff",
    "TIFF": rb"II\*\0|MM\0\*|II\+\0|MM\0\+",
    "BMP": rb"BM",
    "WEBP": rb"RIFF....WEBP",
    "JPEG2000": rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51",
    "PPM": rb"P[1-6]\s",
    "GIF": rb"GIF8[79]a",
}
_COMMENT = rb"(?:\s+|#[^\n]*\n)+"
_PNM = re.compile(rb"P([2356])" + 3 * (_COMMENT + rb"(\d+)") + rb"\s")
_PILLOW = threading.Lock()


def kind(stored: bytes) -> str | None:
    """Kind of a file by its first bytes, in Pillow's words; None for one that is not read here."""
    return next((name for name, signature in _SIGNATURES.items() if re.match(signature, stored, re.DOTALL)), None)


def check_size(name: str, width: int, height: int) -> None:
    """Refuse what would take too much memory to decode.

    Parameters
    ----------
    name : str
        Of the file, for the message.
    width, height : int
        Pixels that its header declares.

    Raises
    ------
    ImageError
        For no pixels, or more than IVFNB_MAX_PIXELS (80 million where it is not set), and where that is no whole number above 0.

    Examples
    --------
    >>> check_size("x.png", 16_000, 16_000)
    Traceback (most recent call last):
    ...
    ivfnb.images.arrays.ImageError: x.png: found 16000x16000 pixels declared, expected at most 80000000 (the variable IVFNB_MAX_PIXELS)
    """
    said = os.environ.get("IVFNB_MAX_PIXELS", "").replace("_", "") or str(MOST_PIXELS)
    if not said.isdecimal() or int(said) < 1:
        raise ImageError(f"IVFNB_MAX_PIXELS: found {said!r}, expected a whole number of pixels above 0")
    if width < 1 or height < 1:
        raise ImageError(f"{name}: found {width}x{height} pixels declared, expected at least 1x1")
    if width * height > int(said):
        raise ImageError(f"{name}: found {width}x{height} pixels declared, expected at most {said} (the variable IVFNB_MAX_PIXELS)")


@contextmanager
def opened(stored: bytes, name: str, kind: str) -> Iterator[PIL.Image.Image]:
    """A file by Pillow's reader of its kind, only its header read; ImageError where the header is bad or declares too many pixels.

    Pillow's own bound on pixels is set aside for as long as it opens the file: `check_size` takes its place.
    """
    try:
        with _PILLOW:
            bound, PIL.Image.MAX_IMAGE_PIXELS = PIL.Image.MAX_IMAGE_PIXELS, None
            try:
                image = PIL.Image.open(io.BytesIO(stored), formats=[kind])
            finally:
                PIL.Image.MAX_IMAGE_PIXELS = bound
    except Exception as error:
        raise ImageError(f"{name}: found no image header ({kind}: {error}), expected {READ}") from error
    with image:
        check_size(name, *image.size)
        yield image


def orientation(image: PIL.Image.Image, stored: bytes) -> int:
    """How a file asks to be shown, 1 (as stored) to 8, by its EXIF or XMP data."""
    if image.format == "PNG" and not {"exif", "Raw profile type exif"} & set(image.info) and b"eXIf" not in stored:
        return 1  # asking Pillow would decode the pixels
    try:
        found = image.getexif().get(ORIENTATION, 1)
    except Exception:  # damaged EXIF data say nothing
        return 1
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def upright(image: Image, orientation: int) -> Image:
    """Image as it is to be shown.

    Parameters
    ----------
    image : array (h, w) or (h, w, 3)
        As stored.
    orientation : int
        1 to 8 of EXIF and TIFF: 1 as stored, 3 turned by half, 6 to be turned clockwise by a quarter, 8 counter-clockwise; 2, 7, 4 and 5
        mirrored first.

    Returns
    -------
    array
        (h, w) or, from 5 on, (w, h), with the colours if there are any; a view.

    Examples
    --------
    >>> import numpy as np
    >>> upright(np.array([[1, 2]]), 6).tolist(), upright(np.array([[1, 2]]), 8).tolist()
    ([[1], [2]], [[2], [1]])
    """
    image = image.swapaxes(0, 1) if orientation >= 5 else image
    rows = slice(None, None, -1) if orientation in (3, 4, 7, 8) else slice(None)
    columns = slice(None, None, -1) if orientation in (2, 3, 6, 7) else slice(None)
    return image[rows, columns]


def declared_most(stored: bytes) -> int | None:
    """Level of white that a PNM file declares; None for every other kind, and for bilevel ones."""
    found = _PNM.match(stored)
    return int(found[4]) if found else None


def radiometric(stored: bytes) -> str | None:
    """What a radiometric JPEG is and how its temperatures are exported; None for other files."""
    segments = list(_segments(stored))
    if any(marker == 0xE1 and data.startswith(b"FLIR\0") for marker, data in segments):
        how = "FLIR's software (Thermal Studio, Research Studio) or ExifTool (exiftool -b -RawThermalImage)"
        return f"a radiometric FLIR JPEG; to fuse temperatures export 16-bit TIFF by {how}"
    maker = any(marker == 0xE1 and b"DJI" in data for marker, data in segments)
    if maker and any(marker == 0xE3 for marker, _ in segments):
        return "a radiometric DJI JPEG; to fuse temperatures export TIFF by DJI's software (Thermal Analysis Tool, Thermal SDK)"
    return None


def _segments(stored: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and data of the segments of a JPEG file in front of its pixels."""
    at = 2
    while at + 4 <= len(stored) and stored[at] == 0xFF and stored[at + 1] != 0xDA:
        length = int.from_bytes(stored[at + 2 : at + 4])
        yield stored[at + 1], stored[at + 4 : at + 2 + length]
        at += 2 + max(length, 2)


def read_header(path: str | Path) -> dict[str, int | str]:
    """What an image file says of itself, from its header alone: no pixel is decoded.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    dict
        width and height in pixels as it is to be shown, channels, bits per channel, mode (Pillow's word for the kind of pixel) and format
        ("PNG", ...).

    Raises
    ------
    ImageError
        Naming a file that is absent, has no header of an image, or declares more pixels than `check_size` allows.

    Examples
    --------
    >>> from ivfnb.datasets import dataset
    >>> header = read_header(dataset("sample")[0].files["infrared"])
    >>> header["channels"], header["bits"]
    (1, 8)
    """
    return header_of(file_bytes(path), str(path))


def header_of(stored: bytes, name: str) -> dict[str, int | str]:
    """What the bytes of an image file say of it: what `read_header` does, for files that lie in memory alone.

    Parameters
    ----------
    stored : bytes
        The whole file.
    name : str
        What errors call it.

    Returns
    -------
    dict

    Raises
    ------
    ImageError
        As `read_header` does.

    Examples
    --------
    >>> header_of(b"P5 40 30 255 ", "ramp.pgm")["width"]
    40
    """
    found = kind(stored)
    if found is None:
        raise ImageError(f"{name}: found no image header, expected {READ}")
    if found == "TIFF":
        with tiff.first_page(stored, name) as page:
            check_size(name, page.imagewidth, page.imagelength)
            turned, header = tiff.orientation(page) >= 5, tiff.header(page)
    else:
        with opened(stored, name, found) as image:
            tiles = vars(image).get("tile")
            raw = str(tiles[0].args) if tiles else ""  # such as RGB;16B: Pillow itself holds 16-bit colour in 8 bits
            deep = {"1": 1, "I": 32, "F": 32}.get(image.mode, 16 if ";16" in image.mode + raw else 8)
            turned = orientation(image, stored) >= 5
            header = {"width": image.width, "height": image.height, "channels": len(image.getbands()), "bits": deep, "mode": image.mode}
            header["format"] = image.format or ""
    if turned:
        header["width"], header["height"] = header["height"], header["width"]
    return header


def file_bytes(path: str | Path) -> bytes:
    """Contents of an image file; ImageError names one that is no file or cannot be read."""
    if not Path(path).is_file():
        raise ImageError(f"{path}: found no such file, expected an image")
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ImageError(f"{path}: found a file that cannot be read ({error.strerror or error}), expected an image") from error

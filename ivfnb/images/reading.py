"""Files to arrays: one path for all formats, every picture as its maker meant it or refused by name.

The kind is known by the file's first bytes, the size from its header before anything is decoded. TIFF is read by tifffile, JPEG by a
libjpeg-turbo that reports damage, GIF by Pillow, the rest by OpenCV; then the orientation is applied and levels are made, alike for all.
"""

from pathlib import Path

import numpy as np

from ivfnb.images import decoders, headers, tiff
from ivfnb.images.arrays import Image, ImageError, to_gray
from ivfnb.images.checks import HOW, as_levels
from ivfnb.images.doubts import warn_of_colours
from ivfnb.images.ranges import Levels

Meant = Levels | str | tuple[float, float] | None


def read_image(path: str | Path, levels: Meant = None) -> Image:
    """Image of a file, grey or in colours as it is stored.

    Parameters
    ----------
    path : str or Path
        PNG, JPEG, TIFF, BMP, WebP, JPEG 2000, PNM or GIF, whatever its suffix; of several pages or frames the first.
    levels : Levels, str, (low, high) or None
        What the numbers mean: "full", "minmax" or "LOW:HIGH", see `Levels`. None takes 8 and 16 bits in full and refuses other numbers.

    Returns
    -------
    array (h, w), or (h, w, 3) RGB
        uint8 where the file holds levels of 8 bits; else float64 levels 0..255. Turned as EXIF or TIFF tags ask.

    Raises
    ------
    ImageError
        Naming a file that is absent, broken, cut short, of a kind that is not supported, in CMYK or Lab, of more pixels than
        IVFNB_MAX_PIXELS, or of numbers that are no levels.

    Warns
    -----
    ImageWarning
        Where the decoder reports damage that it could pass over.
    LevelsWarning
        As `levels` does, and for radiometric JPEG files, whose picture is not temperature.

    Examples
    --------
    >>> from ivfnb.datasets import dataset
    >>> read_image(dataset("sample")["chelsea"].files["visible"]).shape
    (241, 361, 3)
    """
    return decode(headers.file_bytes(path), str(path), levels)


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
        As `read_image` does.

    Warns
    -----
    ImageWarning, LevelsWarning
        As `read_image` does.

    Examples
    --------
    >>> decode(b"no image", "upload.png")
    Traceback (most recent call last):
    ...
    ivfnb.images.arrays.ImageError: upload.png: found 8 bytes that are no whole image of a kind read here, expected PNG, ...
    """
    meant = Levels.parse(levels)
    kind = headers.kind(stored)
    if kind is None:
        raise ImageError(f"{name}: found {decoders.other(stored)}, expected {headers.READ}")
    if kind == "TIFF":
        with tiff.first_page(stored, name) as page:
            headers.check_size(name, page.imagewidth, page.imagelength)
            image, orientation = tiff.read(page, stored, name), tiff.orientation(page)
    else:
        image, orientation = decoders.decoded(stored, name, kind)
    image = np.ascontiguousarray(headers.upright(image, orientation))
    if kind == "PPM" and meant is None and (most := headers.declared_most(stored)) not in (None, 255, 65535):
        meant = Levels("range", 0.0, float(most))  # the file says what is white
    if meant is None and image.dtype not in (np.uint8, np.uint16):
        found = f"found {image.dtype} values from {image.min():g} to {image.max():g}, which are not supported as grey levels by themselves"
        raise ImageError(f"{name}: {found}; expected 8 or 16 bits, or {HOW}")
    return as_levels(image, name, meant)


def read_gray(path: str | Path, levels: Meant = None) -> Image:
    """Grey image of a file.

    Parameters
    ----------
    path : str or Path
        See `read_image`.
    levels : Levels, str, (low, high) or None
        What the numbers mean, see `read_image`.

    Returns
    -------
    array (h, w)
        uint8 from 8-bit files; float64 from 16-bit ones, divided by 257, so that levels are 0..255.

    Raises
    ------
    ImageError
        As `read_image` does.

    Warns
    -----
    ImageWarning, LevelsWarning
        As `read_image` does.

    Notes
    -----
    Colour becomes luma (ITU-R BT.601, rounded to uint8 for 8-bit files), but a colour file that holds a grey image keeps its exact levels.
    Palettes are looked up, alpha is dropped.

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

"""TIFF files by tifffile: whatever layout, byte order and extra channels, as the file says it, or refused by name.

tifffile reads the structure and puts the pixels into order. The bytes of LZW and PackBits strips are unpacked by Pillow's libtiff, since
tifffile would need a large package for them; whole pages go to Pillow where their pixels are JPEG or fax data.
"""

import io
import logging
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import PIL.Image

from ivfnb.images.arrays import Image, ImageError

STORED, LZW, JPEG, DEFLATE, DEFLATE_OLD, PACKBITS = 1, 5, 7, 8, 32946, 32773  # tag "Compression"
WHOLE = (2, 3, 4, JPEG)  # fax kinds and JPEG
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, YCBCR = 0, 1, 2, 3, 6  # tag "PhotometricInterpretation"
COLOURS = {WHITE_IS_ZERO: 1, BLACK_IS_ZERO: 1, RGB: 3, PALETTE: 1}
OTHER_COLOURS = {4: "transparency mask", 5: "CMYK", YCBCR: "YCbCr", 8: "LAB", 9: "LAB", 10: "LAB", 32803: "raw", 34892: "raw"}
ASSOCIATED = 1  # tag "ExtraSamples": colours multiplied by alpha
EXPECTED = "expected grey, RGB or palette of 8 or 16 bits, stored plainly or by LZW, deflate, PackBits or JPEG"


@contextmanager
def first_page(stored: bytes, name: str) -> Iterator[Any]:
    """First page of a TIFF file, as tifffile has it; ImageError for a file without one, and where work with its tags fails."""
    import tifffile  # late: it takes longer than the rest of the room

    logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # what it cannot read is told here
    try:
        file = tifffile.TiffFile(io.BytesIO(stored))
        page = file.pages.first
        page.dtype, page.shaped, page.photometric, page.imagewidth, page.imagelength, page.dataoffsets, page.databytecounts  # noqa: B018
    except Exception as error:  # damaged in whatever way
        raise ImageError(f"{name}: found {len(stored)} bytes that are no whole image (TIFF: {error}), {EXPECTED}") from error
    with file:
        try:
            yield page
        except ImageError:
            raise
        except Exception as error:  # tags of a type or count that they cannot have
            raise ImageError(f"{name}: found damaged tags, no whole image (TIFF: {error}), {EXPECTED}") from error


def orientation(page: Any) -> int:
    """How a page asks to be shown, 1 (as stored) to 8."""
    found = page.tags["Orientation"].value if "Orientation" in page.tags else 1
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def header(page: Any) -> dict[str, int | str]:
    """What `read_header` tells of a page."""
    samples, bits = page.samplesperpixel, page.bitspersample
    bits = max(bits) if isinstance(bits, tuple) else bits
    modes = {(PALETTE, 1): "P", (RGB, 3): "RGB", (RGB, 4): "RGBA", (5, 4): "CMYK", (BLACK_IS_ZERO, 1): "L", (WHITE_IS_ZERO, 1): "L"}
    mode = modes.get((int(page.photometric), samples), OTHER_COLOURS.get(int(page.photometric), f"{samples} bands"))
    if mode == "L" and bits != 8:
        mode = {1: "1", 16: "I;16"}.get(bits, "F" if page.dtype is not None and page.dtype.kind == "f" else "I")
    return {
        "width": page.imagewidth,
        "height": page.imagelength,
        "channels": samples,
        "bits": bits,
        "mode": mode,
        "format": "TIFF",
    }


def read(page: Any, stored: bytes, name: str) -> Image:
    """Pixels of a page as they are stored, not turned.

    Parameters
    ----------
    page : tifffile.TiffPage
        As `first_page` gives it.
    stored : bytes
        The file.
    name : str
        Of the file, for messages.

    Returns
    -------
    array (h, w) or (h, w, 3) RGB, in the file's depth and the machine's byte order
        What lies beside three colours (alpha) or beside grey is dropped; where white is zero, levels are turned over, as a viewer shows
        them; palettes are looked up.

    Raises
    ------
    ImageError
        Naming what is not supported, or what is damaged.

    Examples
    --------
    >>> import tifffile
    >>> file = io.BytesIO()
    >>> tifffile.imwrite(file, np.arange(24, dtype=">u2").reshape(3, 2, 4), photometric="rgb", planarconfig="separate")
    >>> with first_page(file.getvalue(), "x.tif") as page:
    ...     read(page, file.getvalue(), "x.tif")[0, 1].tolist()
    [1, 9, 17]
    """
    if unsupported := _unsupported(page):
        raise ImageError(f"{name}: found {unsupported}, which is not supported; {EXPECTED}")
    if page.compression in WHOLE or page.predictor == 3:
        return _by_pillow(stored, name)
    pixels = _by_segments(page, stored, name)
    if page.extrasamples and int(page.extrasamples[0]) == ASSOCIATED:
        opaque = np.iinfo(pixels.dtype).max if pixels.dtype.kind in "ui" else 1
        if (pixels[..., -1] != opaque).any():
            raise ImageError(f"{name}: found colours multiplied by their alpha (associated), which are not supported; {EXPECTED}")
    pixels = pixels[..., :3] if page.photometric == RGB else pixels[..., 0]
    if page.photometric == PALETTE:
        return _looked_up(page, pixels, name)
    if pixels.dtype == bool:
        pixels = np.where(pixels, np.uint8(255), np.uint8(0))
    return np.iinfo(pixels.dtype).max - pixels if page.photometric == WHITE_IS_ZERO else pixels


def _unsupported(page: Any) -> str | None:
    """What of a page is not supported, in words; None where all is."""
    import tifffile

    photometric, samples, bits = int(page.photometric), page.samplesperpixel, page.bitspersample
    extra = samples - COLOURS.get(photometric, 3)
    if page.is_reduced:
        return "a thumbnail in front, as in a raw photograph"
    if page.imagedepth != 1 or page.tiledepth > 1:
        return "a volume"
    if photometric not in COLOURS and not (photometric == YCBCR and page.compression == JPEG):
        return f"{OTHER_COLOURS.get(photometric, f'photometric {photometric}')} colours"
    if extra not in (0, 1):
        return f"{samples} bands ({extra} of them beside {'colours' if photometric == RGB else 'grey'})"
    if page.dtype is None or bits not in (1, 8, 16, 32, 64) or (bits != 1 and bits != 8 * page.dtype.itemsize):
        return f"{bits}-bit samples"
    if page.dtype.kind not in "buif":
        return f"{page.dtype} samples"
    if photometric == WHITE_IS_ZERO and page.dtype.str[1:] not in ("b1", "u1", "u2"):
        return f"white as zero with {page.dtype} samples"
    if photometric == PALETTE and bits != 8:
        return f"a palette of {bits}-bit samples"
    if page.compression in WHOLE:
        fits = bits == (8 if page.compression == JPEG else 1) and page.planarconfig == 1 and not extra
    else:
        fits = page.compression in (STORED, LZW, DEFLATE, DEFLATE_OLD, PACKBITS)
    if not fits or (page.fillorder == 2 and page.compression not in (STORED, *WHOLE)):
        return f"{tifffile.COMPRESSION(page.compression).name} compression of {bits}-bit samples in {samples} bands"
    if page.predictor not in (1, 2) and not (page.predictor == 3 and samples == 1 and page.dtype == np.float32):
        return f"predictor {page.predictor} of {page.dtype} samples in {samples} bands"
    return None


def _by_segments(page: Any, stored: bytes, name: str) -> np.ndarray:
    """Pixels (h, w, bands), strip by strip or tile by tile."""
    height, width = (page.tilelength, page.tilewidth) if page.is_tiled else (min(page.rowsperstrip, page.imagelength), page.imagewidth)
    planar = page.planarconfig == 2
    row_bytes = -(-width * page.bitspersample * (1 if planar else page.samplesperpixel) // 8)
    expected = -(-page.imagelength // height) * -(-page.imagewidth // width) * (page.samplesperpixel if planar else 1)
    segments = list(zip(page.dataoffsets, page.databytecounts, strict=False))
    if len(segments) < expected or row_bytes * height > 32 * max(page.imagelength * page.imagewidth, 2**20):
        raise ImageError(f"{name}: found {len(segments)} strips or tiles of {height}x{width}, expected {expected} that make up the image")
    planes, _, *_, contiguous = page.shaped
    result = np.empty((planes, page.imagelength, page.imagewidth, contiguous), page.dtype.newbyteorder("="))
    compression, page.compression = page.compression, STORED  # tifffile then takes unpacked bytes
    for index, (offset, count) in enumerate(segments[:expected]):
        rows = height if page.is_tiled else min(height, page.imagelength - index % -(-page.imagelength // height) * height)
        if count == 0 or offset + count > len(stored):
            raise ImageError(f"{name}: found a file cut short ({len(stored)} bytes, no whole image), expected at least {offset + count}")
        try:
            unpacked = _unpacked(stored[offset : offset + count], compression, row_bytes, rows)
            if len(unpacked) < rows * row_bytes:
                raise ValueError(f"{len(unpacked)} bytes in place of {rows * row_bytes}")
            data, (plane, _, y, x, _), _ = page.decode(unpacked, index)
        except Exception as error:
            raise ImageError(f"{name}: found damaged data, no whole image (strip or tile {index}: {error}), {EXPECTED}") from error
        target = result[plane, y : y + data.shape[1], x : x + data.shape[2]]
        target[...] = data[0, : target.shape[0], : target.shape[1]]
    return np.moveaxis(result[..., 0], 0, -1) if planar else result[0]


def _unpacked(data: bytes, compression: int, row_bytes: int, rows: int) -> bytes:
    """Bytes of a strip or tile."""
    if compression == STORED:
        return data
    if compression in (DEFLATE, DEFLATE_OLD):
        return zlib.decompressobj().decompress(data, row_bytes * rows)
    with PIL.Image.open(io.BytesIO(_grey_file(data, compression, row_bytes, rows)), formats=["TIFF"]) as image:
        return image.tobytes()


def _grey_file(data: bytes, compression: int, width: int, height: int) -> bytes:
    """TIFF file of one strip of 8-bit grey, whose pixels are the bytes of a strip or tile of another file."""
    tags = {256: width, 257: height, 258: 8, 259: compression, 262: BLACK_IS_ZERO, 273: 122, 277: 1, 278: height, 279: len(data)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries + struct.pack("<I", 0) + data


def _looked_up(page: Any, pixels: np.ndarray, name: str) -> Image:
    """Colours of the indices of a palette."""
    colormap = page.colormap
    if colormap is None or colormap.shape[1] < 256:
        raise ImageError(f"{name}: found a palette without 256 colours, {EXPECTED}")
    colours = (colormap >> 8 if colormap.max() > 255 else colormap).astype(np.uint8)
    return np.ascontiguousarray(colours.T)[pixels]


def _by_pillow(stored: bytes, name: str) -> Image:
    """Pixels of the first page as Pillow's libtiff decodes them."""
    try:
        with PIL.Image.open(io.BytesIO(stored), formats=["TIFF"]) as image:
            wanted = {"1": "L", "L": "L", "F": "F"}.get(image.mode, "RGB")
            return np.asarray(image if image.mode == wanted else image.convert(wanted))
    except Exception as error:
        raise ImageError(f"{name}: found damaged data, no whole image ({error}), {EXPECTED}") from error

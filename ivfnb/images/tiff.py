"""TIFF files by tifffile, where their pixels are stored plainly: whatever layout, byte order and extra channels, as the file says it."""

import io
import logging

import numpy as np

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
PLAIN = 1  # tag "Compression" of pixels that are stored as they are
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB = 0, 1, 2  # tag "PhotometricInterpretation"
UPRIGHT = 1  # tag "Orientation"


def is_tiff(stored: bytes) -> bool:
    """Whether bytes begin as a TIFF file does."""
    return stored[:4] in MAGIC


def read_plain(stored: bytes) -> np.ndarray | None:
    """Pixels of the first page of a TIFF file that is neither compressed nor turned.

    Parameters
    ----------
    stored : bytes
        The file.

    Returns
    -------
    array (h, w) or (h, w, 3) RGB, in the file's depth and the machine's byte order; None for every other kind of file
        uint8, uint16, float32 or float64. What lies beside three colours (alpha) or beside grey is dropped; where white is zero, levels
        are turned over, as a viewer shows them.

    Examples
    --------
    >>> file = io.BytesIO()
    >>> import tifffile
    >>> tifffile.imwrite(file, np.arange(24, dtype=">u2").reshape(3, 2, 4), photometric="rgb", planarconfig="separate")
    >>> read_plain(file.getvalue())[0, 1].tolist()
    [1, 9, 17]
    """
    import tifffile  # late: it takes longer than the rest of the room

    logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # what it cannot read is told by the caller
    try:
        with tifffile.TiffFile(io.BytesIO(stored)) as file:
            page = file.pages.first
            turned = page.tags["Orientation"].value != UPRIGHT if "Orientation" in page.tags else False
            if page.compression != PLAIN or turned or page.photometric not in (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB):
                return None
            if page.dtype is None or page.dtype.str[1:] not in ("u1", "u2", "f4", "f8"):
                return None
            pixels, planar, inverted = page.asarray(), page.planarconfig == 2, page.photometric == WHITE_IS_ZERO
    except Exception:  # a file cut short or damaged in whatever way: the next reader says what is wrong with it
        return None
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    if pixels.ndim == 3:
        pixels = np.moveaxis(pixels, 0, -1) if planar else pixels
        pixels = pixels[..., :3] if pixels.shape[-1] >= 3 else pixels[..., 0]
    if pixels.ndim not in (2, 3) or (inverted and pixels.dtype.kind == "f"):
        return None
    return np.iinfo(pixels.dtype).max - pixels if inverted else pixels

"""TIFF files written by hand, in layouts that no writer at hand offers; what a strip is packed by comes from Pillow."""

import io
import struct
import zlib

import numpy as np
import PIL.Image

PACKED = {1: "none", 5: "LZW", 8: "deflate", 32773: "PackBits"}


def packed(data: bytes, compression: int, row_bytes: int) -> bytes:
    """Bytes of a strip as a compression of TIFF packs them."""
    if compression == 1:
        return data
    if compression == 8:
        return zlib.compress(data)
    rows = len(data) // row_bytes
    stream = io.BytesIO()
    image = PIL.Image.frombytes("L", (row_bytes, rows), data)
    image.save(stream, "TIFF", compression={5: "tiff_lzw", 32773: "packbits"}[compression], tiffinfo={278: rows})
    tags = PIL.Image.open(io.BytesIO(stream.getvalue())).tag_v2
    (offset,), (count,) = tags[273], tags[279]
    return stream.getvalue()[offset : offset + count]


def written(
    pixels: np.ndarray,
    photometric: int,
    compression: int = 1,
    planar: bool = False,
    predictor: bool = False,
    order: str = "<",
    rows: int = 7,
    tags: dict[int, tuple[int, list[int]]] | None = None,
    bits: int | None = None,
) -> bytes:
    """TIFF file of pixels (h, w, bands); `tags` adds or replaces entries, tag -> (type, values)."""
    height, width, bands = pixels.shape
    pixels = pixels.astype(pixels.dtype.newbyteorder(order))
    size, strips = pixels.itemsize, []
    for plane in np.moveaxis(pixels, 2, 0)[..., None] if planar else [pixels]:
        for first in range(0, height, rows):
            strip = plane[first : first + rows]
            if predictor:
                native = strip.astype(strip.dtype.newbyteorder("="))
                strip = np.diff(native, axis=1, prepend=np.zeros_like(native[:, :1])).astype(strip.dtype)
            strips.append(packed(np.ascontiguousarray(strip).tobytes(), compression, strip.shape[1] * strip.shape[2] * size))
    kind = {"u": 1, "i": 2, "f": 3}[pixels.dtype.kind]
    entries = {
        256: (4, [width]),
        257: (4, [height]),
        258: (3, [bits or 8 * size] * bands),
        259: (3, [compression]),
        262: (3, [photometric]),
        273: (4, [0] * len(strips)),
        277: (3, [bands]),
        278: (4, [rows]),
        279: (4, [len(strip) for strip in strips]),
        284: (3, [2 if planar else 1]),
        317: (3, [2 if predictor else 1]),
        339: (3, [kind] * bands),
        **(tags or {}),
    }
    later = 8 + 2 + 12 * len(entries) + 4  # where what does not fit into an entry begins
    sizes = {3: "H", 4: "I"}
    values = {tag: struct.pack(f"{order}{len(v)}{sizes[type]}", *v) for tag, (type, v) in entries.items()}
    at = later + sum(len(value) for value in values.values() if len(value) > 4)
    starts = [at + sum(map(len, strips[:i])) for i in range(len(strips))]
    values[273] = struct.pack(f"{order}{len(starts)}I", *starts)
    table, extra = b"", b""
    for tag, (type, v) in sorted(entries.items()):
        value = values[tag]
        if len(value) > 4:
            value, extra = struct.pack(f"{order}I", later + len(extra)), extra + value
        table += struct.pack(f"{order}HHI", tag, type, len(v)) + value.ljust(4, b"\0")
    head = {"<": b"II", ">": b"MM"}[order] + struct.pack(f"{order}HIH", 42, 8, len(entries))
    return head + table + struct.pack(f"{order}I", 0) + extra + b"".join(strips)

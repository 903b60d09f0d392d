"""TensorFlow 1 checkpoints ("tensor bundles", `NAME.index` and `NAME.data-00000-of-00001`) read with NumPy alone.

The index is an uncompressed LevelDB table: data blocks, an index block that says where they lie and a footer of 48 bytes that says where
the index block lies. It maps the empty key to a header and each variable's name to a protobuf of its dtype, shape, offset, size and
checksum. Nothing in a file is trusted: every offset, size, shape and number must lie in the file, and all checksums (CRC-32C, masked as
LevelDB masks them) are verified. What does not fit raises ValueError that names the file, what was found and what was expected.
"""

import math
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ivfnb.baselines.common.checksum import crc32c, masked

MAGIC = 0xDB4775248B80FB57
FOOTER, TRAILER = 48, 5  # bytes: at the end of the index; compression and checksum behind each of its blocks
INDEX_LIMIT, KEY_LIMIT, RANK_LIMIT = 1 << 24, 1 << 12, 8  # bytes of an index and of a name, dimensions: far above any real checkpoint's
DTYPES = {1: "<f4", 2: "<f8", 3: "<i4", 4: "u1", 9: "<i8", 10: "?", 19: "<f2"}  # TensorFlow's numbers of those that NumPy has too


@dataclass(frozen=True)
class Tensor:
    """One variable as the index describes it: shape, dtype, and where its `size` bytes lie in the data file, with their checksum."""

    shape: tuple[int, ...]
    dtype: np.dtype
    offset: int
    size: int
    crc: int


def read(path: str | Path, names: Iterable[str] | None = None) -> dict[str, np.ndarray]:
    """Variables of a checkpoint by name.

    Parameters
    ----------
    path : path
        The index file, or the checkpoint's prefix (its path without `.index`); the data file lies beside it.
    names : names, optional
        Which variables to read (default: all).

    Returns
    -------
    dict of arrays
        In the shapes and dtypes of the checkpoint; convolution kernels are (height, width, in, out).

    Raises
    ------
    ValueError
        If a file or a named variable is absent, or a file is not whole and unchanged.

    References
    ----------
    The format is that of TensorFlow's `tensorflow/core/util/tensor_bundle` and of LevelDB's `doc/table_format.md`.
    """
    index = _index_file(path)
    data = index.with_name(index.name.removesuffix(".index") + ".data-00000-of-00001")
    return decode(_content(index), _content(data), names, str(index), str(data))


def entries(path: str | Path) -> dict[str, Tensor]:
    """What the index of a checkpoint says of each variable, in order of names; the data file is not needed. ValueError as in `read`."""
    index = _index_file(path)
    return _entries(_content(index), str(index))


def decode(index: bytes, data: bytes, names: Iterable[str] | None = None, index_name: str = "index", data_name: str = "data") -> dict:
    """Variables of a checkpoint whose files' contents are `index` and `data`, as `read` returns them; the names are for messages."""
    known = _entries(index, index_name)
    whole = max((tensor.offset + tensor.size for tensor in known.values()), default=0)
    if len(data) != whole:
        raise ValueError(f"{data_name}: found {len(data)} bytes, expected {whole} as {index_name} says")
    chosen = list(known) if names is None else list(names)
    if absent := [name for name in chosen if name not in known]:
        raise ValueError(f"{index_name}: found no variable {absent[0]!r}, expected it among its {len(known)}")
    found = {}
    for name in chosen:
        tensor = known[name]
        content = memoryview(data)[tensor.offset : tensor.offset + tensor.size]
        if (crc := masked(crc32c(content))) != tensor.crc:
            raise ValueError(f"{data_name}: found checksum {crc:08x} of {name}, expected {tensor.crc:08x}")
        found[name] = np.frombuffer(bytearray(content), tensor.dtype).reshape(tensor.shape)
    return found


def _index_file(path: str | Path) -> Path:
    path = Path(path)
    return path if path.name.endswith(".index") else path.with_name(path.name + ".index")


def _content(path: Path) -> bytes:
    if not path.is_file():
        raise ValueError(f"{path}: found no such file, expected a part of a TensorFlow checkpoint")
    return path.read_bytes()


def _entries(index: bytes, where: str) -> dict[str, Tensor]:
    if not FOOTER <= len(index) <= INDEX_LIMIT:
        raise ValueError(f"{where}: found {len(index)} bytes, expected an index of {FOOTER} to {INDEX_LIMIT}")
    if (magic := int.from_bytes(index[-8:], "little")) != MAGIC:
        raise ValueError(f"{where}: found the magic number {magic:016x}, expected {MAGIC:016x}")
    try:
        table = dict(_table(index))
        _check_header(table.pop(b"", None))
        known = {key.decode(): _tensor(value) for key, value in table.items()}
        _check_layout(known)
    except UnicodeDecodeError as error:
        raise ValueError(f"{where}: found a name that is no text, expected UTF-8") from error
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    return known


def _check_header(header: bytes | None) -> None:
    if header is None:
        raise ValueError("found no header, expected one under the empty name")
    fields = dict(_fields(header))
    if (shards := fields.get(1)) != 1:
        raise ValueError(f"found {shards!r} data files, expected 1")
    if fields.get(2, 0) != 0:
        raise ValueError("found big-endian data, expected little-endian")


def _check_layout(known: dict[str, Tensor]) -> None:
    """No two variables share bytes, so that what is read is never more than the data file holds."""
    end, before = 0, ""
    for name, tensor in sorted(known.items(), key=lambda item: (item[1].offset, item[1].size)):
        if tensor.offset < end:
            raise ValueError(f"found {name} at byte {tensor.offset}, expected it behind {before}, which ends at {end}")
        end, before = tensor.offset + tensor.size, name


def _table(index: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of the table, in order of the keys."""
    limit, last = len(index) - FOOTER, None
    footer = index[limit:]
    _, at = _handle(footer, 0, limit)  # of the block of meta data, which checkpoints leave empty
    where, _ = _handle(footer, at, limit)
    for _, value in _block(index, *where):
        place, _ = _handle(value, 0, limit)
        for key, content in _block(index, *place):
            if last is not None and key <= last:
                raise ValueError(f"found the name {key[:80]!r} behind {last[:80]!r}, expected names in order")
            last = key
            yield key, content


def _handle(content: bytes, at: int, limit: int) -> tuple[tuple[int, int], int]:
    """Offset and size of a block, both within the `limit` bytes before the footer, and where the next handle starts."""
    offset, at = _varint(content, at)
    size, at = _varint(content, at)
    if offset + size + TRAILER > limit or size < 4:
        raise ValueError(f"found a block of {size} bytes at {offset}, expected it within {limit} bytes")
    return (offset, size), at


def _block(index: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of one block, whose keys are stored without what they share with the key before."""
    if index[offset + size] != 0:
        raise ValueError(f"found compression {index[offset + size]} of the block at {offset}, expected none")
    expected = int.from_bytes(index[offset + size + 1 : offset + size + TRAILER], "little")
    if (crc := masked(crc32c(index[offset : offset + size + 1]))) != expected:
        raise ValueError(f"found checksum {crc:08x} of the block at {offset}, expected {expected:08x}")
    block = index[offset : offset + size]
    end = size - 4 - 4 * int.from_bytes(block[-4:], "little")
    if end < 0:
        raise ValueError(f"found more restarts than the block of {size} bytes at {offset} can hold")
    at, key = 0, b""
    while at < end:
        shared, at = _varint(block, at)
        unshared, at = _varint(block, at)
        length, at = _varint(block, at)
        if shared > len(key) or shared + unshared > KEY_LIMIT or at + unshared + length > end:
            raise ValueError(f"found an entry of {shared} + {unshared} + {length} bytes, expected it within the block at {offset}")
        key = key[:shared] + block[at : at + unshared]
        at += unshared + length
        yield key, block[at - length : at]


def _varint(content: bytes, at: int) -> tuple[int, int]:
    """A number of 7 bits a byte, low ones first, and where the next thing starts."""
    value = 0
    for count, byte in enumerate(content[at : at + 10]):
        value |= (byte & 127) << (7 * count)
        if byte < 128:
            if value >> 64:
                break
            return value, at + count + 1
    raise ValueError(f"found no whole number at byte {at} of {len(content)}, expected one of at most 64 bits")


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field of a protobuf message: a number, or the bytes of a message, text or fixed-size value."""
    at = 0
    value: int | bytes
    while at < len(message):
        tag, at = _varint(message, at)
        if (kind := tag & 7) == 0:
            value, at = _varint(message, at)
        else:
            if kind == 2:
                length, at = _varint(message, at)
            elif kind in (1, 5):
                length = 8 if kind == 1 else 4
            else:
                raise ValueError(f"found wire type {kind}, expected 0, 1, 2 or 5")
            if length > len(message) - at:
                raise ValueError(f"found a field of {length} bytes at byte {at} of {len(message)}, expected it to fit")
            value, at = message[at : at + length], at + length
        yield tag >> 3, value


def _tensor(value: bytes) -> Tensor:
    numbers, crc = {1: 0, 3: 0, 4: 0, 5: 0}, b""
    shape: tuple[int, ...] = ()
    for field, content in _fields(value):
        if isinstance(content, int) and field in numbers:
            numbers[field] = content
        elif not isinstance(content, int) and field == 2:
            shape = _shape(content)
        elif not isinstance(content, int) and field == 6:
            crc = content
        else:
            raise ValueError(f"found field {field} of a variable, expected its dtype, shape, place and checksum alone")
    dtype, shard, offset, size = numbers.values()
    if dtype not in DTYPES:
        raise ValueError(f"found dtype {dtype}, expected one of {tuple(DTYPES)}")
    if shard != 0 or len(crc) != 4:
        raise ValueError(f"found shard {shard} and a checksum of {len(crc)} bytes, expected shard 0 and 4 bytes")
    kind = np.dtype(DTYPES[dtype])
    if math.prod(shape) * kind.itemsize != size:
        raise ValueError(f"found {size} bytes of a variable of shape {shape} and {kind}, expected {math.prod(shape) * kind.itemsize}")
    return Tensor(shape, kind, offset, size, struct.unpack("<I", crc)[0])


def _shape(message: bytes) -> tuple[int, ...]:
    shape: list[int] = []
    for field, content in _fields(message):
        if field != 2 or isinstance(content, int):
            raise ValueError(f"found field {field} of a shape, expected dimensions alone")
        size = dict(_fields(content)).get(1, 0)
        if not isinstance(size, int) or size >= 1 << 48 or len(shape) == RANK_LIMIT:
            raise ValueError(f"found dimension {size!r} after {len(shape)}, expected at most {RANK_LIMIT} below 2**48")
        shape.append(size)
    return tuple(shape)

"""A writer of TensorFlow 1 checkpoints (tensor bundles) for tests: what `tensor_bundle` reads, byte by byte as the format has it."""

from pathlib import Path

import numpy as np

from ivfnb.baselines.common.checksum import crc32c, masked

NUMBERS = {"float32": 1, "float64": 2, "int32": 3, "uint8": 4, "int64": 9, "bool": 10, "float16": 19}
MAGIC = (0xDB4775248B80FB57).to_bytes(8, "little")
HEADER = bytes([8, 1, 26, 2, 8, 1])  # one shard, version 1


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def shape_of(sizes: tuple[int, ...]) -> bytes:
    return b"".join(field(2, field(1, size)) for size in sizes)


def entry(shape: bytes, dtype: int, offset: int, size: int, crc: int, shard: int = 0) -> bytes:
    parts = field(1, dtype) + field(2, shape) + (field(3, shard) if shard else b"")
    return parts + (field(4, offset) if offset else b"") + field(5, size) + varint(6 << 3 | 5) + crc.to_bytes(4, "little")


def block(pairs: list[tuple[bytes, bytes]], every: int = 16, compression: int = 0) -> bytes:
    """One block with its trailer: keys share what they can with the key before, anew at every `every`-th."""
    content, restarts, before = bytearray(), [], b""
    for number, (key, value) in enumerate(pairs):
        shared = 0
        if number % every == 0:
            restarts.append(len(content))
        else:
            while shared < min(len(key), len(before)) and key[shared] == before[shared]:
                shared += 1
        content += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        before = key
    restarts = restarts or [0]
    content += b"".join(at.to_bytes(4, "little") for at in restarts) + len(restarts).to_bytes(4, "little")
    return sealed(bytes(content), compression)


def sealed(content: bytes, compression: int = 0) -> bytes:
    content += bytes([compression])
    return content + masked(crc32c(content)).to_bytes(4, "little")


def table(pairs: list[tuple[bytes, bytes]], per_block: int = 8, **options: int) -> bytes:
    """A whole index file."""
    out, handles = bytearray(), []
    for start in range(0, len(pairs), per_block):
        part = pairs[start : start + per_block]
        sealed_block = block(part, **options)
        handles.append((part[-1][0], varint(len(out)) + varint(len(sealed_block) - 5)))
        out += sealed_block
    meta = block([])
    footer = varint(len(out)) + varint(len(meta) - 5)
    out += meta
    index = block(handles, every=1)
    footer += varint(len(out)) + varint(len(index) - 5)
    out += index
    return bytes(out + footer.ljust(40, b"\0") + MAGIC)


def encoded(variables: dict[str, np.ndarray]) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Entries of the index, and the content of the data file."""
    pairs, data = [(b"", HEADER)], bytearray()
    for name in sorted(variables):
        value = np.ascontiguousarray(variables[name]).reshape(np.shape(variables[name]))
        content = value.tobytes()
        place = entry(shape_of(value.shape), NUMBERS[str(value.dtype)], len(data), len(content), masked(crc32c(content)))
        pairs.append((name.encode(), place))
        data += content
    return pairs, bytes(data)


def write(prefix: Path, variables: dict[str, np.ndarray]) -> Path:
    """Write `prefix`.index and `prefix`.data-00000-of-00001; the index file is returned."""
    pairs, data = encoded(variables)
    prefix.parent.mkdir(parents=True, exist_ok=True)
    prefix.with_name(prefix.name + ".data-00000-of-00001").write_bytes(data)
    index = prefix.with_name(prefix.name + ".index")
    index.write_bytes(table(pairs))
    return index


def convolutions(sizes: dict[str, tuple[int, int]], side: int = 3) -> dict[str, tuple[int, ...]]:
    return {f"{name}/kernel": (side, side, *size) for name, size in sizes.items()} | {
        f"{name}/bias": tuple(size[1:]) for name, size in sizes.items()
    }


DENSEFUSE = convolutions(
    {"encoder/conv1_1": (1, 16), **{f"encoder/dense_block_conv{number}": (16 * number, 16) for number in (1, 2, 3)}}
    | {"decoder/conv2_1": (64, 64), "decoder/conv2_2": (64, 32), "decoder/conv2_3": (32, 16), "decoder/conv2_4": (16, 1)}
)

"""CRC-32C (Castagnoli), the checksum of TensorFlow's checkpoints, computed by NumPy over many parts of the data side by side."""

from functools import cache

import numpy as np

POLYNOMIAL = 0x82F63B78  # bits reversed
LANE = 256  # bytes one lane takes at most: so many steps, however long the data are


def masked(crc: int) -> int:
    """A checksum as LevelDB stores it: rotated right by 15 bits, plus a constant."""
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


@cache
def _byte_table() -> np.ndarray:
    """What each byte adds to the checksum: uint32 (256,)."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, table >> 1 ^ np.uint32(POLYNOMIAL), table >> 1)
    return table


def _shifted(crc: np.ndarray, by: np.ndarray) -> np.ndarray:
    """Checksums after a number of zero bytes, which `by` (32,) holds as the images of the 32 bits: a product over GF(2)."""
    result = np.zeros_like(crc)
    for bit in range(32):
        result ^= (crc >> np.uint32(bit) & np.uint32(1)) * by[bit]
    return result


def crc32c(data: bytes | memoryview) -> int:
    """CRC-32C (Castagnoli) of bytes.

    Long data are cut into lanes that go through the byte table side by side; neighbours are then joined, the left one moved by the
    length of the right one, until one lane is left.

    Examples
    --------
    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    table, count = _byte_table(), len(data)
    if count < 4 * LANE:
        state, steps = 0xFFFFFFFF, table.tolist()
        for byte in bytes(data):
            state = steps[(state ^ byte) & 255] ^ state >> 8
        return state ^ 0xFFFFFFFF
    lanes = 1 << (count // LANE).bit_length()
    length = -(-count // lanes)
    padded = np.zeros(lanes * length, np.uint8)  # zeros in front, which leave a checksum that starts at 0 at 0
    padded[-count:] = np.frombuffer(data, np.uint8)
    padded[-count:][:4] ^= 255  # the same as to start at 0xFFFFFFFF
    crc = np.zeros(lanes, np.uint32)
    by = np.uint32(1) << np.arange(32, dtype=np.uint32)
    for column in np.ascontiguousarray(padded.reshape(lanes, length).T):
        crc = table[(crc ^ column) & np.uint32(255)] ^ crc >> np.uint32(8)
        by = table[by & np.uint32(255)] ^ by >> np.uint32(8)
    while len(crc) > 1:
        crc = _shifted(crc[::2], by) ^ crc[1::2]
        by = _shifted(by, by)
    return int(crc[0]) ^ 0xFFFFFFFF

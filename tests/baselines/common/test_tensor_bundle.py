"""The reader of TensorFlow checkpoints: real ones against their published hashes, written ones, and every kind of damage refused."""

import csv
import hashlib
import time

import numpy as np
import pytest
import tensor_bundles as written
from hypothesis import given, settings
from hypothesis import strategies as st

from ivfnb.baselines.common import tensor_bundle
from ivfnb.baselines.common.checksum import POLYNOMIAL, crc32c, masked

DATA = ".data-00000-of-00001"
VARIABLES = {
    "encoder/conv1/bias": np.linspace(-1, 1, 16, dtype=np.float32),
    "encoder/conv1/kernel": np.arange(3 * 3 * 2 * 16, dtype=np.float32).reshape(3, 3, 2, 16) / 7,
    "encoder/conv2/kernel": np.arange(3 * 3 * 16 * 9, dtype=np.float32).reshape(3, 3, 16, 9) * -3,
    "half": np.array([1.5, -2], np.float16),
    "step": np.array(7, np.int32),
    "wide": np.array([[1e300], [2]], np.float64),
}


def slow_crc(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ POLYNOMIAL if crc & 1 else crc >> 1
    return crc ^ 0xFFFFFFFF


@pytest.mark.parametrize("count", [0, 1, 3, 4, 31, 1023, 1024, 1025, 2047, 2048, 5000, 20_011])
def test_the_checksum_is_that_of_a_bitwise_loop(count):
    data = np.random.default_rng(count).bytes(count)
    assert crc32c(data) == slow_crc(data)


def test_the_checksum_is_that_of_the_standards_examples():  # RFC 3720, appendix B.4
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E


def test_megabytes_take_a_fraction_of_a_second():
    data = bytes(4_000_000)
    crc32c(data)
    started = time.process_time()
    crc32c(data)
    assert time.process_time() - started < 1


def test_what_was_written_is_read(tmp_path):
    index = written.write(tmp_path / "model.ckpt", VARIABLES)
    for path in (index, tmp_path / "model.ckpt", str(index)):
        found = tensor_bundle.read(path)
        assert list(found) == sorted(VARIABLES)
        for name, value in VARIABLES.items():
            assert found[name].dtype == value.dtype
            assert found[name].shape == value.shape
            np.testing.assert_array_equal(found[name], value)
    assert list(tensor_bundle.read(index, ["step"])) == ["step"]
    (tmp_path / f"model.ckpt{DATA}").unlink()
    described = tensor_bundle.entries(index)
    assert {name: (tensor.shape, tensor.dtype) for name, tensor in described.items()} == {
        name: (value.shape, value.dtype) for name, value in VARIABLES.items()
    }


def test_many_variables_of_like_names_lie_in_many_blocks(tmp_path):
    many = {f"scope/layer{number:03d}/kernel": np.full((2, number % 5), number, np.float32) for number in range(300)}
    found = tensor_bundle.read(written.write(tmp_path / "many", many))
    assert all(np.array_equal(found[name], value) for name, value in many.items())


@pytest.mark.parametrize("method", ["DenseFuse", "PMGI", "U2Fusion"])
def test_real_checkpoints_have_the_values_their_hash_stands_for(shared_data, method):
    folder = shared_data / "published-weights"
    if not folder.is_dir():
        pytest.skip("no published-weights below IVFNB_DATA")
    (index,) = (folder / method).glob("*.index")
    read, described = tensor_bundle.read(index), tensor_bundle.entries(index)
    together = b"".join(read[name].tobytes() for name in sorted(read, key=lambda name: described[name].offset))
    with (folder / "PROVENANCE.tsv").open(newline="") as table:
        hashes = {row["file"]: row["sha256"] for row in csv.DictReader(table, delimiter="\t")}
    assert hashlib.sha256(together).hexdigest() == hashes[f"published-weights/{method}/{index.stem}{DATA}"]
    assert all(np.isfinite(value).all() for value in read.values())


@pytest.mark.parametrize(("method", "count", "size"), [("DDcGAN", 241, 22_210_336), ("MEF-GAN", 223, 12_630_976)])
def test_an_index_alone_tells_names_shapes_and_the_size_of_the_data(shared_data, method, count, size):
    index = shared_data / "published-weights" / method / "model.ckpt.index"
    if not index.is_file():
        pytest.skip(f"no index of {method} below IVFNB_DATA")
    described = tensor_bundle.entries(index)
    assert (len(described), max(tensor.offset + tensor.size for tensor in described.values())) == (count, size)


NAME = b"encoder/conv1/bias"
PAIRS, CONTENT = written.encoded(VARIABLES)
WHOLE = written.table(PAIRS)
CRC = masked(crc32c(CONTENT[:64]))


def changed(name: bytes, value: bytes | None) -> bytes:
    """The index with one entry replaced, or left out."""
    return written.table([(key, value if key == name else old) for key, old in PAIRS if value is not None or key != name])


def with_footer(meta: tuple[int, int], index: tuple[int, int]) -> bytes:
    handles = b"".join(written.varint(number) for number in (*meta, *index))
    return WHOLE[:-48] + handles.ljust(40, b"\0")[:40] + written.MAGIC


def first_block(content: bytes) -> bytes:
    """An index whose only block has the content given, sealed with a right checksum."""
    sealed = written.sealed(content)
    index = written.block([(b"z", written.varint(0) + written.varint(len(content)))])
    handle = written.varint(len(sealed)) + written.varint(len(index) - 5)
    return sealed + index + (handle + handle).ljust(40, b"\0") + written.MAGIC


def bias(**keys) -> bytes:
    known = {"shape": written.shape_of((16,)), "dtype": 1, "offset": 0, "size": 64, "crc": CRC}
    return written.entry(**{**known, **keys})


ONE = (1).to_bytes(4, "little")
NONE = (0).to_bytes(4, "little")
DAMAGE = {
    "no bytes": (b"", CONTENT, "expected an index"),
    "only a footer": (WHOLE[-48:], CONTENT, "expected"),
    "cut at the end": (WHOLE[:-1], CONTENT, "magic"),
    "cut at the start": (WHOLE[1:], CONTENT, "found"),
    "cut in half": (WHOLE[: len(WHOLE) // 2], CONTENT, "magic"),
    "another magic number": (WHOLE[:-8] + b"\0" * 8, CONTENT, "magic"),
    "a flipped bit in a block": (bytes([WHOLE[0] ^ 1]) + WHOLE[1:], CONTENT, "checksum"),
    "an index block beyond the end": (with_footer((0, 8), (len(WHOLE), 8)), CONTENT, "expected it within"),
    "an index block of huge size": (with_footer((0, 8), (0, 1 << 62)), CONTENT, "expected it within"),
    "an empty index block": (with_footer((0, 8), (0, 0)), CONTENT, "expected it within"),
    "an endless number in the footer": (WHOLE[:-48] + b"\xff" * 40 + written.MAGIC, CONTENT, "whole number"),
    "compressed blocks": (written.table(PAIRS, compression=1), CONTENT, "compression"),
    "more restarts than bytes": (first_block(b"\xff\xff\xff\x7f"), CONTENT, "restarts"),
    "an entry that shares with nothing": (first_block(b"\x05\x01\x00a" + NONE + ONE), CONTENT, "entry"),
    "a name longer than the block": (first_block(b"\x00\xff\xff\x03\x00" + NONE + ONE), CONTENT, "entry"),
    "a value longer than the block": (first_block(b"\x00\x00\xff\xff\xff\xff\x0f" + NONE + ONE), CONTENT, "entry"),
    "a number cut off": (first_block(b"\x80" + NONE + ONE), CONTENT, "found"),
    "names out of order": (written.table([*PAIRS[:1], *PAIRS[:0:-1]]), CONTENT, "in order"),
    "a name twice": (written.table([*PAIRS[:2], *PAIRS[1:]], every=1), CONTENT, "in order"),
    "a name that is no text": (written.table([*PAIRS, (b"\xff\xfe", bias(offset=len(CONTENT)))]), CONTENT, "UTF-8"),
    "an endless name": (written.table([*PAIRS, (b"x" * 5000, bias(offset=len(CONTENT)))]), CONTENT, "entry"),
    "no header": (changed(b"", None), CONTENT, "header"),
    "two data files": (changed(b"", bytes([8, 2])), CONTENT, "2 data files"),
    "big-endian data": (changed(b"", bytes([8, 1, 16, 1])), CONTENT, "big-endian"),
    "an unknown dtype": (changed(NAME, bias(dtype=7)), CONTENT, "dtype 7"),
    "no dtype": (changed(NAME, b""), CONTENT, "dtype 0"),
    "another shard": (changed(NAME, bias(shard=1)), CONTENT, "shard 1"),
    "no checksum": (changed(NAME, bias()[:-5]), CONTENT, "checksum"),
    "a wrong checksum": (changed(NAME, bias(crc=CRC ^ 1)), CONTENT, "checksum"),
    "a checksum cut off": (changed(NAME, bias()[:-1]), CONTENT, "expected it to fit"),
    "slices": (changed(NAME, bias() + written.field(7, b"\x0a\x00")), CONTENT, "field 7"),
    "a group, which no message has any more": (changed(NAME, bias() + b"\x3b"), CONTENT, "wire type"),
    "a shape that is too large": (changed(NAME, bias(shape=written.shape_of((17,)))), CONTENT, "68"),
    "a shape that is too small": (changed(NAME, bias(shape=written.shape_of((15,)))), CONTENT, "60"),
    "a negative dimension": (changed(NAME, bias(shape=written.shape_of(((1 << 64) - 16,)))), CONTENT, "dimension"),
    "huge dimensions": (changed(NAME, bias(shape=written.shape_of((1 << 40, 1 << 40)))), CONTENT, "bytes of a variable"),
    "too many dimensions": (changed(NAME, bias(shape=written.shape_of((1,) * 9 + (16,)))), CONTENT, "at most 8"),
    "an unknown rank": (changed(NAME, bias(shape=written.field(3, 1))), CONTENT, "field 3"),
    "an offset beyond the end": (changed(NAME, bias(offset=1 << 60)), CONTENT, "bytes"),
    "two variables in one place": (changed(NAME, bias(offset=4)), CONTENT, "behind"),
    "no data": (WHOLE, b"", "found 0 bytes"),
    "data cut off": (WHOLE, CONTENT[:-1], "bytes, expected"),
    "surplus data": (WHOLE, CONTENT + b"\0", "bytes, expected"),
    "a changed value": (WHOLE, bytes([CONTENT[0] ^ 1]) + CONTENT[1:], "checksum"),
    "a huge index": (bytes(tensor_bundle.INDEX_LIMIT + 1), CONTENT, "expected an index"),
}


def test_the_undamaged_index_of_these_tests_is_read():
    assert changed(NAME, bias()) == WHOLE
    assert len(tensor_bundle.decode(WHOLE, CONTENT)) == len(VARIABLES)


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_refused(tmp_path, damage):
    index, data, message = DAMAGE[damage]
    (tmp_path / "model.ckpt.index").write_bytes(index)
    (tmp_path / f"model.ckpt{DATA}").write_bytes(data)
    with pytest.raises(ValueError, match=message) as refused:
        tensor_bundle.read(tmp_path / "model.ckpt")
    assert str(refused.value).startswith(str(tmp_path / "model.ckpt"))


def test_absent_files_and_names_are_told(tmp_path):
    with pytest.raises(ValueError, match=r"model\.ckpt\.index: found no such file"):
        tensor_bundle.read(tmp_path / "model.ckpt")
    index = written.write(tmp_path / "model.ckpt", VARIABLES)
    with pytest.raises(ValueError, match="found no variable 'encoder/conv9/bias'"):
        tensor_bundle.read(index, ["encoder/conv9/bias"])
    (tmp_path / f"model.ckpt{DATA}").unlink()
    with pytest.raises(ValueError, match=r"model\.ckpt\.data-00000-of-00001: found no such file"):
        tensor_bundle.read(index)


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=6), st.integers(0, len(WHOLE)))
def test_random_damage_never_raises_anything_else(changes, end):
    damaged = bytearray(WHOLE)
    for at, value in changes:
        damaged[at] = value
    for index in (bytes(damaged), bytes(damaged[:end])):
        try:
            found = tensor_bundle.decode(index, CONTENT)
        except ValueError:
            continue
        assert all(np.array_equal(found[name], VARIABLES[name]) for name in found)


@settings(max_examples=300)
@given(st.binary(max_size=120))
def test_a_sealed_block_of_random_bytes_never_raises_anything_else(content):
    """Right checksums lead the reader into the block itself."""
    for inner in (content, content + NONE + ONE, b"\x00\x01" + bytes([min(len(content), 127)]) + b"a" + content + NONE + ONE):
        try:
            tensor_bundle.decode(first_block(inner), CONTENT)
        except ValueError:
            continue


@settings(max_examples=200)
@given(st.binary(max_size=80))
def test_a_random_entry_never_raises_anything_else(value):
    try:
        tensor_bundle.decode(changed(NAME, value), CONTENT)
    except ValueError:
        return

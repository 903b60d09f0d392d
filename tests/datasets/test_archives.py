"""Archives that want memory or time by their headers alone, and archives that are broken in the middle: refused at once, in one line."""

import gzip
import importlib
import io
import re
import tarfile
import time
from pathlib import Path

import pytest
from loopback import FUSED, Server, child, left, manifest, rarred, tarred, zipped

from ivfnb.datasets import DatasetError, archives
from ivfnb.datasets.archives import ArchiveError, members, unpack
from ivfnb.datasets.fetch import fetch


def header(name: str, size: int, kind: bytes) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT)


EXTENDED = {"long name": b"L", "long link": b"K", "PAX header": b"x", "global PAX header": b"g", "Solaris header": b"X"}


def packed(content: bytes, pack: str) -> bytes:
    if not pack:
        return content
    module = importlib.import_module({"gz": "gzip", "xz": "lzma", "bz2": "bz2"}[pack])
    return module.compress(content)


@pytest.mark.parametrize("pack", ["", "gz", "xz", "bz2"])
@pytest.mark.parametrize("kind", EXTENDED)
@pytest.mark.parametrize("size", [archives.HEADER_LIMIT + 1, 6_000_000_000])
def test_a_tar_with_a_giant_header_is_refused_before_it_is_read(tmp_path: Path, kind: str, pack: str, size: int):
    file = tmp_path / "bomb.tar"
    file.write_bytes(packed(header("first.png", 0, b"0") + header("bomb", size, EXTENDED[kind]) + bytes(100_000), pack))
    with pytest.raises(ArchiveError, match=rf"bomb\.tar: found a header of {size} bytes, expected at most {archives.HEADER_LIMIT}$"):
        members(file)
    with pytest.raises(ArchiveError, match="found a header"):
        unpack(file, tmp_path / "into", 10**12)
    assert not (tmp_path / "into").exists()


def test_a_bomb_that_is_really_there_costs_neither_memory_nor_time(checkout: Path, server: Server):
    stream = io.BytesIO()
    with gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=1) as file:
        file.write(header("bomb", 300_000_000, b"x"))
        for _ in range(300):
            file.write(b"9" * 1_000_000)
    manifest(checkout, server, stream.getvalue())
    code = "resource.setrlimit(resource.RLIMIT_AS, (1_000_000_000, 1_000_000_000)); fetch('tiny')"
    # the high-water mark of that process's own memory: getrusage would tell the largest of its ancestors' where that is larger
    peak = checkout / "peak"
    told = f"atexit.register(lambda: Path({str(peak)!r}).write_text(Path('/proc/self/status').read_text()))"
    process = child(checkout, f"import atexit, resource; from pathlib import Path; {told}; {code}")
    started = time.monotonic()
    _, error = process.communicate(timeout=120)
    assert time.monotonic() - started < 60
    last = error.splitlines()[-1]
    assert last.startswith("ivfnb.datasets.errors.DatasetError: ")
    assert "found a header of 300000000 bytes" in last
    kilobytes = int(re.search(r"VmHWM:\s+(\d+) kB", peak.read_text())[1])
    assert kilobytes < 250_000  # the header alone would take 300 MB


def test_headers_of_usual_length_are_read(tmp_path: Path):
    long = "/".join(["folder" * 20] * 3) + "/image.png"
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        with tarfile.open(tmp_path / "long.tar", "w", format=form) as archive:
            info = tarfile.TarInfo(long)
            info.size = 3
            archive.addfile(info, io.BytesIO(b"abc"))
        assert [(member.name, member.bytes) for member in members(tmp_path / "long.tar", 3)] == [(long, 3)]
        unpack(tmp_path / "long.tar", tmp_path / str(form), 3)
        assert (tmp_path / str(form) / long).read_bytes() == b"abc"


def test_sparse_files_are_refused(tmp_path: Path):
    file = tmp_path / "sparse.tar"
    file.write_bytes(header("sparse.png", 512, tarfile.GNUTYPE_SPARSE) + bytes(2048))
    with pytest.raises(ArchiveError, match=r"sparse\.tar: found a sparse file"):
        members(file)
    for version in (
        {"major": "1", "minor": "0", "realsize": "9" * 12},
        {"map": "0,1", "size": "9" * 12},
        {"size": "9" * 12, "numblocks": "1"},
    ):
        with tarfile.open(file, "w", format=tarfile.PAX_FORMAT) as archive:
            info = tarfile.TarInfo("sparse.png")
            info.size, info.pax_headers = 512, {f"GNU.sparse.{key}": value for key, value in version.items()}
            archive.addfile(info, io.BytesIO(b"9" * 512))
        with pytest.raises(ArchiveError, match="found a sparse file"):
            members(file)


def test_chains_of_long_names_are_refused(tmp_path: Path):
    file = tmp_path / "chain.tar"
    file.write_bytes((header("long", 10, b"L") + b"x" * 10 + bytes(502)) * 5000 + header("1.png", 0, b"0") + bytes(1024))
    with pytest.raises(ArchiveError, match="cannot be read"):
        members(file)


@pytest.mark.parametrize("pack", [zipped, tarred, rarred])
def test_more_members_than_expected_are_refused(tmp_path: Path, pack, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "many"
    file.write_bytes(pack({f"{number}.png": b"x" for number in range(11)}))
    assert len(members(file)) == 11
    monkeypatch.setattr(archives, "MEMBERS_LIMIT", 10)
    with pytest.raises(ArchiveError, match="many: found more than 10 members"):
        members(file)


@pytest.mark.parametrize("pack", ["gz", "xz", "bz2"])
def test_a_tar_with_a_giant_tail_is_refused(tmp_path: Path, pack: str):
    file = tmp_path / "tail.tar"
    file.write_bytes(packed(header("1.png", 0, b"0") + bytes(1024 + archives.TAIL_LIMIT // 2), pack))
    assert [member.name for member in members(file)] == ["1.png"]
    file.write_bytes(packed(header("1.png", 0, b"0") + bytes(1024 + 2 * archives.TAIL_LIMIT), pack))
    with pytest.raises(ArchiveError, match="behind the last member"):
        members(file)


@pytest.mark.parametrize("pack", ["gz", "xz", "bz2"])
def test_an_archive_that_breaks_in_the_middle_is_told_in_one_line(checkout: Path, server: Server, pack: str):
    whole = tarred(FUSED, f"w:{pack}")
    middle = len(whole) // 2
    path = manifest(checkout, server, whole[:middle] + bytes(b ^ 0x55 for b in whole[middle : middle + 64]) + whole[middle + 64 :])
    with pytest.raises(DatasetError) as error:
        fetch("tiny", manifest=path)
    assert "cannot be read" in str(error.value)
    assert "\n" not in str(error.value)
    assert left(checkout) == ["archives/tiny.bin"]

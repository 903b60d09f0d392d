"""What the disk refuses, and what the server does not give: one line each, and what was there before is still there."""

import argparse
import os
from pathlib import Path

import pytest
from loopback import FUSED, WHOLE, Server, child, left, manifest, pinned, tarred, zipped

from ivfnb.commands import fetch as door
from ivfnb.datasets import DatasetError, dataset
from ivfnb.datasets.fetch import fetch
from ivfnb.datasets.verify import verify

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here: a full disk cannot be played")


def one_line(error: pytest.ExceptionInfo[DatasetError]) -> str:
    text = str(error.value)
    assert "\n" not in text
    return text


@needs_full
@pytest.mark.parametrize("kind", ["archive", "files"])
def test_a_full_disk_is_told_in_one_line_and_the_next_run_goes_on(checkout: Path, server: Server, kind: str):
    if kind == "archive":
        path, part = manifest(checkout, server, zipped(FUSED)), checkout / "data" / "archives" / ".tiny.bin.part"
    else:
        path, part = manifest(checkout, server, pins=pinned(server)), checkout / "data" / "tiny" / "inner" / ".fused2.png.part"
    part.parent.mkdir(parents=True)
    part.symlink_to(FULL)
    with pytest.raises(DatasetError) as error:
        fetch("tiny", manifest=path)
    assert one_line(error).startswith(f"{part}: found No space left on device after 0 bytes, expected to write")
    assert len(server.asked) == (1 if kind == "archive" else 2)  # it is not tried again and again
    part.unlink()
    fetch("tiny", manifest=path)
    assert left(checkout) == (WHOLE if kind == "archive" else WHOLE[1:])


NO_ROOM = """
import atexit, resource
whole = resource.getrlimit(resource.RLIMIT_FSIZE)
atexit.register(resource.setrlimit, resource.RLIMIT_FSIZE, whole)  # for what is written at the end, such as what coverage has seen
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, whole[1]))
"""


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_no_room_to_unpack_is_told_as_that_and_the_earlier_copy_stays(checkout: Path, server: Server, pack):
    archive = pack(FUSED)
    path = manifest(checkout, server, archive)
    old = checkout / "data" / "tiny" / "inner" / "fused1.png"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"old")
    (checkout / "data" / "archives").mkdir()
    (checkout / "data" / "archives" / "tiny.bin").write_bytes(archive)
    process = child(checkout, NO_ROOM + "fetch('tiny')")
    last = process.communicate(timeout=60)[1].splitlines()[-1]
    assert last.startswith("ivfnb.datasets.errors.DatasetError: ")
    assert "found File too large, expected to fetch tiny to there" in last
    assert left(checkout) == ["archives/tiny.bin", "tiny/inner/fused1.png"]
    assert old.read_bytes() == b"old"
    fetch("tiny", manifest=path)
    assert left(checkout) == WHOLE


def test_no_room_to_unpack_on_the_way_to_an_image_is_told_too(checkout: Path, server: Server):
    archive = zipped(FUSED)
    manifest(checkout, server, archive)
    (checkout / "data" / "archives").mkdir()
    (checkout / "data" / "archives" / "tiny.bin").write_bytes(archive)
    process = child(checkout, NO_ROOM + "dataset('tiny')")
    last = process.communicate(timeout=60)[1].splitlines()[-1]
    assert last.startswith(f"ivfnb.datasets.errors.DatasetError: {checkout / 'data' / '.unpacked' / 'tiny'}: found File too large")
    assert left(checkout) == ["archives/tiny.bin"]


@pytest.mark.parametrize("in_the_way", ["archives", "tiny", "tiny/inner/fused2.png", ".locks"])
def test_what_stands_in_the_way_is_named(checkout: Path, server: Server, in_the_way: str):
    packed = in_the_way == "archives"
    path = manifest(checkout, server, zipped(FUSED)) if packed else manifest(checkout, server, pins=pinned(server))
    place = checkout / "data" / in_the_way
    place.parent.mkdir(parents=True, exist_ok=True)
    place.mkdir() if in_the_way.endswith(".png") else place.write_text("a file where a folder should be")
    with pytest.raises(DatasetError) as error:
        fetch("tiny", manifest=path)
    assert str(place) in one_line(error)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere: no folder is read-only for it")
def test_a_read_only_folder_is_named(checkout: Path, server: Server):
    path = manifest(checkout, server, zipped(FUSED))
    (checkout / "data").chmod(0o500)
    try:
        with pytest.raises(DatasetError, match="Permission denied"):
            fetch("tiny", manifest=path)
    finally:
        (checkout / "data").chmod(0o700)


@pytest.mark.parametrize("kind", ["archive", "files"])
@pytest.mark.parametrize("way", ["404", "wrong", "cut"])
def test_a_file_is_there_until_its_replacement_is(checkout: Path, server: Server, kind: str, way: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ivfnb.datasets.download.TRIES", 1)
    if kind == "archive":
        path, place, at = manifest(checkout, server, zipped(FUSED)), checkout / "data" / "archives" / "tiny.bin", "/tiny archive.bin"
    else:
        path, place, at = (
            manifest(checkout, server, pins=pinned(server)),
            checkout / "data" / "tiny" / "inner" / "fused1.png",
            "/inner/fused1.png",
        )
    place.parent.mkdir(parents=True)
    place.write_bytes(b"an earlier version")
    content = server.files[at]
    if way == "404":
        del server.files[at]
    else:
        server.ways[at] = [way]
    with pytest.raises(DatasetError) as error:
        fetch("tiny", manifest=path)
    one_line(error)
    assert place.read_bytes() == b"an earlier version"
    server.files[at] = content
    fetch("tiny", manifest=path)
    assert place.read_bytes() == content
    assert verify("tiny", path) == []
    assert not list(place.parent.glob(".*.part"))


def test_one_set_in_trouble_does_not_stop_the_others(checkout: Path, server: Server, capsys: pytest.CaptureFixture[str]):
    manifest(checkout, server, pins=pinned(server))
    (checkout / "data" / ".locks").write_text("a file where a folder should be")
    parser = argparse.ArgumentParser()
    door.configure(parser)
    assert door.run(parser.parse_args(["tiny", "nonsense"])) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert ".locks" in lines[0]
    assert "'nonsense'" in lines[1]
    with pytest.raises(DatasetError, match="--wait: found -1, expected 0 or more seconds"):
        door.run(parser.parse_args(["tiny", "--wait", "-1"]))
    with pytest.raises(DatasetError, match="--wait: found nan"):
        door.run(parser.parse_args(["tiny", "--wait", "nan"]))
    (checkout / "data" / ".locks").unlink()
    assert door.run(parser.parse_args(["tiny", "--wait", "0"])) == 0
    assert len(dataset("tiny")) == 3

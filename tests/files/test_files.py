"""Files are whole or not at all: on a full disk, after a kill, with a name as long as names may be."""

import errno
import os
import subprocess
import sys
import time

import pytest

from ivfnb import files
from ivfnb.files import leftovers


def dead_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_an_error_leaves_the_earlier_file_and_nothing_else(tmp_path):
    path = files.write_text(tmp_path / "table.csv", "earlier")

    def fill():
        with files.replacing(path) as beside:
            beside.write_text("half")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left") as raised:
        fill()
    assert path.read_text() == "earlier"
    assert [file.name for file in tmp_path.iterdir()] == ["table.csv"]
    assert files.trouble(raised.value).startswith(f"{path}: the disk is full")


def test_the_content_is_on_the_disk_before_the_name(tmp_path, monkeypatch):
    order = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: order.append((tmp_path / "a").exists()))
    files.write_text(tmp_path / "a", "1")
    assert order == [False]


def test_a_name_as_long_as_names_may_be(tmp_path):
    for name in ("a" * 251 + ".csv", "热" * 83 + ".png"):
        assert files.write_text(tmp_path / name, "1").read_text() == "1"
    assert len(list(tmp_path.iterdir())) == 2


def test_what_the_dead_left_is_removed(tmp_path):
    dead, old = dead_process(), time.time() - 2 * leftovers.STALE
    names = {
        f".{dead}-0123abcd.table.csv": True,  # removed
        f".{os.getpid()}-0123abcd.table.csv": False,  # of a living process
        f".{dead}-0123abcd.other.csv": False,  # of another file
        f".{dead}.table.csv": False,  # no such name is given here
        "table.csv.1": False,
    }
    for name in names:
        (tmp_path / name).write_text("half")
        os.utime(tmp_path / name, (old, old))
    files.write_text(tmp_path / "table.csv", "whole")
    assert {name: not (tmp_path / name).exists() for name in names} == names
    fresh = tmp_path / f".{dead}-4567abcd.table.csv"
    fresh.write_text("half")
    assert leftovers.sweep(tmp_path, "table.csv") == [], "on a shared disk its process may live elsewhere"
    assert leftovers.sweep(tmp_path, age=0) == [tmp_path / f".{dead}-0123abcd.other.csv", fresh]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full"),
        (OSError(errno.EDQUOT, "Disk quota exceeded", "a.png"), "a.png: the disk is full"),
        (OSError(errno.EROFS, "Read-only file system", "a.png"), "a.png: cannot be read or written (read-only file system)"),
        (PermissionError(errno.EACCES, "Permission denied", b"a.png"), "a.png: cannot be read or written (permission denied)"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", "a/b"), "a/b: not a directory"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "a", None, "b"), "b: no such file or directory"),
        (OSError("image file is\ntruncated"), "image file is truncated"),
        (TimeoutError(), "timeoutError"),
    ],
)
def test_trouble_is_one_line(error, said):
    assert files.trouble(error).startswith(said)
    assert "\n" not in files.trouble(error)


@pytest.mark.parametrize("content", ["", "[" * 100_000, "{", "\ud800".encode("utf-8", "surrogatepass")])
def test_json_that_does_not_read_is_none(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert files.read_json(tmp_path / "a.json") is None
    assert files.read_json(tmp_path) is None

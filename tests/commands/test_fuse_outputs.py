"""Where `fuse` may write: never onto a source, never what cannot be read again, and nothing is left behind where it refuses."""

import errno
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from doors import command, content, fuse, put_pair

from ivfnb import files
from ivfnb.evaluation import records
from ivfnb.images import LossyWarning, read_gray, write_image


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    put_pair(tmp_path / "ir" / "1.png", tmp_path / "vis" / "1.png")
    return tmp_path


def spelled(path: Path, spelling: str) -> Path:
    """Another way to write the path of a source (a folder, or a file in one)."""
    if spelling == "relative":
        return Path(os.path.relpath(path))
    if spelling == "absolute":
        return path.absolute()
    if spelling == "link":
        link = path.with_name(f"link_{path.name}")
        link.symlink_to(path)
        return link
    if spelling == "up":
        return path.parent / "nowhere" / ".." / path.name
    if spelling == "hard link":
        link = path.with_name(f"hard_{path.name}")
        os.link(path, link)
        return link
    return path.with_name(path.name.upper())


@pytest.mark.parametrize("spelling", ["relative", "absolute", "link", "up", "hard link", "other case"])
@pytest.mark.parametrize("role", ["ir", "vis"])
@pytest.mark.parametrize("what", ["--output", "--weight-map"])
def test_a_source_file_is_never_written_to(folders: Path, spelling: str, role: str, what: str, capsys):
    target = spelled(folders / role / "1.png", spelling)
    before = content(folders)
    more = (folders / "out.png", "--set", "classifier=none", "--weight-map", target) if what == "--weight-map" else (target,)
    assert fuse(folders / "ir" / "1.png", folders / "vis" / "1.png", *more) == 2
    assert "sources are never overwritten" in capsys.readouterr().err
    assert content(folders) == before


@pytest.mark.parametrize("spelling", ["relative", "absolute", "link", "up", "other case"])
@pytest.mark.parametrize("role", ["ir", "vis"])
def test_a_source_folder_is_never_written_to(folders: Path, spelling: str, role: str, capsys):
    target = spelled(folders / role, spelling)
    before = content(folders)
    assert fuse(folders / "ir", folders / "vis", target) == 2
    assert "sources are never overwritten" in capsys.readouterr().err
    assert content(folders) == before


def test_a_source_linked_into_the_output_folder_stays(folders: Path, capsys):
    (folders / "fused").mkdir()
    os.link(folders / "vis" / "1.png", folders / "fused" / "1.png")
    before = content(folders)
    assert fuse(folders / "ir", folders / "vis", folders / "fused") == 2
    assert content(folders) == before


def test_fused_image_and_weight_map_are_two_files(folders: Path, capsys):
    pair = folders / "ir" / "1.png", folders / "vis" / "1.png"
    target = folders / "out.png"
    assert fuse(*pair, target, "--set", "classifier=none", "--weight-map", folders / "x" / ".." / "out.png") == 2
    assert "found one file for the fused image and the weight map" in capsys.readouterr().err
    assert fuse(folders / "ir", folders / "vis", folders / "out", "--set", "classifier=none", "--weight-map", folders / "out") == 2
    assert not target.exists()


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("folder", "found a folder, expected a file to write"),
        ("note.txt/fused.png", "note.txt is a file, expected a folder"),
        ("fused", "found the suffix '', expected .png"),
        ("fused.gif", "found the suffix '.gif', expected .png"),
        ("fused.avif", "found the suffix '.avif'"),
        ("fused.mp4", "found the suffix '.mp4'"),
        pytest.param(f"{'字' * 90}.png", "found a name of 274 bytes, expected at most 255", id="long"),
        ("/proc/fused.png", "found that nothing can be written in /proc"),
    ],
)
def test_a_place_that_cannot_be_written_is_named_before_anything_is_read(folders: Path, target: str, message: str, capsys):
    (folders / "folder").mkdir()
    (folders / "note.txt").write_text("x")
    before = content(folders)
    (folders / "ir" / "1.png").write_bytes(b"no image: it is not looked at")
    after = content(folders)
    assert fuse(folders / "ir" / "1.png", folders / "vis" / "1.png", folders / target) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert content(folders) == after != before


def test_a_file_in_place_of_the_output_folder_is_named(folders: Path, capsys):
    (folders / "fused").write_text("x")
    assert fuse(folders / "ir", folders / "vis", folders / "fused") == 2
    assert "found a file, expected a folder to write" in capsys.readouterr().err


def test_a_long_name_that_the_system_takes_is_written(folders: Path):
    target = folders / f"{'字' * 83}.png"  # 253 bytes
    assert fuse(folders / "ir" / "1.png", folders / "vis" / "1.png", target) == 0
    assert [path.name for path in folders.glob("*.png")] == [target.name]


def test_a_full_disk_is_one_line_and_leaves_nothing(folders: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    before = content(folders)

    def full(path: Path, _: bytes) -> None:
        with open(path, "wb") as file:
            file.write(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(Path, "write_bytes", full)
    assert fuse(folders / "ir" / "1.png", folders / "vis" / "1.png", folders / "out.png") == 2
    said = capsys.readouterr().err
    assert "No space left on device" in said
    assert said.count("\n") == 1
    monkeypatch.undo()
    assert content(folders) == before


def test_what_a_link_leads_to_is_replaced_and_the_link_stays(folders: Path):
    real = write_image(folders / "elsewhere" / "real.png", np.zeros((4, 4)))
    link = folders / "fused.png"
    link.symlink_to(real)
    assert fuse(folders / "ir" / "1.png", folders / "vis" / "1.png", link) == 0
    assert link.is_symlink()
    assert read_gray(real).shape == (48, 48)


def test_a_pipe_is_written_to(folders: Path):
    pipe, found = folders / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: found.append(pipe.read_bytes()))
    reader.start()
    assert command("score", "--fused", folders / "vis" / "1.png", "--names", "EN", "--csv", pipe) == 0
    reader.join(10)
    assert found[0].decode().splitlines()[0] == "id,EN"
    assert files.special(pipe)


def test_standard_output_takes_an_image(folders: Path, capfdbinary):
    assert fuse(folders / "ir" / "1.png", folders / "vis" / "1.png", Path("/dev/stdout")) == 0
    out, err = capfdbinary.readouterr()
    assert out.startswith(b"\x89PNG")
    assert b"1 fused into /dev/stdout" in err


def test_a_lossy_format_is_warned_of_and_has_its_record_beside(folders: Path, capsys):
    assert fuse(folders / "ir" / "1.png", folders / "vis" / "1.png", folders / "out.jpg") == 0
    assert "warning: " in (said := capsys.readouterr().err)
    assert "out.jpg: .jpg changes levels" in said
    assert records.read(folders / "out.jpg")["how"]["method"] == "Mean"
    with pytest.warns(LossyWarning):
        write_image(folders / "x.jpg", np.zeros((4, 4)))


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("x.pgm", (4, 4, 3), "found a colour image, expected a grey image for .pgm"),
        ("x.ppm", (4, 4), "found a grey image, expected a colour image for .ppm"),
        ("x.jpg", (1, 66000), "found 66000x1 pixels, expected at most 65500"),
        ("x.webp", (1, 17000), "found 17000x1 pixels, expected at most 16383"),
    ],
)
def test_what_a_format_cannot_hold_is_said(tmp_path: Path, name: str, shape: tuple, message: str):
    with pytest.raises(ValueError, match=message):
        write_image(tmp_path / name, np.zeros(shape, np.uint8))
    assert not list(tmp_path.iterdir())

"""Folders through `fuse`: one folder for both, bad pairs, what is kept and what is done again, a run that is killed."""

import os
import shutil
import signal
import subprocess
import sys
import time
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from doors import cut, fuse, put_pair

from ivfnb import paths
from ivfnb.evaluation import records
from ivfnb.images import read_gray, write_image

IDS = ("astronaut", "camera", "chelsea")


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    for id in IDS:
        put_pair(tmp_path / "ir" / f"{id}.png", tmp_path / "vis" / f"{id}.png", id)
    return tmp_path


def images_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


@pytest.mark.parametrize("way", ["relative", "link", "up"])
def test_one_folder_in_two_spellings_gives_one_image_a_pair(tmp_path: Path, way: str, capsys):
    folder = tmp_path / "all"
    infrared, visible = put_pair(folder / "Camp_IR.png", folder / "Camp_Vis.png")
    (tmp_path / "link").symlink_to(folder)
    other = {"relative": Path(os.path.relpath(folder)), "link": tmp_path / "link", "up": tmp_path / "x" / ".." / "all"}[way]
    (tmp_path / "x").mkdir()
    assert fuse(folder, other, tmp_path / "fused") == 0
    assert images_in(tmp_path / "fused") == ["Camp.png"]
    expected = (read_gray(infrared).astype(float) + read_gray(visible)) / 2
    assert np.abs(read_gray(tmp_path / "fused" / "Camp.png") - expected).max() <= 0.5
    assert fuse(infrared, tmp_path / "link" / "Camp_IR.png", tmp_path / "one.png") == 2
    assert "found one file for both" in capsys.readouterr().err


def test_patterns_and_the_message_that_shows_them(tmp_path: Path, capsys):
    folder = tmp_path / "all"
    for id in ("a", "b"):
        put_pair(folder / f"{id}_hot.png", folder / f"{id}_day.png")
    assert fuse(folder, folder, tmp_path / "fused") == 2
    assert "--pattern-infrared" in capsys.readouterr().err
    named = ("--pattern-infrared", "{id}_hot.png", "--pattern-visible", "{id}_day.png")
    assert fuse(folder, folder, tmp_path / "fused", *named) == 0
    assert images_in(tmp_path / "fused") == ["a.png", "b.png"]
    split = {role: tmp_path / role for role in ("hot", "day")}
    for role, place in split.items():
        for id in ("a", "b"):
            (place / f"{id}_{role}.png").parent.mkdir(exist_ok=True)
            shutil.copy(folder / f"{id}_{role}.png", place)
    assert fuse(split["hot"], split["day"], tmp_path / "again") == 1
    assert "--pattern-infrared '{id}_hot.png' --pattern-visible '{id}_day.png'" in capsys.readouterr().err


def test_other_suffixes_are_read_and_what_is_left_over_is_counted(folders: Path, capsys):
    infrared, visible = cut("coffee")
    for role, image in (("ir", infrared), ("vis", visible)):
        write_image(folders / role / "coffee.webp", image)
    (folders / "vis" / "Thumbs.db").write_text("x")
    (folders / "vis" / "old.svg").write_text("<svg/>")
    assert fuse(folders / "ir", folders / "vis", folders / "fused") == 0
    out, err = capsys.readouterr()
    assert images_in(folders / "fused") == [f"{id}.png" for id in (*IDS, "coffee")]
    assert "4 fused into" in out
    assert "2 unused, no part of a pair by name or suffix: Thumbs.db, old.svg" in err


def test_names_that_look_alike_are_alike(tmp_path: Path):
    composed, apart = (unicodedata.normalize(form, "Zürich") for form in ("NFC", "NFD"))
    put_pair(tmp_path / "ir" / f"{composed}.png", tmp_path / "vis" / f"{apart}.png")
    assert fuse(tmp_path / "ir", tmp_path / "vis", tmp_path / "fused") == 0
    assert images_in(tmp_path / "fused") == [f"{composed}.png"]


def test_a_name_in_no_unicode_is_fused(tmp_path: Path, capsys):
    infrared, visible = put_pair(tmp_path / "ir" / "x.png", tmp_path / "vis" / "x.png")
    name = os.fsdecode("红外".encode("gbk") + b".png")
    for path in (infrared, visible):
        path.rename(path.with_name(name))
    assert fuse(tmp_path / "ir", tmp_path / "vis", tmp_path / "fused") == 0
    assert images_in(tmp_path / "fused") == [name]


def test_bad_pairs_are_named_and_the_others_done(folders: Path, capsys):
    (folders / "vis" / "astronaut.png").write_bytes((folders / "vis" / "astronaut.png").read_bytes()[:200])
    write_image(folders / "ir" / "small.png", np.zeros((20, 20)))
    write_image(folders / "vis" / "small.png", np.zeros((20, 20)))
    write_image(folders / "ir" / "lonely.png", np.zeros((48, 48)))
    write_image(folders / "ir" / "wide.png", np.zeros((48, 50)))
    write_image(folders / "vis" / "wide.png", np.zeros((48, 48)))
    assert fuse(folders / "ir", folders / "vis", folders / "fused", "--set", "classifier=gradient_energy") == 1
    out, err = capsys.readouterr()
    assert "2 fused into" in out
    assert "4 failed" in out
    for text in ("vis/astronaut.png: found", "small: ", "ir/lonely.png without a partner", "48x48 pixels, expected one size"):
        assert text in err
    assert images_in(folders / "fused") == ["camera.png", "chelsea.png"]


def test_nothing_is_done_twice_and_what_changed_is_done_again(folders: Path, capsys):
    def again(*more: str) -> str:
        assert fuse(folders / "ir", folders / "vis", folders / "fused", *more) == 0
        return capsys.readouterr().out

    assert "3 fused" in again()
    before = {path.name: path.stat().st_mtime_ns for path in (folders / "fused").iterdir()}
    assert "0 fused into" in (said := again())
    assert "3 kept" in said
    assert before == {path.name: path.stat().st_mtime_ns for path in (folders / "fused").iterdir()}
    write_image(folders / "ir" / "camera.png", cut("coffee")[0])  # another source
    assert "1 fused into" in (said := again())
    assert "2 kept" in said
    fused = folders / "fused" / "chelsea.png"
    fused.write_bytes(fused.read_bytes()[:-100])  # a file cut short
    assert "1 fused into" in (said := again())
    assert "2 kept" in said
    write_image(fused, np.zeros((48, 48)))  # a foreign file of the same name
    assert "1 fused into" in (said := again())
    assert "2 kept" in said
    assert "3 fused into" in again("--method", "Maximum")
    assert "3 fused into" in again("--method", "Maximum", "--force")


def test_an_image_carries_what_made_it_and_the_same_input_gives_the_same_file(folders: Path):
    for name in ("one", "two"):
        assert fuse(folders / "ir", folders / "vis", folders / name, "--set", "classifier=none", "--set", "ssr=none") == 0
    one, two = (folders / name / "camera.png" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    said = records.read(one)
    assert said["inputs"]["infrared"]["file"] == "camera.png"
    assert said["how"]["protocol"]["classifier"] == "'none'"
    assert {"commit", "dirty", "versions", "python", "version", "pixels"} <= set(said)
    assert records.up_to_date(one, said)
    assert not records.up_to_date(one, {**said, "how": {}})


def test_code_that_changed_makes_images_out_of_date(folders: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    assert fuse(folders / "ir", folders / "vis", folders / "fused") == 0
    monkeypatch.setattr("ivfnb.evaluation.recipe.cache.code_hash", lambda *_: "another")
    assert fuse(folders / "ir", folders / "vis", folders / "fused") == 0
    assert "3 fused into" in capsys.readouterr().out.splitlines()[-1]


def test_several_at_once_give_the_same(folders: Path):
    for jobs in ("1", "2"):
        assert fuse(folders / "ir", folders / "vis", folders / f"fused{jobs}", "--jobs", jobs) == 0
    assert {path.name: path.read_bytes() for path in (folders / "fused1").iterdir()} == {
        path.name: path.read_bytes() for path in (folders / "fused2").iterdir()
    }


SLOW = """
import sys, time
from ivfnb.commands import main
from ivfnb.evaluation.recipe import Recipe
quick = Recipe.fuse
Recipe.fuse = lambda *given: (time.sleep(0.5), quick(*given))[1]
sys.exit(main(sys.argv[1:]))
"""


def test_a_run_that_is_killed_is_finished_by_the_next(tmp_path: Path, capsys):
    infrared, visible = put_pair(tmp_path / "ir" / "0.png", tmp_path / "vis" / "0.png")
    for number in range(1, 8):
        shutil.copy(infrared, tmp_path / "ir" / f"{number}.png")
        shutil.copy(visible, tmp_path / "vis" / f"{number}.png")
    (tmp_path / "vis" / "4.png").write_bytes(b"no image")
    words = ["fuse", "--infrared", tmp_path / "ir", "--visible", tmp_path / "vis", "--output", tmp_path / "fused", "--method", "Mean"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(paths.PACKAGE.parent), os.environ.get("PYTHONPATH", "")])}
    process = subprocess.Popen([sys.executable, "-c", SLOW, *map(str, words)], env=environment, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 120
        while len(list((tmp_path / "fused").glob("[0-9]*.png"))) < 2 and time.monotonic() < end:
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    done = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "fused").glob("[0-9]*.png")}
    assert 2 <= len(done) < 7
    (tmp_path / "fused" / f".{process.pid}.6.png").write_bytes(b"what was written when it was killed")
    assert fuse(tmp_path / "ir", tmp_path / "vis", tmp_path / "fused") == 1
    out, err = capsys.readouterr()
    assert f"{7 - len(done)} fused into" in out
    assert f"{len(done)} kept" in out
    assert "vis/4.png: found" in err
    assert {name: (tmp_path / "fused" / name).stat().st_mtime_ns for name in done} == done
    assert not list((tmp_path / "fused").glob(f".{process.pid}.*"))

"""A disk that is really full, or read-only: one line that says where, earlier results whole, nothing half-written left."""

import os
import subprocess
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ivfnb import cache, commands, evaluation, files, images, report
from ivfnb.cache import entries
from ivfnb.classifier.training import checkpoints
from ivfnb.commands.reproduce import records
from ivfnb.datasets import dataset


@pytest.fixture
def disk(tmp_path):
    """A disk of 1 MB in memory."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if os.name != "posix" or os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk is mounted by root only")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path) -> Path:
    """Take all that is left of a disk."""
    place = disk / "filler"
    descriptor = os.open(place, os.O_CREAT | os.O_WRONLY)
    try:
        while os.write(descriptor, bytes(4096)):
            pass
    except OSError:
        return place
    finally:
        os.close(descriptor)


def read_only(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)


@pytest.fixture
def pairs(tmp_path):
    noise = np.random.default_rng(0)
    for role in ("infrared", "visible"):
        images.write_image(tmp_path / role / "01.png", noise.integers(0, 256, (48, 56), dtype=np.uint8))
    return dataset("folder", infrared=tmp_path / "infrared", visible=tmp_path / "visible")


@pytest.mark.parametrize("trouble", [fill, read_only])
def test_the_cache(disk, pairs, monkeypatch, trouble):
    monkeypatch.setenv("IVFNB_CACHE", str(disk / "cache"))
    known, new = evaluation.by_baseline("Mean"), evaluation.by_baseline("Maximum")
    before = evaluation.evaluate(pairs, [known], ["EN"])
    trouble(disk)
    entries._warn.cache_clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert evaluation.evaluate(pairs, [known], ["EN"]).equals(before), "what is remembered is read"
    with pytest.warns(cache.CacheWarning, match="nothing is remembered, which costs time and no result") as told:
        assert len(evaluation.evaluate(pairs, [new], ["EN", "SCD"])) == 2
    assert len(told) == 1
    assert not [path for path in disk.rglob(".*") if path.is_file()]


def test_tables(disk):
    frame = pd.DataFrame({"method": ["Mean"], "EN": [7.0]})
    report.table(frame, disk / "tables" / "t", "earlier")
    before = {path: path.read_bytes() for path in (disk / "tables").iterdir()}
    assert len(before) == 4
    fill(disk)
    with pytest.raises(OSError, match="No space left") as raised:
        report.table(frame.assign(EN=8.0), disk / "tables" / "t", "later")
    assert (
        files.trouble(raised.value) == f"{disk}/tables/t.csv: the disk is full; make room there and run it again: what was finished is kept"
    )
    assert {path: path.read_bytes() for path in (disk / "tables").iterdir()} == before


def test_a_checkpoint_and_the_next_try(disk):
    import torch

    path, large = disk / "checkpoint.pt", {"net": torch.zeros(60_000)}
    checkpoints.write(path, large)
    before = path.read_bytes()
    filler = fill(disk)
    for _ in range(3):
        with pytest.raises(OSError, match="No space left"):
            checkpoints.write(path, large)
        assert path.read_bytes() == before
        assert {place.name for place in disk.iterdir()} == {"checkpoint.pt", "filler"}
    filler.unlink()
    checkpoints.write(path, {"net": torch.ones(60_000)})
    assert torch.load(path, weights_only=True)["net"].sum() == 60_000


@pytest.mark.parametrize("trouble", [fill, read_only])
def test_fuse(disk, pairs, tmp_path, capsys, trouble):
    sources = ["--infrared", str(tmp_path / "infrared"), "--visible", str(tmp_path / "visible")]
    trouble(disk)
    assert commands.main(["fuse", *sources, "--output", str(disk / "fused"), "--method", "Mean"]) != 0
    said = capsys.readouterr().err
    assert "disk is full" in said or "read-only" in said.lower()
    assert "Traceback" not in said
    assert str(disk / "fused") in said
    assert not [path for path in disk.rglob("*") if path.is_file() and path.name != "filler"]


@pytest.mark.parametrize(("trouble", "words"), [(fill, "the disk is full"), (read_only, "read-only file system")])
def test_reproduce(disk, monkeypatch, capsys, trouble, words):
    monkeypatch.setenv("IVFNB_RESULTS", str(disk))
    state = records.State(disk)
    (disk / "demo").mkdir()
    state.folder = disk / "demo"
    state.begin("01_dataset", {})
    before = (disk / "demo" / "state.json").read_bytes()
    trouble(disk)
    assert commands.main(["reproduce", "--only", "01"]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert str(disk / "demo") in said
    assert len(said.splitlines()) == 1
    assert (disk / "demo" / "state.json").read_bytes() == before

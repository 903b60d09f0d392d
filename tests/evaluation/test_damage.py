"""A cache that is damaged, read-only or full costs time: every row is there, with the values of a cache that is whole."""

import io
import json
import os
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ivfnb import cache, evaluation, files, images
from ivfnb.cache import entries
from ivfnb.datasets import dataset
from ivfnb.evaluation.entries import keep, known
from ivfnb.evaluation.likeness import likenesses
from ivfnb.fusion import Protocol


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IVFNB_CACHE", str(tmp_path / "cache"))
    entries._warn.cache_clear()
    return tmp_path / "cache"


@pytest.fixture
def pairs(tmp_path):
    """Two small pairs in folders."""
    noise = np.random.default_rng(0)
    for id in ("01", "02"):
        for role in ("infrared", "visible"):
            images.write_image(tmp_path / role / f"{id}.png", noise.integers(0, 256, (48, 56), dtype=np.uint8))
    return dataset("folder", infrared=tmp_path / "infrared", visible=tmp_path / "visible")


def table(pairs):
    """Rows of a method with a network and of one without, and how alike their images are."""
    methods = [evaluation.by_protocol("ours", Protocol(stride=16)), evaluation.by_baseline("Mean")]
    frame = evaluation.evaluate(pairs, methods, ["EN", "SCD"], extra={"SSIM": evaluation.likeness_to(methods[1])})
    return frame.drop(columns="seconds"), likenesses(pairs, *methods)


def halved(entry: Path) -> None:
    entry.write_bytes(entry.read_bytes()[: entry.stat().st_size // 2])


def of_zeros(entry: Path) -> None:
    entry.write_bytes(bytes(entry.stat().st_size))


def of_other_content(entry: Path) -> None:
    if entry.suffix == ".npz":
        np.savez(entry, scores=np.full((2, 3, 3, 2), np.nan, np.float32), seconds=1.0)
    else:
        entry.write_text({".json": "{}", ".png": "[]"}[entry.suffix])


def parts(content: bytes) -> dict:
    """What an entry that holds seconds says, by name."""
    if content.startswith(b"{"):
        return json.loads(content)
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        return dict(stored)


DAMAGES = {
    "halved": halved,
    "empty": lambda entry: entry.write_bytes(b""),
    "zeros": of_zeros,
    "other": of_other_content,
    "list": lambda entry: entry.write_text("[]"),
    "deep": lambda entry: entry.write_text("[" * 100_000),
}


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_entries_heal(own_cache, pairs, damage):
    frame, alike = table(pairs)
    whole = {entry: entry.read_bytes() for entry in sorted(own_cache.rglob("*")) if entry.is_file()}
    assert {entry.parent.parent.name for entry in whole} == {"fused", "scores", "similarities", "windows"}
    for entry in whole:
        DAMAGES[damage](entry)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = table(pairs)
    pd.testing.assert_frame_equal(again[0], frame)
    assert again[1].equals(alike)
    for entry, content in whole.items():
        if entry.suffix == ".png" or entry.parent.parent.name in ("scores", "similarities"):  # others hold seconds
            assert entry.read_bytes() == content, "made anew, equal in every byte"
        else:
            then, now = parts(content), parts(entry.read_bytes())
            assert now.pop("seconds") > 0 < then.pop("seconds")
            np.testing.assert_equal(now, then)


def no_folder(folder: Path) -> None:
    folder.write_text("a file where the folder should be")


def full(monkeypatch) -> None:
    """Every write fails as on a full disk."""

    def write(self, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", write)
    monkeypatch.setattr(np, "savez", lambda path, **arrays: write(path, arrays))


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("trouble", ["no folder", "full"])
def test_a_cache_that_cannot_be_written_costs_one_warning(own_cache, pairs, monkeypatch, trouble):
    no_folder(own_cache) if trouble == "no folder" else full(monkeypatch)
    with pytest.warns(cache.CacheWarning) as caught:
        frame, alike = table(pairs)
    assert len([each for each in caught if each.category is cache.CacheWarning]) == 1
    assert "nothing is remembered, which costs time and no result" in str(caught[0].message)
    assert str(own_cache) in str(caught[0].message)
    assert len(frame) == 2 * 2 * 3
    assert len(alike) == 2
    assert not [entry for entry in own_cache.rglob("*") if entry.is_file()], "nothing half-written is left"
    monkeypatch.undo()
    monkeypatch.setenv("IVFNB_CACHE", str(own_cache.parent / "good"))
    good, _ = table(pairs)
    assert good.equals(frame)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to read-only folders")
def test_a_read_only_cache_is_read(own_cache, pairs):
    frame, _ = table(pairs)
    for place in [own_cache, *own_cache.rglob("*")]:
        place.chmod(0o555 if place.is_dir() else 0o444)
    again, _ = table(pairs)
    for place in [own_cache, *own_cache.rglob("*")]:
        place.chmod(0o755)
    assert again.equals(frame)


NOTHING = [
    7.5,
    {"value": True},
    {"value": [7]},
    True,
    "7",
    None,
    [7],
    {},
    {"values": {}, "fit": ""},
    {"values": {"EN": "7"}, "fit": ""},
    {"values": 1, "fit": ""},
]


@pytest.mark.parametrize("content", NOTHING)
def test_an_entry_that_is_no_value_is_none(tmp_path, content):
    assert known(files.write_json(tmp_path / "entry.json", content)) is None
    assert not (tmp_path / "entry.json").exists()


@pytest.mark.parametrize("content", [7.5, {"values": {"EN": 7.5}, "fit": "same size"}])
def test_an_entry_that_is_a_value_is_kept(tmp_path, content):
    place = tmp_path / "entry.json"
    keep(place, content)
    assert known(place) == content
    whole = place.read_bytes().strip()
    for length in range(len(whole)):
        place.write_bytes(whole[:length])
        assert known(place) is None, "no part of it is another value"

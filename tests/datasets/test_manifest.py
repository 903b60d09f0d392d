"""The manifest: complete, consistent in itself, and in agreement with the provenance table and the files at hand."""

import csv
import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from ivfnb import paths
from ivfnb.datasets import dataset
from ivfnb.datasets.manifest import Entry, Pin, digest, fault, load, natural_order
from ivfnb.datasets.verify import verify

SETS = load()


def all_pins() -> dict[str, Pin]:
    return {pin.path: pin for entry in SETS.values() for pin in (*entry.pins, *entry.archives)}


@pytest.fixture(scope="module")
def provenance(shared_data: Path) -> dict[str, dict[str, str]]:
    table = shared_data / "PROVENANCE.tsv"
    if not table.is_file():
        pytest.skip("no PROVENANCE.tsv in IVFNB_DATA: the pins cannot be compared")
    with table.open(encoding="utf-8", newline="") as file:
        return {row["file"]: row for row in csv.DictReader(file, delimiter="\t")}


def test_pins_agree_with_the_provenance_table_for_every_file_in_both(provenance: dict[str, dict[str, str]]):
    pins = all_pins()
    both = pins.keys() & provenance.keys()
    assert len(both) == len(provenance) > 1000
    for file in both:
        pin, row = pins[file], provenance[file]
        assert (pin.bytes, pin.digest) == (int(row["bytes"]), f"sha256:{row['sha256']}")
        url = unquote(pin.url) + (f"!{pin.member}" if pin.member else "")
        assert url == f"https://raw.githubusercontent.com/{row['source_repo']}/{row['commit']}/{row['path']}"


def test_files_at_hand_are_as_pinned_and_the_git_hash_is_gits(shared_data: Path, provenance: dict[str, dict[str, str]]):
    chosen = [file for file in provenance if file.startswith(("archives/", "tno21/", "vot40/"))]
    for file in chosen:
        assert fault(shared_data / file, all_pins()[file]) is None
        assert digest(shared_data / file, "git") == f"git:{provenance[file]['git_blob_sha1']}"


def test_the_sample_pairs_are_as_pinned(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("IVFNB_DATA", raising=False)
    assert len(SETS["sample"].ids) == 5
    assert verify("sample") == []
    assert dataset("sample").ids == list(SETS["sample"].ids)


@pytest.mark.parametrize("entry", SETS.values(), ids=SETS)
def test_every_set_is_described(entry: Entry):
    assert entry.kind in ("pairs", "photographs", "fused", "weights")
    assert all((entry.title, entry.licence, entry.citation, entry.homepage))
    assert entry.folders or entry.packages
    assert {"pairs": {"infrared", "visible"}, "fused": {"fused"}, "photographs": set(), "weights": {"weights"}}[entry.kind] <= set(
        entry.folders
    )
    # something fetches it, or a person is told how, or nobody has it
    assert entry.pins or entry.archives or entry.by_hand or entry.packages or entry.expected == 0
    assert bool(entry.archives) <= bool(entry.unpack)


def test_every_download_is_pinned_by_size_or_hash_and_bounded():
    for entry in SETS.values():
        for pin in (*entry.pins, *entry.archives):
            assert re.fullmatch(r"sha256:[0-9a-f]{64}|md5:[0-9a-f]{32}|git:[0-9a-f]{40}", pin.digest)
            assert pin.bytes or pin.digest.startswith("git:")
            assert pin.url is None or " " not in pin.url
            assert not Path(pin.path).is_absolute()
            assert ".." not in Path(pin.path).parts
        assert all(archive.limit > (archive.bytes or 0) for archive in entry.archives)


def test_only_the_sample_ships_and_its_pins_need_no_address():
    shipped = {name for name, entry in SETS.items() if any(pin.url is None for pin in entry.pins)}
    assert shipped <= {"sample"}


def test_no_data_but_the_sample_is_asked_of_the_checkout():
    assert all(not str(folder).startswith(("/", "..")) for entry in SETS.values() for folder in entry.folders.values())
    assert (paths.root() / "data" / "manifest.yaml").is_file()


def test_ids_stand_in_their_natural_order():
    for entry in SETS.values():
        assert list(entry.ids or ()) == natural_order(set(entry.ids or ()))
    assert SETS["tno21"].ids[:3] == ("01", "02", "03")
    assert natural_order({"10", "9", "a2", "a10", "1"}) == ["1", "9", "10", "a2", "a10"]


def test_only_the_known_pairs_lack_a_pinned_file():
    lacking = {
        name: sorted(set(entry.ids) - {Path(pin.path).stem for pin in entry.pins})
        for name, entry in SETS.items()
        if entry.ids and entry.pins and not entry.archives
    }
    assert {name: ids for name, ids in lacking.items() if ids} == {"vot40": ["22"]}

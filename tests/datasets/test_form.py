"""Manifests of a wrong form: one line that names file and key, never a traceback; and no path that leaves the data root."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loopback import Server, child, manifest, pinned, zipped

from ivfnb.datasets import DatasetError
from ivfnb.datasets.manifest import load, natural_order

TINY = {"kind": "fused", "title": "Tiny", "folders": {"fused": "tiny"}}
PIN = ["tiny/1.png", 3, "0" * 64, "local", "1.png"]
ARCHIVE = {"file": "archives/tiny.zip", "url": "https://example.org/tiny.zip", "limit": 1000}
WEIGHTS = {"kind": "weights", "title": "Net", "folders": {"weights": "learned/Net"}}
FILE = {"file": "net.pth", "url": "https://example.org/net.pth", "digest": "md5:" + "0" * 32}


def line(checkout: Path, content: object) -> str:
    """What `load` says of a manifest with that content."""
    path = checkout / "data" / "manifest.yaml"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(DatasetError) as error:
        load()
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 500
    return str(error.value)


def of(**keys: object) -> dict:
    return {"sets": {"tiny": {**TINY, **keys}}}


WRONG = {
    "sets.tiny.kind: found 3, expected 'pairs', 'photographs', 'fused' or 'weights'": of(kind=3),
    "sets.tiny.kind: found 'pear', expected 'pairs'": of(kind="pear"),
    "sets.tiny.titel: found an unknown key, expected one of kind, title,": of(titel="Tiny"),
    "sets.tiny.title: found ['Tiny'], expected a valid string": of(title=["Tiny"]),
    "sets.tiny.title: found nothing, expected a value": {"sets": {"tiny": {"kind": "fused", "folders": {"fused": "tiny"}}}},
    "sets.tiny.open: found 'yes', expected a valid boolean": of(open="yes"),
    "sets.tiny.expected: found '3', expected a valid integer": of(expected="3"),
    "sets.tiny.expected: found True, expected a valid integer": of(expected=True),
    "sets.tiny.expected: found -1, expected greater than or equal to 0": of(expected=-1),
    "sets.tiny.first: found 0, expected greater than 0": of(first=0),
    "sets.tiny.ids: found 'all', expected a number of images or 'pinned'": of(ids="all"),
    "sets.tiny.ids: found -1, expected a number of images or 'pinned'": of(ids=-1),
    "sets.tiny.ids: found True": of(ids=True),
    "sets.tiny.packages.skimage.0: found 3, expected a valid string": of(packages={"skimage": [3]}),
    "sets.tiny: found folders for ['infrared'], expected fused": of(folders={"infrared": "tiny"}),
    "sets.tiny: found folders for ['infrared'], expected infrared and visible": of(kind="pairs", folders={"infrared": "tiny"}),
    "sets.tiny: found archives and no key unpack": of(archives=[ARCHIVE]),
    "sets.tiny: found the key files in a set of fused": of(files=[FILE]),
    "sets.tiny.archives.0.limit: found nothing, expected a value": of(unpack="tiny", archives=[{"file": "archives/tiny.zip"}]),
    "sets.tiny.archives.0.sise: found an unknown key, expected one of file, limit,": of(unpack="tiny", archives=[{**ARCHIVE, "sise": 3}]),
    "sets.tiny.archives.0.url: found 'file:///etc/passwd', expected text": of(unpack="tiny", archives=[{**ARCHIVE, "url": "file:///etc/passwd"}]),
    "sets.tiny.archives.0.digest: found 'sha256:12'": of(unpack="tiny", archives=[{**ARCHIVE, "digest": "sha256:12"}]),
    "sets.net.files.0.digest: found nothing": {"sets": {"net": {**WEIGHTS, "files": [{"file": "net.pth", "url": FILE["url"]}]}}},
    "sets.tiny: found 'Tiny', expected keys and values": {"sets": {"tiny": "Tiny"}},
    "sets: found nothing, expected a value": {},
    "sets: found [], expected keys and values": {"sets": []},
    "found [], expected keys and values": [],
    "found None, expected keys and values": "",
    "settings: found an unknown key, expected one of sets, sources, pins": {**of(), "settings": 3},
    "pins.0.1: found '3', expected a valid integer": {**of(), "pins": [["tiny/1.png", "3", "0" * 64, None, None]]},
    "pins.0.2: found '12', expected text of the form": {**of(), "pins": [["tiny/1.png", 3, "12", None, None]]},
    "pins.1: found ['local', None], expected a source and a path": {**of(), "pins": [["a/b", 3, "0" * 64, None, None], [*PIN[:4], None]]},
    "found the source 'local' in pins.0, expected one of none": {**of(), "pins": [PIN]},
    "found 'tiny/1.png' pinned twice": {**of(), "sources": {"local": "http://127.0.0.1"}, "pins": [PIN, PIN]},
    "pins.0.4: found nothing": {**of(), "pins": [PIN[:4]]},
    "sets.tiny.kind: found 3, expected 'pairs', 'photographs', 'fused' or 'weights' (and 1 more)": of(kind=3, title=3),
    "found the key 'tiny' twice (line 3), expected YAML": "sets:\n  tiny: {kind: fused}\n  tiny: {kind: pairs}\n",
    "sets.3: found 3, expected a valid string": "sets:\n  3: {kind: fused, title: x, folders: {fused: x}}\n",
    "could not determine a constructor": "sets: !!python/object/apply:os.system [true]\n",
    "expected YAML": "sets: [1\n",
    "found unacceptable character": "sets: \x00\n",
}  # fmt: skip


@pytest.mark.parametrize("expected", WRONG)
def test_a_wrong_form_is_told_in_one_line(checkout: Path, expected: str):
    said = line(checkout, WRONG[expected])
    assert said.startswith("data/manifest.yaml: ")
    assert expected in said


def test_no_text_no_file_and_no_rights_are_told_in_one_line(checkout: Path):
    path = checkout / "data" / "manifest.yaml"
    with pytest.raises(DatasetError, match=r"data/manifest\.yaml: found no manifest that can be read \(No such file"):
        load()
    path.write_bytes(b"sets: \xff\xfe")
    with pytest.raises(DatasetError, match=r"data/manifest\.yaml: found .*, expected YAML"):
        load()
    path.unlink()
    path.mkdir()
    with pytest.raises(DatasetError, match="Is a directory"):
        load()


@pytest.mark.parametrize("shape", ["[" * 5000 + "]" * 5000, "a: &a [x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(9))])
def test_deep_and_repeated_content_is_told_quickly(checkout: Path, shape: str):
    started = time.process_time()
    line(checkout, shape)
    assert time.process_time() - started < 5


def test_aliases_that_grow_to_a_billion_are_told_quickly(checkout: Path):
    bomb = "a0: &a0 [lol]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))
    started = time.process_time()
    line(checkout, bomb + "sets: *a11\n")
    line(checkout, bomb.replace("a0:", "sets:", 1).replace("[lol]", "{tiny: {kind: fused, title: x, folders: {fused: x}}}", 1))
    assert time.process_time() - started < 5


ESCAPES = [
    *("../evil", "tiny/../../evil", "/tmp/evil", "C:\\evil", "C:evil", "tiny\\..\\..\\evil", "\\\\server\\share", ".", ".."),
    *("", "a//b", "./tiny", ".unpacked/tiny", "tiny/.hidden", "tiny/", "ti\nny", "tiny/\0"),
]
KEPT = ["manifest.yaml", "weights", "weights/net", "Weights", "sample/infrared", "README.md", "paper"]  # what the project keeps in data/


@pytest.mark.parametrize("path", ESCAPES)
def test_no_path_leaves_the_data_root(checkout: Path, path: str):
    shown = re.escape(repr(path)[:20])
    sources = {"local": "http://127.0.0.1"}
    assert re.search(rf"pins\.0(\.0)?: found {shown}", line(checkout, {**of(), "sources": sources, "pins": [[path, *PIN[1:]]]}))
    member = {**of(), "sources": sources, "pins": [[*PIN[:4], f"all.zip!{path}"]]}
    assert re.search(rf"pins\.0: found {shown}", line(checkout, member))
    assert re.search(rf"folders\.fused: found {shown}", line(checkout, of(folders={"fused": path})))
    assert re.search(rf"archives\.0\.file: found {shown}", line(checkout, of(unpack="tiny", archives=[{**ARCHIVE, "file": path}])))
    assert re.search(rf"sequences: found {shown}", line(checkout, of(sequences=path)))
    assert re.search(rf"family.*: found {shown}", line(checkout, {"sets": {"tiny/*": {**TINY, "family": {path: "note"}}}}))
    assert re.search(rf"files\.0\.file: found {shown}", line(checkout, {"sets": {"net": {**WEIGHTS, "files": [{**FILE, "file": path}]}}}))
    unpack = line(checkout, of(unpack=path, archives=[ARCHIVE]))
    assert re.search(rf"unpack: found {shown}" if path else "archives and no key unpack", unpack)


@pytest.mark.parametrize("path", KEPT)
def test_no_download_replaces_what_the_project_keeps(checkout: Path, path: str):
    kept = f"found {path!r}, expected a folder of the set's own"
    assert kept in line(checkout, of(unpack=path, archives=[ARCHIVE]))
    assert kept in line(checkout, of(unpack="tiny", archives=[{**ARCHIVE, "file": path}]))
    assert kept in line(checkout, {**of(), "sources": {"local": "http://127.0.0.1"}, "pins": [[path, *PIN[1:]]]})
    assert kept.replace(path, path + "/x") in line(
        checkout, {"sets": {"net": {**WEIGHTS, "folders": {"weights": path + "/x"}, "files": [FILE]}}}
    )


def test_no_name_of_a_family_leads_to_what_the_project_keeps(checkout: Path):
    family = {**WEIGHTS, "folders": {"weights": "*/net"}, "files": [FILE], "family": {"learned": "", "weights": ""}}
    assert "found 'weights/net', expected a folder of the set's own" in line(checkout, {"sets": {"net/*": family}})


def test_a_set_may_be_described_as_the_tests_describe_theirs(checkout: Path, server: Server):
    assert list(load(manifest(checkout, server, zipped({"inner/1.png": b"x"})))["tiny"].ids) == ["01", "02", "03"]
    assert len(load(manifest(checkout, server, pins=pinned(server)))["tiny"].pins) == 3


def test_the_command_says_it_in_one_line_too(checkout: Path):
    (checkout / "data" / "manifest.yaml").write_text(json.dumps(of(kind=3)))
    process = child(checkout, "from ivfnb.commands import main; sys.exit(main(['fetch', '--list']))")
    out, error = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert error.startswith("ivfnb fetch: data/manifest.yaml: sets.tiny.kind: found 3, expected")
    assert error.count("\n") == 1


def test_importing_the_room_loads_nothing_that_takes_long():
    late = ("pydantic", "yaml", "natsort", "filelock", "requests", "pandas", "cv2", "PIL", "rars", "torch", "tqdm", "scipy")
    code = f"import sys, ivfnb.datasets, ivfnb.datasets.fetch; print([name for name in {late} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"


def by_hand(ids: set[str]) -> list[str]:
    """The order by hand: text and numbers take turns, and equal numbers stand as they are spelled."""

    def key(id: str) -> list[str | int]:
        parts: list = re.split(r"(\d+)", id)
        parts[1::2] = map(int, parts[1::2])
        return parts

    return sorted(sorted(ids), key=key)


def test_the_natural_order_of_all_ids_is_that_by_hand():
    ids = {id for entry in load().values() for id in entry.ids or ()}
    ids |= {Path(pin.path).stem for entry in load().values() for pin in entry.pins}
    assert len(ids) > 600
    assert natural_order(ids) == by_hand(ids)
    for entry in load().values():
        assert natural_order(set(entry.ids or ())) == by_hand(set(entry.ids or ())) == list(entry.ids or ())


@given(st.sets(st.text("019abcAB_-. ", min_size=1, max_size=8)))
def test_the_natural_order_is_that_by_hand(ids: set[str]):
    assert natural_order(ids) == by_hand(ids)

"""Whatever a file or an array holds: it is read, or refused with a documented error. IVFNB_FUZZ=10000 tries so many inputs of each kind."""

import argparse
import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
import tensor_bundles
import torch
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from loopback import FUSED, rarred, tarred, zipped

from ivfnb import metrics
from ivfnb.baselines.common import tensor_bundle
from ivfnb.classifier import network
from ivfnb.classifier.training import checkpoints, run
from ivfnb.commands import profiles, reproduce
from ivfnb.commands.reproduce import records
from ivfnb.commands.verify import hashes_differ, recorded
from ivfnb.datasets import archives, manifest
from ivfnb.datasets.errors import DatasetError
from ivfnb.evaluation.entries import known, seconds

EXAMPLES = int(os.environ.get("IVFNB_FUZZ", "40"))
fuzz = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=EXAMPLES < 1000)

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
WORDS = st.sampled_from(
    ["", ".", "../x", "/x", "a/b", "sample", "sha256:" + 64 * "0", "http://x/y", "C:x", "\0", "~", "=1+1", "1e999", "on"]
)
KEYS = st.text(max_size=6) | WORDS
ANYTHING = st.recursive(SCALARS | WORDS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8)


def tried(error, call):
    """What a call gives, and "", or None and what its documented error says; any other error is a failure."""
    try:
        return call(), ""
    except error as raised:
        return None, str(raised)


@st.composite
def damaged(draw, *wholes: bytes) -> bytes:
    """One of some files with bytes changed, lost, doubled or put in."""
    content = bytearray(draw(st.sampled_from(wholes)))
    for _ in range(draw(st.integers(0, 5))):
        place = draw(st.integers(0, len(content)))
        part = draw(st.binary(min_size=1, max_size=8) | st.sampled_from([bytes(4), b"\xff" * 4, b"\xff" * 8, b"\x80" * 10, b"[" * 2000]))
        match draw(st.integers(0, 4)):
            case 0:
                content[place : place + len(part)] = part
            case 1:
                content[place:place] = part
            case 2:
                del content[place:]
            case 3:
                del content[place : place + len(part)]
            case 4:
                content[place:place] = content[place : place + 64]
    return bytes(content)


def file(folder: Path, name: str, content: bytes | str) -> Path:
    place = folder / name
    place.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    return place


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


ENTRY = {
    "kind": "fused",
    "title": "Some",
    "licence": "CC0",
    "citation": "Some, 2026",
    "homepage": "https://example.org",
    "folders": {"fused": "some/fused"},
    "ids": 2,
    "unpack": "some",
    "archives": [{"file": "archives/some.zip", "bytes": 7, "digest": "sha256:" + 64 * "0", "url": "https://example.org/a", "limit": 9}],
}


KEYS_OF_SETS = [*ENTRY, "first", "expected", "family", "packages", "sequences", "open", "files", "by_hand", "x"]


@fuzz
@given(st.sampled_from(KEYS_OF_SETS), ANYTHING, st.booleans())
def test_a_manifest(folder, key, value, top):
    content = {"sets": {"some": {**ENTRY, key: value}}} if not top else {"sets": {"some": ENTRY}, key: value}
    place = file(folder, "manifest.yaml", yaml.safe_dump(content))
    entries, said = tried(DatasetError, lambda: manifest.load(place))
    if said:
        assert "manifest.yaml" in said
        assert "\n" not in said
    else:
        every = [Path(path) for entry in entries.values() for path in entry.folders.values()]
        assert not any(".." in path.parts or path.is_absolute() for path in every)


@fuzz
@given(damaged(yaml.safe_dump({"sets": {"some": ENTRY}}).encode()))
def test_a_manifest_of_damaged_text(folder, content):
    entries, said = tried(DatasetError, lambda: manifest.load(file(folder, "manifest.yaml", content)))
    assert entries is not None or "manifest.yaml" in said


KNOWN = {"n_pairs": 2, "rate": 0.5, "datasets": "sample", "fast": True}
PROFILES = st.dictionaries(st.sampled_from([*KNOWN, "x", 3]), ANYTHING).map(yaml.safe_dump)


@fuzz
@given(damaged(b"n_pairs: 3\nrate: 0.5\ndatasets: tno21\n") | PROFILES)
def test_a_profile(folder, content):
    given, said = tried(ValueError, lambda: profiles._checked("p.yaml", profiles._read(file(folder, "p.yaml", content)), KNOWN))
    if said:
        assert said.startswith("p.yaml: found")
        assert "\n" not in said
    else:
        assert all(type(value) in (type(KNOWN[name]), int) for name, value in given.items())


@fuzz
@given(damaged(b"n_pairs=[3, {a: 2.5, b: 2026-11-27}]"))
def test_a_parameter_of_the_command_line(content):
    given, said = tried(argparse.ArgumentTypeError, lambda: reproduce._assignment(content.decode("latin-1")))
    assert "expected key=value" in said if given is None else given[0]


SOUND = {f"fused/{i}.png": content[:500] for i, content in enumerate(FUSED.values())}


@fuzz
@given(damaged(zipped(SOUND), tarred(SOUND), tarred(SOUND, "w"), tarred(SOUND, "w:xz"), rarred(SOUND)), st.integers(0, 4000))
def test_an_archive(tmp_path_factory, content, limit):
    folder = tmp_path_factory.mktemp("archive")
    place = file(folder, "a.bin", content)
    _, said = tried(archives.ArchiveError, lambda: archives.unpack(place, folder / "into", limit))
    if said:
        assert "a.bin" in said
        assert not (folder / "into" / "fused").exists()
    else:
        assert sum(path.stat().st_size for path in (folder / "into").rglob("*") if path.is_file()) <= limit
    assert {path.name for path in folder.iterdir()} <= {"a.bin", "into"}


@pytest.fixture(scope="module")
def bundle(folder) -> tuple[bytes, bytes]:
    """A sound tensor bundle: index and data."""
    index = tensor_bundles.write(folder / "sound.ckpt", {"a/kernel": np.ones((3, 2), np.float32), "b": np.array(7, np.int32)})
    return index.read_bytes(), (folder / "sound.ckpt.data-00000-of-00001").read_bytes()


@fuzz
@given(st.data())
def test_a_tensor_bundle(folder, bundle, data):
    index, content = (data.draw(damaged(part)) for part in bundle)
    file(folder, "m.ckpt.data-00000-of-00001", content)
    found, said = tried(ValueError, lambda: tensor_bundle.read(file(folder, "m.ckpt.index", index)))
    if said:
        assert "m.ckpt" in said
    else:
        assert sum(value.nbytes for value in found.values()) <= 1 << 20


SIDES = st.integers(0, 20)
SHAPES = st.tuples(SIDES, SIDES) | st.tuples(SIDES, SIDES, st.integers(0, 4)) | st.tuples(SIDES)
KINDS = st.sampled_from([np.dtype(name) for name in ("u1", "u2", ">u2", "i2", "i8", "f4", "f8", "?", "c8", "O")])


@st.composite
def image(draw):
    kind, shape = draw(KINDS), draw(st.just((16, 16)) | SHAPES)
    if kind == np.dtype("O"):
        return np.full(shape, None)
    if draw(st.booleans()):
        return np.random.default_rng(draw(st.integers(0, 9))).integers(0, 256, shape).astype(kind)
    return draw(arrays.arrays(kind, shape))


@fuzz
@given(image(), image(), image(), st.booleans(), st.sampled_from(["standard", "as_released", "vifb"]))
@pytest.mark.filterwarnings("ignore")
def test_score(fused, infrared, visible, alike, convention):
    if alike:
        infrared = visible = fused
    found, said = tried(ValueError, lambda: metrics.score(fused, infrared, visible, convention=convention))
    assert "found" in said if said else all(type(value) is float for value in found.values())


STATE = {"notebooks": {"01_first": {"state": "done", "key": {"code": "x"}, "files": {"a.csv": 64 * "0"}, "time": "2026"}}}
RECORDS = ANYTHING.map(json.dumps) | ANYTHING.map(lambda x: json.dumps({"notebooks": {"01_first": x}}))


@fuzz
@given(damaged(json.dumps(STATE).encode()) | RECORDS)
def test_a_record_of_runs(folder, content):
    file(folder, "state.json", content)
    state = records.State(folder)
    assert all(isinstance(state.why(stem, {"code": "x"}), str) for stem in ("01_first", "02_second"))
    found, said = tried(ValueError, lambda: recorded(folder))
    assert "found no record of a run" in said if said else hashes_differ(folder, found[0])


@fuzz
@given(damaged(b'{"value": 7.5}', b'{"values": {"EN": 7.5}, "fit": "same size"}', b'{"seconds": 3}', b""))
def test_an_entry_of_the_cache(folder, content):
    for read in (known, seconds):
        found = read(file(folder, "entry.json", content))
        assert found is None or isinstance(found, float | dict)


def checkpoint() -> bytes:
    stream = io.BytesIO()
    state = {"net": {"w": torch.ones(2)}, "optimiser": {}, "schedule": {}, "log": [{}], "checks": [], "done": 1, "seconds": 0.5}
    state["wanted"] = {"seed": 0}
    torch.save(state, stream)
    return stream.getvalue()


@fuzz
@given(damaged(checkpoint()))
@pytest.mark.filterwarnings("ignore")
def test_a_checkpoint(folder, content):
    place = file(folder, "checkpoint.pt", content)
    state, said = tried(ValueError, lambda: checkpoints.read(place, {"seed": 0}, run.STATE, lambda state: run._fault(state, 2)))
    if said:
        assert "checkpoint.pt: found" in said
        assert "\n" not in said
    else:
        assert 0 <= state["done"] <= 2


def weights(metadata: bytes = b'{"branches": "\\"gray\\""}') -> bytes:
    header = b'{"__metadata__":' + metadata + b',"head.3.bias":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}'
    return len(header).to_bytes(8, "little") + header + bytes(4)


@fuzz
@given(damaged(weights(), weights(b'{"branches": "%s"}' % (b"[" * 100_000)), weights(b'{"branches": "7"}')))
def test_weights(folder, content):
    place = file(folder, "w.safetensors", content)
    with pytest.raises(ValueError, match=r"w\.safetensors: found"):
        network.load(place)

"""Weights by name: every pin served from a real server on loopback and fetched; what is absent or changed is told with the command."""

import argparse
import hashlib
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml
from loopback import Server, git_digest

from ivfnb import datasets, paths
from ivfnb.baselines.common import weights
from ivfnb.commands import fetch as door
from ivfnb.datasets import fetch, manifest
from ivfnb.datasets.verify import verify

REAL = paths.PACKAGE.parent / "data" / "manifest.yaml"
METHODS = ["CNN", "DDcGAN", "DenseFuse", "IFCNN", "MEF-GAN", "NestFuse", "PMGI", "RFN-Nest", "ResNet-ZCA", "U2Fusion", "VggML"]


def served(folder: Path, host: Server, method: str, shared: Path | None = None) -> dict[str, bytes]:
    """The manifest with every address on the server; a file that is not at hand is invented, and its pin made to fit."""
    content, entries = {}, yaml.safe_load(REAL.read_text(encoding="utf-8"))
    entry = entries["sets"][f"weights/{method}"]
    for file in entry["files"]:
        place = shared and shared / entry["folders"]["weights"] / file["file"]
        if place and place.is_file():
            content[file["file"]] = place.read_bytes()
        else:
            content[file["file"]] = made = f"{method} {file['file']}".encode() * 100
            known = hashlib.sha256(made).hexdigest()
            file["digest"] = git_digest(made) if file["digest"].startswith("git:") else f"sha256:{known}"
            if "bytes" in file:
                file["bytes"] = len(made)
        path = "/" + file["url"].split("://", 1)[1]
        file["url"] = host.url + path
        host.files[unquote(path)] = content[file["file"]]
    manifest_file = folder / "data" / "manifest.yaml"
    manifest_file.write_text(yaml.safe_dump({"sets": {f"weights/{method}": entry}, "sources": {}, "pins": []}), encoding="utf-8")
    return content


def test_every_method_with_weights_has_a_set():
    assert sorted(weights.methods()) == METHODS
    sets = manifest.load()
    for method in METHODS:
        entry = sets[f"weights/{method}"]
        assert entry.folders == {"weights": f"published-weights/{method}"}
        assert any(not pin.optional for pin in entry.pins)
        assert all(pin.url.startswith(("https://raw.githubusercontent.com/", "https://download.pytorch.org/")) for pin in entry.pins)
        assert entry.licence in weights.licence(method)


@pytest.mark.parametrize("method", METHODS)
def test_weights_are_fetched_by_their_pins(checkout, server, method):
    content = served(checkout, server, method)
    assert not weights.is_at_hand(method)
    needed = [pin for pin in manifest.load()[f"weights/{method}"].pins if not pin.optional]
    with pytest.raises(weights.WeightsError, match=rf"^{method}: found no {needed[0].path} .*python -m ivfnb fetch weights/{method}$"):
        weights.files(method)
    assert fetch.fetch(f"weights/{method}") == checkout / "data"
    assert verify(f"weights/{method}") == []
    assert weights.is_at_hand(method, *content)
    assert {name: file.read_bytes() for name, file in weights.files(method, *content).items()} == content
    assert set(weights.files(method)) == {Path(pin.path).name for pin in needed}
    asked = len(server.asked)
    fetch.fetch(f"weights/{method}")
    assert len(server.asked) == asked


@pytest.mark.parametrize("method", ["DenseFuse", "PMGI", "U2Fusion", "VggML", "IFCNN", "CNN"])
def test_the_real_files_are_as_pinned(checkout, server, shared_data, method):
    if not (shared_data / "published-weights" / method).is_dir():
        pytest.skip(f"no published-weights/{method} below IVFNB_DATA")
    served(checkout, server, method, shared_data)
    fetch.fetch(f"weights/{method}")
    assert verify(f"weights/{method}") == []
    assert weights.is_at_hand(method)


def test_changed_weights_are_refused_and_fetched_anew(checkout, server):
    content = served(checkout, server, "PMGI")
    fetch.fetch("weights/PMGI")
    name, file = next(iter(weights.files("PMGI").items()))
    file.write_bytes(content[name][:-1] + b"?")
    assert not weights.is_at_hand("PMGI")
    with pytest.raises(weights.WeightsError, match=r"changed: found sha256:.*expected sha256:.*; get them with: .*weights/PMGI$"):
        weights.files("PMGI")
    fetch.fetch("weights/PMGI")
    assert weights.is_at_hand("PMGI")


def test_a_file_is_hashed_once(checkout, server, monkeypatch):
    served(checkout, server, "U2Fusion")
    fetch.fetch("weights/U2Fusion")
    weights._fault.cache_clear()
    weights.files("U2Fusion")
    monkeypatch.setattr(manifest, "fault", lambda *_: pytest.fail("hashed again"))
    weights.files("U2Fusion")


def test_optional_files_may_be_missing(checkout, server):
    served(checkout, server, "VggML")
    fetch.fetch("weights/VggML")
    (checkout / "data" / "published-weights" / "VggML" / "group9-shard1of2").unlink()
    assert weights.is_at_hand("VggML")
    assert not weights.is_at_hand("VggML", "group9-shard1of2")
    assert verify("weights/VggML") == []


def test_the_command_prints_the_licence_and_lists_the_set(checkout, server, capsys):
    served(checkout, server, "PMGI")
    parser = argparse.ArgumentParser()
    door.configure(parser)
    assert door.run(parser.parse_args(["weights/PMGI"])) == 0
    printed = capsys.readouterr().out
    assert "weights/PMGI: licence: MIT (H. Zhang 2019); cite H. Zhang" in printed
    assert door.run(parser.parse_args(["--list"])) == 0
    assert "2 files" in capsys.readouterr().out
    assert door.run(parser.parse_args(["--verify"])) == 0


def test_weights_are_no_data_set_of_images(checkout, server):
    served(checkout, server, "PMGI")
    fetch.fetch("weights/PMGI")
    assert datasets.names() == datasets.available() == []
    with pytest.raises(datasets.DatasetError, match="expected 'folder' or one of"):
        datasets.dataset("weights/PMGI")


def test_unknown_names_are_told():
    with pytest.raises(ValueError, match="method: found 'Nonsense', expected one of DenseFuse"):
        weights.files("Nonsense")
    with pytest.raises(ValueError, match=r"PMGI: found the file name 'x', expected one of CGAN"):
        weights.is_at_hand("PMGI", "x")

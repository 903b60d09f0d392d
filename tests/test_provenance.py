"""The stamp names the commit, the versions and what it is given."""

import hashlib
import json
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from ivfnb import paths, provenance


def test_stamp_names_commit_and_versions():
    record = provenance.stamp(profile="demo")
    assert record["versions"]["numpy"] == version("numpy")
    assert record["profile"] == "demo"
    if (paths.root() / ".git").exists():
        head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=paths.root(), capture_output=True, text=True, check=True).stdout.strip()
        assert record["commit"] == head
        assert record["dirty"] in (True, False)
    assert record["time"].endswith("+00:00")


def test_stamp_names_the_interpreter_and_no_place_or_person():
    record = provenance.stamp()
    kind = "venv" if sys.prefix != sys.base_prefix else "conda" if Path(sys.prefix, "conda-meta").is_dir() else "system"
    assert record["interpreter"] == f"{platform.python_implementation()} {platform.python_version()} ({kind})"
    text = json.dumps(record)
    assert not [place for place in (sys.prefix, sys.executable, str(Path.home()), str(paths.root()), platform.node()) if place in text]


def test_stamp_of_a_copy_in_another_projects_checkout_names_no_commit(tmp_path, monkeypatch):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run(["git", *identity, "commit", "-q", "--allow-empty", "-m", "x"], cwd=tmp_path, check=True)
    (tmp_path / "installed").mkdir()
    for folder, known in ((tmp_path, True), (tmp_path / "installed", False)):
        monkeypatch.setattr(paths, "root", lambda folder=folder: folder)
        provenance._environment.cache_clear()
        record = provenance.stamp()
        assert (record["commit"] is not None, record["dirty"]) == ((True, False) if known else (False, None))
        assert ("no commit" in provenance.line(record)) is not known
    monkeypatch.undo()
    provenance._environment.cache_clear()


def test_line_is_one_line():
    line = provenance.line()
    assert "\n" not in line
    assert f"numpy {version('numpy')}" in line


def test_write_run_is_json(tmp_path):
    path = provenance.write_run(tmp_path / "deep" / "run.json", seed=7)
    assert json.loads(path.read_text())["seed"] == 7
    assert [item.name for item in path.parent.iterdir()] == ["run.json"], "nothing temporary is left"


def test_sha256(tmp_path):
    (tmp_path / "file").write_bytes(b"fusion")
    assert provenance.sha256(tmp_path / "file") == hashlib.sha256(b"fusion").hexdigest()

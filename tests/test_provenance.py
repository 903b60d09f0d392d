"""The stamp names the commit, the versions and what it is given."""

import hashlib
import json
import subprocess
from importlib.metadata import version

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

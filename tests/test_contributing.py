"""The three checklists of CONTRIBUTING.md do what they say: their code is run as it stands there."""

import re
import subprocess
import sys

import pytest
import yaml

from ivfnb import images, paths
from ivfnb.datasets import dataset, names

GUIDE = (paths.PACKAGE.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")


def block(section: str, language: str) -> str:
    """Code of a section."""
    return re.search(rf"## {section}\n.*?```{language}\n(.*?)```", GUIDE, re.S)[1]


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_a_method_is_added_as_described():
    look = """
import ivfnb
from ivfnb.evaluation import competitors
pair = ivfnb.dataset("sample")[:1]
fused = ivfnb.BASELINES["Weighted mean (mostly infrared)"].fuse(pair[0].infrared, pair[0].visible)
expected = 0.8 * pair[0].infrared + 0.2 * pair[0].visible
print(bool(abs(fused - expected).max() < 1e-9), [row.name for row in competitors.rows(pair, [])].count("Weighted mean"))
"""
    assert run(block("Add a comparison method", "python") + look) == "True 1"


def test_a_metric_is_added_as_described():
    look = """
import ivfnb
visible = ivfnb.dataset("sample")[0].visible
ramp = np.arange(101.0).reshape(1, -1).repeat(2, 0)
print(ivfnb.METRICS["Contrast"].arrow, contrast(ramp), ivfnb.score(visible, None, None, ["Contrast"])["Contrast"] > 0)
"""
    assert run(block("Add a metric", "python") + look) == "↑ 90.0 True"


@pytest.fixture
def described(tmp_path, monkeypatch):
    """A checkout whose manifest has the entry of the guide, and its images."""
    entry = yaml.safe_load(block("Add a data set", "yaml"))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "manifest.yaml").write_text(yaml.safe_dump({"sets": entry}))
    monkeypatch.setattr(paths, "root", lambda: tmp_path)
    monkeypatch.delenv("IVFNB_DATA", raising=False)
    return tmp_path / "data"


def test_a_data_set_is_added_as_described(described, rng_image):
    assert names() == ["my-pairs"]
    with pytest.raises(ValueError, match=r"Unpack the archive of https://example.org/my-pairs"):
        dataset("my-pairs")
    for role in ("ir", "vis"):
        for id in ("01", "02"):
            images.write_image(described / "my-pairs" / role / f"{id}.png", rng_image)
    assert dataset("my-pairs").ids == ["01", "02"]
    assert dataset("my-pairs")[1].infrared.shape == rng_image.shape


@pytest.fixture
def rng_image():
    import numpy as np

    return np.random.default_rng(0).integers(0, 256, (40, 50)).astype(np.uint8)

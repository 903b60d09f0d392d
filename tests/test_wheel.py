"""The wheel carries what the package needs, and works away from the checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ivfnb import paths

CHECKOUT = paths.PACKAGE.parent
pytestmark = pytest.mark.xdist_group("wheel")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, CHECKOUT]
    subprocess.run(build, check=True, capture_output=True, text=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def away(wheel, tmp_path_factory) -> tuple[Path, dict[str, str]]:
    """An empty folder, and the variables of a process that sees the unpacked wheel and no checkout."""
    site, folder = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("away")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("IVFNB_")}
    return folder, {**kept, "PYTHONPATH": str(site), "XDG_DATA_HOME": str(folder / "home"), "XDG_CACHE_HOME": str(folder / "cache")}


def run(away, *arguments) -> str:
    folder, environment = away
    return subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=True).stdout


def test_it_carries_manifest_weights_sample_profiles_and_notebooks(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    shipped = {name.removeprefix("ivfnb/_shipped/") for name in names if name.startswith("ivfnb/_shipped/")}
    assert {"data/manifest.yaml", "data/weights/eresnet-gradients.safetensors", "data/weights/eresnet-gray.safetensors"} <= shipped
    assert {"notebooks/05_evaluate.ipynb", "notebooks/profiles/demo.yaml", "data/sample/infrared/sentinel2.png"} <= shipped
    assert "ivfnb/py.typed" in names
    assert not [name for name in names if "tests/" in name or "__pycache__" in name]
    assert wheel.stat().st_size < 25_000_000


def test_data_sets_methods_and_metrics_work_away_from_the_checkout(away):
    code = """
import ivfnb
pair = ivfnb.dataset("sample")["sentinel2"]
fused = ivfnb.BASELINES["CBF"].fuse(pair.infrared, pair.visible)
print(ivfnb.__file__, ivfnb.paths.in_checkout(), ivfnb.paths.results_root(), ivfnb.paths.own_data())
print(round(ivfnb.score(fused, pair.infrared, pair.visible)["EN"], 3))
"""
    where, entropy = run(away, "-c", code).strip().splitlines()
    file, in_checkout, results, data = where.split()
    assert CHECKOUT not in Path(file).parents
    assert in_checkout == "False"
    assert Path(results) == away[0] / "results"
    assert (away[0] / "home") in Path(data).parents
    assert float(entropy) > 5
    assert "tno21" in run(away, "-m", "ivfnb", "fetch", "--list")


def test_fusing_and_the_notebooks_work_away_from_the_checkout(away):
    sample = Path(away[1]["PYTHONPATH"]) / "ivfnb" / "_shipped" / "data" / "sample"
    sources = ["--infrared", sample / "infrared" / "camera.png", "--visible", sample / "visible" / "camera.png"]
    run(away, "-m", "ivfnb", "fuse", *sources, "--output", "fused.png")
    assert (away[0] / "fused.png").is_file()
    run(away, "-m", "ivfnb", "reproduce", "--only", "03", "--set", "n_pairs=1")
    assert (away[0] / "results" / "demo" / "tables" / "03_enhancement.csv").is_file()
    assert not list((Path(away[1]["PYTHONPATH"]) / "ivfnb" / "_shipped" / "notebooks").glob("kernel*"))

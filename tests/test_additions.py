"""Another distribution adds a method and a metric, and both are found everywhere: its own environment, its own process."""

import json
import os
import subprocess
import sys

import pandas as pd
import pytest

from ivfnb import paths

TOY = paths.PACKAGE.parent / "tests" / "toy"


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Variables of a process in which the toy distribution is installed beside this one."""
    folder = tmp_path_factory.mktemp("site")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target", folder, TOY]
    subprocess.run(install, check=True, capture_output=True, text=True)
    own = {"IVFNB_RESULTS": str(folder / "results"), "PYTHONPATH": str(folder)}
    return {**{name: value for name, value in os.environ.items() if name != "IVFNB_DATA"}, **own}


def run(environment, *arguments):
    return subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True, check=True).stdout


def test_both_are_found_from_python(environment):
    code = """
import json, ivfnb
pair = ivfnb.dataset("sample")[0]
fused = ivfnb.BASELINES["Toy minimum"].fuse(pair.infrared, pair.visible)
scores = ivfnb.evaluate("sample", [ivfnb.method("Toy minimum"), ivfnb.method("Mean")], ["EN", "Brightness"], n_jobs=2)
brightness = ivfnb.score(fused, pair.infrared, pair.visible, ["Brightness"])
print(json.dumps([list(ivfnb.METRICS)[-1], list(ivfnb.BASELINES)[-1], brightness, float(fused.mean()), len(scores)]))
"""
    metric, method, scores, mean, rows = json.loads(run(environment, "-c", code))
    assert (metric, method) == ("Brightness", "Toy minimum")
    assert scores == {"Brightness": pytest.approx(mean)}
    assert rows == 2 * 2 * 5


def test_both_are_on_the_command_line(environment, tmp_path):
    sample = paths.root() / "data" / "sample"
    sources = ["--infrared", sample / "infrared" / "camera.png", "--visible", sample / "visible" / "camera.png"]
    said = run(environment, "-m", "ivfnb", "score", "--fused", sample / "visible" / "camera.png", *sources, "--names", "EN,Brightness")
    assert "Brightness" in said
    run(environment, "-m", "ivfnb", "fuse", *sources, "--output", tmp_path / "fused.png", "--method", "Toy minimum")
    assert (tmp_path / "fused.png").is_file()


def test_both_are_in_the_tables_of_notebook_5(environment):
    few = ["--set", "n_pairs=2", "--set", "n_blocks=8", "--set", "baselines=CBF", "--set", "n_jobs=1"]
    run(environment, "-m", "ivfnb", "reproduce", "--only", "05", *few)
    tables = paths.Path(environment["IVFNB_RESULTS"]) / "demo" / "tables"
    frame = pd.read_csv(tables / "05_table2_standard.csv").set_index("method")
    assert frame.loc["Toy minimum", "pairs"] == 2
    assert frame.loc["Toy minimum", "Brightness"] < frame.loc["Mean", "Brightness"] < frame.loc["Maximum", "Brightness"]
    assert "Brightness" in (tables / "05_table2_standard.md").read_text()


def test_what_cannot_be_loaded_is_named_and_the_rest_goes_on(environment, tmp_path):
    info = tmp_path / "broken-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[ivfnb.methods]\nbroken = no_such_module\n")
    code = "import ivfnb; print(list(ivfnb.BASELINES)[-1])"
    path = os.pathsep.join([environment["PYTHONPATH"], str(tmp_path)])
    done = subprocess.run([sys.executable, "-c", code], env={**environment, "PYTHONPATH": path}, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "Toy minimum"
    assert "broken 1.0: found that no_such_module" in done.stderr

"""evaluate killed in the middle and run again: the same table, and what was finished is not made twice."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from ivfnb import images, paths

CODE = """
from ivfnb import evaluation
from ivfnb.datasets import dataset
pairs = dataset("folder", infrared="infrared", visible="visible")
methods = [evaluation.by_baseline(name) for name in ("Mean", "Maximum", "CBF")]
evaluation.evaluate(pairs, methods, ["EN", "SCD", "Qabf"]).drop(columns="seconds").to_csv("scores.csv", index=False)
"""


def start(folder, cache):
    environment = {**os.environ, "PYTHONPATH": str(paths.PACKAGE.parent), "IVFNB_CACHE": str(folder / cache), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, "-c", CODE], cwd=folder, env=environment, stderr=subprocess.DEVNULL)


def entries(folder):
    """Finished entries of a cache: inode and content."""
    found = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
    return {path.relative_to(folder): (path.stat().st_ino, path.read_bytes()) for path in found}


@pytest.mark.parametrize("after", [3, 17])
def test_killed_and_run_again(tmp_path, after):
    noise = np.random.default_rng(0)
    for number in range(6):
        for role in ("infrared", "visible"):
            images.write_image(tmp_path / role / f"{number}.png", noise.integers(0, 256, (64, 64), dtype=np.uint8))
    assert start(tmp_path, "calm").wait() == 0
    expected = (tmp_path / "scores.csv").read_bytes()
    (tmp_path / "scores.csv").unlink()
    process, deadline = start(tmp_path, "killed"), time.monotonic() + 600
    while len(entries(tmp_path / "killed")) < after and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = entries(tmp_path / "killed")
    assert after <= len(kept) < len(entries(tmp_path / "calm")), "killed in the middle"
    assert start(tmp_path, "killed").wait() == 0
    assert (tmp_path / "scores.csv").read_bytes() == expected
    again = entries(tmp_path / "killed")
    assert set(again) == set(entries(tmp_path / "calm"))
    assert sum(again[name] != mark for name, mark in kept.items()) <= 1, "an image without its record is made again, nothing else"

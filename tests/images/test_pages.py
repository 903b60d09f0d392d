"""Memory that arrays give back is kept: scoring asks the system for hardly any new pages, where nobody set it otherwise."""

import os
import subprocess
import sys

import pytest

from ivfnb import paths
from ivfnb.images import pages

COUNT = """
import resource
import numpy as np
from ivfnb import metrics
images = np.random.default_rng(0).integers(0, 256, (3, 576, 768)).astype(np.uint8)
metrics.score(*images)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
metrics.score(*images)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def new_pages(**variables):
    environment = {name: value for name, value in os.environ.items() if name not in pages.SETTINGS}
    environment |= {"PYTHONPATH": str(paths.PACKAGE.parent), **variables}
    return int(subprocess.run([sys.executable, "-c", COUNT], env=environment, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(sys.platform != "linux" or not hasattr(os, "confstr"), reason="a setting of the GNU C library on Linux")
def test_scoring_asks_for_few_new_pages():
    kept, released = new_pages(), new_pages(MALLOC_TRIM_THRESHOLD_="131072")
    assert kept < 3000 < 15_000 < released, "of 4 kB; a plane of float64 has 864 of them"


@pytest.mark.parametrize("name", pages.SETTINGS)
def test_who_sets_it_otherwise_is_left_alone(name, monkeypatch):
    monkeypatch.setenv(name, "1")
    assert not pages.keep()


def test_elsewhere_nothing_is_done(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not pages.keep()

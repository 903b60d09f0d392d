"""The committed table of own and published images (scripts/check_baselines.py), over all images at hand: its means reach their aims."""

import pandas as pd
import pytest

from ivfnb import paths

AT_LEAST = {
    ("CBF", "tno21"): 0.999,
    ("Structaware", "tno21"): 0.97,
    ("HybridMSD (exchanged)", "tno21"): 0.97,
    ("MDLatLRR (accumulated)", "tno21"): 0.95,
    ("ConvSR (multi-focus)", "tno21"): 0.90,
    ("DenseFuse", "tno21"): 0.9999,
    ("U2Fusion", "tno21"): 0.9999,
    ("IFCNN", "tno21"): 0.9999,
    ("CNN", "tno21"): 0.9999,
    ("PMGI", "tno21"): 0.9997,
    ("VggML", "tno21"): 0.9995,
    ("NestFuse (retrained)", "tno21"): 0.997,
    ("RFN-Nest (retrained)", "tno21"): 0.95,
    ("IFCNN", "vifb21"): 0.985,
    ("U2Fusion (visible first)", "vifb21"): 0.98,
}
NO_PIXEL_FURTHER = ("DenseFuse", "U2Fusion", "IFCNN", "CNN")  # than one level, on TNO


@pytest.fixture(scope="module")
def table():
    return pd.read_csv(paths.root() / "results" / "paper" / "baseline_agreement.csv").set_index(["method", "pairs"]).sort_index()


@pytest.mark.parametrize(("method", "pairs"), AT_LEAST)
def test_the_mean_is_what_was_aimed_at(table, method, pairs):
    assert table.loc[(method, pairs), "ssim"].mean() >= AT_LEAST[method, pairs]


@pytest.mark.parametrize("method", NO_PIXEL_FURTHER)
def test_no_pixel_is_further_than_a_level(table, method):
    assert table.loc[(method, "tno21"), "largest"].max() <= 1

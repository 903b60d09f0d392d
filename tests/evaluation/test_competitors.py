"""The 17 by name and order; every row says where its images come from, or why there are none."""

import numpy as np
import pandas as pd
import pytest

from ivfnb import datasets, images, paths
from ivfnb.baselines import BASELINES, COMPETITORS, rows_of_paper
from ivfnb.datasets import FusedImage, dataset
from ivfnb.evaluation import competitors
from ivfnb.evaluation.competitors import NONE, OWN, PUBLISHED, Row
from ivfnb.evaluation.methods import by_images
from ivfnb.metrics import ELEVEN

QUICK = ["CBF", "Structaware", "DCHWT", "HybridMSD"]
# The paper's order.
ORDER = [
    *("CBF", "ConvSR", "Structaware", "DCHWT", "HybridMSD", "DenseFuse", "NestFuse", "DDcGAN", "MEF-GAN", "PMGI"),
    *("CNN", "MDLatLRR", "VggML", "IFCNN", "U2Fusion", "ResNet-ZCA", "RFN-Nest"),
]


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("IVFNB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("IVFNB_RESULTS", str(tmp_path / "results"))


@pytest.fixture(scope="module")
def pairs():
    return dataset("sample")


def test_names_and_order():
    assert list(competitors.NAMES) == ORDER
    assert competitors.implemented() == [name for name in ORDER if not COMPETITORS[name].needs]
    for competitor in rows_of_paper():
        for data in competitor.published:
            assert f"published-{data}/{competitor.label(data)}" in datasets.names()


def test_rows_without_any_published_image(pairs):
    rows = competitors.rows(pairs, QUICK)
    names = [row.name for row in rows]
    assert names[:17] == ORDER
    assert names[17:] == ["Authors' images", *competitors.OURS, competitors.NO_CLASSIFIER, "Mean", "Maximum", "Laplacian pyramid"]
    for row in rows[:17]:
        assert row.source == (OWN if row.name in QUICK else NONE)
        assert (row.method is None) == bool(row.reason)
    reasons = {row.name: row.reason for row in rows if row.reason}
    lacks = "its authors' weights: ivfnb fetch weights/PMGI"
    at_hand = "own implementation not in this run"
    assert reasons["PMGI"] in {f"{reason}; no published images of sample at hand" for reason in (f"needs {lacks}", at_hand)}
    assert reasons["ConvSR"].startswith("own implementation not in this run")
    assert "by the authors" in reasons["Authors' images"]
    assert len(competitors.methods(rows)) == 4 + 3 + 3
    with pytest.raises(ValueError, match="found 'Magic', expected some of CBF"):
        competitors.rows(pairs, ["Magic"])


def test_slow_methods_are_limited_off_the_first_set(pairs):
    def covers(**how):
        return {row.name: row.method.covers for row in competitors.rows(pairs, slow_pairs=2, **how) if row.source == OWN}

    can_run = {each.competitor.name for each in BASELINES.values() if each.competitor.row and not each.lacks()}
    assert {*QUICK, "ConvSR", "MDLatLRR", "NestFuse", "RFN-Nest", "DDcGAN"} <= can_run
    assert covers(everywhere=True) == dict.fromkeys(name for name in ORDER if name in can_run)
    limited = covers(everywhere=False)
    for name in ("ConvSR", "MDLatLRR", "NestFuse", "RFN-Nest", "DDcGAN"):
        assert limited.pop(name) == set(pairs.ids[:2])
    assert set(limited.values()) == {None}


def test_a_users_folder_is_a_row(pairs):
    images.write_image(paths.results_dir("external") / "MyNet" / "sample" / f"{pairs[0].id}.png", pairs[0].infrared)
    assert competitors.rows(pairs, [])[-1].name == "MyNet (external)"


@pytest.fixture
def scored():
    """Rows of three methods and their tidy scores: own on 3 pairs, published on 2, one without images."""
    values = {"CBF": [1.0, 2.0, 6.0], "CBF, published": [3.0, 5.0], "Mean": [0.0, 1.0, 2.0]}
    tidy = [("set", m, f"{i:02d}", metric, v) for m, column in values.items() for i, v in enumerate(column) for metric in ("EN", "SD")]
    methods = {name: by_images(name, []) for name in values}
    rows = [
        Row("CBF", OWN, "", methods["CBF"]),
        Row("CBF", PUBLISHED, "theirs", methods["CBF, published"]),
        Row("VggML", NONE, reason="needs a network"),
        Row("Mean", "reference", "", methods["Mean"]),
    ]
    return rows, pd.DataFrame(tidy, columns=["dataset", "method", "id", "metric", "value"])


def test_table_says_how_much_each_row_covers(scored):
    frame = competitors.table(*scored, {"CBF": 0.9})
    assert frame["pairs"].tolist() == [3, 2, 0, 3]
    assert frame["EN"].tolist()[:2] == [3.0, 4.0]
    assert np.isnan(frame.loc[2, list(ELEVEN)].astype(float)).all()
    assert frame.loc[2, "note"] == "needs a network"
    assert frame[competitors.LIKENESS].tolist()[0] == 0.9
    assert frame[competitors.LIKENESS].isna().sum() == 3


def test_common_pairs(scored):
    rows, scores = scored
    assert competitors.common_ids(scores, 2) == (["00", "01"], ["CBF", "CBF, published", "Mean"])
    assert competitors.common_ids(scores, 3) == (["00", "01", "02"], ["CBF", "Mean"])
    assert competitors.common_ids(scores, 4) == ([], [])
    frame = competitors.table(rows, scores, ids=["00", "01"])
    assert frame["EN"].tolist() == [1.5, 4.0, 0.5], "the same pairs for all, and no row without images"
    assert competitors.table(rows, scores, ids=["00", "02"])["source"].tolist() == [OWN, "reference"]


def test_one_row_a_method(scored):
    rows, scores = scored
    assert competitors.one_each(rows, scores) == ["CBF", "Mean"]
    assert competitors.one_each(rows, scores[scores["id"] != "02"]) == ["CBF", "Mean"], "own before published"
    without = [row for row in rows if row.source != OWN]
    assert competitors.one_each(without, scores[scores["id"] != "02"]) == ["CBF, published", "Mean"]


def test_similarities(pairs):
    few = pairs[:1]
    mean = images.to_uint8((few[0].infrared.astype(float) + few[0].visible) / 2)
    own, theirs = (by_images(name, [FusedImage(few[0].id, image)]) for name, image in (("CBF", mean), ("CBF, published", mean)))
    rows = [Row("CBF", OWN, "", own), Row("CBF", PUBLISHED, "", theirs), Row("DCHWT", OWN, "", own)]
    assert competitors.likeness_to_published(few, rows) == {"CBF": 1.0}


def test_rows_of_tno21(shared_data):
    """What the facts about published images say: coverage of each of the 17, and own implementations in the published variant."""
    if "tno21" not in datasets.available():
        pytest.skip("tno21 is not in IVFNB_DATA")
    rows = competitors.rows(dataset("tno21"), slow_pairs=2)
    published = {row.name: len(row.method.covers) for row in rows if row.source == PUBLISHED}
    known = {"CBF": 21, "VggML": 21, "RFN-Nest": 21, "ConvSR": 21, "IFCNN": 18, "DenseFuse": 17, "PMGI": 16, "U2Fusion": 16, "DDcGAN": 14}
    known |= {"NestFuse": 9, "CNN": 8, "HybridMSD": 8, "MDLatLRR": 8, "MEF-GAN": 8, "Structaware": 8, "ResNet-ZCA": 1}
    if set(published) != set(known):
        pytest.skip("not all published images are in IVFNB_DATA")
    assert published == known
    assert list(dict.fromkeys(row.name for row in rows))[:18] == [*ORDER, "Authors' images"]
    twins = [row.method.name for row in rows if row.source == OWN and row.method.name != row.name]
    retrained = ["NestFuse (retrained)", "DDcGAN (retrained)", "RFN-Nest (retrained)"]
    assert [name for name in twins if name not in retrained] == ["ConvSR (multi-focus)", "HybridMSD (exchanged)", "MDLatLRR (accumulated)"]
    assert [name for name in twins if name in retrained] == retrained
    assert all(BASELINES[name].published["tno21"] for name in twins if name not in retrained)
    assert not [row for row in rows if row.source == NONE]


def test_rows_of_vifb21(shared_data):
    if "published-vifb21/ADF" not in datasets.available():
        pytest.skip("vifb21 is not in IVFNB_DATA")
    rows = [row for row in competitors.rows(dataset("vifb21"), QUICK) if row.source == PUBLISHED]
    assert [row.name for row in rows] == ["CBF", "HybridMSD", "IFCNN", "U2Fusion", "ResNet-ZCA", "ADF", "GTF", "MSVD"]
    assert all(len(row.method.covers) == 21 for row in rows)

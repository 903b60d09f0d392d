"""Notebook 5's loops: several sets at once, the ablation's factors, one pair in all conventions, what is absent."""

import numpy as np
import pytest

from ivfnb import evaluation
from ivfnb.datasets import FusedImage, dataset
from ivfnb.evaluation import ablation, competitors
from ivfnb.evaluation.competitors import NAMES, NONE, OWN, Row
from ivfnb.evaluation.methods import by_images, method
from ivfnb.fusion import Protocol


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("IVFNB_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def pair():
    return dataset("sample")[2:3]


def test_what_cannot_be_scored_is_told(pair, recwarn):
    broken = by_images("broken", [FusedImage("chelsea", np.zeros((9, 9), np.uint8))])
    scores, told = evaluation.evaluate_sets([(pair, [method("Mean"), broken]), (pair, [method("Mean")])], ["EN"], ["standard"])
    assert scores["method"].tolist() == ["Mean", "Mean"]
    assert len(told) == 1
    assert "sample, broken, pair chelsea" in told[0]
    assert not [each for each in recwarn if "broken" in str(each.message)]


def test_ablation_is_taken_apart_into_its_factors(pair, monkeypatch):
    few = {
        "no classifier / both / SSR": Protocol(classifier="none"),
        "no classifier / both / no SSR": Protocol(classifier="none", ssr="none"),
    }
    monkeypatch.setattr(ablation, "ablations", lambda: few)
    scores = evaluation.ablate(pair)
    assert scores[list(evaluation.FACTORS)].drop_duplicates().to_numpy().tolist() == [
        ["no classifier", "both", "SSR"],
        ["no classifier", "both", "no SSR"],
    ]
    contrast = scores[scores["metric"] == "SD"].set_index("retinex")["value"]
    assert contrast["SSR"] > contrast["no SSR"]


def test_every_step_is_between_levels_of_the_ablation():
    levels = {level for name in evaluation.ablations() for level in name.split(" / ")}
    assert {level for pair in evaluation.STEPS.values() for level in pair} <= levels


def test_a_pair_in_all_conventions(pair):
    table = evaluation.in_all_conventions(pair[0], ["MI", "EN", "SCD"])
    assert table.loc["MI", "as_released"] == pytest.approx(2 * table.loc["EN", "as_released"])
    assert table.loc["MI", "vifb"] == pytest.approx(np.log(2) * table.loc["MI", "standard"], rel=1e-6), "nats instead of bits"
    assert np.isnan(table.loc["SCD", "vifb"])
    assert 0 < table.loc["MI, normalised (NMI)", "standard"] < 1


def test_what_is_absent_is_said_with_the_command_that_brings_it():
    rows = competitors.rows(dataset("sample"), own=["CBF"])
    table = competitors.at_hand(rows)
    assert len(table) == len(rows)
    assert table.set_index("method").loc["CBF", "images"] == OWN
    said = competitors.absent(rows)
    missing = [name for name in NAMES if name != "CBF"]
    assert said.startswith(f"{len(missing)} of the paper's 17 methods have no images in this run.")
    assert all(name in said for name in missing)
    assert "CBF" not in said
    assert "ivfnb fetch weights/NAME" in said or not any("weights" in row.reason for row in rows)
    assert competitors.absent([Row("CBF", OWN)]) == ""
    assert "Otherwise absent: CNN." in competitors.absent([Row("CNN", NONE, reason="something else")])

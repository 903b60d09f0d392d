"""Notebook 4's tables: pairs fused by several protocols without a network, beside truth, targets and other people's images."""

import warnings

import numpy as np
import pytest

from ivfnb import evaluation, images
from ivfnb.datasets import dataset
from ivfnb.evaluation import fusions
from ivfnb.evaluation.protocols import STORED, SWITCHES
from ivfnb.fusion import AS_PAPER, AS_RELEASED, Protocol
from ivfnb.metrics import targets

ENERGY = Protocol(classifier="gradient_energy")


class Anyone:
    """Stands for a network where none judges."""

    def state_dict(self):
        return {}


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("IVFNB_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def sample():
    return dataset("sample", color=True)


def test_every_switch_is_explained():
    assert set(SWITCHES) == set(Protocol.__dataclass_fields__)


def test_switches_that_differ_come_first_and_are_marked():
    table = evaluation.protocol_table({"text": AS_PAPER, "released": AS_RELEASED})
    differs = [getattr(AS_PAPER, name) != getattr(AS_RELEASED, name) for name in table.index]
    assert (table["differs"] == "≠").tolist() == differs == sorted(differs, reverse=True)
    assert table.loc["size"].tolist() == ["size to which everything is resized", "the pair's own", "456x456", "≠"]
    assert table.loc["stretch", ["text", "released"]].tolist() == ["no", "yes"]
    assert table.loc["jpeg_quality", ["text", "released"]].tolist() == ["not stored", "75"]


def test_fused_and_maps_are_kept_and_written(sample, tmp_path):
    found = evaluation.fuse_sets([sample[4:]], {"energy": ENERGY}, {"energy": Anyone()}, tmp_path)
    key = ("energy", "sample", "sentinel2")
    assert list(found.fused) == list(found.weights) == [key]
    written = images.read_gray(tmp_path / "weight_maps" / "energy" / "sample" / "sentinel2.png")
    assert np.abs(written / 255 - found.weights[key]).max() <= 0.5 / 255
    assert (tmp_path / "fused" / "energy" / "sample" / "sentinel2.png").is_file()
    assert found.undefined == []


def test_undefined_distances_are_named_instead_of_warned_about(sample):
    protocol = Protocol(classifier="gradient_energy", weighting="distance", enhance_infrared="none", enhance_visible="none")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = evaluation.fuse_sets([sample[2:3]], {"released": protocol}, {"released": Anyone()})
    assert set(found.undefined) == {("released", "sample", "chelsea")}


def test_target_table_is_target_retention(sample):
    pair = sample["coffee"]
    table = evaluation.target_table(
        [sample], {("same", "sample", "coffee"): pair.infrared, ("flat", "sample", "coffee"): pair.infrared * 0}
    )
    assert table.loc[("sample", "coffee"), [f"same, in {unit}" for unit in targets.UNITS]].tolist() == pytest.approx([1, 1])
    assert table.loc[("sample", "coffee"), "flat, in levels"] == 0


def test_map_table_knows_the_truth(sample):
    truths = {("sample", pair.id): pair.truth / 255 for pair in sample if pair.truth is not None}
    table = evaluation.map_table([sample], truths)
    assert table["id"].tolist() == ["astronaut", "camera", "chelsea", "coffee"]
    assert (table["right, %"] == 100).all()
    wrong = evaluation.map_table([sample[:1]], {("sample", "astronaut"): 1 - truths["sample", "astronaut"]})
    assert wrong["right, %"].tolist() == [0]


def test_the_lost_target_is_one_that_the_map_gives_away():
    infrared = np.full((100, 120), 60)
    infrared[10:20, 10:20] = infrared[60:66, 90:96] = 200
    left = np.zeros((100, 120))
    left[:, 60:] = 1
    assert evaluation.lost_target(infrared, left, margin=4) == (slice(56, 70), slice(86, 100)), "the smaller one, where the map is 1"
    assert evaluation.lost_target(infrared, left * 0, margin=4) == (slice(6, 24), slice(6, 24)), "the larger of both"
    assert evaluation.lost_target(np.full((50, 60), 9), left[:50, :60]) == (slice(0, 50), slice(0, 60))


def test_likeness_to_other_peoples_images(sample):
    gray = images.to_gray(sample["coffee"].visible)
    fused = {("mine", "sample", "coffee"): sample["coffee"].visible, ("mine", "sample", "chelsea"): sample["chelsea"].visible}
    table = evaluation.authors_table(fused, {"sample": {"coffee": gray}})
    assert table.to_dict() == {"mine": {("sample", "coffee"): 1.0}}


def test_turned_protocols_beside_the_released_one(sample):
    turned = {"energy": {"classifier": "gradient_energy"}, "nothing": {"classifier": "none"}}
    theirs = {"sentinel2": np.full((456, 456), 100, np.uint8)}
    table = evaluation.likeness_when_turned(sample[3:], theirs, turned)
    assert list(table.index) == ["sentinel2"], "the other pair has no image to be compared with"
    assert list(table) == ["energy", "nothing"]
    assert STORED not in table
    assert evaluation.likeness_when_turned(sample[3:], {}, turned).empty


def test_a_pair_is_found_in_its_set(sample):
    assert fusions.pair_of([sample[:1], sample], "sample", "astronaut").id == "astronaut"

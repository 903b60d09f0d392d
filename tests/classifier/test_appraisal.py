"""What is said of a classifier follows from its answers: known answers, known tables; a branch that is not heard changes nothing."""

import numpy as np
import pandas as pd
import pytest
import torch
from random_networks import random_network
from scipy import ndimage

from ivfnb.classifier import appraisal, patches
from ivfnb.classifier.network import NORMALISATION


@pytest.fixture(scope="module")
def samples():
    rng = np.random.default_rng(0)
    photographs = [ndimage.gaussian_filter(rng.normal(128, 300, (96, 96)), 1.0).clip(0, 255).astype(np.uint8) for _ in range(2)]
    return patches.PatchDataset(patches.make_index(photographs, 20, 0))


def known(right, probability=None, order=None, texture=None, loss=None):
    """An outcome of a classifier that does what the test says."""
    n = len(right)
    order = np.arange(n) % 2 if order is None else np.asarray(order)
    columns = {"photograph": 0, "blur_size": np.tile([9, 11, 13, 15], n)[:n], "order": order, "right": np.asarray(right, dtype=bool)}
    columns |= {"probability": probability, "texture": 10.0 if texture is None else texture, "loss": loss}
    return pd.DataFrame(columns, index=range(n))


@pytest.mark.parametrize("branches", ["gradients", "gray"])
@pytest.mark.usefixtures("one_thread")
def test_outcomes_are_the_networks(samples, branches):
    """Against the network itself, sample by sample, for a network in training mode too."""
    net = random_network(1, branches)
    planes, classes = samples.__getitems__(range(20))
    with torch.inference_mode():
        logits = net(planes)
    [found] = appraisal.outcomes(net.train(), samples, batch_size=7)
    assert net.training
    assert np.abs(found["probability"] - logits.softmax(1)[:, 1].numpy()).max() < 1e-4
    assert np.array_equal(found["right"], logits.argmax(1) == classes)
    assert np.allclose(found["loss"], -logits.log_softmax(1)[range(20), classes].numpy(), rtol=1e-3, atol=1e-4)
    assert np.array_equal(found["texture"], samples.texture())
    assert np.array_equal(found["order"], samples.index.order)


@pytest.mark.parametrize("names", [("grey",), ("Gx",), ("Gy",), ("grey", "Gy")])
@pytest.mark.usefixtures("one_thread")
def test_a_silenced_branch_sees_flat_blocks_of_the_mean_level(samples, names):
    net, flat = random_network(2), samples.__getitems__(range(20))[0].clone()
    for name in names:
        which = appraisal.PLANES.index(name)
        flat[:, which] = 255 * NORMALISATION["gradients"][which][0]
    with torch.inference_mode():
        expected = net(flat).softmax(1)[:, 1].numpy()
    heard, silenced = appraisal.outcomes(net, samples, ((), names))
    assert np.abs(silenced["probability"] - expected).max() < 1e-4
    assert np.abs(silenced["probability"] - heard["probability"]).max() > 1e-3


@pytest.mark.usefixtures("one_thread")
def test_a_branch_that_the_head_ignores_is_silenced_without_effect(samples):
    net = random_network(3)
    with torch.no_grad():
        net.head[0].weight[:, : net.head[0].in_features // 2] = 0  # the grey branch comes first
    heard, grey, gx, alone = appraisal.outcomes(net, samples, ((), ("grey",), ("Gx",), ("Gx", "Gy")))
    assert heard.equals(grey)
    assert not heard.equals(gx)
    assert alone["probability"].nunique() == 1, "the only branch that is left is ignored"


@pytest.mark.usefixtures("one_thread")
def test_the_branches_of_a_grey_network_are_silenced_one_by_one(samples):
    """Its planes are one, so the input cannot be changed for one branch alone: the stem's is."""
    net = random_network(4, "gray")
    planes = samples.__getitems__(range(20))[0]
    for which, name in enumerate(appraisal.PLANES):
        hook = net.stems[which].register_forward_pre_hook(lambda _, inputs: (torch.zeros_like(inputs[0]),))
        with torch.inference_mode():
            expected = net(planes).softmax(1)[:, 1].numpy()
        hook.remove()
        assert np.abs(appraisal.outcomes(net, samples, ((name,),))[0]["probability"] - expected).max() < 1e-4


@pytest.mark.usefixtures("one_thread")
def test_without_branches(samples):
    found = appraisal.without_branches(random_network(5), samples)
    assert list(found) == ["all three", "without grey", "without Gx", "without Gy", "grey alone", "Gx alone", "Gy alone", "none"]
    assert found["none"]["right"].mean() == 0.5, "always the same answer, and the classes are balanced"
    pair = appraisal.outcomes(random_network(5), samples, (("Gx", "Gy"), ("grey",)))
    assert found["grey alone"].equals(pair[0])
    assert found["without grey"].equals(pair[1])
    with pytest.raises(ValueError, match=r"silenced: found \['gray'\]"):
        appraisal.outcomes(random_network(5), samples, (("gray",),))


def test_right_answers_with_wilsons_interval():
    table = appraisal.right_answers({"nine of ten": known([1] * 9 + [0]), "nobody": known([]), "all of 50": known([1] * 50)})
    assert list(table.index) == ["nine of ten", "all of 50"]
    z, n, p = 1.959963984540054, 10, 0.9  # Wilson's formula
    centre, half = (p + z**2 / (2 * n)) / (1 + z**2 / n), z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert table.loc["nine of ten"].tolist() == pytest.approx([10, 1, 90, 100 * (centre - half), 100 * (centre + half)])
    assert table.loc["all of 50"].tolist() == pytest.approx([50, 0, 100, 100 / (1 + z**2 / 50), 100])


def test_groups_by_blur_and_texture():
    texture = [0, 0.5, 1, 1.5, 4, 4.1, 32, 33]
    outcome = known([1] * 8, texture=texture)
    levels = {name: group["texture"].tolist() for name, group in appraisal.by_texture(outcome).items()}
    assert levels == {
        "0 to 1": [0, 0.5, 1],
        "1 to 2": [1.5],
        "2 to 4": [4],
        "4 to 8": [4.1],
        "8 to 16": [],
        "16 to 32": [32],
        "above 32": [33],
    }
    groups = appraisal.by_blur(outcome)
    assert {name: len(group) for name, group in groups.items()} == {
        **{"all": 8, "textured": 3, "without texture": 5},
        **{f"{size} taps": 2 for size in (9, 11, 13, 15)},
    }
    assert groups["textured"]["texture"].tolist() == [4.1, 32, 33]


def test_accuracy_has_a_row_a_network_and_group():
    table = appraisal.accuracy({"good": known([1] * 4), "bad": known([1, 0, 0, 0])})
    assert table.loc[("good", "all"), "right, %"] == 100
    assert table.loc[("bad", "all"), "right, %"] == 25
    assert table.loc[("bad", "9 taps"), "right, %"] == 100
    assert table.loc[("bad", "11 taps"), "wrong"] == 1
    by_texture = appraisal.accuracy({"good": known([1] * 4)}, appraisal.by_texture, "texture")
    assert by_texture.index.names == ["network", "texture"]
    assert by_texture.index.tolist() == [("good", "8 to 16")]


def test_confusion():
    outcome = known([1, 1, 1, 0, 0, 0], order=[0, 0, 1, 0, 1, 1])
    assert appraisal.confusion(outcome).to_numpy().tolist() == [[2, 1], [2, 1]]


def test_calibration_of_known_confidences():
    """Ten answers at 90 %, nine right; four at 60 %, all right: calibrated, and 40 points off."""
    right = [1] * 9 + [0] + [1] * 4
    order = np.array([0, 1] * 7)
    answers = np.where(right, order, 1 - order)
    confidence = np.array([0.9] * 10 + [0.6] * 4)
    outcome = known(right, np.where(answers == 1, confidence, 1 - confidence), order)
    table = appraisal.calibration(outcome)
    assert table.index.tolist() == ["50 to 60", "80 to 90"]
    assert table["samples"].tolist() == [4, 10]
    assert table["mean confidence, %"].tolist() == pytest.approx([60, 90])
    assert table["right, %"].tolist() == [100, 90]
    assert appraisal.calibration_error(outcome) == pytest.approx((0 * 10 + 40 * 4) / 14)


def test_every_answer_has_a_bin_of_confidence():
    probability = np.array([0.0, 0.5, 1.0, 0.49999, 1e-9, 0.95])
    assert appraisal.calibration(known([1, 0, 1, 1, 1, 1], probability, [0, 1, 1, 0, 0, 1]))["samples"].sum() == 6


def test_hardest_takes_one_sample_of_a_block():
    index = patches.make_index([np.zeros((64, 64), np.uint8)], 32, 0)  # four blocks, each with four blurs and two orders
    loss = np.random.default_rng(1).permutation(32).astype(float)
    chosen = appraisal.hardest(known([1] * 32, loss=loss), index, 3)
    block = [(row, column) for row, column in zip(index.row[chosen], index.column[chosen], strict=True)]
    assert len(set(block)) == 3
    assert loss[chosen[0]] == 31
    assert (np.diff(loss[chosen]) < 0).all()
    assert len(appraisal.hardest(known([1] * 32, loss=loss), index, 10)) == 4

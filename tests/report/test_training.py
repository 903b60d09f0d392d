"""Notebook 2's tables and charts, from made outcomes: no network is trained here."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from ivfnb import report
from ivfnb.classifier import appraisal
from ivfnb.classifier.patches import samples_of


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def samples():
    """Blocks of a photograph, half flat and half noise."""
    photograph = np.full((128, 128), 90, np.uint8)
    photograph[:, 64:] = np.random.default_rng(0).integers(0, 255, (128, 64))
    return samples_of([photograph], 24, seed=0)


@pytest.fixture(scope="module")
def outcome(samples):
    """A network that is right on what has texture."""
    texture, order = samples.texture(), samples.index.order
    right = (texture > 4) | (np.arange(len(samples)) % 2 == 0)
    said = np.where(right, order, 1 - order)
    probability = np.where(said == 1, 0.9, 0.1)
    return pd.DataFrame(
        {
            **{name: getattr(samples.index, name) for name in ("photograph", "blur_size", "order")},
            **{"probability": probability, "right": right, "loss": np.where(right, 0.1, 2.3), "texture": texture},
        }
    )


def test_counts_add_up(samples):
    counted = report.sample_counts({"here": samples})["here"]
    assert counted["samples"] == counted["class 0"] + counted["class 1"] == len(samples)
    assert counted.filter(like="taps").sum() == len(samples)
    flat = counted.filter(like="without texture").iloc[0]
    assert flat == (samples.texture() <= 4).sum()
    assert 0 < flat < len(samples)


def test_texture_chart_shares_add_up(samples):
    (axis,) = report.texture_chart({"all $": samples, "again": samples}).axes
    heights = [[bar.get_height() for bar in bars] for bars in axis.containers]
    assert heights[0] == heights[1]
    assert sum(heights[0]) == pytest.approx(100)


def test_training_chart_draws_log_and_checks():
    log = pd.DataFrame({"step": [1, 2, 3], "loss": [0.7, 0.2, 0.1], "accuracy": [0.5, 0.8, 1.0]})
    loss, accuracy = report.training_chart(log, log.iloc[-1:]).axes
    assert loss.get_yscale() == "log"
    assert accuracy.lines[0].get_ydata().tolist() == [0.5, 0.8, 1.0]
    assert len(accuracy.lines) == 3
    assert len(report.training_chart(log, pd.DataFrame()).axes[0].lines) == 2, "no epoch was tested"


def test_hardest_samples_come_first_with_what_the_network_said(samples, outcome):
    figure = report.hardest_montage("toy", outcome, samples, count=3)
    titles = [axis.get_title() for axis in figure.axes]
    assert titles[0] == "wrong, 90.0 %\n90 to 90"
    assert len(titles) == 3


def test_wrong_answers_are_counted_by_what_they_have_in_common(samples, outcome):
    row = report.wrong_answers({"toy": outcome, "perfect": outcome.assign(right=True)}, samples)
    wrong = int((~outcome["right"]).sum())
    assert row.loc["perfect"].tolist() == [len(samples), 0, 0, 0, 0]
    assert row.loc["toy", ["samples", "wrong", "without texture", "nearly flat"]].tolist() == [len(samples), wrong, wrong, wrong]
    assert 0 < row.loc["toy", "equal grey levels in both halves"] <= wrong


def test_answers_are_drawn_for_every_network(outcome):
    found = {"first": outcome, "second": outcome.assign(right=True)}
    shades = report.colours(found)
    by_blur, by_texture = appraisal.accuracy(found), appraisal.accuracy(found, appraisal.by_texture, "texture")
    blur, texture = report.answers_chart(by_blur, by_texture, shades).axes
    assert len(blur.containers) == len(texture.containers) == 2
    assert all(label.get_text().endswith("taps") for label in blur.get_xticklabels())


def test_branches_and_kinds_of_images_keep_their_order(outcome):
    answers = appraisal.right_answers({"all three": outcome, "none": outcome})
    contributions = pd.concat({"first": answers, "second": answers}, names=["network", "branches"])
    shades = report.colours(["first", "second"])
    (axis,) = report.branches_chart(contributions, shades).axes
    assert [label.get_text() for label in axis.get_xticklabels()] == ["all three", "none"]
    kinds = appraisal.right_answers(appraisal.with_textured({"photos": outcome, "set, infrared": outcome}))
    transferred = pd.concat({"first": kinds}).rename_axis(["network", "images"])
    left, right = report.transfer_chart(transferred, ["photos", "set, infrared"], shades).axes
    assert [label.get_text() for label in left.get_yticklabels()] == ["photos", "set, infrared"]
    dots = right.containers[0].lines[0].get_xdata()
    assert dots.tolist() == [100, 100], "what has texture is judged rightly"


def test_calibration_has_a_panel_for_each_kind(outcome):
    figure = report.calibration_chart({"photos": {"toy": outcome}, "others": {"toy": outcome}}, {"toy": "red"})
    assert [axis.get_title() for axis in figure.axes] == ["Calibration, photos", "Calibration, others"]
    error = appraisal.calibration_error(outcome)
    assert figure.axes[0].get_legend().get_texts()[0].get_text() == f"toy: calibration error {error:.2f} points"

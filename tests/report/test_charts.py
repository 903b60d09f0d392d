"""Charts say what the frame says: who is drawn, where, and in which order."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from ivfnb import report

METHODS = ["ours", "a", "b", "c"]


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture
def scores():
    rng = np.random.default_rng(0)
    rows = [
        ("set", method, id, metric, rng.normal(i, 0.1), "standard")
        for i, method in enumerate(METHODS)
        for id in ("01", "02", "03")
        for metric in ("EN", "SF", "Nabf")
    ]
    return pd.DataFrame(rows, columns=["dataset", "method", "id", "metric", "value", "convention"])


def test_boxplot_has_a_box_for_every_method_in_every_panel(scores):
    figure = report.boxplot(scores, ["EN", "SF", "Nabf"], ["ours"], "Spread")
    assert [axis.get_title() for axis in figure.axes[:3]] == ["EN ↑", "SF ↑", "Nabf ↓"]
    panel = figure.axes[0]
    assert [text.get_text() for text in panel.get_yticklabels()] == METHODS
    boxes = [patch for patch in panel.patches if patch.get_facecolor() == matplotlib.colors.to_rgba(report.COLOURS[0])]
    assert len(panel.patches) == len(METHODS)
    assert len(boxes) == 1, "the highlighted method alone is coloured"
    assert panel.yaxis_inverted(), "the first method stands on top"


def test_boxplot_says_where_pairs_are_missing(scores):
    few = scores[(scores["method"] != "b") | (scores["id"] == "02")]
    (panel,) = report.boxplot(few, ["EN"]).axes[:1]
    assert [text.get_text() for text in panel.get_yticklabels()] == ["ours", "a", "b (1 of 3)", "c"]


def test_curves_show_every_method(scores):
    figure = report.curves(scores, ["EN", "Nabf"], ["ours", "absent"])
    panel = figure.axes[0]
    assert len(panel.lines) == len(METHODS)
    (ours,) = (line for line in panel.lines if line.get_label() == "ours")
    assert ours.get_ydata().tolist() == scores[(scores["method"] == "ours") & (scores["metric"] == "EN")]["value"].tolist()
    assert [text.get_text() for text in panel.get_xticklabels()] == ["01", "02", "03"]


def test_radar_puts_the_best_at_the_rim(scores):
    means = report.means(scores).droplevel("dataset")
    (axis,) = report.radar(means, ["EN", "SF", "Nabf"], ["ours", "c"]).axes
    ours, best = ([round(float(value), 6) for value in line.get_ydata()[:3]] for line in axis.lines)
    assert ours == [0, 0, 1], "lowest EN and SF, and fewest artefacts"
    assert best == [1, 1, 0]


def test_difference_diagrams_name_every_method(scores):
    found = report.significance(scores, METHODS, ["EN", "Nabf", "SF"])
    figure = report.difference_diagrams(found, ["ours"])
    panel = figure.axes[0]
    texts = [text.get_text().strip() for text in panel.texts]
    assert sorted(texts) == ["3.0  a", "4.0  ours", "CD 2.71", "b  2.0", "c  1.0"], "the best stand at the left, with their ranks"
    (ours,) = (text for text in panel.texts if "ours" in text.get_text())
    assert ours.get_color() == report.COLOURS[0]
    assert panel.get_title() == "EN ↑: Friedman p = 2.9e-02, 3 pairs"


def test_difference_diagrams_join_what_does_not_differ(scores):
    """Ranks 1, 2, 3 and 4 on every pair, critical difference 2.71: all but the first and the last are joined."""
    figure = report.difference_diagrams(report.significance(scores, METHODS, ["EN"]))
    bars = [line for line in figure.axes[0].lines if line.get_linewidth() == 2.5]
    assert sorted((min(bar.get_xdata()), max(bar.get_xdata())) for bar in bars) == [(1, 3), (2, 4)]


def test_names_are_no_formulas(scores, tmp_path):
    """A dollar sign or a brace in a name is drawn, not read."""
    hostile = {"ours": r"$\frac{$", "a": "{rank} $x^2$", "b": "<b>", "c": "%s"}
    scores["method"] = scores["method"].map(hostile)
    names, metrics, title = list(hostile.values()), ["EN", "Nabf", "SF"], r"on $\nothing{$"
    means = report.means(scores).droplevel("dataset")[metrics]
    seconds = pd.Series({name: 1.0 + i for i, name in enumerate(names)})
    image = np.zeros((30, 40), np.uint8)
    figures = [
        report.boxplot(scores, metrics, names, title),
        report.curves(scores, metrics, names, title),
        report.radar(means, metrics, names, title),
        report.gains(means, names, title),
        report.cost_chart(seconds, seconds, names, title),
        report.difference_diagrams(report.significance(scores, names, metrics), names, title),
        report.montage([image], names[:1], 1),
    ]
    for i, figure in enumerate(figures):
        assert report.save_figure(figure, tmp_path / f"{i}.png").is_file()
    labels = [text.get_text().strip() for text in figures[5].axes[0].texts]
    assert any(text.endswith(r"  \$\frac{\$") for text in labels), "Matplotlib shows an escaped sign as it is"
    assert any("{rank}" in text for text in labels)


def test_an_inset_for_each_image():
    with pytest.raises(ValueError, match="insets: found 1, expected one for each of the 2 images"):
        report.montage([np.zeros((3, 4))] * 2, ["a", "b"], 2, insets=[None])


def test_cost_chart_of_nothing():
    with pytest.raises(ValueError, match="expected a method that both have"):
        report.cost_chart(pd.Series({"a": 1.0}), pd.Series({"b": 1.0}))


def test_cost_chart_keeps_names_apart():
    seconds = pd.Series({"a method": 1.0, "another": 1.01, "c": 9.0, "only time": 3.0})
    ranks = pd.Series({"a method": 2.0, "another": 2.01, "c": 5.0, "only rank": 1.0})
    (axis,) = report.cost_chart(seconds, ranks, ["a method"]).axes
    heights = {text.get_text(): text.xyann[1] for text in axis.texts}
    assert set(heights) == {"a method", "another", "c"}
    assert heights["another"] - heights["a method"] >= 0.04 * 3
    assert axis.yaxis_inverted()
    assert axis.get_xscale() == "log"


def test_gains_and_correlations():
    frame = pd.DataFrame({"EN": [5.0, -2.0], "SF": [1.0, 3.0]}, index=["ours", "mean"])
    (axis,) = report.gains(frame, ["ours", "mean"]).axes
    assert sorted(bar.get_height() for bar in axis.patches) == [-2, 1, 3, 5]
    matrix = pd.DataFrame([[1, 0.9, -0.5], [0.9, 1, -0.4], [-0.5, -0.4, 1]], index=["EN", "SF", "Nabf"], columns=["EN", "SF", "Nabf"])
    axis = report.correlation_chart(matrix).axes[0]
    assert sorted(text.get_text() for text in axis.texts) == sorted(["1.00"] * 3 + ["0.90"] * 2 + ["-0.50"] * 2 + ["-0.40"] * 2)
    names = [text.get_text() for text in axis.get_xticklabels()]
    assert abs(names.index("EN ↑") - names.index("SF ↑")) == 1, "what goes together stands together"


def test_insets_enlarge_the_brightest_target():
    infrared = np.full((120, 160), 50, np.uint8)
    infrared[80:88, 120:128] = 250  # bright and small
    infrared[10:22, 20:36] = 180
    top, left, height, width = report.inset_box(infrared)
    assert top * 120 < 80 < 88 < (top + height) * 120
    assert left * 160 < 120 < 128 < (left + width) * 160
    assert height * 120 == pytest.approx(width * 160), "a square"
    top, left, height, width = report.inset_box(np.zeros((100, 100), np.uint8))
    assert (top + height / 2, left + width / 2) == pytest.approx((0.5, 0.5)), "the centre where nothing is hot"


def test_subjective_starts_a_row_for_every_pair():
    image = np.zeros((30, 40), np.uint8)
    shown = {"01": dict.fromkeys(("infrared", "visible", "ours"), image), "02": dict.fromkeys(("infrared", "visible"), image)}
    figure = report.subjective(shown, columns=2)
    titles = [axis.get_title() for axis in figure.axes if axis.get_visible()]
    assert titles == ["01, infrared", "visible", "ours", "02, infrared", "visible"]
    assert all(len(axis.child_axes) == 1 for axis in figure.axes if axis.get_visible()), "an inset each"

"""Grey levels of sources: what a constant pair and a single bright block must give."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from ivfnb import report
from ivfnb.datasets import ImagePair, dataset


class Pairs(list):
    name = "made"


@pytest.fixture
def pairs():
    ramp = np.tile(np.arange(101, dtype=np.uint8), (50, 1))
    return Pairs([ImagePair("one", np.full((50, 101), 7, np.uint8), np.dstack([ramp] * 3))])


def test_levels_of_a_constant_image_and_of_a_ramp(pairs):
    levels = report.grey_levels([pairs]).set_index("source")
    assert levels.loc["infrared", ["mean", "deviation", "1 % level", "99 % level"]].tolist() == [7, 0, 7, 7]
    assert levels.loc["visible", ["size", "mean", "1 % level", "99 % level"]].tolist() == ["101x50", 50, 1, 99]


def test_the_chart_draws_each_image_once(pairs):
    axes = report.levels_chart(report.grey_levels([pairs, pairs])).axes
    assert [axis.get_title() for axis in axes] == ["Infrared images", "Visible images"]
    assert axes[1].lines[0].get_ydata().tolist() == [50, 50]
    plt.close("all")


def test_sets_are_named_where_pairs_have_no_room(pairs):
    levels = report.grey_levels([pairs] * 30)
    levels["dataset"] = levels.groupby("source").cumcount().map(lambda place: "z" if place < 10 else "a")
    few = report.levels_chart(levels).axes[0]
    assert [tick.get_text() for tick in few.get_xticklabels()] == ["one"] * 30, "30 names have room"
    more = pd.concat([levels, levels.iloc[-2:]])
    for axis in report.levels_chart(more).axes[:2]:
        assert [tick.get_text() for tick in axis.get_xticklabels()] == ["z", "a"]
        assert axis.get_xticks().tolist() == [4.5, 20], "in the middle of places 0 to 9 and 10 to 30"
        assert [line.get_xdata()[0] for line in axis.lines[1:]] == [9.5], "one line, between the two"
    plt.close("all")


@pytest.mark.parametrize(("row", "column"), [(0, 0), (30, 60), (68, 5)])
def test_the_busiest_window_is_where_the_pattern_is(row, column):
    image = np.full((100, 120), 128.0)
    image[row : row + 20, column : column + 20] += 100 * (np.indices((20, 20)).sum(axis=0) % 4 < 2)
    rows, columns = report.busiest_window(image, 32)
    assert rows.start <= row
    assert row + 20 <= rows.stop <= 100
    assert columns.start <= column
    assert column + 20 <= columns.stop <= 120


def test_a_window_larger_than_the_image_is_refused():
    with pytest.raises(ValueError, match="found 200, expected at most the image's 100"):
        report.busiest_window(np.zeros((100, 120)), 200)


def test_slow_readable_oracle():
    """Sums of absolute Sobel gradients, window by window."""
    image = dataset("sample")["coffee"].infrared[:60, :70].astype(float)
    padded = np.pad(image, 1, mode="edge")
    total = np.zeros_like(image)
    for (i, j), _ in np.ndenumerate(image):
        part = padded[i : i + 3, j : j + 3]
        total[i, j] = abs(part[:, 2] @ [1, 2, 1] - part[:, 0] @ [1, 2, 1]) + abs(part[2] @ [1, 2, 1] - part[0] @ [1, 2, 1])
    sums = {(i, j): total[i : i + 32, j : j + 32].sum() for i in range(29) for j in range(39)}
    rows, columns = report.busiest_window(image, 32)
    assert sums[rows.start, columns.start] == pytest.approx(max(sums.values()))

"""Tables condensed to sentences."""

import numpy as np
import pandas as pd
import pytest

from ivfnb import report


def test_listed():
    assert report.listed(pd.Series({"EN": 0.5, "SD": 2.0}), "{} {:.1f}") == "EN 0.5, SD 2.0"
    assert report.listed(pd.Series(dtype=float)) == "none"


def test_gains_turn_metrics_of_which_less_is_better():
    means = pd.DataFrame({"EN": [6.0, 8.0], "CE": [2.0, 1.0]}, index=["reference", "ours"])
    gains = report.gains_over(means, "reference", ["EN", "CE"])
    assert gains.loc["ours"].tolist() == pytest.approx([100 / 3, 50])
    assert not gains.loc["reference"].any()


def test_relative_changes_leave_the_number_of_pairs_out():
    means = pd.DataFrame({"pairs": [1, 9, 1], "EN": [4.0, 5.0, 4.0], "SD": [10.0, 5.0, 10.0]}, index=["base", "much", "nothing"])
    changes = report.relative_changes(means)
    assert list(changes.index) == ["much", "nothing"]
    assert changes["much"] == pytest.approx((0.25 + 0.5) / 2)
    assert changes["nothing"] == 0


@pytest.fixture
def scores():
    rows = [
        ("set", method, id, metric, value + place, seconds)
        for method, value, seconds in (("fast", 1.0, 0.1), ("good", 5.0, 3.0), ("read", 3.0, np.nan))
        for place, id in enumerate(("01", "02"))
        for metric in ("EN", "SF")
    ]
    return pd.DataFrame(rows, columns=["dataset", "method", "id", "metric", "value", "seconds"])


def test_costs_are_of_methods_that_were_fused_here(scores):
    costs = report.cost_table(scores, ["fast", "good", "read"], ["EN", "SF"])
    assert list(costs.index) == ["fast", "good"]
    assert costs["seconds a pair"].tolist() == [0.1, 3.0]
    assert costs["pairs timed"].tolist() == [2, 2]
    assert costs["rank"].tolist() == [3, 1]


def test_significance_is_written_where_there_is_any(scores, tmp_path):
    found = report.significance(scores, ["fast", "good", "read"], ["EN", "SF"])
    report.write_significance(found, tmp_path, "set", "standard")
    assert pd.read_csv(tmp_path / "05_ranks_standard.csv").set_index("method").loc["good", "mean"] == 1
    assert (tmp_path / "05_friedman_standard.tex").is_file()
    report.write_significance(report.significance(scores, ["fast", "good"], ["EN"]), tmp_path, "set", "as_released")
    assert not (tmp_path / "05_friedman_as_released.csv").exists(), "two methods are too few"

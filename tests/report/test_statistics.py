"""Statistics against analytic cases, scipy, and the worked example of Demsar 2006 (jmlr.org/papers/v7/demsar06a.html)."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ivfnb import report
from ivfnb.report.ranks import nemenyi_quantile

# Demsar 2006, table 6: areas under the curve of four variants of C4.5 on 14 data sets. Of the two printed as 0.975 (voting) it ranks the
# first higher, by digits that are not printed.
DEMSAR = np.array(
    [
        [0.763, 0.768, 0.771, 0.798],
        [0.599, 0.591, 0.590, 0.569],
        [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657],
        [0.882, 0.888, 0.886, 0.898],
        [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685],
        [0.583, 0.583, 0.563, 0.625],
        [0.775, 0.838, 0.866, 0.875],
        [1.000, 1.000, 1.000, 1.000],
        [0.940, 0.962, 0.965, 0.962],
        [0.619, 0.666, 0.614, 0.669],
        [0.972, 0.981, 0.9751, 0.975],
        [0.957, 0.978, 0.946, 0.970],
    ]
)
VARIANTS = ["C4.5", "C4.5+m", "C4.5+cf", "C4.5+m+cf"]


def tidy(values: dict[str, dict[str, list[float]]], convention: str = "standard") -> pd.DataFrame:
    """Tidy table of {metric: {method: value of each pair}}."""
    rows = [
        ("set", method, f"{i:02d}", metric, value, convention)
        for metric, methods in values.items()
        for method, column in methods.items()
        for i, value in enumerate(column)
    ]
    return pd.DataFrame(rows, columns=["dataset", "method", "id", "metric", "value", "convention"])


@pytest.fixture
def demsar():
    return tidy({"EN": dict(zip(VARIANTS, DEMSAR.T.tolist(), strict=True))})


@pytest.mark.parametrize(
    ("methods", "quantile"), [(2, 1.960), (3, 2.343), (4, 2.569), (5, 2.728), (6, 2.850), (7, 2.949), (8, 3.031), (9, 3.102), (10, 3.164)]
)
def test_nemenyi_table(methods, quantile):
    """Demsar 2006, table 5a, critical values at 5 %."""
    assert nemenyi_quantile(methods) == pytest.approx(quantile, abs=1.1e-3), "its digits are partly cut, not rounded"


def test_demsars_example(demsar):
    ranks = report.average_ranks(report.complete(demsar, "EN"), "higher")
    assert ranks.round(3).to_list() == [3.143, 2.0, 2.893, 1.964]
    uncorrected = 12 * 14 / (4 * 5) * ((ranks**2).sum() - 4 * 25 / 4)
    assert uncorrected == pytest.approx(9.28, abs=5e-3)
    assert report.critical_difference(4, 14) == pytest.approx(1.25, abs=5e-3)
    assert report.critical_difference(4, 14, 0.10) == pytest.approx(1.12, abs=5e-3)
    found = report.significance(demsar, VARIANTS, ["EN"])
    assert len(found) == 1
    assert found.ranks.loc["EN"].to_dict() == ranks.to_dict()
    assert found.tests.loc["EN", ["pairs", "methods"]].tolist() == [14, 4]
    assert found.tests.loc["EN", "critical difference"] == report.critical_difference(4, 14)
    assert found.tests.loc["EN", "chi2"] > uncorrected, "scipy's is corrected for ties"
    assert found.tests.loc["EN", "p"] == pytest.approx(stats.chi2.sf(found.tests.loc["EN", "chi2"], 3))


def test_nemenyi_is_below_5_percent_beyond_the_critical_difference():
    """Demsar's rule and scikit-posthocs' p values say the same of every two methods."""
    rng = np.random.default_rng(0)
    values = pd.DataFrame(rng.normal(np.arange(9), 1, (12, 9)), columns=list("abcdefghi"))
    ranks = report.average_ranks(values, "lower")
    distance = np.abs(np.subtract.outer(ranks.to_numpy(), ranks.to_numpy()))
    p = report.nemenyi(values)
    assert list(p.columns) == list(values.columns)
    assert ((p.to_numpy() < 0.05) == (distance >= report.critical_difference(9, 12))).all()
    assert 0.2 < (p.to_numpy() < 0.05).mean() < 0.8
    assert report.nemenyi(-values).to_numpy() == pytest.approx(p.to_numpy()), "the direction does not matter"


def test_critical_difference_of_the_smallest_field():
    assert report.critical_difference(2, 1) == pytest.approx(1.96 * 1, abs=1e-3)
    for methods, pairs in ((1, 5), (2, 0)):
        with pytest.raises(ValueError, match=f"found {methods} and {pairs}, expected at least 2 and 1"):
            report.critical_difference(methods, pairs)


def test_friedman_by_hand():
    values = pd.DataFrame([[1.0, 2.0, 3.0]] * 5, columns=list("abc"))
    statistic, p = report.friedman(values)
    assert statistic == pytest.approx(12 / (5 * 3 * 4) * (5**2 + 10**2 + 15**2) - 3 * 5 * 4)
    assert p == pytest.approx(np.exp(-statistic / 2)), "chi-squared of two degrees of freedom"
    assert report.friedman(values[:2]) == pytest.approx((4, np.exp(-2))), "two pairs are enough"
    assert all(np.isnan(report.friedman(values[:1])))
    assert all(np.isnan(report.friedman(pd.DataFrame(np.ones((4, 3))))))
    assert all(np.isnan(report.friedman(values[["a", "b"]])))


def test_ranks_follow_the_direction():
    scores = tidy({"EN": {"a": [1, 2], "b": [3, 4]}, "Nabf": {"a": [1, 2], "b": [3, 2]}})
    assert report.average_ranks(report.complete(scores, "EN"), "higher").to_dict() == {"a": 2, "b": 1}
    assert report.average_ranks(report.complete(scores, "Nabf"), "lower").to_dict() == {"a": 1.25, "b": 1.75}, "equal values share a rank"
    assert report.average_ranks_over(scores, ["a", "b"], ["EN", "Nabf"]).to_dict() == {"a": 1.625, "b": 1.375}


def test_only_pairs_that_all_cover():
    scores = tidy({"EN": {"a": [1, 2, 3], "b": [3, 4, 5], "c": [5, 6, 7]}})
    scores = scores[~((scores["method"] == "b") & (scores["id"] == "01"))]
    assert list(report.complete(scores, "EN").index.get_level_values("id")) == ["00", "02"]
    assert len(report.complete(scores, "EN", ["a", "c"])) == 3
    found = report.significance(scores, ["a", "b"], ["EN"])
    assert len(found) == 0, "two methods are no field"
    assert found.tests.columns.tolist() == ["pairs", "methods", "chi2", "p", "critical difference"]
    whole = tidy({"EN": {"a": [1, 2], "b": [3, 4], "c": [5, 6]}})
    assert len(report.significance(whole, ["a", "b", "c"], ["EN"])) == 1
    assert len(report.significance(whole[whole["id"] == "00"], ["a", "b", "c"], ["EN"])) == 0, "one pair is no sample"


def test_bounds_cover_and_shrink():
    values = np.random.default_rng(1).normal(5, 1, 200)
    low, high = report.bounds(values)
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 200**0.5, rel=0.1)
    assert report.bounds(values) == (low, high), "the seed decides"
    assert report.bounds([3.0] * 4) == (3.0, 3.0)
    assert all(np.isnan(report.bounds([1.0, 2.0, np.nan])))
    assert stats.bootstrap((values,), np.mean, method="percentile", rng=0).confidence_interval.low == pytest.approx(low, abs=0.02)


@pytest.mark.parametrize("size", [3, 5, 21])
def test_bounds_are_the_percentiles_of_drawn_means(size):
    """To the last bit, so that tables of earlier runs stand."""
    values = np.random.default_rng(size).normal(0, 1, size)
    drawn = np.random.default_rng(7).integers(0, size, (2000, size))
    low, high = np.quantile(values[drawn].mean(axis=1), [(1 - 0.95) / 2, (1 + 0.95) / 2])
    assert report.bounds(values, seed=7) == (low, high)


def test_intervals_of_a_tidy_table():
    frame = report.intervals(tidy({"EN": {"a": [1, 2, 3, 4], "b": [2, 2, 2, 2]}})).set_index("method")
    assert frame.loc["a", "mean"] == 2.5
    assert 1 < frame.loc["a", "low"] < 2.5 < frame.loc["a", "high"] < 4
    assert frame.loc["b", ["low", "high", "pairs"]].tolist() == [2, 2, 4]


def test_agreement_of_orders():
    first = pd.DataFrame({"EN": [1.0, 2, 3, 4], "Nabf": [0.1, 0.2, 0.3, np.nan]}, index=list("abcd"))
    second = pd.DataFrame({"EN": [1.0, 3, 2, 4], "Nabf": [0.3, 0.2, 0.1, 0.0]}, index=list("abcd"))
    frame = report.agreement_of_orders(first, second)
    assert frame.loc["EN", "tau"] == pytest.approx((5 - 1) / 6), "one of six pairs is exchanged"
    assert frame.loc["EN", "exchanged"] == 1
    assert frame.loc["Nabf", ["tau", "methods", "exchanged"]].tolist() == [-1, 3, 3]
    assert frame.loc["Nabf"].tolist()[-2:] == ["a", "c"], "lower is better, d is in one table only"


def test_correlations_turn_lower_metrics():
    """EI and SF rise together, Nabf (lower is better) rises with them: what it punishes they reward."""
    levels = [1.0, 2.0, 3.0, 5.0]
    scores = tidy(
        {
            "EI": {name: [value, 2 * value] for name, value in zip("abcd", levels, strict=True)},
            "SF": {name: [value**2, value] for name, value in zip("abcd", levels, strict=True)},
            "Nabf": {name: [value, value] for name, value in zip("abcd", levels, strict=True)},
        }
    )
    matrix = report.correlations(scores, ["EI", "SF", "Nabf"])
    assert matrix.loc["EI", "SF"] == pytest.approx(1)
    assert matrix.loc["EI", "Nabf"] == pytest.approx(-1)
    strongest = report.strongest_pairs(matrix)
    assert strongest.index[0] == ("EI", "SF")
    assert len(strongest) == 3
    assert report.correlations(scores[scores["method"] == "a"], ["EI", "SF"]).isna().all(axis=None)


def test_correlations_need_three_methods():
    scores = tidy({name: {"a": [1.0], "b": [2.0], "c": [4.0]} for name in ("EI", "SF")})
    assert report.correlations(scores, ["EI", "SF"]).loc["EI", "SF"] == pytest.approx(1)
    assert report.correlations(scores[scores["method"] != "c"], ["EI", "SF"]).isna().all(axis=None)


def test_the_step_that_carries_most_comes_first():
    effects = pd.DataFrame({"EN": [1.0, -3.0, 9.0], "SD": [2.0, 3.0, 9.0], "EI": [-5.0, 4.0, 9.0]}, index=["CNN", "SSR", "other"])
    assert list(report.carried_by(effects, ["CNN", "SSR"]).items()) == [("SSR", ["EN", "SD"]), ("CNN", ["EI"])]
    assert report.carried_by(effects, ["other", "CNN"]) == {"other": ["EN", "SD", "EI"]}


def test_step_effects_are_turned_and_paired():
    rows = [
        (f"{i}", metric, base + i + effect * (level == "with"), level)
        for i in range(4)
        for metric, base, effect in (("EN", 5, 2), ("Nabf", 1, 0.5))
        for level in ("without", "with")
    ]
    scores = pd.DataFrame(rows, columns=["id", "metric", "value", "factor"])
    frame = report.step_effects(scores, ["factor"], {"step": ("without", "with")}).set_index("metric")
    assert frame.loc["EN", ["better_by", "low", "high"]].tolist() == pytest.approx([2, 2, 2]), "pairs differ, the effect does not"
    assert frame.loc["Nabf", "better_by"] == pytest.approx(-0.5), "more artefacts are worse"
    with pytest.raises(ValueError, match=r"levels: found \('off', 'on'\), expected two that one of the columns \['factor'\] holds"):
        report.step_effects(scores, ["factor"], {"step": ("off", "on")})

"""Tables and figures say what the frame says."""

import subprocess
import sys

import matplotlib

matplotlib.use("Agg")
import numpy as np
import pandas as pd
import pytest

from ivfnb import images, report


@pytest.fixture
def scores():
    rows = [
        ("tno", method, id, metric, value)
        for method, values in {"ours": (1.0, 0.3), "mean": (3.0, 0.1)}.items()
        for id in ("01", "02")
        for metric, value in zip(("EN", "Nabf"), values, strict=True)
    ]
    return pd.DataFrame(rows, columns=["dataset", "method", "id", "metric", "value"])


def test_tables_and_statistics_load_nothing_that_draws(tmp_path):
    """In a fresh interpreter; a first figure loads Matplotlib, and every public name is there."""
    code = f"""
import sys
import pandas as pd
from ivfnb import report
rows = [("set", method, f"{{i}}", "EN", float(i * j)) for i in range(1, 4) for j, method in enumerate("abc")]
scores = pd.DataFrame(rows, columns=["dataset", "method", "id", "metric", "value"])
report.table(report.means(scores), {str(tmp_path / "table")!r})
assert len(report.significance(scores, list("abc"), ["EN"])) == 1
drawing = {{"matplotlib", "seaborn", "statsmodels", "scikit_posthocs"}}
assert not drawing & set(sys.modules), drawing & set(sys.modules)
assert all(hasattr(report, name) for name in report.__all__)
assert set(report.__all__) <= set(dir(report))
assert "matplotlib.pyplot" in sys.modules
assert "scikit_posthocs" not in sys.modules
try:
    report.nothing
except AttributeError as error:
    assert str(error) == "module 'ivfnb.report' has no attribute 'nothing'"
else:
    raise SystemExit("an attribute that is not there was found")
"""
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr


def test_means_and_coverage(scores):
    frame = report.means(scores.iloc[:-2])  # the mean's second pair is missing
    assert frame.loc[("tno", "ours"), "pairs"] == 2
    assert frame.loc[("tno", "mean"), "pairs"] == 1
    assert frame.loc[("tno", "ours"), "EN"] == 1.0
    assert list(frame.columns) == ["pairs", "EN", "Nabf"]


def test_table_marks_the_best_by_direction(scores, tmp_path):
    report.table(report.means(scores), tmp_path / "tables" / "scores", "A caption of 100 %")
    text = (tmp_path / "tables" / "scores.md").read_text()
    assert "EN ↑" in text
    assert "Nabf ↓" in text
    assert "**3.000**" in text
    assert "**0.100**" in text
    assert "**1.000**" not in text
    latex = (tmp_path / "tables" / "scores.tex").read_text()
    assert r"\textbf{3.000}" in latex
    assert r"100 \%" in latex
    read = pd.read_csv(tmp_path / "tables" / "scores.csv")
    assert read["EN"].tolist() == [1.0, 3.0]
    assert sorted(path.name for path in (tmp_path / "tables").iterdir()) == ["scores.csv", "scores.html", "scores.md", "scores.tex"]


def test_second_best_and_who_competes(tmp_path):
    frame = pd.DataFrame({"method": list("abcd"), "EN": [1.0, 4.0, 3.0, 2.0], "Nabf": [0.1, 0.1001, 0.2, 0.3]})
    report.table(frame, tmp_path / "all", digits=3)
    text = (tmp_path / "all.md").read_text()
    assert "**4.000**" in text
    assert "<ins>3.000</ins>" in text
    assert text.count("**0.100**") == 2, "what prints alike is marked alike"
    assert "<ins>0.200</ins>" in text
    assert r"\underline{3.000}" in (tmp_path / "all.tex").read_text()
    page = (tmp_path / "all.html").read_text()
    assert "<b>4.000</b>" in page
    assert "<u>3.000</u>" in page
    assert "EN ↑" in page
    assert "src=" not in page, "the page needs nothing else"
    assert "href=" not in page
    report.table(frame, tmp_path / "some", among=frame["method"] != "b", note="b covers other pairs")
    text = (tmp_path / "some.md").read_text()
    assert "| 4.000" in text
    assert "**3.000**" in text
    assert "<ins>2.000</ins>" in text
    assert text.endswith("b covers other pairs\n")
    report.table(frame, tmp_path / "none", among=False)
    assert "*" not in (tmp_path / "none.md").read_text()
    assert (tmp_path / "none.csv").read_text() == (tmp_path / "all.csv").read_text(), "the CSV has no marks"


def test_two_rows_have_no_second_best():
    assert report.rank_marks(pd.Series([1.0, 2.0]), "lower", 2) == ["best", ""]
    assert report.rank_marks(pd.Series([1.0, np.nan]), "lower", 2) == ["", ""]
    assert report.rank_marks(pd.Series([1.0, 2.0, np.nan, 0.5]), "higher", 2) == ["second", "best", "", ""]


def test_missing_and_foreign_values(tmp_path):
    frame = pd.DataFrame({"method": ["a|b", "<c>"], "EN": ["6.84134", ""], "SD": [np.nan, 2.0]})
    report.table(frame, tmp_path / "table", "Values <elsewhere>", italic=True)
    text = (tmp_path / "table.md").read_text()
    assert r"a\|b" in text
    assert "*6.84134*" in text
    assert "nan" not in text.lower()
    page = (tmp_path / "table.html").read_text()
    assert "<i>6.84134</i>" in page
    assert "&lt;c&gt;" in page
    assert "Values &lt;elsewhere&gt;" in page
    assert report.show(tmp_path / "table").data == text


def test_table_of_anything(tmp_path):
    frame = pd.DataFrame({"set": ["a_b"], "pairs": [3], "share": [0.5]})
    report.table(frame, tmp_path / "plain", digits=2)
    assert "| a_b" in (tmp_path / "plain.md").read_text()
    assert r"a\_b & 3 & 0.50" in (tmp_path / "plain.tex").read_text()


def test_montage_and_figure(tmp_path):
    views = [np.full((10, 20), 128.0), np.zeros((10, 20, 3), np.uint8), np.full((10, 20), 300.0)]
    figure = report.montage(views, ["one", "two", "three"], columns=2)
    assert [axis.get_title() for axis in figure.axes] == ["one", "two", "three", ""]
    assert figure.axes[0].images[0].get_clim() == (0, 255)
    path = report.save_figure(figure, tmp_path / "figures" / "montage.png")
    assert images.read_color(path).shape[1] == 1800
    with pytest.raises(ValueError, match="found 3 and 1"):
        report.montage(views, ["one"], columns=2)


def test_colours_are_stable():
    assert report.colours(["a", "b", "a"]) == {"a": report.COLOURS[0], "b": report.COLOURS[1]}


def test_interval_of_a_mean():
    values = pd.Series(np.random.default_rng(0).normal(10, 2, 50))
    mean, low, high = (float(part) for part in report.interval(values).replace("(", "").replace(")", "").replace("to ", "").split())
    assert low < mean < high
    assert abs((high - low) / 2 - 1.96 * values.std() / 50**0.5) < 0.15 * (high - low), "near the normal interval"
    assert report.interval(pd.Series([1.0, 2.0])) == "1.5"
    assert report.interval(pd.Series([np.nan])) == ""


def test_main_effects_of_an_additive_table():
    """Value = 10 + 2 (with SSR) + 1 (with the CNN): each effect is found, relative to the mean."""
    rows = [
        ("01", "EN", 10 + 2 * (retinex == "SSR") + (classifier == "CNN"), classifier, retinex)
        for classifier in ("no classifier", "CNN")
        for retinex in ("no SSR", "SSR")
    ]
    frame = pd.DataFrame(rows, columns=["id", "metric", "value", "classifier", "retinex"])
    effects = report.main_effects(frame, ["classifier", "retinex"], {"SSR": ("no SSR", "SSR"), "CNN": ("no classifier", "CNN")})
    assert effects.loc["SSR", "EN"] == pytest.approx(100 * 2 / 11.5)
    assert effects.loc["CNN", "EN"] == pytest.approx(100 * 1 / 11.5)

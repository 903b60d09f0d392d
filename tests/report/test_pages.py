"""What a page shows: photographs small as JPEG, charts as PNG, tables whole, figures in words."""

import io

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ivfnb import report
from ivfnb.report import pages


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture
def montage():
    noise = np.random.default_rng(0).integers(0, 255, (60, 80), dtype=np.uint8)
    return report.montage([noise, noise], ["infrared, 5 $", "visible"], columns=2)


def test_images_become_jpeg_and_charts_png(montage, tmp_path, monkeypatch):
    from IPython import display

    shown = []
    monkeypatch.setattr(display, "display", shown.append)
    chart = plt.figure(figsize=(4, 3))
    chart.subplots().plot([1, 2])
    for figure in (montage, chart):
        report.show_figure(figure, tmp_path / "figure.png")
    photographs, lines = (Image.open(io.BytesIO(each.data)) for each in shown)
    assert (photographs.format, photographs.mode) == ("JPEG", "RGB")
    assert (lines.format, lines.mode) == ("PNG", "P"), "a chart needs few colours"
    assert lines.size == (320, 240), "80 dots an inch"
    assert Image.open(tmp_path / "figure.png").size == (600, 450)


def test_a_matrix_of_numbers_is_a_chart():
    figure = report.correlation_chart(pd.DataFrame(np.eye(2), index=["EN", "SD"], columns=["EN", "SD"]), "alike?")
    assert not pages.is_photographic(figure)


def test_a_figure_is_written_shown_in_words_and_closed(montage, tmp_path, monkeypatch):
    from IPython import display

    shown = []
    monkeypatch.setattr(display, "display", shown.append)
    montage.suptitle("two\nimages")
    report.show_figure(montage, tmp_path / "new" / "pair.png")
    assert (tmp_path / "new" / "pair.png").is_file()
    assert shown[0].alt == "two images; infrared, 5 $; visible"
    assert not plt.fignum_exists(montage.number)


def test_a_figure_can_be_written_only(montage, tmp_path, monkeypatch):
    from IPython import display

    monkeypatch.setattr(display, "display", None)
    report.show_figure(montage, tmp_path / "pair.png", shown=False)
    assert (tmp_path / "pair.png").is_file()
    assert not plt.fignum_exists(montage.number)


def test_tables_are_shown_whole_and_flush_left():
    words = pd.DataFrame({"said": ["a word " * 30, None], "note": [None, None]}, index=pd.Index(["a|b", "c"], name="who"))
    text = report.text_table(words).data
    assert "a word " * 29 in text
    assert "note" not in text, "a column without any text says nothing"
    assert "a|b" not in text, "what a cell holds is no markup"
    assert text.splitlines()[1].replace("-", "") == "|:|:|"


def test_rows_can_be_left_out_of_a_written_table(tmp_path):
    frame = pd.DataFrame({"method": ["ours", "absent"], "pairs": [2, 0], "EN": [7.0, None]})
    text = report.shown_table(report.table(frame, tmp_path / "t"), frame["pairs"] > 0, "Table_1").data
    assert "ours" in text
    assert "absent" not in text
    assert text.splitlines()[0] == "Table&#95;1" or text.splitlines()[0] == "Table_1"

"""Results are compared with their records and with what the code computes: whatever was changed by hand is told."""

import json

import numpy as np
import pandas as pd
import pytest

from ivfnb import commands, evaluation, files, images, report
from ivfnb.commands.reproduce import records
from ivfnb.datasets import dataset
from ivfnb.evaluation import recheck
from ivfnb.fusion import Protocol


@pytest.fixture
def results(tmp_path, monkeypatch):
    """Results of a run of one method on one pair, as notebooks 4 and 5 leave them."""
    monkeypatch.setenv("IVFNB_RESULTS", str(tmp_path))
    monkeypatch.setenv("IVFNB_CACHE", str(tmp_path / "cache"))
    plain = Protocol(classifier="none")
    monkeypatch.setattr(recheck, "PROTOCOLS", {"as_paper": plain})
    folder, pairs = tmp_path / "demo", dataset("sample")[:1]
    folder.mkdir()
    state = records.State(folder)
    state.begin("05_evaluate", {"parameters": {}})
    scores = evaluation.evaluate(pairs, [evaluation.by_baseline("Mean")], ["EN", "SCD"], ("standard", "as_released"))
    report.save_csv(scores, folder / "tables" / "05_scores.csv")
    fused = evaluation.by_protocol("x", plain).fuse(dataset("sample", color=True)[0])
    images.write_image(folder / "fused" / "as_paper" / "sample" / f"{pairs.ids[0]}.png", fused)
    state.end("05_evaluate", 1.0, None)
    return folder


def verify(*arguments):
    return commands.main(["verify", *arguments])


def test_results_as_they_were_written_have_no_differences(results, capsys):
    assert verify("demo") == 0
    assert "2 files hashed, 5 values and images computed again, no differences" in capsys.readouterr().out
    assert verify(str(results), "--values", "0") == 0


def change_value(folder):
    table = folder / "tables" / "05_scores.csv"
    frame = pd.read_csv(table)
    frame.loc[1, "value"] += 1e-3
    report.save_csv(frame, table)
    return "tables/05_scores.csv: changed since it was written", "sample, Mean, pair astronaut, SCD (standard): found"


def change_image(folder):
    file = next((folder / "fused").rglob("*.png"))
    pixels = images.read_color(file)
    pixels[0, 0] = 255 - pixels[0, 0]
    images.write_image(file, pixels)
    return f"{file.relative_to(folder)}: changed since it was written", "differs from what is fused now in 0.00% of its levels"


def remove(folder):
    (folder / "tables" / "05_scores.csv").unlink()
    return "tables/05_scores.csv: missing", ""


def add(folder):
    files.write_text(folder / "tables" / "another.csv", "a")
    return "tables/another.csv: of no recorded run", ""


def interrupt(folder):
    records.State(folder).begin("05_evaluate", {"parameters": {}})
    return "05_evaluate: its last run was interrupted: nothing of it is current", ""


def lead_out(folder):
    state = json.loads((folder / "state.json").read_text())
    state["notebooks"]["05_evaluate"]["files"]["../secret"] = 64 * "0"
    files.write_json(folder / "state.json", state)
    return "../secret: recorded outside the folder of results", ""


def spoil_table(folder):
    (folder / "tables" / "05_scores.csv").write_text("dataset,method\nsample,Mean\n")
    return "tables/05_scores.csv: changed since it was written", "found no column convention, id, metric, seconds, value"


@pytest.mark.parametrize("change", [change_value, change_image, remove, add, interrupt, lead_out, spoil_table])
def test_whatever_was_changed_is_told(results, capsys, change):
    expected = change(results)
    assert verify("demo", "--values", "4" if expected[1] else "0") == 1
    said = capsys.readouterr().out
    assert all(text in said for text in expected)


def test_what_cannot_be_computed_here_is_a_note(results, capsys):
    table = results / "tables" / "05_scores.csv"
    frame = pd.read_csv(table).assign(method="MyNet (external)")
    state = json.loads((results / "state.json").read_text())
    report.save_csv(frame, table)
    state["notebooks"]["05_evaluate"]["files"]["tables/05_scores.csv"] = files.digest(table)
    files.write_json(results / "state.json", state)
    assert verify("demo") == 0
    assert "note: sample, MyNet (external), pair astronaut: found no such method here" in capsys.readouterr().out


def test_slow_images_are_not_drawn(results):
    frame = pd.read_csv(results / "tables" / "05_scores.csv").assign(seconds=999.0)
    assert recheck.scores(frame, 5).compared == 0
    assert recheck.scores(frame.assign(seconds=np.nan), 5).compared == len(frame), "images that were read took no time"


def test_nothing_that_is_remembered_is_taken(results, tmp_path):
    """Wrong values in the cache, as whole as right ones: they are not asked."""
    frame, entries = pd.read_csv(results / "tables" / "05_scores.csv"), list((tmp_path / "cache" / "scores").rglob("*.json"))
    assert entries
    for entry in entries:
        known = files.read_json(entry)
        files.write_json(entry, {**known, "values": dict.fromkeys(known["values"], 9.0)})
    assert (evaluation.evaluate(dataset("sample")[:1], [evaluation.by_baseline("Mean")], ["EN", "SCD"])["value"] == 9).all()
    again = recheck.scores(frame, 1)
    assert (again.compared, again.differing) == (len(frame), [])


@pytest.mark.parametrize(
    ("arguments", "message"), [(["nowhere"], "nowhere: found no such folder"), (["demo", "--values", "-1"], "--values: found -1")]
)
def test_bad_input_is_refused(results, capsys, arguments, message):
    assert verify(*arguments) == 2
    assert message in capsys.readouterr().err


def test_a_folder_without_a_record_is_refused(results, capsys):
    (results / "state.json").unlink()
    assert verify("demo") == 2
    assert "found no record of a run, expected state.json or run.json" in capsys.readouterr().err

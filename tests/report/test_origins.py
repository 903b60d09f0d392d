"""Rows of two commits or profiles become no table unless that is asked for."""

import json

import pandas as pd
import pytest

from ivfnb import files, provenance, report

ROWS = [("sample", "Mean", "01", "EN", 6.0), ("sample", "Mean", "02", "EN", 7.0)]
SCORES = pd.DataFrame(ROWS, columns=["dataset", "method", "id", "metric", "value"])


def a_run(folder, commit):
    """A folder of results with one table and its record."""
    table = report.save_csv(SCORES, folder / "tables" / "05_scores.csv")
    record = {"state": "done", "key": {}, "commit": commit, "dirty": False, "files": {"tables/05_scores.csv": files.digest(table)}}
    files.write_json(folder / "state.json", {"notebooks": {"05_evaluate": record}})
    return table


def test_a_table_knows_the_run_that_wrote_it(tmp_path):
    table = a_run(tmp_path / "demo", "a" * 40)
    assert provenance.origin(table) == {"profile": "demo", "commit": "a" * 40, "dirty": False}
    loaded = report.load(table)
    assert loaded["profile"].unique().tolist() == ["demo"]
    assert loaded["id"].tolist() == ["01", "02"], "ids stay texts"
    pd.testing.assert_frame_equal(report.means(loaded), report.means(SCORES))


def test_an_older_record_will_do(tmp_path):
    table = report.save_csv(SCORES, tmp_path / "paper" / "tables" / "05_scores.csv")
    record = {"profile": "paper", "commit": "b" * 40, "dirty": True, "files": {"tables/05_scores.csv": files.digest(table)}}
    files.write_json(tmp_path / "paper" / "run.json", record)
    assert provenance.origin(table) == {"profile": "paper", "commit": "b" * 40, "dirty": True}


TWO = [("tno", "a" * 40, "profiles demo, tno"), ("demo", "b" * 40, "commits aaaaaaaaaa, bbbb")]


@pytest.mark.parametrize(("profile", "commit", "told"), TWO)
def test_rows_of_two_runs_are_refused(tmp_path, profile, commit, told):
    tables = a_run(tmp_path / "one" / "demo", "a" * 40), a_run(tmp_path / "two" / profile, commit)
    with pytest.raises(ValueError, match=f"found rows of the {told}"):
        report.load(*tables)
    both = report.load(*tables, mixed=True)
    assert len(both) == 4
    with pytest.raises(ValueError, match="scores: found rows of the"):
        report.means(both)
    with pytest.raises(ValueError, match="table: found rows of the"):
        report.table(both, tmp_path / "t")
    assert not list(tmp_path.glob("t.*"))
    assert report.means(both, mixed=True).loc[("sample", "Mean"), "EN"] == 6.5
    report.table(both, tmp_path / "t", mixed=True)


def test_a_table_that_is_not_as_it_was_written_has_no_origin(tmp_path):
    table = a_run(tmp_path / "demo", "a" * 40)
    table.write_text(table.read_text().replace("6.0", "6.5"))
    assert provenance.origin(table) is None
    with pytest.raises(ValueError, match="found no record of a run that wrote it as it is"):
        report.load(table)
    assert report.load(table, mixed=True)["commit"].isna().all()


NONE = ["[]", "{}", '{"notebooks": []}', '{"notebooks": {"05": 3}}', "", '{"notebooks": {"05": {"state": "done", "files": 7}}}']


@pytest.mark.parametrize("content", NONE)
def test_a_record_that_is_none_tells_nothing(tmp_path, content):
    table = a_run(tmp_path / "demo", "a" * 40)
    (tmp_path / "demo" / "state.json").write_text(content)
    (tmp_path / "demo" / "run.json").write_text(json.dumps([content]))
    assert provenance.origin(table) is None


def test_no_table_is_no_frame():
    with pytest.raises(ValueError, match="tables: found none"):
        report.load()

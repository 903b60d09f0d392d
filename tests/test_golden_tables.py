"""The demo's tables are those that were kept: a number that moved by more than its tolerance is named."""

import pandas as pd
import pytest
from scripts_read import script

from ivfnb import paths
from ivfnb.commands.profiles import notebooks
from ivfnb.commands.reproduce import keys, records

DEMO = paths.root() / "results" / "demo"


@pytest.fixture(scope="module")
def golden():
    """`scripts/refresh_golden.py`."""
    return script("refresh_golden")


def test_the_demo_gives_the_expected_tables(golden):
    state = records.State(DEMO)
    if not state.records:
        pytest.skip("results/demo holds no run: make reproduce")
    for stem, path in notebooks().items():
        record = state.records.get(stem, {"key": {}})
        now = {
            part: value for part, value in keys.key(path, record["key"].get("parameters", {}), {}).items() if part in ("notebook", "code")
        }
        if record.get("state") != "done" or keys.changes(record["key"], now):
            pytest.skip(f"results/demo is no run of this code, {stem} is of another: make reproduce")
    assert golden.differences(DEMO) == [], "make golden keeps the new numbers, where they are meant"


def test_every_kind_of_table_is_there(golden):
    tables = {table for table, _, _ in golden.golden()}
    assert {"02_accuracy", "03_enhancement", "04_target_retention", "05_table2_standard", "05_switches"} <= tables
    assert len(golden.golden()) > 1000


@pytest.fixture
def kept(golden, tmp_path, monkeypatch):
    """Expectations of one small table, and the run it was kept from."""
    monkeypatch.setattr(golden, "GOLDEN", tmp_path / "golden")
    (tmp_path / "golden").mkdir()
    (tmp_path / "golden" / "tolerances.csv").write_text("table,column,relative,absolute\n*,EN,1e-3,0\n*,*,1e-9,0\n")
    (tmp_path / "run" / "tables").mkdir(parents=True)
    table = tmp_path / "run" / "tables" / "05_standard.csv"
    frame = pd.DataFrame(
        {"method": ["Mean", "CBF"], "EN": [6.0, 7.0], "SD": [40.0, 50.0], "seconds": [1.0, 2.0], "best, standard": ["x", "y"]}
    )
    frame.to_csv(table, index=False)
    monkeypatch.setattr("sys.argv", ["refresh_golden.py", str(tmp_path / "run")])
    assert golden.main() == 0
    return golden, table, frame


def test_what_is_within_its_tolerance_is_as_expected(kept):
    golden, table, frame = kept
    frame.assign(EN=frame["EN"] * 1.0005, seconds=9.0).to_csv(table, index=False)
    assert golden.differences(table.parents[1]) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"EN": [6.0, 7.1]}, ["05_standard, CBF, EN: expected 7.0, found 7.1"]),
        ({"SD": [40.0, 50.0001]}, ["05_standard, CBF, SD: expected 50.0, found 50.0001"]),
        ({"SD": [float("nan"), 50.0]}, ["05_standard, Mean, SD: expected 40.0, found "]),
        ({"best, standard": ["x", "z"]}, ["05_standard, CBF, best, standard: expected y, found z"]),
    ],
)
def test_what_moved_is_named(kept, change, told):
    golden, table, frame = kept
    frame.assign(**change).to_csv(table, index=False)
    assert golden.differences(table.parents[1]) == told


def test_what_is_gone_is_named(kept):
    golden, table, frame = kept
    frame[:1].to_csv(table, index=False)
    assert len(golden.differences(table.parents[1])) == 3
    table.unlink()
    assert golden.differences(table.parents[1]) == ["05_standard: no such table, or nothing of it is compared"]

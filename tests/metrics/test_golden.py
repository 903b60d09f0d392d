"""The paper's eleven metrics against the released evaluator's own values (GNU Octave, 12 significant digits)."""

import csv

import pytest

from ivfnb.images import read_gray
from ivfnb.metrics import ELEVEN, METRICS, score

TOLERANCES = {"VIFF": 1e-7}  # relative; the others 1e-9
COLUMNS = {"SCD_uint8": ("as_released", "SCD"), "SCD_double": ("standard", "SCD"), "MI_official": ("as_released", "MI")}


@pytest.mark.parametrize("number", range(1, 9))
def test_released_evaluator(golden, number):
    with open(golden / "metrics" / "expected.csv", newline="") as file:
        expected = {row["id"]: row for row in csv.DictReader(file)}[f"tno{number:02d}"]
    images = [read_gray(golden / "metrics" / f"tno{number:02d}_{kind}.png") for kind in ("fused", "ir", "vis")]
    found = {convention: score(*images, convention=convention) for convention in ("standard", "as_released")}
    columns = [column for column in expected if column != "id"]
    assert len(columns) == 12
    for column in columns:
        for convention in found:
            only, name = COLUMNS.get(column, (convention, column))
            if only == convention:
                assert found[convention][name] == pytest.approx(float(expected[column]), rel=TOLERANCES.get(name, 1e-9)), (column, only)


def test_score_gives_the_eleven_in_the_registrys_order(golden):
    images = [read_gray(golden / "metrics" / f"tno01_{kind}.png") for kind in ("fused", "ir", "vis")]
    found = score(*images)
    assert tuple(found) == ELEVEN == tuple(["EI", "CE", "SF", "EN", "Qabf", "SCD", "Nabf", "MI", "SD", "DF", "VIFF"])
    assert all(type(value) is float for value in found.values())
    assert {name for name in ELEVEN if METRICS[name].direction == "lower"} == {"CE", "Nabf"}

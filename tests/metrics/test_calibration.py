"""The committed calibration table: complete, within its tolerances, and what the script that made it gives again."""

import csv
from collections import Counter

import pytest
import scripts_read

from ivfnb import paths
from ivfnb.metrics import CONVENTIONS, ELEVEN, METRICS


@pytest.fixture(scope="module")
def table() -> list[dict]:
    with open(paths.root() / "data" / "paper" / "metric_calibration.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_every_difference_is_within_its_tolerance(table):
    assert table
    for row in table:
        assert float(row["largest_relative_difference"]) <= float(row["tolerance"]), row


def test_every_metric_is_calibrated(table):
    oracles = Counter((row["metric"], row["convention"]) for row in table)
    transforms = {"FMI_w", "FMI_dct"}  # their windows are those of FMI_pixel; tested apart
    assert {name for name, _ in oracles} == set(METRICS) - transforms
    assert {name for name, convention in oracles if convention == "vifb"} == set(CONVENTIONS["vifb"].names)
    assert {name for name, convention in oracles if convention == "as_released"} == set(ELEVEN)
    assert sum(int(row["values"]) for row in table if row["oracle"] == "VIFB, published values") == 13 * 8 * 21


def test_the_script_gives_the_table_again(table, golden):
    script = scripts_read.script("calibrate_metrics")
    committed = {(row["metric"], row["convention"]): row for row in table if row["oracle"] == script.EVALUATOR}
    again = script.evaluator_rows(golden)
    assert {(row["metric"], row["convention"]) for row in again} == set(committed)
    for row in again:
        reference = committed[row["metric"], row["convention"]]
        assert row["values"] == int(reference["values"])
        assert row["largest_relative_difference"] <= row["tolerance"] == float(reference["tolerance"])

"""Keep the demo's tables as what is expected of the next one: python scripts/refresh_golden.py [RESULTS] [--check]

RESULTS is results/demo after `make reproduce`. Every number that does not depend on the clock, on a training of this minute or on what else
is at hand goes to tests/golden/demo.csv, a line each. `--check` writes nothing: it compares, with the tolerances of
tests/golden/tolerances.csv, prints what differs, and ends with 1 where something does.
"""

import argparse
import csv
import fnmatch
import io
import sys
from collections import Counter
from pathlib import Path

import pandas as pd

from ivfnb import files, paths

GOLDEN = paths.root() / "tests" / "golden"
LEFT_OUT = {  # tables that say what is at hand, what it cost, or how sure a sample of pairs is
    "01_sets": "which data sets are at hand",
    "03_against_authors": "images of the authors that may be at hand",
    "05_reported_elsewhere": "a file of the repository",
    "05_cost": "seconds",
    "05_intervals": "its means are in the other tables",
    "05_nearness_to_mean": "weights that may be at hand",
    "05_scores": "every value: its means are in the other tables",
    "05_switch_scores": "the same",
    "05_ablation_scores": "the same",
    "05_step_effects": "the same",
}
COLUMNS_OUT = ("seconds*", "note", "p", "from", "to", "*interval*")
ROWS_OUT = ("this minute's training",)
TEXTS = ("best, standard", "best, as released", "verdict", "pairs")  # columns of text that are compared as they are


def _cells(table: Path) -> dict[tuple[str, str, str], str]:
    """Numbers, and texts that are compared, of a table: by table, row and column."""
    frame = pd.read_csv(table, dtype=str, keep_default_na=False)
    numeric = [name for name in frame if pd.to_numeric(frame[name].replace("", "nan"), errors="coerce").notna().sum() > 0]
    wanted = [name for name in frame if name in TEXTS or name in numeric]
    wanted = [name for name in wanted if not any(fnmatch.fnmatch(name, out) for out in COLUMNS_OUT)]
    names = [name for name in frame if name not in numeric and name not in TEXTS and name not in ("note", "evidence", "measured", "reason")]
    found, seen = dict[tuple[str, str, str], str](), Counter[str]()
    for _, row in frame.iterrows():
        label = " | ".join(row[name] for name in names)
        if not any(out in label for out in ROWS_OUT):
            seen[label] += 1
            label = label if seen[label] == 1 else f"{label} #{seen[label]}"
            found |= {(table.stem, label, name): row[name] for name in wanted}
    return found


def cells(results: Path) -> dict[tuple[str, str, str], str]:
    """What is compared of all tables of a run."""
    found: dict[tuple[str, str, str], str] = {}
    for table in sorted((results / "tables").glob("*.csv")):
        if table.stem not in LEFT_OUT:
            found |= _cells(table)
    return found


def golden() -> dict[tuple[str, str, str], str]:
    """What is expected."""
    with (GOLDEN / "demo.csv").open(encoding="utf-8", newline="") as file:
        return {(row["table"], row["row"], row["column"]): row["value"] for row in csv.DictReader(file)}


def tolerances() -> list[tuple[str, str, float, float]]:
    """Pattern of tables, pattern of columns, relative and absolute tolerance; the first that fits counts."""
    with (GOLDEN / "tolerances.csv").open(encoding="utf-8", newline="") as file:
        return [(row["table"], row["column"], float(row["relative"]), float(row["absolute"])) for row in csv.DictReader(file)]


def alike(key: tuple[str, str, str], expected: str, found: str, allowed: list[tuple[str, str, float, float]]) -> bool:
    """Whether a cell is what is expected of it, within its tolerance."""
    if expected == found:
        return True
    try:
        one, other = float(expected), float(found)
    except ValueError:
        return False
    relative, absolute = next(
        (r, a) for table, column, r, a in allowed if fnmatch.fnmatch(key[0], table) and fnmatch.fnmatch(key[2], column)
    )
    return abs(one - other) <= absolute + relative * abs(one)


def differences(results: Path) -> list[str]:
    """One line for each cell that is not as expected, and for each table that lacks."""
    found, expected, allowed = cells(results), golden(), tolerances()
    there, lines = {table for table, _, _ in found}, list[str]()
    lines += [f"{table}: no such table, or nothing of it is compared" for table in sorted({table for table, _, _ in expected} - there)]
    for key, value in expected.items():
        if key[0] in there and key not in found:
            lines.append(f"{key[0]}, {key[1]}, {key[2]}: expected {value}, found no such cell")
        elif key in found and not alike(key, value, found[key], allowed):
            lines.append(f"{key[0]}, {key[1]}, {key[2]}: expected {value}, found {found[key]}")
    return lines


def main() -> int:
    """Write what is expected, or compare with it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, nargs="?", default=paths.root() / "results" / "demo")
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    if given.check:
        lines = differences(given.results)
        print(*lines[:40], sep="\n")
        print(f"{len(golden())} values expected, {len(lines)} differences")
        return int(bool(lines))
    found, text = cells(given.results), io.StringIO()
    if not found:
        print(f"{given.results}: found no tables, expected those of `make reproduce`", file=sys.stderr)
        return 2
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("table", "row", "column", "value"))
    writer.writerows((*key, value) for key, value in found.items())
    files.write_text(GOLDEN / "demo.csv", text.getvalue())
    print(f"{len(found)} values of {len({key[0] for key in found})} tables written to {GOLDEN / 'demo.csv'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

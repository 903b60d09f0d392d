"""Compare the tables of two result folders, digit by digit: python scripts/compare_tables.py BEFORE AFTER

Every CSV of both `tables/` folders is read as text. Columns of seconds are left out, since no two runs take the same time, and ranks of a
table of costs are compared without its order. Ends with 1 where a table or a cell differs, and names it.
"""

import argparse
import sys
from pathlib import Path

import pandas as pd

TIMES = ("seconds", "seconds a pair")


def read(file: Path) -> pd.DataFrame:
    """A table as text, without its times, in an order that does not depend on them."""
    frame = pd.read_csv(file, dtype=str, keep_default_na=False)
    timed = any(name in frame for name in TIMES)
    frame = frame.drop(columns=[name for name in TIMES if name in frame])
    return frame.sort_values(list(frame.columns), ignore_index=True) if timed else frame


def differences(before: Path, after: Path) -> list[str]:
    """One line for each table or cell that differs."""
    names = [{file.name for file in (folder / "tables").glob("*.csv")} for folder in (before, after)]
    lines = [f"{name}: only in {before if name in names[0] else after}" for name in sorted(names[0] ^ names[1])]
    for name in sorted(names[0] & names[1]):
        first, second = (read(folder / "tables" / name) for folder in (before, after))
        if first.shape != second.shape or list(first.columns) != list(second.columns):
            lines.append(f"{name}: {first.shape} and {second.shape}, columns {sorted(set(first.columns) ^ set(second.columns))}")
            continue
        for row, column in zip(*(first != second).to_numpy().nonzero(), strict=True):
            lines.append(f"{name}, row {row}, {first.columns[column]}: {first.iat[row, column]} and {second.iat[row, column]}")
    return lines


def main() -> int:
    """Print what differs, and how much was compared."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    given = parser.parse_args()
    found = differences(given.before, given.after)
    print("\n".join(found[:50]))
    files = list((given.before / "tables").glob("*.csv"))
    cells = sum(read(file).size for file in files)
    print(f"{len(files)} tables, {cells} cells, {len(found)} differences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

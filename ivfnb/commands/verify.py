"""`ivfnb verify`: whether results are what their records say, and what this code computes."""

import argparse
from pathlib import Path
from typing import Any

from ivfnb import files, paths
from ivfnb.commands.profiles import notebooks
from ivfnb.commands.reproduce import keys, records


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("results", nargs="+", metavar="FOLDER", help="results/<profile>, or the profile's name")
    parser.add_argument("--values", type=int, default=4, metavar="N", help="fused images to score and to fuse again (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="which ones are drawn (default: %(default)s)")


def folder_of(named: str) -> Path:
    """Folder of results; ValueError where there is none of that name."""
    found = next((place for place in (Path(named), paths.results_root() / named) if place.is_dir()), None)
    if found is None:
        raise ValueError(f"{named}: found no such folder, expected results/<profile>, or one of the profiles that were run")
    return found.resolve()


def recorded(folder: Path) -> tuple[dict[str, str], list[str]]:
    """Hash of each result file by its path, and what the records say of runs that did not end well.

    ValueError where a folder has no record.
    """
    state = records.State(folder)
    lines, hashes = [], dict[str, str]()
    for stem, record in state.records.items():
        hashes |= record["files"]
        if record.get("state") != "done":
            lines.append(
                f"{stem}: its last run {'failed' if record.get('state') == 'failed' else 'was interrupted'}: nothing of it is current"
            )
    if not state.records:
        runs: list[Any] = [files.read_json(path) for path in sorted(folder.glob("run*.json"), key=lambda path: path.stat().st_mtime)]
        for run in runs:
            hashes |= run.get("files", {}) if isinstance(run, dict) and isinstance(run.get("files"), dict) else {}
    if not hashes:
        raise ValueError(f"{folder}: found no record of a run, expected {records.STATE} or run.json")
    return hashes, lines


def hashes_differ(folder: Path, hashes: dict[str, str]) -> list[str]:
    """One line for each file that is missing, changed or of no recorded run."""
    lines = []
    for name, digest in sorted(hashes.items()):
        path = folder / name
        if folder not in path.resolve().parents:
            lines.append(f"{name}: recorded outside the folder of results")
        elif not path.is_file():
            lines.append(f"{name}: missing")
        elif files.digest(path) != digest:
            lines.append(f"{name}: changed since it was written")
    surplus = [name for name in records.written(folder) if name not in hashes]
    return lines + [f"{name}: of no recorded run" for name in surplus]


def made_otherwise(folder: Path) -> list[str]:
    """One line for each notebook whose code, inputs or versions are others now."""
    state, every, seen = records.State(folder), notebooks(), keys.inputs()
    lines = []
    for stem, record in state.records.items():
        if stem in every and (told := keys.changes(record["key"], keys.key(every[stem], record["key"].get("parameters", {}), seen))):
            lines.append(f"{stem}: made at commit {str(record.get('commit'))[:10]}; changed since: {', '.join(told)}")
    return lines


def values_differ(folder: Path, count: int, seed: int) -> tuple[int, list[str], list[str]]:
    """How many values and images were computed again, one line for each that differs, and one for each that could not be."""
    import pandas as pd

    from ivfnb.evaluation import recheck

    compared, differing, left_out = 0, list[str](), list[str]()
    table = folder / "tables" / "05_scores.csv"
    try:
        scored = recheck.scores(pd.read_csv(table, dtype={"id": str}), count, seed) if table.is_file() else recheck.Again(0, [], [])
    except (ValueError, pd.errors.ParserError) as error:
        scored = recheck.Again(0, [f"tables/05_scores.csv: {error}"], [])
    for again in (scored, recheck.fused(folder / "fused", count, seed)):
        compared, differing, left_out = compared + again.compared, differing + again.differing, left_out + again.left_out
    return compared, differing, left_out


def run(arguments: argparse.Namespace) -> int:
    """Print what differs; 0 where nothing does."""
    if arguments.values < 0:
        raise ValueError(f"--values: found {arguments.values}, expected at least 0")
    wrong = 0
    for named in arguments.results:
        folder = folder_of(named)
        hashes, lines = recorded(folder)
        lines += hashes_differ(folder, hashes)
        compared, differing, left_out = values_differ(folder, arguments.values, arguments.seed) if arguments.values else (0, [], [])
        for text in [*(f"note: {line}" for line in [*made_otherwise(folder), *left_out]), *lines, *differing]:
            print(f"{folder.name}: {text}")
        found = len(lines) + len(differing)
        print(f"{folder.name}: {len(hashes)} files hashed, {compared} values and images computed again, {found or 'no'} differences")
        wrong += found
    return 1 if wrong else 0

"""`ivfnb fetch`: data sets fetched, checked and listed from the command line."""

import argparse
import sys
from pathlib import Path

from ivfnb.datasets import listing
from ivfnb.datasets.fetch import fetch, verify
from ivfnb.datasets.manifest import DatasetError, load

LARGE = 1_000_000_000  # bytes: `--all` leaves larger downloads to those who name them


def table(manifest: Path | None = None) -> str:
    """Text table of all sets: name, how many items, present, partial, packed or absent, size of the download, licence."""
    from tabulate import tabulate

    rows = []
    for name, entry in load(manifest).items():
        state, found = listing.state(entry)
        size = "?" if entry.bytes is None else f"{entry.bytes / 1e6:.2f} MB" if entry.bytes else "-"
        size += " and by hand" if entry.by_hand and entry.bytes else ""
        rows.append((name, entry.count(found), state, size, entry.licence))
    return tabulate(
        rows, headers=("set", "at hand", "state", "download", "licence"), disable_numparse=True, maxcolwidths=[None, None, None, None, 60]
    )


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of `python -m ivfnb fetch`."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="sets to fetch or verify")
    parser.add_argument("--all", action="store_true", help=f"every set that needs no browser and is below {LARGE / 1e9:.0f} GB")
    parser.add_argument("--list", action="store_true", help="print a table of all sets")
    parser.add_argument(
        "--verify", action="store_true", help="hash what is there (of the named sets, or of all at hand) and name what is wrong"
    )
    parser.add_argument("--into", type=Path, metavar="FOLDER", help="data root to write to (default: data/ of the checkout)")


def run(arguments: argparse.Namespace) -> int:
    """`python -m ivfnb fetch`: 0, or 1 where a set is not as it must be; each set's trouble is printed and the next one tried."""
    sets, names = load(), arguments.names
    if arguments.list:
        print(table())
    elif arguments.verify:
        return _verify(names or [name for name, entry in sets.items() if listing.home(entry)[0] or listing.packed(entry)])
    elif arguments.all:
        names = [
            name for name, entry in sets.items() if not entry.by_hand and (entry.bytes or 0) <= LARGE and (entry.pins or entry.archives)
        ]
    elif not names:
        raise DatasetError("names: found none, expected sets to fetch, --all, --list or --verify")
    code = 0
    for name in names:
        try:
            print(f"{name}: in {fetch(name, arguments.into, progress=True)}")
        except DatasetError as error:
            print(error, file=sys.stderr)
            code = 1
    return code


def _verify(names: list[str]) -> int:
    code = 0
    for name in names:
        lines = verify(name)
        entry = load()[name]
        print("\n".join([*lines, f"{name}: {entry.count(len(listing.home(entry)[1]))}, {len(lines) or 'nothing'} wrong"]))
        code |= bool(lines)
    return code

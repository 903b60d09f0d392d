"""`ivfnb fetch`: data sets fetched, checked and listed from the command line."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from ivfnb.datasets import listing
from ivfnb.datasets.fetch import fetch
from ivfnb.datasets.manifest import DatasetError, load
from ivfnb.datasets.verify import verify

LARGE = 1_000_000_000  # bytes: `--all` leaves larger downloads to those who name them


def table(manifest: Path | None = None) -> str:
    """Text table of all sets: name, how many items, present, partial, packed or absent, size of the download, licence.

    Below it a line for each set with which something is wrong.
    """
    from tabulate import tabulate

    rows, faults = [], []
    for name, entry in load(manifest).items():
        copy = listing.at_hand(entry)
        state, found = listing.state(entry, copy)
        size = "?" if entry.bytes is None else f"{entry.bytes / 1e6:.2f} MB" if entry.bytes else "-"
        size += " and by hand" if entry.by_hand and entry.bytes else ""
        rows.append((name, entry.count(found), state, size, entry.licence))
        faults += [f"{name}: {listing.told(copy.faults)}"] if copy.faults else []
    text = tabulate(
        rows, headers=("set", "at hand", "state", "download", "licence"), disable_numparse=True, maxcolwidths=[None, None, None, None, 60]
    )
    return "\n".join([text, *faults])


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of `python -m ivfnb fetch`."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="sets to fetch or verify")
    parser.add_argument("--all", action="store_true", help=f"every set that needs no browser and is below {LARGE / 1e9:.0f} GB")
    parser.add_argument("--list", action="store_true", help="print a table of all sets")
    parser.add_argument(
        "--verify", action="store_true", help="hash what is there (of the named sets, or of all at hand) and name what is wrong"
    )
    parser.add_argument("--into", type=Path, metavar="FOLDER", help="data root to write to (default: data/ of the checkout)")
    parser.add_argument(
        "--wait", type=float, metavar="SECONDS", help="how long to wait for another process that fetches the same set (default: to its end)"
    )


def run(arguments: argparse.Namespace) -> int:
    """`python -m ivfnb fetch`: 0, or 1 where a set is not as it must be; each set's trouble is printed and the next one tried."""
    sets, names = load(), arguments.names
    if arguments.wait is not None and not arguments.wait >= 0:
        raise DatasetError(f"--wait: found {arguments.wait:g}, expected 0 or more seconds")
    if arguments.list:
        print(table())
    elif arguments.verify:
        return _each(names or [name for name, entry in sets.items() if listing.home(entry)[0] or listing.packed(entry)], _verified)
    elif arguments.all:
        names = [
            name for name, entry in sets.items() if not entry.by_hand and (entry.bytes or 0) <= LARGE and (entry.pins or entry.archives)
        ]
    elif not names:
        raise DatasetError("names: found none, expected sets to fetch, --all, --list or --verify")
    return _each(names, lambda name: _fetched(name, arguments))


def _each(names: list[str], work: Callable[[str], bool]) -> int:
    """Do the work for each set, whatever becomes of the others; 1 where one of them is not as it must be."""
    code = 0
    for name in names:
        try:
            code |= not work(name)
        except DatasetError as error:
            print(error, file=sys.stderr)
            code = 1
    return code


def _fetched(name: str, arguments: argparse.Namespace) -> bool:
    print(f"{name}: in {fetch(name, arguments.into, wait=arguments.wait, progress=True)}")
    entry = load()[name]
    if entry.kind == "weights":
        print(f"{name}: licence: {entry.licence}; cite {entry.citation}")
    return True


def _verified(name: str) -> bool:
    lines, entry = verify(name), load()[name]
    print("\n".join([*lines, f"{name}: {entry.count(len(listing.home(entry)[1]))}, {len(lines) or 'nothing'} wrong"]))
    return not lines

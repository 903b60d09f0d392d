"""Data sets fetched from their sources and checked against the manifest; nothing is left half-unpacked.

python -m ivfnb fetch tno21 authors-tno21      python -m ivfnb fetch --list      python -m ivfnb fetch --verify
"""

import argparse
import os
import shutil
import sys
import tempfile
import zlib
from itertools import groupby
from pathlib import Path

from ivfnb import archives, listing, paths
from ivfnb.download import UNPINNED_LIMIT, download
from ivfnb.manifest import DatasetError, Entry, Pin, fault, load

LARGE = 1_000_000_000  # bytes: `--all` leaves larger downloads to those who name them


def _entry(name: str, manifest: Path | None) -> Entry:
    sets = load(manifest)
    if name not in sets:
        raise DatasetError(f"name: found {name!r}, expected one of {', '.join(sets)}")
    return sets[name]


def fetch(name: str, into: str | Path | None = None, *, manifest: Path | None = None, timeout: float = 60, progress: bool = False) -> Path:
    """Have a set at hand and return the data root that holds it; nothing is downloaded where it is already complete and as pinned.

    What is lacking is written below `into` (default: data/ of the checkout). DatasetError names the file or URL, what was found and what
    was expected, or, for a set whose host wants a browser, what to download, where to put it and how to check it.
    """
    entry, into = _entry(name, manifest), Path(into) if into else paths.root() / "data"
    places = list(dict.fromkeys([into, *listing.roots()]))
    if whole := next((place for place in places if _is_whole(entry, place)), None):
        return whole
    for archive in entry.archives:
        at_hand = (place / archive.path for place in places)
        source = next((file for file in at_hand if fault(file, archive) is None), None)
        if source is None and archive.url:
            source = download(archive, into / archive.path, timeout, progress)
        if source is not None:
            _unpack(source, into / entry.unpack, archive.limit)
    pins = [] if entry.archives else [pin for pin in entry.pins if pin.url]
    if not any(all(fault(place / pin.path, pin) is None for pin in pins) for place in places):
        _fetch_pins(pins, into, timeout, progress)
    if entry.by_hand and not any(_is_whole(entry, place) for place in places):
        raise DatasetError(f"{name}: {entry.count(len(listing.home(entry)[1]))} at hand. {entry.by_hand}")
    return into


def _is_whole(entry: Entry, root: Path) -> bool:
    if entry.packages or entry.archives or entry.by_hand:
        return len(listing.items(entry, root)) >= (entry.expected or 1)
    return bool(entry.pins) and all(fault(root / pin.path, pin) is None for pin in entry.pins)


def _unpack(source: Path, into: Path, limit: int) -> None:
    try:
        archives.unpack(source, into, limit)
    except archives.ArchiveError as error:
        raise DatasetError(str(error)) from error


def _fetch_pins(pins: list[Pin], into: Path, timeout: float, progress: bool) -> None:
    from tqdm import tqdm

    bar = tqdm(pins, unit="file", disable=None if progress else True)
    for pin in bar:
        if pin.member is None:
            download(pin, into / pin.path, timeout)
    inside = [pin for pin in pins if pin.member is not None and fault(into / pin.path, pin)]
    for url, members in groupby(sorted(inside, key=lambda pin: pin.url), key=lambda pin: pin.url):
        into.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=".fetching-", dir=into))
        try:
            archive = download(Pin(url, None, None, url), beside / "archive", timeout, progress)
            _unpack(archive, beside / "members", UNPINNED_LIMIT)
            for pin in members:
                if wrong := fault(beside / "members" / pin.member, pin):
                    raise DatasetError(f"{url}: {pin.member} {wrong}")
                (into / pin.path).parent.mkdir(parents=True, exist_ok=True)
                os.replace(beside / "members" / pin.member, into / pin.path)
        finally:
            shutil.rmtree(beside, ignore_errors=True)


def verify(name: str, manifest: Path | None = None) -> list[str]:
    """Every missing, changed or surplus file of a set at hand, one line each; empty where all is as pinned.

    Unpacked files are compared with their archive's checksums where the archive is still there. In an open set (COCO, LLVIP), of which
    only some files are pinned, others are neither missing nor surplus.
    """
    entry, lines = _entry(name, manifest), []
    root, found = listing.home(entry)
    archive = listing.packed(entry)
    if archive and (wrong := fault(archive, entry.archives[0])):
        lines.append(f"{archive}: {wrong}")
    elif archive and root and entry.unpack != ".":
        lines += _against_archive(archive, root / entry.unpack)
    if root is None:
        return lines if archive else [*lines, f"{name}: absent"]
    pinned = {root / pin.path: pin for pin in entry.pins}
    faults = {file: fault(file, pin) for file, pin in pinned.items()}
    lines += [
        f"{file}: {wrong}" for file, wrong in faults.items() if wrong and not (wrong == "missing" and (entry.open or pinned[file].optional))
    ]
    if pinned and not entry.open:
        there = {file for folder in entry.folders.values() for file in (root / folder).glob("*") if file.is_file()}
        lines += [f"{file}: surplus" for file in sorted(there - set(pinned)) if not file.name.startswith(".")]
    if not pinned:
        lines += [f"{name}: missing {id}" for id in entry.ids or () if id not in found]
    return lines


def _against_archive(archive: Path, folder: Path) -> list[str]:
    lines, named = [], set()
    for member in archives.members(archive):
        file = folder / member.name
        named.add(file)
        if not file.is_file():
            lines.append(f"{file}: missing")
        elif file.stat().st_size != member.bytes or (member.crc is not None and _crc(file) != member.crc):
            lines.append(f"{file}: changed: it differs from the one in {archive}")
    tops = {file.relative_to(folder).parts[0] for file in named}
    there = {file for top in tops for file in (folder / top).rglob("*") if file.is_file()}
    return lines + [f"{file}: surplus" for file in sorted(there - named)]


def _crc(file: Path) -> int:
    value = 0
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            value = zlib.crc32(block, value)
    return value


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
            if sets[name].kind == "weights":
                print(f"{name}: licence: {sets[name].licence}; cite {sets[name].citation}")
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

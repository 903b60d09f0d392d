"""Data sets fetched from their sources and checked against the manifest; nothing is left half-unpacked.

python -m ivfnb fetch tno21 authors-tno21      python -m ivfnb fetch --list      python -m ivfnb fetch --verify
"""

import os
import shutil
import tempfile
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path

from ivfnb import paths
from ivfnb.datasets import archives, listing, locks
from ivfnb.datasets.download import UNPINNED_LIMIT, download, part
from ivfnb.datasets.manifest import DatasetError, Entry, Pin, fault, named, refused
from ivfnb.datasets.verify import against_archive

_BESIDE = ".fetching-"  # members of an archive are taken out in such a folder


def fetch(
    name: str,
    into: str | Path | None = None,
    *,
    manifest: Path | None = None,
    timeout: float = 60,
    wait: float | None = None,
    progress: bool = False,
) -> Path:
    """Have a set at hand; nothing is downloaded where it is already complete and as pinned.

    What lacks or is changed is brought anew; a file is replaced when its successor is whole, never before. Two processes that fetch one
    set take turns. What a killed fetch left is removed or put right, but for the parts of files, which are gone on with.

    Parameters
    ----------
    name : one of the manifest's sets.
    into : data root to write to, by default `paths.own_data()`.
    manifest : the manifest, by default data/manifest.yaml.
    timeout : seconds without a byte after which a line counts as broken; it is tried again.
    wait : seconds to wait at most for another process that fetches this set; None waits for as long as it takes.
    progress : whether to show bars, where the error stream is a terminal.

    Returns
    -------
    Path
        The data root that holds the set.

    Raises
    ------
    DatasetError
        One line that names the file or URL, what was found and what was expected; for a set whose host wants a browser, what to download,
        where to put it and how to check it.

    Examples
    --------
    >>> fetch("sample") == paths.root() / "data"
    True
    """
    entry, into = named(name, manifest), Path(into) if into else paths.own_data()
    places = list(dict.fromkeys([into, *listing.roots()]))
    try:
        whole = _whole(entry, places)
        if whole and not _leftovers(entry, into):
            return whole
        with ExitStack() as held:
            for top in sorted(_tops(entry)):
                held.enter_context(locks.held(into, top, wait))
            _sweep(entry, into)
            whole = _whole(entry, places)  # another process may have been faster
            if whole is None:
                _bring(entry, into, places, timeout, progress)
        if whole or not entry.by_hand or _whole(entry, places):
            return whole or into
    except archives.ArchiveError as error:
        raise DatasetError(str(error)) from error
    except OSError as error:
        raise refused(error, into, f"to fetch {name} to there") from error
    raise DatasetError(f"{name}: {entry.count(len(listing.home(entry)[1]))} at hand. {entry.by_hand}")


def _tops(entry: Entry) -> set[str]:
    """Folders of a data root below which a fetch of this set writes: each has a lock."""
    if entry.archives:
        return {Path(entry.unpack).parts[0]}
    return {Path(pin.path).parts[0] for pin in entry.pins if pin.url}


def _whole(entry: Entry, places: list[Path]) -> Path | None:
    return next((place for place in places if _is_whole(entry, place)), None)


def _is_whole(entry: Entry, root: Path) -> bool:
    if not (entry.packages or entry.archives or entry.by_hand):
        return bool(entry.pins) and all(fault(root / pin.path, pin) is None for pin in entry.pins)
    found = listing.survey(entry, root)
    if len(found.items) < (entry.expected or 1):
        return False
    archive = listing.packed(entry)
    if archive is None or entry.archives[0].limit > listing.UNPACKS_UNASKED or fault(archive, entry.archives[0]):
        return True
    return all(line.endswith(": surplus") for line in against_archive(archive, root / entry.unpack))


def _bring(entry: Entry, into: Path, places: list[Path], timeout: float, progress: bool) -> None:
    for archive in entry.archives:
        at_hand = (place / archive.path for place in places)
        source = next((file for file in at_hand if fault(file, archive) is None), None)
        if source is None and archive.url:
            source = download(archive, into / archive.path, timeout, progress)
        if source is not None:
            archives.unpack(source, into / entry.unpack, archive.limit)
    pins = [] if entry.archives else [pin for pin in entry.pins if pin.url]
    if not any(all(fault(place / pin.path, pin) is None for pin in pins) for place in places):
        _bring_pins(pins, into, timeout, progress)


def _bring_pins(pins: list[Pin], into: Path, timeout: float, progress: bool) -> None:
    from tqdm import tqdm

    for pin in tqdm(pins, unit="file", disable=None if progress else True):
        if pin.member is None:
            download(pin, into / pin.path, timeout)
    inside = [pin for pin in pins if pin.member is not None and fault(into / pin.path, pin)]
    for url, members in groupby(sorted(inside, key=lambda pin: str(pin.url)), key=lambda pin: pin.url):
        wanted = list(members)
        top = into / Path(wanted[0].path).parts[0]
        top.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=_BESIDE, dir=top))
        try:
            archive = download(Pin(str(url), None, None, url), beside / "archive", timeout, progress)
            archives.unpack(archive, beside / "members", UNPINNED_LIMIT)
            for pin in wanted:
                came = beside / "members" / str(pin.member)
                if wrong := fault(came, pin):
                    raise DatasetError(f"{url}: {pin.member} {wrong}")
                (into / pin.path).parent.mkdir(parents=True, exist_ok=True)
                os.replace(came, into / pin.path)
        finally:
            shutil.rmtree(beside, ignore_errors=True)


def _leftovers(entry: Entry, into: Path) -> list[Path]:
    """What killed processes left of this set in a data root: folders that are half-unpacked, and parts of files that are there."""
    found = [folder for top in _tops(entry) for folder in (into / top).glob(f"{_BESIDE}*")]
    if entry.archives:
        found += archives.leftovers(into / entry.unpack)
    pins = [*entry.archives, *(pin for pin in entry.pins if pin.url)]
    return found + [part(into / pin.path) for pin in pins if part(into / pin.path).exists()]


def _sweep(entry: Entry, into: Path) -> None:
    """Put right what killed processes left; only under the lock."""
    if entry.archives:
        archives.sweep(into / entry.unpack)
    for pin in [*entry.archives, *(pin for pin in entry.pins if pin.url)]:
        if part(into / pin.path).exists() and fault(into / pin.path, pin) is None:
            part(into / pin.path).unlink()
    for folder in _leftovers(entry, into):
        if folder.is_dir():
            shutil.rmtree(folder, ignore_errors=True)

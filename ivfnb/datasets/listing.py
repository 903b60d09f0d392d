"""Which files of a data set are at hand, and where; nothing is read but names of files."""

from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from ivfnb import paths
from ivfnb.datasets import archives, locks
from ivfnb.datasets.manifest import DatasetError, Entry, fault, natural_order, refused
from ivfnb.datasets.matching import SUFFIXES, Items, Matched, match, together

__all__ = ["SUFFIXES", "Copy", "Items", "at_hand", "home", "items", "match", "packed", "roots", "state", "survey", "told", "unpacked"]

UNPACKS_UNASKED = 100_000_000  # bytes: larger archives are unpacked by `fetch` only


class Copy(NamedTuple):
    """A copy of a set: the root that holds it (None where there is none), its files, and what is wrong with them."""

    root: Path | None
    items: Items
    lonely: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()

    @property
    def faults(self) -> tuple[str, ...]:
        """What was found, and what was expected instead, one text each."""
        return self.doubled + self.lonely


def roots() -> list[Path]:
    """Folders in which sets are looked for: IVFNB_DATA, what ships with the project, and what this installation fetched and unpacked."""
    own = paths.own_data()
    return list(dict.fromkeys([paths.data_root(), paths.root() / "data", own, own / ".unpacked"]))


def packed(entry: Entry) -> Path | None:
    """The set's archive where it lies in a data root (as `archives/NAME`); None where it does not."""
    places = [root / archive.path for root in roots() for archive in entry.archives]
    return next((place for place in places if place.is_file()), None)


def at_hand(entry: Entry) -> Copy:
    """The copy that holds most of a set, that of the first of `roots` on a tie."""
    best = Copy(None, {})
    for root in roots():
        found = survey(entry, root)
        if (len(found.items), bool(found.faults)) > (len(best.items), best.root is not None):
            best = Copy(root, *found[:3])
        if entry.expected is not None and len(found.items) >= entry.expected:
            break
    return best


def home(entry: Entry) -> tuple[Path | None, Items]:
    """The root that holds most of a set, and its files there; (None, {}) where the set is absent."""
    return at_hand(entry)[:2]


def state(entry: Entry, copy: Copy | None = None) -> tuple[str, int]:
    """Whether a set is "present", "partial", "packed" (its archive is at hand) or "absent", and how many of its items are there.

    A set with files that lack their partners is partial. `copy` is what `at_hand` gave, where that is known.

    Examples
    --------
    >>> from ivfnb.datasets.manifest import load
    >>> state(load()["sample"])
    ('present', 5)
    """
    copy = copy or at_hand(entry)
    found = len(copy.items)
    if not found and packed(entry) and entry.archives[0].limit <= UNPACKS_UNASKED:
        return "packed", entry.expected or 0
    if not found and not copy.faults:
        return "absent", 0
    return "partial" if copy.faults or found < (entry.expected or 0) else "present", found


def told(faults: tuple[str, ...]) -> str:
    """What is wrong with a copy in one line: the first fault, and how many more there are."""
    return f"found {faults[0]}" + (f" (and {len(faults) - 1} more)" if len(faults) > 1 else "")


def unpacked(entry: Entry) -> Copy:
    """Files of a set whose archive is at hand, which is unpacked into this installation's .unpacked/ (never into IVFNB_DATA).

    Raises
    ------
    DatasetError
        Where the archive is not as pinned, or cannot be unpacked.
    """
    archive = packed(entry)
    if archive is None or entry.archives[0].limit > UNPACKS_UNASKED:
        return Copy(None, {})
    cache = paths.own_data() / ".unpacked"
    into = cache / entry.unpack
    try:
        if wrong := fault(archive, entry.archives[0]):
            raise DatasetError(f"{archive}: {wrong}")
        with locks.held(cache, Path(entry.unpack).parts[0]):
            archives.sweep(into)
            there = survey(entry, cache)
            if len(there.items) < (entry.expected or 1):  # another process may have been faster
                archives.unpack(archive, into, entry.archives[0].limit)
                there = survey(entry, cache)
    except archives.ArchiveError as error:
        raise DatasetError(str(error)) from error
    except OSError as error:
        raise refused(error, into, f"to unpack {archive} there") from error
    return Copy(cache, *there[:3])


def items(entry: Entry, root: Path) -> Items:
    """Files of a set below one root by id and role, in order of their ids; empty where there are none."""
    return survey(entry, root).items


def survey(entry: Entry, root: Path) -> Matched:
    """Files of a set below one root, and those that are too much or too lonely to be part of it.

    Examples
    --------
    >>> from ivfnb.datasets.manifest import load
    >>> found = survey(load()["sample"], paths.root() / "data")
    >>> sorted(found.items["camera"]), found.faults
    (['infrared', 'truth', 'visible'], ())
    """
    if entry.packages:
        return Matched(_packaged(entry))
    if entry.sequences:
        return _sequences(entry, root)
    if entry.kind == "weights":
        files = (root / pin.path for pin in entry.pins)
        return Matched({file.name: {"weights": file} for file in files if file.is_file()})
    folders = {role: root / folder for role, folder in entry.folders.items()}
    if entry.kind != "photographs":
        return together(folders, entry.ids, entry.first)
    parts = [together({"photograph": folder}) for folder in folders.values()]
    found = {id: files for part in parts for id, files in part.items.items()}
    ordered = found if len(parts) < 2 else {id: found[id] for id in natural_order(found)}
    return Matched(ordered, (), tuple(text for part in parts for text in part.doubled))


def _packaged(entry: Entry) -> Items:
    found: Items = {}
    for folder, files in entry.packages.items():
        package, _, below = folder.partition("/")
        spec = find_spec(package)
        if spec and spec.submodule_search_locations:
            base = Path(spec.submodule_search_locations[0]) / below
            found |= {Path(file).stem: {"photograph": base / file} for file in files if (base / file).is_file()}
    return dict(sorted(found.items()))


def _sequences(entry: Entry, root: Path) -> Matched:
    """Frames of sequences in the layout of the VOT toolkit, SEQUENCE/{color,ir}/FRAME.*; ids are SEQUENCE/FRAME."""
    base = root / str(entry.sequences)
    base = base / "sequences" if (base / "sequences").is_dir() else base
    found: Items = {}
    lonely: list[str] = []
    doubled: list[str] = []
    for sequence in natural_order({folder.name for folder in base.iterdir() if folder.is_dir()} if base.is_dir() else set()):
        folders = {role: base / sequence / folder for role, folder in entry.folders.items()}
        if all(folder.is_dir() for folder in folders.values()):
            frames = together(folders)
            found |= {f"{sequence}/{frame}": files for frame, files in frames.items.items()}
            lonely += frames.lonely
            doubled += frames.doubled
    return Matched(found, tuple(lonely), tuple(doubled))

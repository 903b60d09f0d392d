"""Which files of a data set are at hand, brought together by id; nothing is read but names of files."""

import os
import re
from importlib.util import find_spec
from pathlib import Path

from ivfnb import archives, paths
from ivfnb.manifest import DatasetError, Entry, fault, natural_order

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"}
UNPACKS_UNASKED = 100_000_000  # bytes: larger archives are unpacked by `fetch` only
_WORDS = {"infrared": "infrared|ir|thermal|lwir", "visible": "visible|vis|vi|rgb|colou?r", "fused": "fused|fusion|enh_ssr"}
_LETTERS = {"infrared": "i", "visible": "v"}  # VOT-RGBT and RGBT234 name frames 00001i and 00001v

Items = dict[str, dict[str, Path]]  # id -> role -> file


def roots() -> list[Path]:
    """Folders in which sets are looked for: the data root (IVFNB_DATA), the checkout's data/, and what was unpacked from archives."""
    own = paths.root() / "data"
    return list(dict.fromkeys([paths.data_root(), own, own / ".unpacked"]))


def packed(entry: Entry) -> Path | None:
    """The set's archive where it lies in a data root (as `archives/NAME`); None where it does not."""
    places = [root / archive.path for root in roots() for archive in entry.archives]
    return next((place for place in places if place.is_file()), None)


def home(entry: Entry) -> tuple[Path | None, Items]:
    """The root that holds most of a set (the first of `roots` on a tie), and its files there; (None, {}) where the set is absent."""
    best: tuple[Path | None, Items] = (None, {})
    for root in roots():
        found = items(entry, root)
        if len(found) > len(best[1]):
            best = root, found
        if entry.expected is not None and len(found) >= entry.expected:
            break
    return best


def state(entry: Entry) -> tuple[str, int]:
    """Whether a set is "present", "partial", "packed" (its archive is at hand) or "absent", and how many of its items are there."""
    found = len(home(entry)[1])
    if not found and packed(entry) and entry.archives[0].limit <= UNPACKS_UNASKED:
        return "packed", entry.expected or 0
    return ("absent" if not found else "partial" if found < (entry.expected or 0) else "present"), found


def unpacked(entry: Entry) -> Items:
    """Files of a set whose archive is at hand, which is unpacked into the checkout's data/.unpacked/ (never into IVFNB_DATA)."""
    archive = packed(entry)
    if archive is None or entry.archives[0].limit > UNPACKS_UNASKED:
        return {}
    if wrong := fault(archive, entry.archives[0]):
        raise DatasetError(f"{archive}: {wrong}")
    cache = paths.root() / "data" / ".unpacked"
    try:
        archives.unpack(archive, cache / entry.unpack, entry.archives[0].limit, replace=False)
    except archives.ArchiveError as error:
        raise DatasetError(str(error)) from error
    return items(entry, cache)


def items(entry: Entry, root: Path) -> Items:
    """Files of a set below one root, in order of their ids; empty where there are none. DatasetError as in `match`."""
    if entry.packages:
        return _packaged(entry)
    if entry.sequences:
        return _sequences(entry, root)
    if entry.kind == "weights":
        files = (root / pin.path for pin in entry.pins)
        return {file.name: {"weights": file} for file in files if file.is_file()}
    folders = {role: root / folder for role, folder in entry.folders.items() if (root / folder).is_dir()}
    if entry.kind == "photographs":
        found = [match(entry.name, {"photograph": folder}) for folder in folders.values()]
        together = {id: files for part in found for id, files in part.items()}
        return together if len(found) < 2 else {id: together[id] for id in natural_order(together)}
    absent = {"infrared", "visible"} & set(entry.folders) - set(folders)
    if absent and folders:
        raise DatasetError(
            f"{entry.name}: found no folder {root / entry.folders[absent.pop()]}, expected it beside {next(iter(folders.values()))}"
        )
    return dict(list(match(entry.name, folders, entry.ids).items())[: entry.first])


def _packaged(entry: Entry) -> Items:
    found = {}
    for folder, files in entry.packages.items():
        package, _, below = folder.partition("/")
        spec = find_spec(package)
        if spec and spec.submodule_search_locations:
            base = Path(spec.submodule_search_locations[0]) / below
            found |= {Path(file).stem: {"photograph": base / file} for file in files if (base / file).is_file()}
    return dict(sorted(found.items()))


def _sequences(entry: Entry, root: Path) -> Items:
    """Frames of sequences in the layout of the VOT toolkit, SEQUENCE/{color,ir}/FRAME.*; ids are SEQUENCE/FRAME."""
    base = root / entry.sequences
    base = base / "sequences" if (base / "sequences").is_dir() else base
    found: Items = {}
    for sequence in natural_order({folder.name for folder in base.iterdir() if folder.is_dir()} if base.is_dir() else set()):
        folders = {role: base / sequence / folder for role, folder in entry.folders.items()}
        if all(folder.is_dir() for folder in folders.values()):
            found |= {f"{sequence}/{frame}": files for frame, files in match(entry.name, folders).items()}
    return found


def match(name: str, folders: dict[str, Path], ids: tuple[str, ...] | None = None) -> Items:
    """Image files of one folder per role brought together by id, in order of the ids.

    The id is the file's name without suffix: as it stands where both folders of a pair have it, else without the usual marks of its role
    (IR1 and VIS1, 00164i and 00164v, x_ir and x_vis). Numbers are compared as numbers, and spelled as in `ids` where they stand there. Two
    files of one id, or an infrared image without a visible one (or the reverse), raise DatasetError. One folder may serve two roles: then
    only files that bear a role's mark count.
    """
    files = {role: _image_files(folder) for role, folder in folders.items()}
    needed = {"infrared", "visible"} & set(folders)
    shared = len(needed) == 2 and folders["infrared"] == folders["visible"]
    equal = set.intersection(*({file.stem for file in files[role]} for role in needed)) if len(needed) == 2 and not shared else set()
    spelled = {_key(id): id for id in ids or ()}
    found: Items = {}
    for role, file in [(role, file) for role, listed in files.items() for file in listed]:
        id = file.stem if file.stem in equal else _unmarked(file.stem, role)
        if shared and id == file.stem:
            continue
        other = found.setdefault(spelled.setdefault(_key(id), id), {}).setdefault(role, file)
        if other is not file:
            raise DatasetError(f"{name}: found {other} and {file} for {role} {id!r}, expected one file")
    for id, roles in found.items():
        for role in needed - set(roles):
            if there := needed & set(roles):
                raise DatasetError(f"{name}: found {roles[there.pop()]} without a partner, expected {folders[role] / id}.* ({role})")
    return {id: found[id] for id in natural_order(found) if needed <= set(found[id])}


def _image_files(folder: Path) -> list[Path]:
    names = sorted(name for name in os.listdir(folder) if os.path.splitext(name)[1].lower() in SUFFIXES and not name.startswith("."))
    return [folder / name for name in names]


def _key(id: str) -> str:
    return str(int(id)) if id.isdecimal() else id


def _unmarked(stem: str, role: str) -> str:
    """A file's name without the marks of its role."""
    if role not in _WORDS:
        return stem
    letter = rf"|(?<=\d){_LETTERS[role]}$" if role in _LETTERS else ""
    mark = rf"^(?:org_|enh_)?(?:{_WORDS[role]})(?:[_-]+|(?=\d))|[_-](?:{_WORDS[role]})${letter}"
    return re.sub(mark, "", stem, count=1, flags=re.IGNORECASE) or stem

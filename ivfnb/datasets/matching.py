"""Image files of two or three folders brought together by id: which infrared image belongs to which visible one."""

import os
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ivfnb.datasets.manifest import DatasetError, natural_order

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"}
_WORDS = {"infrared": "infrared|ir|thermal|lwir", "visible": "visible|vis|vi|rgb|colou?r", "fused": "fused|fusion|enh_ssr"}
_LETTERS = {"infrared": "i", "visible": "v"}  # VOT-RGBT and RGBT234 name frames 00001i and 00001v

Items = dict[str, dict[str, Path]]  # id -> role -> file


class Matched(NamedTuple):
    """Files by id and role, in order of the ids, and what is wrong: files without a partner, and ids of two files."""

    items: Items
    lonely: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()

    @property
    def faults(self) -> tuple[str, ...]:
        """What was found, and what was expected instead, one text each."""
        return self.doubled + self.lonely


def match(name: str, folders: dict[str, Path], ids: Iterable[str] | None = None) -> Items:
    """Image files of one folder per role brought together by id, in order of the ids.

    The id is the file's name without suffix: as it stands where both folders of a pair have it, else without the usual marks of its role
    (IR1 and VIS1, 00164i and 00164v, x_ir and x_vis). Numbers are compared as numbers, and spelled as in `ids` where they stand there. One
    folder may serve two roles: then only files that bear a role's mark count.

    Parameters
    ----------
    name : what the files are called in messages.
    folders : role (infrared, visible, truth, fused, photograph) -> folder. Hidden files and files that are no images are passed over.
    ids : ids as they are spelled, where they are known.

    Returns
    -------
    dict
        id -> role -> file.

    Raises
    ------
    DatasetError
        For two files of one id, or an infrared image without a visible one (or the reverse).

    Examples
    --------
    >>> from ivfnb import paths
    >>> sample = paths.root() / "data" / "sample"
    >>> items = match("sample", {"infrared": sample / "infrared", "visible": sample / "visible"})
    >>> list(items)
    ['astronaut', 'camera', 'chelsea', 'coffee', 'sentinel2']
    >>> items["camera"]["infrared"].name
    'camera.png'
    """
    matched = together(folders, ids)
    if matched.faults:
        raise DatasetError(f"{name}: found {matched.faults[0]}")
    return matched.items


def together(folders: dict[str, Path], ids: Iterable[str] | None = None, first: int | None = None) -> Matched:
    """As `match`, but what is wrong is told beside the items rather than raised; of the ids found, in order, the `first` ones only.

    A file without a partner counts among the `first`, though it is no item: the next id does not slip into its place.
    """
    files = {role: _image_files(folder) for role, folder in folders.items()}
    needed = {"infrared", "visible"} & set(folders)
    shared = len(needed) == 2 and folders["infrared"] == folders["visible"]
    equal = set.intersection(*({file.stem for file in files[role]} for role in needed)) if len(needed) == 2 and not shared else set()
    spelled = {_key(id): id for id in ids or ()}
    found: Items = {}
    lonely, doubled = [], []
    for role, file in [(role, file) for role, listed in files.items() for file in listed]:
        id = file.stem if file.stem in equal else _unmarked(file.stem, role)
        if shared and id == file.stem:
            continue
        other = found.setdefault(spelled.setdefault(_key(id), id), {}).setdefault(role, file)
        if other is not file:
            doubled.append(f"{other} and {file} for {role} {id!r}, expected one file")
    order = natural_order(id for id, roles in found.items() if needed & set(roles) or not needed)[:first]
    for id in order:
        for role in sorted(needed - set(found[id])):
            there = found[id][(needed & set(found[id])).pop()]
            lonely.append(f"{there} without a partner, expected {folders[role] / id}.* ({role})")
    return Matched({id: found[id] for id in order if needed <= set(found[id])}, tuple(lonely), tuple(doubled))


def among(names: Iterable[str]) -> tuple[dict[str, dict[str, str]], tuple[str, ...]]:
    """Pairs in a list of paths, such as that of an archive.

    A file's role is that of the folder it lies in (infrared/06.png and visible/06.png, a/ir/1.png and a/vis/1.png), else the mark in its own
    name (06_ir.png and 06_vis.png).

    Parameters
    ----------
    names : paths with strokes between their parts; hidden files and files that are no images are passed over.

    Returns
    -------
    pairs : dict
        id -> role -> path, in natural order of the ids.
    faults : tuple of str
        What was found and left out: images of no role, without a partner, or of an id and role that is there already.

    Examples
    --------
    >>> among(["set/ir/2.png", "set/vis/2.jpg", "10_ir.png", "10_vis.png", "readme.txt"])
    ({'10': {'infrared': '10_ir.png', 'visible': '10_vis.png'}, 'set/2': {'infrared': 'set/ir/2.png', 'visible': 'set/vis/2.jpg'}}, ())
    >>> among(["ir/1.png"])[1]
    ('ir/1.png without a partner',)
    """
    found: dict[str, dict[str, str]] = {}
    faults = []
    for name in names:
        path = PurePosixPath(name)
        if path.suffix.lower() not in SUFFIXES or any(part.startswith((".", "__MACOSX")) for part in path.parts):
            continue
        role, id = _role_and_id(path)
        if not role:
            faults.append(f"{name} of no role")
        elif found.setdefault(id, {}).setdefault(role, name) != name:
            faults.append(f"{name} beside {found[id][role]}")
    faults += [f"{next(iter(roles.values()))} without a partner" for roles in found.values() if len(roles) < 2]
    return {id: found[id] for id in natural_order(id for id, roles in found.items() if len(roles) == 2)}, tuple(faults)


def _role_and_id(path: PurePosixPath) -> tuple[str, str]:
    """Role of an image by its folder or its own name, "" where neither says it, and its id."""
    folder, roles = path.parent, ("infrared", "visible")
    for role in roles:
        if re.fullmatch(_WORDS[role], folder.name, re.IGNORECASE):
            return role, str(folder.parent / _unmarked(path.stem, role))
    for role in roles:
        if (id := _unmarked(path.stem, role)) != path.stem:
            return role, str(folder / id)
    return "", path.stem


def _image_files(folder: Path) -> list[Path]:
    names = os.listdir(folder) if folder.is_dir() else []
    return [folder / name for name in sorted(names) if os.path.splitext(name)[1].lower() in SUFFIXES and not name.startswith(".")]


def _key(id: str) -> str:
    return str(int(id)) if id.isdecimal() else id


def _unmarked(stem: str, role: str) -> str:
    """A file's name without the marks of its role."""
    if role not in _WORDS:
        return stem
    letter = rf"|(?<=\d){_LETTERS[role]}$" if role in _LETTERS else ""
    mark = rf"^(?:org_|enh_)?(?:{_WORDS[role]})(?:[_-]+|(?=\d))|[_-](?:{_WORDS[role]})${letter}"
    return re.sub(mark, "", stem, count=1, flags=re.IGNORECASE) or stem

"""Pairs among the paths of an archive, where folders or names say which image is which."""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from ivfnb.datasets import naming
from ivfnb.datasets.manifest import natural_order
from ivfnb.datasets.matching import SUFFIXES


def among(names: Iterable[str]) -> tuple[dict[str, dict[str, str]], tuple[str, ...]]:
    """Pairs in a list of paths, such as that of an archive.

    A file has the role of its folder (infrared/06.png and visible/06.png, a/ir/1.png and a/vis/1.png), else of the mark in its own
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
        if re.fullmatch(naming.WORDS[role], folder.name, re.IGNORECASE):
            return role, str(folder.parent / naming.unmarked(path.stem, role))
    for role in roles:
        if (id := naming.unmarked(path.stem, role)) != path.stem:
            return role, str(folder / id)
    return "", path.stem

"""Image files of two or three folders brought together by id: which infrared image belongs to which visible one."""

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ivfnb.datasets import naming
from ivfnb.datasets.manifest import DatasetError, natural_order

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".jp2", ".gif", ".pgm", ".ppm", ".pnm"}

Items = dict[str, dict[str, Path]]  # id -> role -> file


class Matched(NamedTuple):
    """Files by id and role, in order of the ids, and what is wrong: files without a partner, and ids of two files.

    Attributes
    ----------
    items : dict
        id -> role -> file. Of an id that two files claim, the first one.
    lonely, doubled : tuple of str
        What was found, and what was expected instead, one text each.
    wrong : dict
        The same texts by id.
    unused : tuple of Path
        Files of the folders that are neither in `items` nor in `wrong`: no images by their suffix, or of no role by their name.
    """

    items: Items
    lonely: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()
    wrong: Mapping[str, str] = {}
    unused: tuple[Path, ...] = ()

    @property
    def faults(self) -> tuple[str, ...]:
        """What was found, and what was expected instead, one text each."""
        return self.doubled + self.lonely


def match(name: str, folders: dict[str, Path], ids: Iterable[str] | None = None, patterns: Mapping[str, str] | None = None) -> Items:
    """Image files of one folder per role brought together by id, in order of the ids.

    The id is the file's name without suffix: as it stands where both folders of a pair have it, else without the usual marks of its role
    (IR1 and VIS1, 00164i and 00164v, x_ir and x_vis, x_T and x_W). Numbers are compared as numbers, and spelled as in `ids` where they
    stand there; letters in Unicode's composed form. One folder may serve two roles, however its path is written: then only files that bear
    a role's mark count.

    Parameters
    ----------
    name : what the files are called in messages.
    folders : role (infrared, visible, truth, fused, photograph) -> folder. Hidden files and files that are no images are passed over.
    ids : ids as they are spelled, where they are known.
    patterns : role -> how its files are named, such as "{id}_T.jpg", in place of the usual marks (`naming.Pattern`).

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
    matched = together(folders, ids, patterns=patterns)
    if matched.faults:
        raise DatasetError(f"{name}: found {matched.faults[0]}")
    return matched.items


def together(
    folders: dict[str, Path],
    ids: Iterable[str] | None = None,
    first: int | None = None,
    patterns: Mapping[str, str] | None = None,
    suffixes: Collection[str] = SUFFIXES,
) -> Matched:
    """As `match`, but what is wrong is told beside the items rather than raised; of the ids found, in order, the `first` ones only.

    A file without a partner counts among the `first`, though it is no item: the next id does not slip into its place. `suffixes` says which
    files are images, in lower case.
    """
    listed = {role: _files(folder) for role, folder in folders.items()}
    files = {role: [file for file in found if file.suffix.lower() in suffixes] for role, found in listed.items()}
    needed = {"infrared", "visible"} & set(folders)
    spelled = {naming.key(id): id for id in ids or ()}
    found: Items = {}
    doubled: dict[str, list[str]] = {}
    real = {role: os.path.realpath(folder) for role, folder in folders.items()}
    seen: set[tuple[str, str]] = set()
    for role, file, id in _named(folders, files, needed, patterns or {}):
        id = spelled.setdefault(naming.key(id), naming.normal(id))
        other = found.setdefault(id, {}).setdefault(role, file)
        seen.add((real[role], file.name))
        if other is not file:
            doubled.setdefault(id, []).append(f"{other} and {file} for {role} {id!r}, expected one file")
    order = natural_order(id for id, roles in found.items() if needed & set(roles) or not needed)[:first]
    lonely = {id: text for id in order if (text := _lonely(found[id], needed, folders, id))}
    wrong = {id: "; ".join([*doubled.get(id, ()), *([lonely[id]] if id in lonely else [])]) for id in {**doubled, **lonely}}
    return Matched(
        items={id: found[id] for id in order if needed <= set(found[id])},
        lonely=tuple(lonely.values()),
        doubled=tuple(text for texts in doubled.values() for text in texts),
        wrong=wrong,
        unused=tuple(
            place for key, place in {(real[role], file.name): file for role in listed for file in listed[role]}.items() if key not in seen
        ),
    )


def _named(
    folders: dict[str, Path], files: dict[str, list[Path]], needed: set[str], patterns: Mapping[str, str]
) -> Iterable[tuple[str, Path, str]]:
    """Role, file and id of every file whose name gives it one."""
    rules = {role: naming.Pattern(text, role) for role, text in patterns.items() if role in folders}
    shared = {role for role in folders for other in folders if other != role and _same(folders[role], folders[other])}
    stems = {role: {naming.normal(file.stem) for file in files[role]} for role in needed - set(rules)}
    equal = set.intersection(*stems.values()) if len(stems) == 2 and not shared & needed else set()
    for role, listed in files.items():
        for file in listed:
            if role in rules:
                id = rules[role].id(file.name)
                rivals = (rule for other, rule in rules.items() if other != role and _same(folders[role], folders[other]))
                if id is None or any(rule.id(file.name) and rule.literal > rules[role].literal for rule in rivals):
                    continue
            else:
                stem = naming.normal(file.stem)
                id = stem if stem in equal else naming.unmarked(stem, role)
                if role in shared and id == stem:
                    continue
            yield role, file, id


def _same(folder: Path, other: Path) -> bool:
    """Whether two paths lead to one folder: relative, absolute, through a link, in another case where that is the same."""
    try:
        return folder == other or os.path.samefile(folder, other)
    except OSError:
        return False


def _lonely(roles: dict[str, Path], needed: set[str], folders: dict[str, Path], id: str) -> str:
    """What is wrong with an id whose partner is absent; "" where nothing is."""
    missing = sorted(needed - set(roles))
    if not missing:
        return ""
    there = roles[(needed & set(roles)).pop()]
    return f"{there} without a partner, expected {folders[missing[0]] / id}.* ({missing[0]})"


def nothing(sources: Mapping[str, Path], there: Sequence[Path]) -> str:
    """What is to be said of folders without a pair, with patterns that would fit two of their files."""
    folders = " and ".join(dict.fromkeys(str(path) for path in sources.values()))
    names = [path.name for path in there if path.suffix.lower() in SUFFIXES]
    if len(names) < 2:
        return f"found no images in {folders}, expected files {', '.join(sorted(SUFFIXES))}"
    infrared, visible = naming.suggested(*names[:2])
    how = f"--pattern-infrared '{infrared}' --pattern-visible '{visible}'"
    return f"found no pair in {folders} by the names of {len(names)} images, expected usual marks or patterns, as in {how}"


def attached(folder: Path, items: Items, pattern: str | None = None, role: str = "fused", suffixes: Collection[str] = SUFFIXES) -> Matched:
    """Fused images of a folder brought to the pairs they were made of.

    Parameters
    ----------
    folder : Path
        One of the sources' folders may be it: then only files that bear the role's mark, or fit the pattern, count.
    items : dict
        Pairs as `match` gives them.
    pattern : str, optional
        How the files are named, such as "{id}_U2Fusion.png". Without it an id may stand alone, with the role's mark, or with one text that
        is common to the files (the name of a method, in front or behind).
    role : str
        What the files are.
    suffixes : collection of str
        Which files are images, in lower case.

    Returns
    -------
    Matched
        `items` with the fused images added, of the pairs that have one; `wrong` names images of no pair, and ids of two files.

    Examples
    --------
    >>> from ivfnb import paths
    >>> sample = paths.root() / "data" / "sample"
    >>> items = match("sample", {"infrared": sample / "infrared", "visible": sample / "visible"})
    >>> list(attached(sample / "truth", items).items)
    ['astronaut', 'camera', 'chelsea', 'coffee']
    """
    sources = {roles[each] for roles in items.values() for each in ("infrared", "visible") if each in roles}
    listed = [file for file in _files(folder) if file not in sources]
    ids = {naming.key(id): id for id in items}
    rule = naming.Pattern(pattern, role) if pattern else None
    shared = any(_same(folder, home) for home in {file.parent for file in sources})
    named: dict[Path, str] = {}
    for file in (file for file in listed if file.suffix.lower() in suffixes):
        stem = naming.normal(file.stem)
        plain = naming.unmarked(stem, role)
        id = rule.id(file.name) if rule else stem if naming.key(stem) in ids and not shared else plain
        if id is not None and not (shared and rule is None and id == stem):
            named[file] = id
    strays = {} if rule else naming.of_method([file.stem for file, id in named.items() if naming.key(id) not in ids], ids)
    found: Items = {}
    wrong: dict[str, str] = {}
    doubled = []
    for file, id in named.items():
        id = ids.get(naming.key(id)) or strays.get(file.stem, "")
        if not id:
            wrong[naming.normal(file.stem)] = f"{file} without sources, expected a name such as {next(iter(items), 'ID')}.png"
        elif (other := found.setdefault(id, {**items[id], role: file})[role]) is not file:
            doubled.append(f"{other} and {file} for {role} {id!r}, expected one file")
            wrong[id] = doubled[-1]
    return Matched(
        {id: found[id] for id in items if id in found}, (), tuple(doubled), wrong, tuple(file for file in listed if file not in named)
    )


def _files(folder: Path) -> list[Path]:
    """Files of a folder that are not hidden, in order of their names."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if not entry.name.startswith(".") and not entry.is_dir()]
    return [folder / name for name in sorted(names)]

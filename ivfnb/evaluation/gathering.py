"""Fused images of one's own, files or folders of one or several methods, brought to the sources they were made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ivfnb.datasets import Dataset, dataset, matching

SOURCES = ("infrared", "visible")


@dataclass(frozen=True)
class Entry:
    """A fused image to score: its method, its id and its files by role."""

    method: str
    id: str
    files: Mapping[str, Path]


@dataclass(frozen=True)
class Gathered:
    """What is to be scored of some methods, and what is to be said: reasons by method and id, unused files, pairs without an image."""

    entries: tuple[Entry, ...]
    name: str = "folder"
    pairs: int = 0
    wrong: Mapping[tuple[str, str], str] = field(default_factory=dict)
    unused: tuple[Path, ...] = ()
    lacking: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def gather(
    fused: Mapping[str, Path],
    sources: Mapping[str, Path] | None = None,
    data: Dataset | str | None = None,
    patterns: Mapping[str, str] | None = None,
) -> Gathered:
    """Files of fused images brought to their sources, by the rule by which sources are paired.

    Parameters
    ----------
    fused : mapping of str to Path
        Name of a method -> its fused image, or the folder of them.
    sources : mapping of str to Path, optional
        "infrared" and "visible": two files, two folders, or one folder that holds both. Without them only metrics that need no source can
        be had.
    data : Dataset or str, optional
        A known set of pairs, in place of `sources`.
    patterns : mapping of str to str, optional
        Role (fused, infrared, visible) -> how its files are named, see `datasets.matching.match`.

    Returns
    -------
    Gathered

    Raises
    ------
    ValueError
        Where files and folders are mixed, or a folder has no image to score.

    Examples
    --------
    >>> from ivfnb import paths
    >>> found = gather({"truth": paths.root() / "data" / "sample" / "truth"}, data="sample")
    >>> len(found.entries), found.lacking
    (4, {'truth': ('sentinel2',)})
    """
    given = {**{f"fused {name}": path for name, path in fused.items()}, **(sources or {})}
    if len({path.is_dir() for path in given.values()}) > 1:
        kinds = ", ".join(f"{role} {path} (a {'folder' if path.is_dir() else 'file'})" for role, path in given.items())
        raise ValueError(f"found {kinds}; expected all folders or all files")
    if not next(iter(fused.values())).is_dir():
        if data is not None:
            raise ValueError(f"found {next(iter(fused.values()))}, expected a folder of fused images of the set's pairs")
        return Gathered(tuple(Entry(name, path.stem, {"fused": path, **(sources or {})}) for name, path in fused.items()), pairs=1)
    patterns = dict(patterns or {})
    name, matched = "folder", matching.Matched({})
    if data is not None:
        known = dataset(data) if isinstance(data, str) else data
        name, matched = known.name, matching.Matched(known.items)
    elif sources:
        matched = matching.together(dict(sources), patterns={role: patterns[role] for role in SOURCES if role in patterns})
        if not matched.items and not matched.wrong:
            raise ValueError(matching.nothing(sources, matched.unused))
    entries: list[Entry] = []
    wrong = {("", id): text for id, text in matched.wrong.items()}
    unused, lacking = dict.fromkeys(matched.unused), {}
    for method, folder in fused.items():
        alone = data is None and not sources
        theirs = (
            matching.together({"fused": folder}, patterns=patterns)
            if alone
            else matching.attached(folder, matched.items, patterns.get("fused"))
        )
        taken = {file for entry in entries for file in entry.files.values()} | {
            file for roles in theirs.items.values() for file in roles.values()
        }
        unused = {file: None for file in [*unused, *theirs.unused] if file not in taken}
        entries += [Entry(method, id, roles) for id, roles in theirs.items.items() if id not in theirs.wrong and id not in matched.wrong]
        wrong |= {(method, id): text for id, text in theirs.wrong.items()}
        if absent := tuple(id for id in matched.items if id not in theirs.items):
            lacking[method] = absent
        if not theirs.items and not theirs.wrong:
            raise ValueError(f"fused: found no image in {folder}, expected files {', '.join(sorted(matching.SUFFIXES))}")
    return Gathered(tuple(entries), name, len(matched.items), wrong, tuple(unused), lacking)

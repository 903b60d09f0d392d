"""What the results of a notebook depend on: its parameters, its text, the code it imports, the files it may read, and versions."""

import hashlib
import json
import time
from collections.abc import Iterable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import nbformat

from ivfnb import cache, files, paths, provenance
from ivfnb.datasets import listing
from ivfnb.datasets.manifest import DatasetError, load

GROUPS = ("ivfnb.metrics", "ivfnb.methods")  # entry points by which other packages add code
SETTLED = 2.0  # seconds after which a file's times tell whether it changed
Key = dict[str, Any]


def _hash(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:16]


class Digests:
    """Hashes of files, remembered by their sizes and times, so that a large data set is read once.

    They lie in `digests.json` of the cache.
    """

    def __init__(self) -> None:
        self.place = paths.cache_root() / "digests.json"
        self.known: dict[str, list] = cache.recall(self.place, lambda place: dict(json.loads(place.read_bytes()))) or {}
        self.new = False

    def of(self, file: Path) -> str:
        """Hexadecimal sha256 of a file; a word where it cannot be read."""
        try:
            found = file.stat()
            mark = [found.st_size, found.st_mtime_ns, found.st_ctime_ns]
            known = self.known.get(str(file))
            if isinstance(known, list) and known[:3] == mark and isinstance(known[-1], str):
                return known[-1]
            digest = files.digest(file)
        except OSError:
            return "unreadable"
        if time.time() - max(found.st_mtime, found.st_ctime) > SETTLED:
            self.known[str(file)], self.new = [*mark, digest], True
        return digest

    def keep(self) -> None:
        """Remember them for the next run."""
        if self.new:
            with cache.remembering():
                files.write_json(self.place, self.known)


def _below(folder: Path) -> list[tuple[str, Path]]:
    found = sorted(file for file in folder.rglob("*") if file.is_file() and not file.name.startswith("."))
    return [(file.relative_to(folder).as_posix(), file) for file in found]


def _of_sets() -> dict[str, list[tuple[str, Path]]]:
    """Files of every set at hand by the set's name; an archive stands for what is unpacked from it unasked."""
    found: dict[str, list[tuple[str, Path]]] = {}
    try:
        entries = load()
    except DatasetError:  # notebooks that read sets say so
        return found
    for name, entry in entries.items():
        copy, archive = listing.at_hand(entry), listing.packed(entry)
        if archive and copy.root in (None, paths.own_data() / ".unpacked"):
            found[name] = [(archive.name, archive)]
        elif copy.items:
            found[name] = [(f"{id}/{role}", file) for id, roles in copy.items.items() for role, file in roles.items() if file]
    return found


def inputs() -> dict[str, str]:
    """Hashes of the files that notebooks may read, by what they are.

    Returns
    -------
    dict
        By "manifest", "weights", "published numbers", "external images" and the names of the data sets at hand.
    """
    data = paths.root() / "data"
    groups: dict[str, Iterable[tuple[str, Path]]] = {
        "manifest": [("manifest.yaml", data / "manifest.yaml")],
        "weights": _below(data / "weights"),
        "published numbers": _below(data / "paper"),
        "external images": _below(paths.results_root() / "external"),
        **_of_sets(),
    }
    digests = Digests()
    found = {group: _hash([(name, digests.of(file)) for name, file in some]) for group, some in groups.items()}
    digests.keep()
    return found


def _code_hash(code: str) -> str:
    """Hash of the modules that code imports and of those that installed packages add; of the whole package where it imports it whole."""
    try:
        names = cache.imported(code)
        whole = any(line.split("#")[0].split() == ["import", "ivfnb"] for line in code.splitlines())
    except SyntaxError:
        names, whole = frozenset(), True
    if whole:
        below = (file.relative_to(paths.PACKAGE.parent).with_suffix("") for file in paths.PACKAGE.rglob("*.py"))
        names |= {".".join(place.parts).removesuffix(".__init__") for place in below}
    added = {entry.module for group in GROUPS for entry in entry_points(group=group)}
    ours = {name for name in names if name.partition(".")[0] == "ivfnb"}
    return cache.code_hash(*sorted(name for name in ours | added if cache.has_source(name)))


def key(notebook: Path, parameters: dict[str, Any], seen: dict[str, str]) -> Key:
    """What the results of a notebook depend on.

    Parameters
    ----------
    notebook : Path
    parameters : dict
        Those it receives.
    seen : dict
        As `inputs` gives it.

    Returns
    -------
    dict
        Of what JSON can hold: parameters, notebook (hash of its text), code (hash of what it imports), inputs, versions.
    """
    cells = nbformat.read(notebook, as_version=4).cells
    lines = [line for cell in cells if cell.cell_type == "code" for line in cell.source.splitlines()]
    stamp = provenance.stamp()
    return {
        "parameters": parameters,
        "notebook": _hash([(cell.cell_type, cell.source) for cell in cells]),
        "code": _code_hash("\n".join(line for line in lines if not line.lstrip().startswith(("%", "!")))),
        "inputs": seen,
        "versions": {**stamp["versions"], "python": stamp["python"]},
    }


def changes(before: Key, after: Key) -> list[str]:
    """What differs between two keys, in words.

    Parameters
    ----------
    before, after : dict
        As `key` gives them.

    Returns
    -------
    list of str

    Examples
    --------
    >>> changes({"parameters": {"n": 1}, "code": "a"}, {"parameters": {"n": 2}, "code": "b"})
    ['parameters (n)', 'code']
    """
    told = []
    for part, now in after.items():
        was = before.get(part)
        if was != now:
            parts = [*dict.fromkeys([*was, *now])] if isinstance(was, dict) and isinstance(now, dict) else []
            names = [name for name in parts if was.get(name) != now.get(name)] if isinstance(was, dict) else []
            told.append(f"{part} ({', '.join(names[:4])}{', ...' if len(names) > 4 else ''})" if names else part)
    return told

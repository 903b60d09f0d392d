"""What the data sets are: data/manifest.yaml as objects (its keys are explained at its head)."""

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from ivfnb import files, paths
from ivfnb.datasets.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ivfnb.datasets import form


def refused(error: OSError, place: Path, expected: str) -> DatasetError:
    """What the disk refused, in the words of a DatasetError: which file or folder (`place` where the error names none), why, what for."""
    return DatasetError(f"{error.filename2 or error.filename or place}: found {error.strerror or error}, expected {expected}")


class DatasetWarning(UserWarning):
    """A data set that can be used although something is wrong with it; the message names what."""


@dataclass(frozen=True)
class Pin:
    """One file to download: `path` below a data root, size, digest ("sha256:...", "md5:..." or "git:...", a git blob's sha1), URL.

    `member` is the file's name inside the archive at `url`, where it must be taken out of one; `limit` is what an archive may unpack to;
    `optional` marks weights that a method does without.
    """

    path: str
    bytes: int | None
    digest: str | None
    url: str | None
    member: str | None = None
    limit: int = 0
    optional: bool = False


@dataclass(frozen=True)
class Entry:
    """One set: what it is, role -> folder, its ids in order (None where they are not published) and what to download."""

    name: str
    kind: str
    title: str
    licence: str = ""
    citation: str = ""
    homepage: str = ""
    note: str = ""
    folders: dict[str, str] = field(default_factory=dict)
    ids: tuple[str, ...] | None = None
    expected: int | None = None
    first: int | None = None
    sequences: str | None = None
    open: bool = False
    packages: dict[str, list[str]] = field(default_factory=dict)
    pins: tuple[Pin, ...] = ()
    archives: tuple[Pin, ...] = ()
    unpack: str = ""
    by_hand: str = ""

    @property
    def bytes(self) -> int | None:
        """Size of what `fetch` downloads: 0 where it is nothing, None where the size is not known."""
        sizes = [pin.bytes for pin in self.archives or self.pins if pin.url]
        known = [size for size in sizes if size is not None]
        return sum(known) if len(known) == len(sizes) else None

    def count(self, found: int) -> str:
        """How much is at hand, such as "13 of 100 pairs"."""
        whole = f" of {self.expected}" if self.expected is not None and found < self.expected else ""
        unit = {"fused": "fused images", "weights": "files"}.get(self.kind, self.kind)
        return f"{found}{whole} {unit if whole or found != 1 else unit[:-1]}"


def load(path: Path | None = None) -> dict[str, Entry]:
    """Sets of a manifest by name, in its order.

    Parameters
    ----------
    path : manifest to read, by default the one that ships, data/manifest.yaml. It is read again where it has changed.

    Raises
    ------
    DatasetError
        Where the manifest is absent, is no YAML or has not the form of one; one line that names the file and the key.

    Examples
    --------
    >>> load()["tno21"].ids[:3]
    ('01', '02', '03')
    """
    path = path or paths.root() / "data" / "manifest.yaml"
    try:
        return _load(path, path.stat().st_mtime_ns)
    except OSError as error:
        raise DatasetError(f"{path}: found no manifest that can be read ({error.strerror}), expected one") from error


def named(name: str, path: Path | None = None) -> Entry:
    """The set of that name of a manifest (see `load`); DatasetError lists the names there are.

    Examples
    --------
    >>> named("tno21").count(20)
    '20 of 21 pairs'
    """
    sets = load(path)
    if name not in sets:
        raise DatasetError(f"name: found {name!r}, expected one of {', '.join(sets)}")
    return sets[name]


@lru_cache(maxsize=8)
def _load(path: Path, _changed: int) -> dict[str, Entry]:
    from ivfnb.datasets import form  # pydantic and YAML only where a manifest is read

    manifest = form.read(path)
    pins: dict[str, Pin] = {}
    for file, size, sha256, source, inside in manifest.pins:
        inside, _, member = (inside or "").partition("!")
        url = f"{manifest.sources[source]}/{quote(inside)}" if source else None
        pins[file] = Pin(file, size, f"sha256:{sha256}", url, member or None)
    by_folder: dict[str, list[Pin]] = {}
    for pin in pins.values():
        by_folder.setdefault(pin.path.rpartition("/")[0], []).append(pin)
    entries = {}
    for name, described in manifest.sets.items():
        for member, note in (described.family or {"": described.note}).items():
            entry = _entry(name.replace("*", member), described, member, note, pins, by_folder)
            entries[entry.name] = entry
    return entries


def _entry(name: str, described: "form.Set", member: str, note: str, pins: dict[str, Pin], by_folder: dict[str, list[Pin]]) -> Entry:
    folders = {role: folder.replace("*", member) for role, folder in described.folders.items()}
    own = sorted((pin for folder in set(folders.values()) for pin in by_folder.get(folder, ())), key=lambda pin: pin.path)
    own += [Pin(f"{folders['weights']}/{one.file}", one.bytes, one.digest, one.url, optional=one.optional) for one in described.files]
    ids: Iterable[str] | None = None
    if isinstance(described.ids, int):
        ids = [f"{number:02d}" for number in range(1, described.ids + 1)]
    elif described.ids == "pinned":
        ids = natural_order({Path(pin.path).stem for pin in own})
    elif described.packages:
        ids = sorted(Path(file).stem for names in described.packages.values() for file in names)
    expected = described.expected
    if expected is None:
        expected = len(own) if described.kind == "weights" else None if ids is None else len(list(ids))
    kept = ("kind", "licence", "citation", "homepage", "first", "sequences", "open", "packages", "unpack", "by_hand")
    return Entry(
        name,
        title=described.title.replace("*", member),
        note=note,
        folders=folders,
        ids=None if ids is None else tuple(ids),
        expected=expected,
        pins=tuple(own),
        archives=tuple(_archive(archive, pins) for archive in described.archives),
        **{key: getattr(described, key) for key in kept},
    )


def _archive(described: "form.Archive", pins: dict[str, Pin]) -> Pin:
    pinned = pins.get(described.file, Pin(described.file, None, None, None))
    size = pinned.bytes if described.bytes is None else described.bytes
    return Pin(described.file, size, described.digest or pinned.digest, described.url or pinned.url, limit=described.limit)


def natural_order(ids: "Iterable[str]") -> list[str]:
    """Ids sorted with the numbers in them compared as numbers: 2 before 10, and "01" before "1".

    Examples
    --------
    >>> natural_order({"10", "9", "a2", "a10", "1"})
    ['1', '9', '10', 'a2', 'a10']
    """
    from natsort import natsorted

    return natsorted(sorted(ids))


def digest(path: str | Path, kind: str) -> str:
    """Digest of a file as the manifest writes it, "KIND:HEX"; `kind` is sha256, md5 or git (the sha1 that git names a blob by)."""
    return f"{kind}:{files.digest(path, kind)}"


def fault(path: Path, pin: Pin) -> str | None:
    """What is wrong with a file, measured by its pin: None, "missing", or what was found and expected.

    Examples
    --------
    >>> pin = load()["sample"].pins[0]
    >>> fault(paths.root() / "data" / pin.path, pin) is None
    True
    >>> fault(paths.root() / "data" / "manifest.yaml", pin)  # doctest: +ELLIPSIS
    'changed: found ... bytes, expected 52587'
    """
    if not path.is_file():
        return "missing"
    if pin.bytes is not None and path.stat().st_size != pin.bytes:
        return f"changed: found {path.stat().st_size} bytes, expected {pin.bytes}"
    if pin.digest is not None and (found := digest(path, pin.digest.partition(":")[0])) != pin.digest:
        return f"changed: found {found}, expected {pin.digest}"
    return None

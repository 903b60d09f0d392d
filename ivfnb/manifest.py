"""What the data sets are: data/manifest.yaml as objects (its keys are explained at its head)."""

import hashlib
import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

from ivfnb import paths


class DatasetError(ValueError):
    """A data set, or a file of one, that is absent or not as it must be; the message names it, what was found and what was expected."""


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
        return None if None in sizes else sum(sizes)

    def count(self, found: int) -> str:
        """How much is at hand, such as "13 of 100 pairs"."""
        whole = f" of {self.expected}" if self.expected is not None and found < self.expected else ""
        unit = {"fused": "fused images", "weights": "files"}.get(self.kind, self.kind)
        return f"{found}{whole} {unit if whole or found != 1 else unit[:-1]}"


def load(path: Path | None = None) -> dict[str, Entry]:
    """Sets of a manifest by name, in its order (default: data/manifest.yaml)."""
    path = path or paths.root() / "data" / "manifest.yaml"
    return _load(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _load(path: Path, _changed: int) -> dict[str, Entry]:
    import yaml

    manifest = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    pins = {}
    for file, size, sha256, source, inside in manifest.get("pins") or []:
        inside, _, member = (inside or "").partition("!")
        pins[file] = Pin(file, size, f"sha256:{sha256}", source and f"{manifest['sources'][source]}/{quote(inside)}", member or None)
    entries = {}
    for name, keys in manifest["sets"].items():
        for member, note in (keys.pop("family", None) or {"": keys.get("note", "")}).items():
            entry = _entry(name.replace("*", member), {**keys, "note": note}, member, pins)
            entries[entry.name] = entry
    return entries


def _entry(name: str, keys: dict, member: str, pins: dict[str, Pin]) -> Entry:
    keys["title"] = keys["title"].replace("*", member)
    folders = keys["folders"] = {role: folder.replace("*", member) for role, folder in (keys.get("folders") or {}).items()}
    files = (_file(folders["weights"], file) for file in keys.pop("files", ()))
    own = keys["pins"] = (*(pin for pin in pins.values() if pin.path.rpartition("/")[0] in folders.values()), *files)
    keys["archives"] = tuple(_archive(archive, pins) for archive in keys.get("archives") or [])
    ids = keys.get("ids")
    if isinstance(ids, int):
        ids = [f"{number:02d}" for number in range(1, ids + 1)]
    elif ids == "pinned":
        ids = natural_order({Path(pin.path).stem for pin in own})
    elif keys.get("packages"):
        ids = sorted(Path(file).stem for files in keys["packages"].values() for file in files)
    keys["ids"] = None if ids is None else tuple(map(str, ids))
    keys.setdefault("expected", len(own) if keys["kind"] == "weights" else None if ids is None else len(ids))
    return Entry(name, **keys)


def _file(folder: str, keys: dict) -> Pin:
    return Pin(f"{folder}/{keys['file']}", keys.get("bytes"), keys["digest"], keys["url"], optional=keys.get("optional", False))


def _archive(keys: dict, pins: dict[str, Pin]) -> Pin:
    pinned = pins.get(keys["file"], Pin(keys["file"], None, None, None))
    known = {"bytes": pinned.bytes, "digest": pinned.digest, "url": pinned.url} | keys
    return Pin(known.pop("file"), **known)


def natural_order(ids: set[str] | dict) -> list[str]:
    """Ids sorted with the numbers in them compared as numbers: 2 before 10."""

    def key(id: str) -> list[str | int]:
        parts: list = re.split(r"(\d+)", id)
        parts[1::2] = map(int, parts[1::2])  # text and numbers take turns
        return parts

    return sorted(ids, key=key)


def digest(path: Path, kind: str) -> str:
    """Digest of a file as the manifest writes it; `kind` is sha256, md5 or git (the sha1 that git names a blob by)."""
    hasher = hashlib.sha1(f"blob {path.stat().st_size}\0".encode()) if kind == "git" else hashlib.new(kind)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            hasher.update(block)
    return f"{kind}:{hasher.hexdigest()}"


def fault(path: Path, pin: Pin) -> str | None:
    """What is wrong with a file, measured by its pin: None, "missing", or what was found and expected."""
    if not path.is_file():
        return "missing"
    if pin.bytes is not None and path.stat().st_size != pin.bytes:
        return f"changed: found {path.stat().st_size} bytes, expected {pin.bytes}"
    if pin.digest is not None and (found := digest(path, pin.digest.partition(":")[0])) != pin.digest:
        return f"changed: found {found}, expected {pin.digest}"
    return None

"""Archives unpacked whole or not at all: zip, tar and rar, checked before a byte of them is written."""

import contextlib
import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import rars

_BROKEN = (zipfile.BadZipFile, tarfile.TarError, rars.Error, zlib.error, EOFError, MemoryError, NotImplementedError, RuntimeError, OSError)


class ArchiveError(ValueError):
    """An archive that is broken, too large or unsafe; the message names it, what was found and what was expected."""


@dataclass(frozen=True)
class Member:
    """A file in an archive: name, bytes when unpacked, CRC-32 (None where the format has none), whether it is a link or a device."""

    name: str
    bytes: int
    crc: int | None
    special: bool


@contextlib.contextmanager
def _open(path: Path) -> Iterator[Any]:
    try:
        with path.open("rb") as file:
            start = file.read(4)
        if start == b"Rar!":
            yield rars.RarFile(path)
        else:
            with zipfile.ZipFile(path) if start == b"PK\x03\x04" else tarfile.open(path) as archive:
                yield archive
    except _BROKEN as error:
        raise ArchiveError(
            f"{path}: found an archive that cannot be read or written out ({error}), expected a whole zip, tar or rar"
        ) from error


def _members(archive: Any) -> Iterator[Member]:
    if isinstance(archive, zipfile.ZipFile):
        found = (
            (info.filename, info.file_size, info.CRC, info.is_dir(), stat.S_ISLNK(info.external_attr >> 16)) for info in archive.infolist()
        )
    elif isinstance(archive, tarfile.TarFile):
        found = ((info.name, info.size, None, info.isdir(), not info.isreg()) for info in archive)
    else:
        found = ((info.filename, info.file_size, info.crc, info.is_dir(), _is_link(archive, info.filename)) for info in archive.infolist())
    for name, size, crc, is_folder, special in found:
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if name.startswith(("/", "\\")) or PureWindowsPath(name).drive or ".." in parts:
            raise ArchiveError(f"found the member {name!r}, expected only paths that stay inside the folder")
        if not is_folder:
            yield Member(name, size, crc, special)


def _is_link(archive: rars.RarFile, name: str) -> bool:
    try:
        archive.readlink(name)
    except rars.UnsupportedRarFeature:  # what `rars` says of members that are no links
        return False
    return True


def members(path: str | Path, limit: int | None = None) -> list[Member]:
    """Files of an archive, from its table of contents.

    ArchiveError where it is broken, holds a link, a device or a path that leaves the folder, or unpacks to more than `limit` bytes.
    """
    found, total = [], 0
    with _open(Path(path)) as archive:
        try:
            for member in _members(archive):
                total += member.bytes
                if member.special:
                    raise ArchiveError(f"found the link or device {member.name!r}, expected only plain files")
                if limit is not None and total > limit:
                    raise ArchiveError(f"found more than {limit} bytes when unpacked, expected at most that")
                found.append(member)
        except ArchiveError as error:
            raise ArchiveError(f"{path}: {error}") from None
    return found


def unpack(path: str | Path, into: str | Path, limit: int, replace: bool = True) -> None:
    """Unpack an archive below the folder `into`: each of its top-level entries appears there whole or not at all.

    ArchiveError as in `members`, with nothing written. Entries already in `into` are replaced, or kept where `replace` is False.
    """
    path, into = Path(path), Path(into)
    members(path, limit)
    into.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=into))
    try:
        new = beside / "new"
        new.mkdir()
        with _open(path) as archive:
            if isinstance(archive, tarfile.TarFile):
                archive.extractall(new, filter="data")
            elif isinstance(archive, zipfile.ZipFile):
                archive.extractall(new)
            else:
                archive.extractall(str(new), options=rars.ReadOptions(max_total_output_bytes=limit))
        for top in sorted(new.iterdir()):
            _put(top, into / top.name, beside / f"old-{top.name}", replace)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _put(new: Path, place: Path, old: Path, replace: bool) -> None:
    if place.exists():
        if not replace:
            return
        os.rename(place, old)
    try:
        os.rename(new, place)
    except OSError:
        if old.exists():
            os.rename(old, place)
        elif place.exists() and not replace:  # another process was faster: its copy is as good
            return
        raise

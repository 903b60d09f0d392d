"""Archives unpacked whole or not at all: zip, tar and rar, checked before a byte of them is written."""

import contextlib
import errno
import lzma
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
from typing import Any, NoReturn

HEADER_LIMIT = 1 << 16  # bytes of one name or extended header: paths on disk are shorter than 4096
MEMBERS_LIMIT = 1 << 20  # files in one archive: the largest here, COCO's, holds 118,287
TAIL_LIMIT = 1 << 20  # bytes behind the last member of a tar: zeros that fill its last record
BLOCK = 1 << 16
_BESIDE = ".unpacking-"  # what is unpacked stands in such a folder until it is whole
_BROKEN = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, MemoryError, NotImplementedError, RuntimeError)
_OF_THE_SYSTEM = {  # errors of the disk or its rights, of which the archive is not guilty
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EMFILE, errno.ENFILE
}  # fmt: skip


class ArchiveError(ValueError):
    """An archive that is broken, too large or unsafe; the message names it, what was found and what was expected."""


@dataclass(frozen=True)
class Member:
    """A file in an archive: name, bytes when unpacked, CRC-32 (None where the format has none), whether it is a link or a device."""

    name: str
    bytes: int
    crc: int | None
    special: bool


class _Bounded(tarfile.TarInfo):
    """A tar's header that refuses what `tarfile` would read whole into memory, however long it says it is."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        extended = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE)
        if self.type in extended and self.size > HEADER_LIMIT:
            raise ArchiveError(f"found a header of {self.size} bytes, expected at most {HEADER_LIMIT}")
        if self.type == tarfile.GNUTYPE_SPARSE:
            self._sparse()
        return super()._proc_member(archive)  # type: ignore[misc]

    def _sparse(self, *_: object) -> NoReturn:
        raise ArchiveError("found a sparse file, expected only plain files")

    _proc_gnusparse_00 = _proc_gnusparse_01 = _proc_gnusparse_10 = _sparse


def _rars() -> Any:
    """The module `rars`, imported only where an archive is a RAR."""
    import rars

    return rars


@contextlib.contextmanager
def _open(path: Path) -> Iterator[Any]:
    broken: tuple[type[Exception], ...] = (*_BROKEN, OSError)
    try:
        with path.open("rb") as file:
            start = file.read(4)
        if start == b"Rar!":
            rars = _rars()
            broken += (rars.Error,)
            yield rars.RarFile(path, options=rars.ReadOptions(max_header_bytes=1 << 28, max_header_count=2 * MEMBERS_LIMIT))
        else:
            with zipfile.ZipFile(path) if start == b"PK\x03\x04" else tarfile.open(path, tarinfo=_Bounded) as archive:
                yield archive
    except broken as error:
        if isinstance(error, OSError) and error.errno in _OF_THE_SYSTEM:
            raise
        why = " ".join(str(error).split())
        raise ArchiveError(
            f"{path}: found an archive that cannot be read or written out ({why}), expected a whole zip, tar or rar"
        ) from error


def _members(archive: Any) -> Iterator[Member]:
    found: Iterator[tuple[str, int, int | None, bool, bool]]
    if isinstance(archive, zipfile.ZipFile):
        found = (
            (info.filename, info.file_size, info.CRC, info.is_dir(), stat.S_ISLNK(info.external_attr >> 16)) for info in archive.infolist()
        )
    elif isinstance(archive, tarfile.TarFile):
        found = ((info.name, info.size, None, info.isdir(), not info.isreg()) for info in archive)
    else:
        found = ((info.filename, info.file_size, info.crc, info.is_dir(), _is_link(archive, info.filename)) for info in archive.infolist())
    for number, (name, size, crc, is_folder, special) in enumerate(found):
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if name.startswith(("/", "\\")) or PureWindowsPath(name).drive or ".." in parts:
            raise ArchiveError(f"found the member {name!r}, expected only paths that stay inside the folder")
        if number >= MEMBERS_LIMIT:
            raise ArchiveError(f"found more than {MEMBERS_LIMIT} members, expected at most that")
        if not is_folder:
            yield Member(name, size, crc, special)


def _is_link(archive: Any, name: str) -> bool:
    try:
        archive.readlink(name)
    except _rars().UnsupportedRarFeature:  # what `rars` says of members that are no links
        return False
    return True


def _drain(archive: tarfile.TarFile) -> None:
    """Read a compressed tar to the end of its stream, where its checksum stands; `tarfile` stops before."""
    left = TAIL_LIMIT
    while block := archive.fileobj.read(BLOCK) if archive.fileobj else b"":
        left -= len(block)
        if left < 0:
            raise ArchiveError(f"found more than {TAIL_LIMIT} bytes behind the last member, expected at most that")


def members(path: str | Path, limit: int | None = None) -> list[Member]:
    """Files of an archive, from its table of contents.

    Parameters
    ----------
    path : archive, told by its first bytes: RAR, zip, or else tar, plain or compressed.
    limit : bytes that it may unpack to; None for any number.

    Raises
    ------
    ArchiveError
        Where it is broken, holds a link, a device or a path that leaves the folder, unpacks to more than `limit` bytes, holds more than
        MEMBERS_LIMIT files or, of a tar, a header longer than HEADER_LIMIT.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with zipfile.ZipFile(Path(folder, "two.zip"), "w") as archive:
    ...         archive.writestr("ir/1.png", b"abc")
    ...     members(Path(folder, "two.zip"))
    [Member(name='ir/1.png', bytes=3, crc=891568578, special=False)]
    """
    found, total = [], 0
    try:
        with _open(Path(path)) as archive:
            for member in _members(archive):
                total += member.bytes
                if member.special:
                    raise ArchiveError(f"found the link or device {member.name!r}, expected only plain files")
                if limit is not None and total > limit:
                    raise ArchiveError(f"found more than {limit} bytes when unpacked, expected at most that")
                found.append(member)
            if isinstance(archive, tarfile.TarFile):
                _drain(archive)
    except ArchiveError as error:
        raise ArchiveError(f"{path}: {str(error).removeprefix(f'{path}: ')}") from error.__cause__
    return found


def unpack(path: str | Path, into: str | Path, limit: int, replace: bool = True) -> None:
    """Unpack an archive below the folder `into`: each of its top-level entries appears there whole or not at all.

    Parameters
    ----------
    path, limit : as in `members`.
    into : folder, made if absent.
    replace : whether entries already in `into` are replaced; else they are kept.

    Raises
    ------
    ArchiveError
        As in `members`, with nothing written; what was in `into` is still there.
    OSError
        Where the disk is full or may not be written to; what was in `into` is still there.
    """
    path, into = Path(path), Path(into)
    members(path, limit)
    into.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=_BESIDE, dir=into))
    try:
        new = beside / "new"
        new.mkdir()
        with _open(path) as archive:
            if isinstance(archive, tarfile.TarFile):
                archive.extractall(new, filter="data")
            elif isinstance(archive, zipfile.ZipFile):
                archive.extractall(new)
            else:
                archive.extractall(str(new), options=_rars().ReadOptions(max_total_output_bytes=limit))
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


def leftovers(into: Path) -> list[Path]:
    """Folders that a killed `unpack` left in `into`, or that one still at work holds there."""
    return sorted(into.glob(f"{_BESIDE}*"))


def sweep(into: Path) -> None:
    """Undo what a killed `unpack` left in `into`: an entry that stood aside goes back to its place, the rest is removed.

    Only for who knows that no `unpack` into this folder is at work: who holds its lock.
    """
    for beside in leftovers(into):
        for old in beside.glob("old-*"):
            place = into / old.name.removeprefix("old-")
            if not place.exists():
                os.rename(old, place)
        shutil.rmtree(beside, ignore_errors=True)

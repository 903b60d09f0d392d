"""What is at hand of a data set compared with what is pinned, and unpacked files with their archive."""

import zlib
from pathlib import Path

from ivfnb.datasets import archives, listing
from ivfnb.datasets.manifest import DatasetError, fault, named, refused


def verify(name: str, manifest: Path | None = None) -> list[str]:
    """Every missing, changed or surplus file of a set at hand.

    Unpacked files are compared with their archive's checksums where the archive is still there. In an open set (COCO, LLVIP), of which
    only some files are pinned, others are neither missing nor surplus.

    Parameters
    ----------
    name : one of the manifest's sets.
    manifest : the manifest, by default data/manifest.yaml.

    Returns
    -------
    list of str
        One line each that names the file and what is wrong; empty where all is as pinned.

    Raises
    ------
    DatasetError
        For an unknown name, or an archive or file that cannot be read.

    Examples
    --------
    >>> verify("sample")
    []
    """
    entry = named(name, manifest)
    copy, archive, lines = listing.at_hand(entry), listing.packed(entry), []
    try:
        if archive and (wrong := fault(archive, entry.archives[0])):
            lines.append(f"{archive}: {wrong}")
        elif archive and copy.root:
            lines += against_archive(archive, copy.root / entry.unpack)
        if copy.root is None:
            return lines if archive else [*lines, f"{name}: absent"]
        pinned = {copy.root / pin.path: pin for pin in entry.pins}
        faults = {file: fault(file, pin) for file, pin in pinned.items()}
    except archives.ArchiveError as error:
        raise DatasetError(str(error)) from error
    except OSError as error:
        raise refused(error, copy.root or Path(), "a file that can be read") from error
    spared = {file for file, pin in pinned.items() if entry.open or pin.optional}
    lines += [f"{file}: {wrong}" for file, wrong in faults.items() if wrong and not (wrong == "missing" and file in spared)]
    if pinned and not entry.open:
        there = {file for folder in entry.folders.values() for file in (copy.root / folder).glob("*") if file.is_file()}
        lines += [f"{file}: surplus" for file in sorted(there - set(pinned)) if not file.name.startswith(".")]
    if not pinned:
        lines += [f"{name}: missing {id}" for id in entry.ids or () if id not in copy.items]
    if entry.open or not (pinned or archive):
        lines += [f"{name}: found {text}" for text in copy.faults]
    return lines


def against_archive(archive: Path, folder: Path) -> list[str]:
    """Files below `folder` that differ from the archive that was unpacked there, one line each; ArchiveError where that is broken."""
    lines, inside = [], set()
    for member in archives.members(archive):
        file = folder / member.name
        inside.add(file)
        if not file.is_file():
            lines.append(f"{file}: missing")
        elif file.stat().st_size != member.bytes or (member.crc is not None and _crc(file) != member.crc):
            lines.append(f"{file}: changed: it differs from the one in {archive}")
    tops = {file.relative_to(folder).parts[0] for file in inside}
    there = {file for top in tops for file in (folder / top).rglob("*") if file.is_file()}
    return lines + [f"{file}: surplus" for file in sorted(there - inside)]


def _crc(file: Path) -> int:
    value = 0
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            value = zlib.crc32(block, value)
    return value

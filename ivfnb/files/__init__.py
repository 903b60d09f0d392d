"""Files that are written whole or not at all, and their hashes. Nothing else in the project renames a file into its place."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ivfnb.files import leftovers
from ivfnb.files.faults import trouble
from ivfnb.files.pipes import pour, special

__all__ = ["digest", "leftovers", "read_json", "replacing", "special", "trouble", "write_bytes", "write_json", "write_text"]


def _flushed(path: Path) -> None:
    """Wait until the disk has a file's content, so that a name never stands for a file that a power cut emptied."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A path beside `path` to write to; what was written takes the place of `path` at the end, or is removed where an error came first.

    Parameters
    ----------
    path : str or Path
        Of the file to be written; its folder is made. A link stays: what it leads to is replaced. A special file (a pipe, /dev/stdout) is
        written to, at the end.

    Yields
    ------
    Path
        Hidden, of the same folder and suffix (libraries choose a format by it), with a name of this process's own, so that two processes
        that write one file do not meet.

    Raises
    ------
    OSError
        As it came, with the name of `path` where it had none.

    Notes
    -----
    The content is on the disk before the file takes its place. What processes left of the same file that were killed while they wrote is
    removed first.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(f"{folder}/new/table.csv") as beside:
    ...         _ = beside.write_text("a,b")
    ...     Path(folder, "new", "table.csv").read_text()
    'a,b'
    """
    path = Path(path)
    if special(path):
        with tempfile.TemporaryDirectory(prefix="ivfnb-") as folder:
            beside = Path(folder, f"content{path.suffix}")
            yield beside
            pour(beside, path)
        return
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = leftovers.beside(path)
    leftovers.sweep(path.parent, path.name)
    try:
        yield beside
        _flushed(beside)
        beside.replace(path)
    except BaseException as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename in (None, str(beside), beside):
            error.filename, error.filename2 = str(path), None
        raise


def write_bytes(path: str | Path, content: bytes) -> Path:
    r"""Write a file, whole or not at all.

    Parameters
    ----------
    path : str or Path
    content : bytes

    Returns
    -------
    Path
        `path`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_bytes(f"{folder}/two", b"\x00\x01").stat().st_size
    2
    """
    with replacing(path) as beside:
        beside.write_bytes(content)
    return Path(path)


def write_text(path: str | Path, content: str) -> Path:
    r"""Write text in UTF-8, with line ends as they are, whole or not at all.

    Parameters
    ----------
    path : str or Path
    content : str

    Returns
    -------
    Path
        `path`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_text(f"{folder}/note.txt", "häh").read_bytes()
    b'h\xc3\xa4h'
    """
    return write_bytes(path, content.encode("utf-8", "backslashreplace"))


def write_json(path: str | Path, content: Any, indent: int | None = None) -> Path:
    """Write JSON, whole or not at all.

    Parameters
    ----------
    path : str or Path
    content : object
        What JSON does not know is written as text.
    indent : int, optional
        Spaces a level; None: all in one line.

    Returns
    -------
    Path
        `path`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     read_json(write_json(f"{folder}/scores.json", {"EN": 7.1}))
    {'EN': 7.1}
    """
    return write_text(path, json.dumps(content, indent=indent, default=str) + "\n")


def read_json(path: str | Path) -> Any:
    """Content of a JSON file.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    object
        None where there is no file, or one that cannot be read, or not as JSON.

    Examples
    --------
    >>> read_json("no/such/file.json") is None
    True
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None


def digest(path: str | Path, algorithm: str = "sha256") -> str:
    """Hexadecimal hash of a file's bytes.

    Parameters
    ----------
    path : str or Path
    algorithm : str
        One of `hashlib`'s, or "git": the sha1 that git names the file's blob by.

    Returns
    -------
    str

    Raises
    ------
    FileNotFoundError
        Where there is no such file.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     digest(write_bytes(f"{folder}/empty", b""), "git")
    'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'
    """
    path = Path(path)
    if algorithm == "git":
        blob = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                blob.update(block)
        return blob.hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()

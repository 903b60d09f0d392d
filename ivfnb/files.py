"""Files that are written whole or not at all, and their hashes. Nothing else in the project renames a file into its place."""

import hashlib
import json
import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_OPEN = re.compile(r"/dev/(stdin|stdout|stderr)|/(?:dev|proc/self)/fd/(\d+)")
_NUMBERS = {"stdin": 0, "stdout": 1, "stderr": 2}
LONGEST = 200  # bytes of a name to which a process's number is added; systems take 255


def special(path: str | Path) -> bool:
    """Whether a path leads to what can be written to but not replaced: a pipe, a terminal, a device, or what this process has open.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    bool
        False where there is nothing.

    Examples
    --------
    >>> special("/dev/stdout"), special("no/such/file")
    (True, False)
    """
    if _OPEN.fullmatch(str(path)):
        return True
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _pour(content: Path, into: Path) -> None:
    """Write a file's bytes into a special file, behind what was printed before."""
    sys.stdout.flush()
    known = _OPEN.fullmatch(str(into))
    number = os.dup(_NUMBERS.get(known[1]) if known[1] else int(known[2])) if known else None  # type: ignore[arg-type]
    with content.open("rb") as source, open(into if number is None else number, "wb") as target:
        shutil.copyfileobj(source, target)


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
        Hidden, of the same folder and suffix (libraries choose a format by it), with the process's number in its name, so that two
        processes that write one file do not meet.

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
            _pour(beside, path)
        return
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    name = path.name if len(os.fsencode(path.name)) <= LONGEST else hashlib.sha256(os.fsencode(path.name)).hexdigest() + path.suffix
    beside = path.with_name(f".{os.getpid()}.{name}")
    try:
        yield beside
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def sweep(folder: str | Path, names: Collection[str]) -> None:
    """Remove what processes that were killed left in a folder while they wrote files of these names."""
    for path in Path(folder).iterdir() if Path(folder).is_dir() else ():
        found = re.fullmatch(r"\.(\d+)\.(.+)", path.name, re.DOTALL)
        if found and found[2] in names and not _runs(int(found[1])):
            path.unlink(missing_ok=True)


def _runs(process: int) -> bool:
    """Whether a process of this number runs here."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # it is another user's, or the system cannot say
        return True
    return True


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
        None where there is no file, or one that cannot be read as JSON.

    Examples
    --------
    >>> read_json("no/such/file.json") is None
    True
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
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

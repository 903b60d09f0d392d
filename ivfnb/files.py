"""Files that are written whole or not at all, and their hashes. Nothing else in the project renames a file into its place."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A path beside `path` to write to; what was written takes the place of `path` at the end, or is removed where an error came first.

    Parameters
    ----------
    path : path of the file to be written; its folder is made.

    Yields
    ------
    Path
        Hidden, of the same folder and suffix (libraries choose a format by it), with the process's number in its name, so that two
        processes that write one file do not meet.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield beside
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def write_bytes(path: str | Path, content: bytes) -> Path:
    """Write a file, whole or not at all, and return its path."""
    with replacing(path) as beside:
        beside.write_bytes(content)
    return Path(path)


def write_text(path: str | Path, content: str) -> Path:
    """Write text in UTF-8 with line ends as they are, whole or not at all, and return the file's path."""
    return write_bytes(path, content.encode("utf-8"))


def write_json(path: str | Path, content: Any, indent: int | None = None) -> Path:
    """Write JSON, whole or not at all, and return the file's path; what JSON does not know is written as text."""
    return write_text(path, json.dumps(content, indent=indent, default=str) + "\n")


def read_json(path: str | Path) -> Any:
    """Content of a JSON file; None where there is none, or one that cannot be read as JSON."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None


def digest(path: str | Path, algorithm: str = "sha256") -> str:
    """Hexadecimal hash of a file's bytes by an algorithm of `hashlib`, or "git": the sha1 that git names the file's blob by."""
    path = Path(path)
    if algorithm == "git":
        blob = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                blob.update(block)
        return blob.hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()

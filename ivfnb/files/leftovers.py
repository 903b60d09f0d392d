"""Names for what is being written, and what killed processes left of it."""

import hashlib
import os
import re
import secrets
import time
from contextlib import suppress
from pathlib import Path

LONGEST = 255  # bytes of a file's name
STALE = 60.0  # seconds without a change after which what a process left that is no more is nobody's


def beside(path: Path) -> Path:
    """Hidden name that this process gives to what is to become a file, of the same folder and suffix.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Path
        With the process's number, by which `left` knows it, and a random part, so that two processes that write one file do not meet, be
        they on two machines; no longer than names may be.

    Examples
    --------
    >>> beside(Path("tables") / "scores.csv").name
    '....scores.csv'
    """
    mark = f".{os.getpid()}-{secrets.token_hex(4)}."
    if len(os.fsencode(mark + path.name)) > LONGEST:
        return path.with_name(f"{mark}{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]}{path.suffix[-20:]}")
    return path.with_name(mark + path.name)


def gone(process: int) -> bool:
    """Whether there is no process of a number on this machine.

    Parameters
    ----------
    process : int

    Returns
    -------
    bool
        False where the system does not tell.

    Examples
    --------
    >>> gone(os.getpid())
    False
    """
    if os.name != "posix":
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


def left(folder: str | Path, name: str = "", age: float = STALE) -> list[Path]:
    """Files that processes which are no more left half-written in a folder.

    Parameters
    ----------
    folder : str or Path
        Not those below it.
    name : str
        Of the file that was to be written; "": any.
    age : float
        Seconds since the last change, at least: on a shared disk the process may be at work on another machine.

    Returns
    -------
    list of Path

    Examples
    --------
    >>> left("no/such/folder")
    []
    """
    found = []
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if not (entry.name.startswith(".") and entry.name.endswith(name)):
                continue
            number = re.match(r"\.(\d+)-[0-9a-f]{8}\.", entry.name)
            with suppress(OSError):
                old = number is not None and time.time() - entry.stat(follow_symlinks=False).st_mtime >= age
                if number and old and entry.is_file(follow_symlinks=False) and gone(int(number[1])):
                    found.append(Path(entry.path))
    return sorted(found)


def sweep(folder: str | Path, name: str = "", age: float = STALE) -> list[Path]:
    """Remove what `left` finds.

    Parameters
    ----------
    folder, name, age
        As in `left`.

    Returns
    -------
    list of Path
        What was removed.

    Examples
    --------
    >>> sweep("no/such/folder")
    []
    """
    removed = []
    for path in left(folder, name, age):
        with suppress(OSError):
            path.unlink()
            removed.append(path)
    return removed

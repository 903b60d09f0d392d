"""Files that can be written to but not replaced: pipes, terminals, devices, and what a process has open."""

import os
import re
import shutil
import stat
import sys
from pathlib import Path

_OPEN = re.compile(r"/dev/(stdin|stdout|stderr)|/(?:dev|proc/self)/fd/(\d+)")
_NUMBERS = {"stdin": 0, "stdout": 1, "stderr": 2}


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


def pour(content: Path, into: Path) -> None:
    """Write a file's bytes into a special file, behind what was printed before."""
    sys.stdout.flush()
    known = _OPEN.fullmatch(str(into))
    number = os.dup(_NUMBERS.get(known[1]) if known[1] else int(known[2])) if known else None  # type: ignore[arg-type]
    with content.open("rb") as source, open(into if number is None else number, "wb") as target:
        shutil.copyfileobj(source, target)

"""What the system says where it will not read or write, in one line that a reader can act on."""

import errno
import os

FULL = (errno.ENOSPC, errno.EDQUOT)  # the disk, or what a user may take of it
REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)


def trouble(error: OSError) -> str:
    """One line that says which file or folder could not be read or written, and why.

    Parameters
    ----------
    error : OSError

    Returns
    -------
    str

    Examples
    --------
    >>> trouble(OSError(28, "No space left on device", "results/run.json"))
    'results/run.json: the disk is full; make room there and run it again: what was finished is kept'
    >>> trouble(IsADirectoryError(21, "Is a directory", "results"))
    'results: is a directory'
    """
    where = error.filename2 or error.filename
    place = f"{os.fsdecode(where)}: " if isinstance(where, str | bytes | os.PathLike) else ""
    said = " ".join((error.strerror or str(error) or type(error).__name__).split())
    said = said[:1].lower() + said[1:]
    if error.errno in FULL:
        return f"{place}the disk is full; make room there and run it again: what was finished is kept"
    return f"{place}cannot be read or written ({said})" if error.errno in REFUSED else f"{place}{said}"

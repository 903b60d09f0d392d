"""Entries of the cache: what does not read is made anew, what cannot be written is not remembered."""

import errno
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from ivfnb import paths

Entry = TypeVar("Entry")


class CacheWarning(UserWarning):
    """Nothing can be remembered where the cache lies: work is done again that need not be, and nothing else is amiss.

    The message names the folder and the reason, once a process.
    """


def recall(path: Path, read: Callable[[Path], Entry]) -> Entry | None:
    """Content of an entry; one that does not read is removed, so that it is made anew.

    Parameters
    ----------
    path : Path
        See `place`.
    read : function
        Reads the file, and raises whatever for one that cannot be an entry.

    Returns
    -------
    object
        What `read` gives; None where there is no entry that reads.

    Examples
    --------
    >>> recall(Path("no/such/entry.json"), Path.read_text) is None
    True
    """
    try:
        return read(path)
    except FileNotFoundError:
        return None
    except Exception:  # a damaged zip, PNG or JSON makes its reader raise nearly anything
        with suppress(OSError):
            path.unlink(missing_ok=True)
        return None


@lru_cache
def _warn(folder: Path, said: str) -> None:
    warnings.warn(f"{folder}: nothing is remembered, which costs time and no result ({said})", CacheWarning, stacklevel=5)


@contextmanager
def remembering() -> Iterator[None]:
    """Around the writing of an entry: where that fails there is a warning, the first time, and the work goes on.

    Warns
    -----
    CacheWarning
        Where the folder is read-only, the disk full, or anything else in the way.

    Examples
    --------
    >>> import tempfile
    >>> from ivfnb import files
    >>> with tempfile.TemporaryDirectory() as folder, remembering():
    ...     entry = files.write_json(f"{folder}/entry.json", 7.5)
    """
    try:
        yield
    except OSError as error:
        _warn(paths.cache_root(), error.strerror or str(error))


def folder(kind: str) -> Path | None:
    """Folder below the cache's for what keeps its own files there, such as checkpoints.

    Parameters
    ----------
    kind : str
        Its name.

    Returns
    -------
    Path or None
        None, with a warning, where nothing can be written there.

    Warns
    -----
    CacheWarning

    Examples
    --------
    >>> import os, tempfile
    >>> from unittest import mock
    >>> with tempfile.TemporaryDirectory() as top, mock.patch.dict(os.environ, IVFNB_CACHE=top):
    ...     folder("training").is_dir()
    True
    """
    wanted = paths.cache_root() / kind
    with remembering():
        wanted.mkdir(parents=True, exist_ok=True)
        if os.access(wanted, os.W_OK | os.X_OK):
            return wanted
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(wanted))
    return None

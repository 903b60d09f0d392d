"""One process at a time where files are fetched and unpacked: a lock for each folder of a data root, in its hidden folder .locks/."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ivfnb.datasets.manifest import DatasetError

LOG = logging.getLogger(__name__)
PATIENCE = 1.0  # seconds to wait before a word is said


@contextmanager
def held(root: Path, name: str, wait: float | None = None) -> Iterator[None]:
    """Hold the lock of the folder `name` of a data root; who finds it held says so once, and waits.

    Parameters
    ----------
    root : data root that is written to; it is made if absent.
    name : first part of the paths that are written (`tno21` for tno21/ir/01.png): sets that share a folder share its lock.
    wait : seconds to wait at most; None waits for as long as it takes. The lock of a process that died is free.

    Raises
    ------
    DatasetError
        Where the lock is still held after `wait` seconds; the message names the lock's file.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, held(Path(folder), "tno21"):
    ...     print([file.name for file in Path(folder, ".locks").iterdir()])
    ['tno21.lock']
    """
    from filelock import FileLock, Timeout

    file = root / ".locks" / f"{name}.lock"
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(file)
    quiet = PATIENCE if wait is None else min(PATIENCE, wait)
    try:
        lock.acquire(timeout=quiet)
    except Timeout:
        try:
            if wait is None or wait > quiet:
                LOG.warning("%s: another process fetches or unpacks it; waiting for its end (lock %s)", root / name, file)
            lock.acquire(timeout=-1 if wait is None else wait - quiet)
        except Timeout:
            raise DatasetError(f"{file}: found it held by another process for {wait:g} s, expected it to be free by then") from None
    try:
        yield
    finally:
        lock.release()

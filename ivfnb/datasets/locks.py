"""One process at a time where files are fetched and unpacked: a lock for each folder of a data root, in its hidden folder .locks/."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ivfnb.datasets.manifest import DatasetError

LOG = logging.getLogger(__name__)


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
    try:
        lock.acquire(timeout=0)
    except Timeout:
        LOG.warning(
            "%s: another process fetches or unpacks it; waiting %s", root / name, "for it" if wait is None else f"{wait:g} s at most"
        )
        try:
            lock.acquire(timeout=-1 if wait is None else wait, poll_interval=0.05)
        except Timeout:
            raise DatasetError(f"{file}: found it held by another process for {wait:g} s, expected it to be free by then") from None
    try:
        yield
    finally:
        lock.release()

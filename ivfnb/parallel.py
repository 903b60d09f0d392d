"""Work over many pairs, shared among workers: joblib's on this machine, or those of a Dask cluster (`cluster`).

joblib has a backend for Dask, but it parks every argument above 1 kB in the memory of one worker, and what needs it fails once that worker
is gone. Tasks therefore go to the cluster by distributed's own client, whose scheduler does the work of a lost worker again.
"""

import hashlib
import os
import platform
import socket
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import joblib

Task = tuple[Callable[..., Any], tuple[Any, ...]]
SCHEDULER = "IVFNB_SCHEDULER"  # environment variable: address of the cluster that this process and those it starts send their work to
WAIT = 60  # seconds for an answer of the scheduler, and for its first worker


def _checked(workers: int) -> int:
    if type(workers) is not int or workers == 0:
        raise ValueError(f"workers: found {workers!r}, expected a whole number of workers, or -1 for as many as there are cores")
    return workers


@lru_cache(maxsize=1)
def _code() -> str:
    """Hash of this package's source, by which client and workers know that they run the same."""
    package = Path(__file__).parent
    named = (file.relative_to(package).as_posix().encode() + b"\0" + file.read_bytes() for file in sorted(package.rglob("*.py")))
    return hashlib.sha256(b"\0".join(named)).hexdigest()


def _worked(code: str, packed: bytes) -> Any:
    """One task, on a worker; RuntimeError where the worker runs other code than the process that asks."""
    if code != _code():
        raise RuntimeError(f"a worker on {platform.node()}: found another version of ivfnb, expected the one that sends the work")
    import cloudpickle

    function, arguments = cloudpickle.loads(packed)  # what the scheduler sent, never a file
    if "cv2" in sys.modules:
        sys.modules["cv2"].setNumThreads(1)  # a worker is one of many on its machine
    return function(*arguments)


def _on_worker() -> bool:
    """Whether this is a task of a cluster: it does its own tasks itself, since waiting for other workers would block this one."""
    return "distributed" in sys.modules and hasattr(sys.modules["distributed.utils"].thread_state, "execution_state")


@lru_cache(maxsize=1)
def _connected(address: str) -> Any:
    """Client of the cluster at an address, one for the whole process; ValueError where it does not answer or has no worker."""
    from distributed import Client

    try:
        place = urlsplit(address)
        socket.create_connection(
            (str(place.hostname), int(str(place.port))), timeout=WAIT
        ).close()  # a Client that fails leaves noise behind
        client = Client(address, timeout=WAIT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"scheduler: found none at {address} ({error}), expected the address of a Dask scheduler: tcp://HOST:8786"
        ) from error
    try:
        client.wait_for_workers(1, timeout=WAIT)
    except TimeoutError as error:
        client.close()
        raise ValueError(f"scheduler: found no worker at {address} in {WAIT} s, expected some: dask worker {address}") from error
    return client


def scheduler() -> str | None:
    """Address of the cluster that work is sent to; None where it stays on this machine.

    Examples
    --------
    >>> scheduler() is None
    True
    """
    return None if _on_worker() else os.environ.get(SCHEDULER) or None


@contextmanager
def cluster(address: str | None = None, workers: int | None = None) -> Iterator[str | None]:
    """Share the work of `pool` and `each` among a Dask cluster meanwhile, in this process and in those that it starts.

    Parameters
    ----------
    address : str, optional
        Of the scheduler of a cluster that runs, such as "tcp://host:8786".
    workers : int, optional
        Processes of one thread each, started on this machine for as long as it lasts; -1 takes as many as there are cores. Without
        either the work stays where it is.

    Yields
    ------
    str or None
        The scheduler's address.

    Raises
    ------
    ValueError
        For both, for no whole number of workers, or where no scheduler or no worker answers.
    ModuleNotFoundError
        Where the extra "cluster" is not installed.

    Examples
    --------
    >>> with cluster():
    ...     each(pow, [(2, 3)])
    [8]
    """
    if address and workers is not None:
        raise ValueError(f"scheduler, workers: found {address} and {workers}, expected a cluster that runs, or workers to start here")
    if not address and workers is None:
        yield scheduler()
        return
    with ExitStack() as stack:
        if workers is not None:
            from distributed import LocalCluster

            count = joblib.cpu_count() if _checked(workers) < 0 else workers
            local = LocalCluster(n_workers=count, threads_per_worker=1, dashboard_address=None, memory_limit=0, silence_logs=50)
            address = stack.enter_context(local).scheduler_address
        before = os.environ.get(SCHEDULER)
        stack.callback(lambda: os.environ.update({SCHEDULER: before}) if before else os.environ.pop(SCHEDULER, None))
        _connected.cache_clear()
        client = _connected(str(address))
        stack.callback(_connected.cache_clear)
        stack.callback(client.close)
        os.environ[SCHEDULER] = str(address)
        yield address


def _sent(client: Any, tasks: list[Task], progress: Callable[[], object] | None) -> list[Any]:
    """Results of tasks that the workers of a cluster did, in the tasks' order; each is fetched as soon as it is there."""
    import cloudpickle  # distributed brings it; packed here, since Dask would look for futures in what it is given
    from distributed import KilledWorker, as_completed

    futures = client.map(_worked, [_code()] * len(tasks), [cloudpickle.dumps(task) for task in tasks], pure=False)
    places, results = {future.key: place for place, future in enumerate(futures)}, [None] * len(tasks)
    try:
        for future, result in as_completed(futures, loop=client.loop, with_results=True):
            results[places[future.key]] = result
            future.release()
            if progress is not None:
                progress()
    except KilledWorker as error:
        _, arguments = tasks[places[error.task]]
        raise RuntimeError(
            f"{arguments!r:.200}: found that every worker that was given this work died, last {error.last_worker}"
        ) from error
    finally:
        client.cancel(futures)
    return results


@contextmanager
def pool(
    workers: int = 1, *, threads: bool = False, progress: Callable[[], object] | None = None
) -> Iterator[Callable[[Iterable[Task]], list[Any]]]:
    """Workers that stay for several batches of tasks.

    Parameters
    ----------
    workers : how many; 1 works in this process, -1 takes as many as there are cores. Inside `cluster` its workers do the work instead.
    threads : whether threads will do, where the work leaves Python's lock alone.
    progress : called after each task, in no order of theirs.

    Yields
    ------
    function
        Takes tasks, (function, arguments) each, and gives their results in the tasks' order.

    Raises
    ------
    ValueError
        For no whole number of workers, or 0, or a cluster that does not answer.
    RuntimeError
        Where a worker of the cluster runs another version of the package, or a task ended several workers.

    Notes
    -----
    What goes to a cluster should be small: ids and places of files, not images. Arguments are sent with each task.
    """
    count = _checked(workers)
    if address := scheduler():
        client = _connected(address)
        yield lambda tasks: _sent(client, some, progress) if (some := list(tasks)) else []
        return
    workers, kind = 1 if _on_worker() else count, "threads" if threads else None

    def run(tasks: Iterable[Task]) -> list[Any]:
        # A new Parallel each time: after an error one that stays would give results of the batch that failed. Its processes stay anyway.
        parallel = joblib.Parallel(workers, prefer=kind, return_as="generator_unordered")
        found = {}
        for place, result in parallel(joblib.delayed(_placed)(place, *task) for place, task in enumerate(tasks)):
            found[place] = result
            if progress is not None:
                progress()
        return [found[place] for place in sorted(found)]

    yield run


def _placed(place: int, function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[int, Any]:
    """A task's result beside its place among the tasks."""
    return place, function(*arguments)


def each(
    function: Callable[..., Any],
    arguments: Iterable[tuple[Any, ...]],
    workers: int = 1,
    *,
    threads: bool = False,
    progress: Callable[[], object] | None = None,
) -> list[Any]:
    """Results of a function for each tuple of arguments, in their order; `workers`, `threads` and `progress` as in `pool`.

    Examples
    --------
    >>> each(pow, [(2, 3), (3, 2)])
    [8, 9]
    """
    with pool(workers, threads=threads, progress=progress) as run:
        return run((function, given) for given in arguments)


def stream(
    function: Callable[..., Any], arguments: Iterable[tuple[Any, ...]], workers: int = 1, *, threads: bool = False, here: bool = False
) -> Iterator[Any]:
    """Results as in `each`, one after the other: nothing waits for the last one, and arguments are taken as they are needed.

    Inside `cluster` its workers do the work, and results come when all is done; not so with `here`, for arguments that are large.
    """
    if scheduler() and not here:
        yield from each(function, arguments, workers)
        return
    run = joblib.Parallel(_checked(workers), prefer="threads" if threads else None, return_as="generator")
    yield from run(joblib.delayed(function)(*given) for given in arguments)

"""A Dask cluster, and work that is sent to its workers.

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
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import joblib

Task = tuple[Callable[..., Any], tuple[Any, ...]]
SCHEDULER = "IVFNB_SCHEDULER"  # environment variable: address of the cluster that this process and those it starts send their work to
AHEAD = 3  # tasks for each thread of a cluster that are sent before their turn
WAIT = 60  # seconds for an answer of the scheduler, and for its first worker


def checked(workers: int) -> int:
    """The number of workers itself; ValueError where it is no whole number, or 0."""
    if type(workers) is not int or workers == 0:
        raise ValueError(f"workers: found {workers!r}, expected a whole number of workers, or -1 for as many as there are cores")
    return workers


@lru_cache(maxsize=1)
def _code() -> str:
    """Hash of this package's source, by which client and workers know that they run the same."""
    package = Path(__file__).parents[1]
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


def on_worker() -> bool:
    """Whether this is a task of a cluster: it does its own tasks itself, since waiting for other workers would block this one."""
    return "distributed" in sys.modules and hasattr(sys.modules["distributed.utils"].thread_state, "execution_state")


@lru_cache(maxsize=1)
def connected(address: str) -> Any:
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
    return None if on_worker() else os.environ.get(SCHEDULER) or None


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
    >>> from ivfnb.parallel import each
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

            count = joblib.cpu_count() if checked(workers) < 0 else workers
            local = LocalCluster(n_workers=count, threads_per_worker=1, dashboard_address=None, memory_limit=0, silence_logs=50)
            address = stack.enter_context(local).scheduler_address
        before = os.environ.get(SCHEDULER)
        stack.callback(lambda: os.environ.update({SCHEDULER: before}) if before else os.environ.pop(SCHEDULER, None))
        connected.cache_clear()
        client = connected(str(address))
        stack.callback(connected.cache_clear)
        stack.callback(client.close)
        os.environ[SCHEDULER] = str(address)
        yield address


def sent(client: Any, tasks: Iterable[Task], progress: Callable[[], object] | None = None) -> Iterator[Any]:
    """Results of tasks that the workers of a cluster do, in the tasks' order; each is fetched as soon as it is there.

    Some more tasks than there are workers are under way, so that a set of any size costs the scheduler no memory.
    """
    import cloudpickle  # distributed brings it; packed here, since Dask would look for futures in what it is given
    from distributed import KilledWorker, as_completed

    waiting, doing, done, told = enumerate(tasks), dict[Any, tuple[int, Any, Task]](), dict[int, Any](), 0
    under_way = as_completed([], loop=client.loop, with_results=True)

    def send(count: int) -> None:
        for place, task in islice(waiting, count):
            future = client.submit(_worked, _code(), cloudpickle.dumps(task), pure=False)
            doing[future.key] = place, future, task
            under_way.add(future)

    try:
        send(AHEAD * max(1, sum(client.nthreads().values())))
        for future, result in under_way:
            place, *_ = doing.pop(future.key)
            done[place] = result
            future.release()
            send(1)
            if progress is not None:
                progress()
            while told in done:
                yield done.pop(told)
                told += 1
    except KilledWorker as error:
        _, _, (_, arguments) = doing[error.task]
        said = f"found that every worker that was given this work died, last {error.last_worker}"
        raise RuntimeError(f"{arguments!r:.200}: {said}") from error
    finally:
        client.cancel([future for _, future, _ in doing.values()])

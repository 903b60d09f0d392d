"""Work shared among workers: joblib's on this machine, or those of the cluster that is named."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import joblib

from ivfnb.parallel.clusters import Task, checked, connected, on_worker, scheduler, sent


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
    count = checked(workers)
    if address := scheduler():
        client = connected(address)
        yield lambda tasks: list(sent(client, tasks, progress))
        return
    workers, kind = 1 if on_worker() else count, "threads" if threads else None

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
    """Results as in `each`, one after the other as they come: nothing waits for the last one, and arguments are taken as they are needed.

    Inside `cluster` its workers do the work; not so with `here`, for arguments that are large.

    Examples
    --------
    >>> next(stream(pow, [(2, 3), (3, 2)]))
    8
    """
    count = checked(workers)
    if not here and (address := scheduler()):
        yield from sent(connected(address), ((function, given) for given in arguments))
        return
    run = joblib.Parallel(1 if on_worker() else count, prefer="threads" if threads else None, return_as="generator")
    yield from run(joblib.delayed(function)(*given) for given in arguments)

"""Work over many pairs, shared among workers by joblib; a cluster is joblib's Dask backend (`joblib.parallel_config`), not code of ours."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import joblib

Task = tuple[Callable[..., Any], tuple[Any, ...]]


def _checked(workers: int) -> int:
    if type(workers) is not int or workers == 0:
        raise ValueError(f"workers: found {workers!r}, expected a whole number of workers, or -1 for as many as there are cores")
    return workers


@contextmanager
def pool(workers: int = 1, *, threads: bool = False) -> Iterator[Callable[[Iterable[Task]], list[Any]]]:
    """Workers that stay for several batches of tasks.

    Parameters
    ----------
    workers : how many; 1 works in this process, -1 takes as many as there are cores.
    threads : whether threads will do, where the work leaves Python's lock alone.

    Yields
    ------
    function
        Takes tasks, (function, arguments) each, and gives their results in the tasks' order.

    Raises
    ------
    ValueError
        For no whole number of workers, or 0.
    """
    with joblib.Parallel(_checked(workers), prefer="threads" if threads else None) as parallel:

        def run(tasks: Iterable[Task]) -> list[Any]:
            return list(parallel(joblib.delayed(function)(*arguments) for function, arguments in tasks))

        yield run


def each(function: Callable[..., Any], arguments: Iterable[tuple[Any, ...]], workers: int = 1, *, threads: bool = False) -> list[Any]:
    """Results of a function for each tuple of arguments, in their order; `workers` and `threads` as in `pool`.

    Examples
    --------
    >>> each(pow, [(2, 3), (3, 2)])
    [8, 9]
    """
    with pool(workers, threads=threads) as run:
        return run((function, given) for given in arguments)


def stream(function: Callable[..., Any], arguments: Iterable[tuple[Any, ...]], workers: int = 1, *, threads: bool = False) -> Iterator[Any]:
    """Results as in `each`, one after the other as they come: nothing waits for the last one, and arguments are taken as they are needed.

    Examples
    --------
    >>> next(stream(pow, [(2, 3), (3, 2)]))
    8
    """
    run = joblib.Parallel(_checked(workers), prefer="threads" if threads else None, return_as="generator")
    yield from run(joblib.delayed(function)(*given) for given in arguments)

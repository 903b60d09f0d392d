"""What is known of a pair's fused images: looked up where it is remembered, else computed, here or by workers, and kept."""

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ivfnb import cache, images, parallel
from ivfnb.datasets import ImagePair
from ivfnb.evaluation import entries
from ivfnb.evaluation.external import EvaluationWarning
from ivfnb.evaluation.fitting import fit_sources
from ivfnb.evaluation.fused import Fused, fuse, pair_hash
from ivfnb.evaluation.methods import Method
from ivfnb.evaluation.wanted import Extra, Wanted
from ivfnb.images import Image
from ivfnb.metrics import METRICS, added, score

METRICS_CODE = ("ivfnb.metrics.scoring", "ivfnb.evaluation.fitting")  # what takes part in the metrics of an image


def _score(fused: Image, pair: ImagePair, names: tuple[str, ...] | None, convention: str, fit: str) -> dict[str, Any]:
    infrared, visible, how = fit_sources(fused, pair.infrared, images.to_gray(pair.visible), convention, fit)
    return {"values": score(fused, infrared, visible, names, convention), "fit": how}


def _metrics_code() -> tuple[str, ...]:
    """Modules that take part in the metrics of an image, those of metrics that other packages added included."""
    return (*METRICS_CODE, *dict.fromkeys(METRICS[name].function.__module__ for name in added()))


class Outcome(NamedTuple):
    """What several functions made of one fused image, or the error of the first that raised one.

    Attributes
    ----------
    values : list
    error : ValueError or None
    """

    values: list[Any]
    error: ValueError | None = None


@dataclass(frozen=True)
class Job:
    """One thing to be known of a fused image.

    Parameters
    ----------
    label : (str, str)
        "metrics" and a convention, or "beside" and a name.
    function : function
        Finds it, given the fused image, its pair and `arguments`.
    arguments : tuple
    place : Path or None
        The file that remembers it, if any does.
    """

    label: tuple[str, str]
    function: Callable[..., Any]
    arguments: tuple = ()
    place: Path | None = None


def _work(fused: Image, pair: ImagePair, jobs: list[Job]) -> Outcome:
    """Results of the jobs, one after the other."""
    try:
        return Outcome([job.function(fused, pair, *job.arguments) for job in jobs])
    except ValueError as error:
        return Outcome([], error)


class _Memory:
    """What is known of one fused image of one pair: looked up, or put on the list of what is still to be computed, then kept."""

    def __init__(self, fused: Fused, pair_key: str, wanted: Wanted):
        self.fused = fused
        jobs = [
            self._job(("metrics", name), _score, (wanted.names, name, wanted.fit), pair_key, None, _metrics_code())
            for name in wanted.conventions
        ]
        for name, value in wanted.extra.items():
            job = Job(("beside", name), value)
            jobs.append(self._job(job.label, value, (), pair_key, value.key, value.code) if isinstance(value, Extra) else job)
        self.found: dict[tuple[str, str], Any] = {job.label: entries.known(job.place) for job in jobs}
        self.todo = [job for job in jobs if self.found[job.label] is None]

    def _job(self, label: tuple, function: Callable, arguments: tuple, pair_key: str, key: Any, code: tuple[str, ...]) -> Job:
        content = self.fused.key, pair_key, label, arguments, key, cache.code_hash(*code)
        return Job(label, function, arguments, cache.place("scores", content, ".json"))

    def task(self, pair: ImagePair) -> parallel.Task:
        """What is still to be computed, for a worker."""
        return _work, (self.fused.load(), pair, self.todo)

    def keep(self, values: list[Any]) -> None:
        """Take in what was computed."""
        for job, value in zip(self.todo, values, strict=True):
            self.found[job.label] = value if job.label[0] == "metrics" else float(value)
            entries.keep(job.place, self.found[job.label])


class Known(NamedTuple):
    """What is known of one fused image.

    Attributes
    ----------
    found : dict
        By ("metrics", convention): values and how the sources were fitted; by ("beside", name): a value.
    seconds : float
        That fusing took; NaN where the image was read.
    """

    found: dict[tuple[str, str], Any]
    seconds: float


def of_pair(
    name: str,
    pair: ImagePair,
    methods: list[Method],
    wanted: Wanted,
    run: Callable[[Iterable[parallel.Task]], list[Any]],
    progress: Callable[[], object] = lambda: None,
) -> dict[int, Known]:
    """What there is to know of one pair.

    Parameters
    ----------
    name : str
        Of the data set.
    pair : ImagePair
    methods : list of Method
        Those that fail are named in a warning and left out.
    wanted : Wanted
    run : function
        Does tasks, as `parallel.pool` gives it.
    progress : function
        Called after each method.

    Returns
    -------
    dict
        Of `Known`, by the method's position.

    Warns
    -----
    EvaluationWarning
        Of each image that cannot be read, fused or scored.
    """
    memories, open_ones, pair_key = {}, {}, None
    for i, method in enumerate(methods):
        if method.covers is None or pair.id in method.covers:
            try:
                pair_key = pair_key or pair_hash(pair)
                memories[i] = _Memory(fuse(method, pair, pair_key), pair_key, wanted)
                if memories[i].todo:
                    open_ones[i] = memories[i].task(pair)
            except (ValueError, KeyError, OSError) as error:
                memories.pop(i, None)
                _warn(name, method, pair.id, error)
        progress()
    for i, outcome in zip(open_ones, run(open_ones.values()), strict=True):
        if outcome.error is not None:
            _warn(name, methods[i], pair.id, outcome.error)
            memories.pop(i)
        else:
            memories[i].keep(outcome.values)
    return {i: Known(memory.found, memory.fused.seconds) for i, memory in memories.items()}


def _warn(name: str, method: Method, id: str, error: Exception) -> None:
    reason = f"no image for pair {id}" if isinstance(error, KeyError) else str(error)
    warnings.warn(f"{name}, {method.name}, pair {id}: {reason}", EvaluationWarning, stacklevel=4)


def _apart(name: str, pair: ImagePair, methods: list[Method], wanted: Wanted) -> tuple[dict[int, Known], list[tuple[str, type[Warning]]]]:
    """`of_pair` on a worker, where nobody reads warnings: they come back with what is known."""
    with warnings.catch_warnings(record=True) as said, parallel.pool() as run:
        warnings.simplefilter("always")
        known = of_pair(name, pair, methods, wanted, run)
    return known, [(str(each.message), each.category) for each in said]


def of_pairs(
    name: str, pairs: Iterable[ImagePair], methods: list[Method], wanted: Wanted, n_jobs: int, progress: Callable[[], object]
) -> list[dict[int, Known]]:
    """What there is to know of pairs, in their order.

    Parameters
    ----------
    name : str
        Of the data set.
    pairs : iterable of ImagePair
    methods : list of Method
    wanted : Wanted
    n_jobs : int
        Workers that score on this machine. Inside `parallel.cluster` a whole pair is one task of a worker, sent as the pair's id and the
        places of its images; fused images are remembered where the worker keeps them (IVFNB_CACHE), values where it and this process do.
    progress : function
        Called after each method of each pair.

    Returns
    -------
    list of dict
        See `of_pair`.
    """
    if not parallel.scheduler():
        with parallel.pool(n_jobs) as run:
            return [of_pair(name, pair, methods, wanted, run, progress) for pair in pairs]
    tasks = [(name, pair, [method.for_pair(pair.id) for method in methods], wanted) for pair in pairs]
    result = []
    for known, said in parallel.each(_apart, tasks, progress=lambda: [progress() for _ in methods]):
        for text, kind in said:
            warnings.warn(text, kind, stacklevel=3)
        result.append(known)
    return result

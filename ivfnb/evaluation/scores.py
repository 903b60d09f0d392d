"""Data sets x methods x metrics: one tidy table, computed once and remembered by content.

A `Method` (module `methods`) gives a fused image for a pair: computed here or read.
"""

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from tqdm import tqdm

from ivfnb import cache, files, images, parallel
from ivfnb.datasets import Dataset, ImagePair, dataset
from ivfnb.evaluation.external import EvaluationWarning
from ivfnb.evaluation.fitting import check_fit, fit_sources
from ivfnb.evaluation.fused import Fused, fuse, pair_hash
from ivfnb.evaluation.methods import Method
from ivfnb.images import Image
from ivfnb.metrics import CONVENTIONS, METRICS, added, score

COLUMNS = ["dataset", "method", "id", "metric", "value", "convention", "fit", "source", "seconds"]
METRICS_CODE = ("ivfnb.metrics.scoring", "ivfnb.evaluation.fitting")  # what takes part in the metrics of an image


@dataclass(frozen=True)
class Extra:
    """A value beside the metrics that is remembered.

    Parameters
    ----------
    function : function
        `function(fused, pair)`, gives a float.
    key : object
        What the value depends on beside images and `code`.
    code : tuple of str
        Modules that take part in the value.
    """

    function: Callable[[Image, ImagePair], float]
    key: Any
    code: tuple[str, ...] = ()

    def __call__(self, fused: Image, pair: ImagePair) -> float:
        """Value for a fused grey image and its pair."""
        return self.function(fused, pair)


@dataclass(frozen=True)
class Wanted:
    """What is to be known of every fused image.

    Parameters
    ----------
    names : tuple of str, or None
        Metrics; None: the paper's eleven.
    conventions : tuple of str
    extra : dict
        Functions of the fused image and its pair, by the name of a value beside the metrics.
    fit : str, see `fitting.fit_sources`
    """

    names: tuple[str, ...] | None
    conventions: tuple[str, ...]
    extra: dict[str, Callable[[Image, ImagePair], float]]
    fit: str = "content"


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
        self.found: dict[tuple[str, str], Any] = {job.label: files.read_json(job.place) if job.place else None for job in jobs}
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
            if job.place:
                files.write_json(job.place, self.found[job.label])


def evaluate(
    data: Dataset | str,
    methods: Iterable[Method],
    names: Iterable[str] | None = None,
    convention: str | Iterable[str] = "standard",
    n_jobs: int = 1,
    extra: dict[str, Callable[[Image, ImagePair], float]] | None = None,
    fit: str = "content",
) -> pd.DataFrame:
    """Metrics of every method on every pair.

    Parameters
    ----------
    data : a set of pairs, or its name
    methods : ways to get fused images, see `method`
    names : metrics; None: the paper's eleven
    convention : one convention or several; grey levels are scored (luma of colour images)
    n_jobs : joblib workers that score. Fusing is done one pair at a time, since a network uses all cores.
    extra : values beside the metrics, by a function of the fused grey image and the pair, under its name; an `Extra` is remembered
    fit : how sources are fitted to a fused image of another size: "content", "crop" or "resize" (`fit_sources`); a column says what was

    Returns
    -------
    DataFrame
        Tidy, one row a value, with the columns of `COLUMNS`. "seconds" is what fusing the pair took when it was fused (NaN for images
        that were read).

    Raises
    ------
    ValueError
        For an unknown convention, metric or data set.

    Warns
    -----
    EvaluationWarning
        For an image that cannot be read, fused or scored: it is named, and the rest goes on.

    Notes
    -----
    Fused images and scores are remembered by content below `.cache/` (IVFNB_CACHE), each with the code that made it.

    Examples
    --------
    >>> from ivfnb.evaluation import method
    >>> evaluate(dataset("sample")[:1], [method("Mean")], ["EN"])[["method", "id", "metric"]].values.tolist()
    [['Mean', 'astronaut', 'EN']]
    """
    data = dataset(data) if isinstance(data, str) else data
    methods, names, extra = list(methods), tuple(names) if names is not None else None, extra or {}
    conventions = (convention,) if isinstance(convention, str) else tuple(convention)
    if unknown := [each for each in conventions if each not in CONVENTIONS]:
        raise ValueError(f"convention: found {unknown[0]!r}, expected some of {list(CONVENTIONS)}")
    rows: dict[tuple[str, int], list[tuple]] = {(each, i): [] for each in conventions for i in range(len(methods))}
    check_fit(fit)
    wanted = Wanted(names, conventions, extra, fit)
    bar = tqdm(total=len(methods) * len(data), desc=data.name, unit="image", leave=False, mininterval=0.5)
    with parallel.pool(n_jobs) as run:
        for pair in data:
            for i, memory in _of_pair(data, pair, methods, wanted, run, bar).items():
                method = methods[i]
                for each in conventions:
                    known = memory.found["metrics", each]
                    values = {**known["values"], **{name: memory.found["beside", name] for name in extra}}
                    rest = each, known["fit"], method.source, memory.fused.seconds
                    rows[each, i] += [(data.name, method.name, pair.id, metric, value, *rest) for metric, value in values.items()]
    bar.close()
    return pd.DataFrame([row for some in rows.values() for row in some], columns=COLUMNS)


def _of_pair(
    data: Dataset, pair: ImagePair, methods: list[Method], wanted: Wanted, run: Callable[[Iterable[parallel.Task]], list[Any]], bar: tqdm
) -> dict[int, _Memory]:
    """What there is to know of one pair, by the method's position: methods that fail are named in a warning and left out."""
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
                _warn(data, method, pair.id, error)
        bar.update()
    for i, outcome in zip(open_ones, run(open_ones.values()), strict=True):
        if outcome.error is not None:
            _warn(data, methods[i], pair.id, outcome.error)
            memories.pop(i)
        else:
            memories[i].keep(outcome.values)
    return memories


def _warn(data: Dataset, method: Method, id: str, error: Exception) -> None:
    reason = f"no image for pair {id}" if isinstance(error, KeyError) else str(error)
    warnings.warn(f"{data.name}, {method.name}, pair {id}: {reason}", EvaluationWarning, stacklevel=4)

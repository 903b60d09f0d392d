"""What is known of a fused image: looked up by content, or computed and then kept."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ivfnb import cache, files, images, parallel
from ivfnb.datasets import ImagePair
from ivfnb.evaluation.fitting import fit_sources
from ivfnb.evaluation.fused import Fused
from ivfnb.images import Image
from ivfnb.metrics import METRICS, added, score

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
    """

    names: tuple[str, ...] | None
    conventions: tuple[str, ...]
    extra: dict[str, Callable[[Image, ImagePair], float]]


def _score(fused: Image, pair: ImagePair, names: tuple[str, ...] | None, convention: str) -> dict[str, Any]:
    infrared, visible, how = fit_sources(fused, pair.infrared, images.to_gray(pair.visible), convention)
    return {"values": score(fused, infrared, visible, names, convention), "fit": how}


def _scored(place: Path) -> dict[str, Any]:
    """What `_score` made and a file remembers; ValueError, TypeError or KeyError for anything else."""
    known = json.loads(place.read_bytes())
    values, how = known["values"], known["fit"]
    if not values or not all(isinstance(value, int | float) for value in values.values()) or not isinstance(how, str):
        raise ValueError(f"{place}: found {known}, expected metrics and how the sources were fitted")
    return {"values": values, "fit": how}


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

    def recall(self) -> Any:
        """What is remembered of it, None where nothing is."""
        if self.place is None:
            return None
        return cache.recall(self.place, _scored if self.label[0] == "metrics" else cache.number)


def _work(fused: Image, pair: ImagePair, jobs: list[Job]) -> Outcome:
    """Results of the jobs, one after the other."""
    try:
        return Outcome([job.function(fused, pair, *job.arguments) for job in jobs])
    except ValueError as error:
        return Outcome([], error)


class Memory:
    """What is known of one fused image of one pair: looked up, or put on the list of what is still to be computed, then kept."""

    def __init__(self, fused: Fused, pair_key: str, wanted: Wanted):
        self.fused = fused
        jobs = [self._job(("metrics", name), _score, (wanted.names, name), pair_key, None, _metrics_code()) for name in wanted.conventions]
        for name, value in wanted.extra.items():
            job = Job(("beside", name), value)
            jobs.append(self._job(job.label, value, (), pair_key, value.key, value.code) if isinstance(value, Extra) else job)
        self.found: dict[tuple[str, str], Any] = {job.label: job.recall() for job in jobs}
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
                with cache.remembering():
                    files.write_json(job.place, self.found[job.label])

"""Files, folders and videos of one's own, fused: what is to be done is planned and checked first; a bad pair ends nothing."""

import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ivfnb import files, images, parallel
from ivfnb.datasets import ImagePair, matching
from ivfnb.evaluation import records, video
from ivfnb.evaluation.outputs import OutputError, Sources, check_output
from ivfnb.evaluation.recipe import Recipe
from ivfnb.images import ImageError


@dataclass(frozen=True)
class Work:
    """A pair to fuse: its files, and the files to write by what they hold ("fused", "weight_map")."""

    id: str
    sources: Mapping[str, Path]
    outputs: Mapping[str, Path]

    @property
    def is_video(self) -> bool:
        """Whether its sources are videos."""
        return all(video.is_video(path) for path in self.sources.values())


@dataclass(frozen=True)
class Outcome:
    """What became of a pair: "done", "kept" (up to date) or "failed", with the reason; what was warned of; of a bug, its traceback."""

    id: str
    state: str
    reason: str = ""
    said: tuple[str, ...] = ()
    trace: str = ""


@dataclass(frozen=True)
class Plan:
    """What is to be done, and what cannot be: reasons by id, and files that belong to no pair."""

    works: tuple[Work, ...]
    wrong: Mapping[str, str] = field(default_factory=dict)
    unused: tuple[Path, ...] = ()


def plan_files(sources: Mapping[str, Path], output: Path, weight_map: Path | None = None) -> Plan:
    """Plan of one pair of files, or of one video that holds both side by side.

    Parameters
    ----------
    sources : mapping
        "infrared" and "visible", or "side_by_side": files.
    output, weight_map : Path
        Files to write.

    Returns
    -------
    Plan

    Raises
    ------
    ValueError
        For one file in both roles, an image beside a video, a format that is not written, and a place that cannot or must not be written.
    """
    listed = list(sources.values())
    known = Sources(listed)
    if len(listed) == 2 and Sources(listed[:1]).holds(listed[1]):
        raise ValueError(f"infrared, visible: found one file for both, {listed[0]} and {listed[1]}, expected two")
    kinds = {video.is_video(path) for path in listed}
    if len(kinds) > 1:
        raise ValueError(f"infrared, visible: found {listed[0]} and {listed[1]}, expected two images or two videos")
    outputs = {"fused": output, **({"weight_map": weight_map} if weight_map else {})}
    for path in outputs.values():
        check_output(path, known)
        if kinds == {True}:
            video.check_format(path)
        else:
            images.check_format(path)
    if weight_map and Sources([output]).holds(weight_map):
        raise OutputError(f"{weight_map}: found one file for the fused image and the weight map, expected two")
    if weight_map and kinds == {True}:
        raise ValueError(f"weight_map: found {weight_map} beside videos, expected none: weight maps are written of images")
    return Plan((Work(output.stem, dict(sources), outputs),))


def plan_folders(
    sources: Mapping[str, Path], output: Path, weight_map: Path | None = None, patterns: Mapping[str, str] | None = None
) -> Plan:
    """Plan of two folders, or of one that holds both.

    Parameters
    ----------
    sources : mapping
        "infrared" and "visible": folders.
    output, weight_map : Path
        Folders to write to: images as ID.png, videos as ID with the visible one's suffix.
    patterns : mapping of str to str, optional
        Role -> how its files are named, see `datasets.matching.match`.

    Returns
    -------
    Plan

    Raises
    ------
    ValueError
        Where nothing is a pair, and for a place that cannot or must not be written.
    """
    for folder in filter(None, (output, weight_map)):
        check_output(folder, Sources(sources.values()), folder=True)
    if weight_map and Sources([output]).holds(weight_map):
        raise OutputError(f"{weight_map}: found one folder for fused images and weight maps, expected two")
    matched = matching.together(dict(sources), patterns=patterns, suffixes=matching.SUFFIXES | video.SUFFIXES)
    known = Sources(path for roles in matched.items.values() for path in roles.values())
    works = []
    for id, roles in matched.items.items():
        if id in matched.wrong:
            continue
        name = f"{id}.png"
        if video.is_video(roles["visible"]):
            name = id + (roles["visible"].suffix if roles["visible"].suffix.lower() in video.CODECS else ".mp4")
        outputs = {"fused": output / name, **({"weight_map": weight_map / f"{id}.png"} if weight_map else {})}
        for path in outputs.values():
            check_output(path, known, trial=False)
        works.append(Work(id, roles, outputs))
    if not works and not matched.wrong:
        raise ValueError(matching.nothing(sources, matched.unused))
    return Plan(tuple(works), matched.wrong, matched.unused)


def fuse_work(work: Work, recipe: Recipe, levels: Mapping[str, Any], key: Mapping[str, Any], force: bool = False, jobs: int = 1) -> Outcome:
    """Fuse a pair, unless what it would give is there.

    Parameters
    ----------
    work : Work
    recipe : Recipe
    levels : mapping
        "levels", "levels_infrared", "levels_visible", as `ImagePair` takes them.
    key : mapping
        `recipe.key()`, which is the same for all pairs.
    force : bool
        Whether to fuse whatever is there.
    jobs : int
        Frames of a video fused at once.

    Returns
    -------
    Outcome

    Raises
    ------
    OSError
        Where nothing can be written, the disk being full, say: other pairs would fail likewise.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            with _reading():
                said = {name: value and str(value) for name, value in levels.items()}
                record = records.record(records.inputs(work.sources), key, said)
                if not force and all(records.up_to_date(path, record) for path in work.outputs.values()):
                    return Outcome(work.id, "kept")
            told = (_video if work.is_video else _images)(work, recipe, levels, record, jobs)
        except OSError:
            raise
        except Exception as error:  # whatever is wrong with one pair, the others are fused
            return _failed(work.id, error, [str(each.message) for each in caught])
    return Outcome(work.id, "done", said=(*told, *dict.fromkeys(str(each.message) for each in caught)))


@contextmanager
def _reading() -> Iterator[None]:
    """A source that cannot be read is bad input; what cannot be written ends the run."""
    try:
        yield
    except OSError as error:
        raise ImageError(f"{error.filename}: {error.strerror}") from error


def _images(work: Work, recipe: Recipe, levels: Mapping[str, Any], record: Mapping[str, Any], jobs: int) -> list[str]:
    """Fuse a pair of images and write what is asked for."""
    pair = ImagePair(work.id, work.sources["infrared"], work.sources["visible"], color=True, **levels)
    with _reading():
        infrared, visible = pair.infrared, pair.visible
    with images.without_doubt():
        cooked = recipe.fuse(infrared, visible)
    made = {"fused": cooked.fused, **({} if cooked.weight_map is None else {"weight_map": 255 * cooked.weight_map})}
    for what in made.keys() & work.outputs.keys():
        records.write(work.outputs[what], made[what], record)
    return []


def _video(work: Work, recipe: Recipe, levels: Mapping[str, Any], record: Mapping[str, Any], jobs: int) -> list[str]:
    """Fuse a video and write it with its record."""
    told = video.fuse(work.sources, work.outputs["fused"], recipe, levels, jobs)
    records.write_beside(work.outputs["fused"], record)
    return told


def _failed(id: str, error: Exception, said: list[str]) -> Outcome:
    """Outcome of an error: bad input in the message's words, anything else with its kind."""
    expected = isinstance(error, (ValueError, OSError))
    reason = str(error) if expected else f"{type(error).__name__}: {error}"
    return Outcome(id, "failed", " ".join(reason.split()), tuple(said), "".join(traceback.format_exception(error)))


def run(plan: Plan, recipe: Recipe, levels: Mapping[str, Any] | None = None, jobs: int = 1, force: bool = False) -> Iterator[Outcome]:
    """Fuse all pairs of a plan, each as soon as its turn comes.

    Parameters
    ----------
    plan : Plan
    recipe : Recipe
    levels : mapping, optional
        As in `fuse_work`.
    jobs : int
        Pairs (frames of a single video) fused at once; each process holds its own network.
    force : bool
        Whether to fuse what is up to date.

    Yields
    ------
    Outcome
        In the order of the plan.

    Raises
    ------
    ValueError
        Where the recipe lacks something.
    OSError
        Where nothing can be written.
    """
    key = recipe.ready().key()
    targets = [path for work in plan.works for path in work.outputs.values()]
    for folder in {path.parent for path in targets}:
        files.leftovers.sweep(folder, age=0)
    if len(plan.works) == 1:
        yield fuse_work(plan.works[0], recipe, levels or {}, key, force, jobs)
    else:
        yield from parallel.stream(fuse_work, ((work, recipe, levels or {}, key, force) for work in plan.works), jobs)

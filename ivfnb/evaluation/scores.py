"""Data sets x methods x metrics: one tidy table, computed once and remembered by content.

A `Method` (module `methods`) gives a fused image for a pair: computed here or read.
"""

import warnings
from collections.abc import Callable, Iterable
from typing import Any

import pandas as pd
from tqdm import tqdm

from ivfnb import parallel
from ivfnb.datasets import Dataset, ImagePair, dataset
from ivfnb.evaluation.external import EvaluationWarning
from ivfnb.evaluation.fused import fuse, pair_hash
from ivfnb.evaluation.methods import Method
from ivfnb.evaluation.remembered import Memory, Wanted
from ivfnb.images import Image
from ivfnb.metrics import CONVENTIONS

COLUMNS = ["dataset", "method", "id", "metric", "value", "convention", "fit", "source", "seconds"]


def evaluate(
    data: Dataset | str,
    methods: Iterable[Method],
    names: Iterable[str] | None = None,
    convention: str | Iterable[str] = "standard",
    n_jobs: int = 1,
    extra: dict[str, Callable[[Image, ImagePair], float]] | None = None,
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
    wanted = Wanted(names, conventions, extra)
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
) -> dict[int, Memory]:
    """What there is to know of one pair, by the method's position: methods that fail are named in a warning and left out."""
    memories, open_ones, pair_key = {}, {}, None
    for i, method in enumerate(methods):
        if method.covers is None or pair.id in method.covers:
            try:
                pair_key = pair_key or pair_hash(pair)
                memories[i] = Memory(fuse(method, pair, pair_key), pair_key, wanted)
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

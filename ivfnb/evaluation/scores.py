"""Data sets x methods x metrics: one tidy table, computed once and remembered by content.

A `Method` (module `methods`) gives a fused image for a pair: computed here or read.
"""

from collections.abc import Callable, Iterable

import pandas as pd
from tqdm import tqdm

from ivfnb.datasets import Dataset, ImagePair, dataset
from ivfnb.evaluation.fitting import check_fit
from ivfnb.evaluation.known import of_pairs
from ivfnb.evaluation.methods import Method
from ivfnb.evaluation.wanted import Wanted
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
    fit: str = "content",
) -> pd.DataFrame:
    """Metrics of every method on every pair.

    Parameters
    ----------
    data : a set of pairs, or its name
    methods : ways to get fused images, see `method`
    names : metrics; None: the paper's eleven
    convention : one convention or several; grey levels are scored (luma of colour images)
    n_jobs : joblib workers that score. Fusing is done one pair at a time, since a network uses all cores. Inside `parallel.cluster` its
        workers fuse and score whole pairs instead.
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
    with tqdm(total=len(methods) * len(data), desc=data.name, unit="image", leave=False, mininterval=0.5) as bar:
        known = of_pairs(data.name, data, methods, wanted, n_jobs, bar.update)
    for id, of_methods in zip(data.ids, known, strict=True):
        for (each, i), some in rows.items():
            if i in of_methods:
                found, seconds = of_methods[i]
                values = {**found["metrics", each]["values"], **{name: found["beside", name] for name in extra}}
                rest = each, found["metrics", each]["fit"], methods[i].source, seconds
                some += [(data.name, methods[i].name, id, metric, value, *rest) for metric, value in values.items()]
    return pd.DataFrame([row for some in rows.values() for row in some], columns=COLUMNS)

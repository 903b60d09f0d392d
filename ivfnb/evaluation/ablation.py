"""Notebook 5: methods on several sets at once, the ablation of the paper's claim, and one pair in all conventions."""

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

import pandas as pd

from ivfnb.datasets import Dataset, ImagePair
from ivfnb.evaluation.experiments import ablations
from ivfnb.evaluation.external import EvaluationWarning
from ivfnb.evaluation.methods import Method, by_protocol
from ivfnb.evaluation.scores import evaluate
from ivfnb.fusion.protocol import Protocol
from ivfnb.images import Image
from ivfnb.metrics import CONVENTIONS, score

FACTORS = ("classifier", "enhancement", "retinex")
# What each step of the method adds: the levels without and with it, of the factor that has both.
STEPS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "SSR": ("no SSR", "SSR"),
        "both enhancements": ("no enhancement", "both"),
        "CNN against no classifier": ("no classifier", "CNN"),
        "CNN against gradient energy": ("gradient energy", "CNN"),
    }
)
Extras = dict[str, Callable[[Image, ImagePair], float]]


def evaluate_sets(
    methods: Iterable[tuple[Dataset, Sequence[Method]]], names: Sequence[str], conventions: Sequence[str], n_jobs: int = 1
) -> tuple[pd.DataFrame, list[str]]:
    """Metrics of methods on several sets, and what could not be scored in words instead of warnings.

    Parameters
    ----------
    methods : iterable of (Dataset, sequence of Method)
        Sets of pairs with their methods.
    names : sequence of str
        Metrics.
    conventions : sequence of str
    n_jobs : int
        Workers that score.

    Returns
    -------
    scores : DataFrame
        Tidy, as of `evaluate`.
    told : list of str
        A message for each image that could not be had or scored.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", EvaluationWarning)
        scores = pd.concat([evaluate(data, chosen, names, conventions, n_jobs) for data, chosen in methods])
    told = []
    for each in caught:
        if issubclass(each.category, EvaluationWarning):
            told.append(str(each.message))
        else:
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)
    return scores, told


def by_protocols(data: Dataset, protocols: Mapping[str, Protocol], n_jobs: int = 1, extra: Extras | None = None) -> pd.DataFrame:
    """Metrics of our pipeline by several protocols, as the released evaluator computes them.

    Parameters
    ----------
    data : Dataset
        A set of pairs.
    protocols : mapping of str to Protocol
        By a name, such as `switches()`.
    n_jobs : int
        Workers that score.
    extra : dict, optional
        Values beside the metrics, as of `evaluate`.

    Returns
    -------
    DataFrame
        Tidy, as of `evaluate`.
    """
    methods = [by_protocol(name, protocol) for name, protocol in protocols.items()]
    return evaluate(data, methods, convention="as_released", n_jobs=n_jobs, extra=extra)


def ablate(data: Dataset, n_jobs: int = 1, extra: Extras | None = None) -> pd.DataFrame:
    """Metrics of the protocols of `ablations`, each taken apart into its factors.

    Parameters
    ----------
    data : Dataset
        A set of pairs.
    n_jobs : int
        Workers that score.
    extra : dict, optional
        Values beside the metrics, as of `evaluate`.

    Returns
    -------
    DataFrame
        Tidy, as of `evaluate`, with a column for each of `FACTORS`.
    """
    scores = by_protocols(data, ablations(), n_jobs, extra)
    scores[list(FACTORS)] = scores["method"].str.split(" / ", expand=True).to_numpy()
    return scores


def in_all_conventions(pair: ImagePair, metrics: Sequence[str]) -> pd.DataFrame:
    """Metrics of the plain mean of a pair in every convention.

    Parameters
    ----------
    pair : ImagePair
        Grey.
    metrics : sequence of str

    Returns
    -------
    DataFrame
        A row a metric, a column a convention; a cell is empty where a convention does not know the metric. The last row is the normalised
        mutual information, another quantity that goes by the name MI.

    Examples
    --------
    >>> from ivfnb.datasets import dataset
    >>> found = in_all_conventions(dataset("sample")[0], ["EN", "MI"])
    >>> bool(abs(found.loc["MI", "as_released"] - 2 * found.loc["EN", "as_released"]) < 1e-9)
    True
    """
    mean = (pair.infrared.astype(float) + pair.visible) / 2
    values = {name: score(mean, pair.infrared, pair.visible, "all", name) for name in CONVENTIONS}
    table = pd.DataFrame({name: pd.Series(found).reindex(list(metrics)) for name, found in values.items()})
    table.loc["MI, normalised (NMI)", "standard"] = values["standard"]["NMI"]
    return table

"""Where each row of a table of methods gets its images, if anywhere."""

from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType

from ivfnb import datasets
from ivfnb.baselines import BASELINES, COMPETITORS, Competitor, rows_of_paper
from ivfnb.datasets import Dataset
from ivfnb.evaluation.external import external
from ivfnb.evaluation.methods import Method, by_baseline, by_protocol, published
from ivfnb.fusion.protocol import AS_PAPER, AS_RELEASED, Protocol

OWN, PUBLISHED, NONE = "own implementation", "published images", "none at hand"
AUTHORS, PROJECT, REFERENCE = "the authors' images", "this project", "reference"
AUTHORS_NAME = "Authors' images"
AS_RELEASED_NAME = "Ours, as released"
OURS = {"Ours, as paper": AS_PAPER, AS_RELEASED_NAME: AS_RELEASED}
NO_CLASSIFIER = "No classifier"
NAMES = tuple(competitor.name for competitor in rows_of_paper())
AUTHORS_SETS = MappingProxyType({"tno21": "authors-tno21", "tno21-released": "authors-tno21", "vot40": "authors-vot40"})


@dataclass(frozen=True)
class Row:
    """A row of a table of methods.

    Parameters
    ----------
    name : str
        Of the method; several rows can have one name.
    source : str
        Where the images come from: `OWN`, `PUBLISHED`, `NONE`, `AUTHORS`, `PROJECT`, `REFERENCE`, or a user's folder.
    variant : str
        Which of its variants, in words.
    method : Method or None
        None where nothing is at hand.
    reason : str
        Why nothing is.
    """

    name: str
    source: str
    variant: str = ""
    method: Method | None = None
    reason: str = ""


def implemented() -> list[str]:
    """Names of the paper's competitors that have an own implementation, in its order.

    Returns
    -------
    list of str

    Examples
    --------
    >>> implemented()[:3]
    ['CBF', 'ConvSR', 'Structaware']
    """
    return [competitor.name for competitor in rows_of_paper() if competitor.function is not None]


def _own(competitor: Competitor, data: Dataset, few: list[str] | None, everywhere: bool, label: str | None) -> list[Row]:
    """Rows of an own implementation: as its paper describes it, in the variant of the published images, and with weights trained here.

    `few` limits all but the first row to these pairs, and the first where not `everywhere`; `label` None: no published images are at hand.
    What cannot run here has no row.
    """
    found: list[Row] = []
    for variant in competitor.variants:
        baseline = BASELINES[f"{competitor.name} ({variant.name})" if variant.name else competitor.name]
        first = variant is competitor.variants[0]
        as_published = label is not None and data.name in variant.published
        if (first or as_published or variant.weights) and not baseline.lacks():
            words = variant.words or ("" if first else f"{variant.name}, as published")
            method = by_baseline(baseline.name)
            found.append(Row(competitor.name, OWN, words, method if few is None or (not found and everywhere) else method.limited(few)))
    return found


def _of_competitor(competitor: Competitor, data: Dataset, sets: list[str], own: list[str], slow_pairs: int, everywhere: bool) -> list[Row]:
    """Rows of one competitor: own implementation, own in the variant of the published images where that differs, published images."""
    name, published_set = competitor.name, f"published-{data.name}/{competitor.label(data.name)}"
    at_hand = data.name in competitor.published and published_set in sets
    few = data.ids[:slow_pairs] if competitor.cost == "slow" and slow_pairs else None
    found = _own(competitor, data, few, everywhere, published_set if at_hand else None) if name in own else []
    if at_hand:
        found.append(Row(name, PUBLISHED, competitor.published[data.name].run, published(published_set, f"{name}, published")))
    if not found:
        lacking = competitor.needs or BASELINES[name].lacks()
        reason = f"needs {lacking}" if lacking else "own implementation not in this run"
        found.append(Row(name, NONE, reason=f"{reason}; no published images of {data.name} at hand"))
    return found


def rows(data: Dataset, own: Iterable[str] | None = None, slow_pairs: int = 0, everywhere: bool = True) -> list[Row]:
    """Rows of a table over a set of pairs, one for each origin of fused images.

    The paper's 17 competitors in its order, methods that other distributions registered, published images that belong to none of them, the
    authors' images, ours, the references, a user's folders.

    Parameters
    ----------
    data : Dataset
        A set of pairs.
    own : iterable of str, optional
        Names of the paper's competitors to run; None: all that have an own implementation.
    slow_pairs : int
        Number of pairs to which slow methods are limited; 0: all.
    everywhere : bool
        Whether that limit holds only for their second variant.

    Returns
    -------
    list of Row

    Raises
    ------
    ValueError
        For a name that has no own implementation.

    Examples
    --------
    >>> found = rows(datasets.dataset("sample"), own=["CBF"])
    >>> [row.name for row in found if row.source == OWN], found[1].reason
    (['CBF'], 'own implementation not in this run; no published images of sample at hand')
    """
    own = implemented() if own is None else list(own)
    if unknown := [name for name in own if name not in implemented()]:
        raise ValueError(f"own: found {unknown[0]!r}, expected some of {', '.join(implemented())}")
    sets = datasets.available()
    found = [row for competitor in rows_of_paper() for row in _of_competitor(competitor, data, sets, own, slow_pairs, everywhere)]
    added = [each for each in COMPETITORS.values() if each.row is None and not each.reference and each.function is not None]
    found += [row for competitor in added for row in _of_competitor(competitor, data, sets, [competitor.name], slow_pairs, everywhere)]
    taken = {competitor.label(data.name) for competitor in COMPETITORS.values()}
    prefix = f"published-{data.name}/"
    further = [name.removeprefix(prefix) for name in sets if name.startswith(prefix)]
    further = [label for label in further if label not in taken]
    found += [Row(label, PUBLISHED, method=published(f"{prefix}{label}", f"{label}, published")) for label in further]
    if (authors := AUTHORS_SETS.get(data.name)) in sets:
        found.append(Row(AUTHORS_NAME, AUTHORS, "456x456", published(authors, AUTHORS_NAME, AUTHORS)))
    else:
        found.append(Row(AUTHORS_NAME, NONE, reason=f"no images of {data.name} by the authors at hand"))
    found += ours()
    found += [Row(each.name, REFERENCE, method=by_baseline(each.name)) for each in COMPETITORS.values() if each.reference]
    return found + [Row(method.name, method.source, method=method) for method in external(data)]


def ours() -> list[Row]:
    """Our method by both protocols, and the same pipeline without a classifier.

    Returns
    -------
    list of Row

    Examples
    --------
    >>> [row.name for row in ours()]
    ['Ours, as paper', 'Ours, as released', 'No classifier']
    """
    found = [Row(name, PROJECT, "native size" if p.size is None else "456x456", by_protocol(name, p)) for name, p in OURS.items()]
    none = Protocol(classifier="none", stretch=True)
    return [*found, Row(NO_CLASSIFIER, REFERENCE, "mean of the enhanced pair, stretch, SSR", by_protocol(NO_CLASSIFIER, none))]


def methods(chosen: Iterable[Row]) -> list[Method]:
    """What `evaluate` takes: the methods of the rows that have images.

    Parameters
    ----------
    chosen : iterable of Row

    Returns
    -------
    list of Method

    Examples
    --------
    >>> [method.name for method in methods([Row("PMGI", NONE), Row("CBF", OWN, method=by_baseline("CBF"))])]
    ['CBF']
    """
    return [row.method for row in chosen if row.method is not None]


def one_of_each(chosen: Iterable[Row]) -> list[Method]:
    """The first method that has images of each name, in the order of the rows.

    Parameters
    ----------
    chosen : iterable of Row

    Returns
    -------
    list of Method

    Examples
    --------
    >>> twice = [Row("ConvSR", OWN, method=by_baseline(name)) for name in ("ConvSR", "ConvSR (multi-focus)")]
    >>> [method.name for method in one_of_each(twice)]
    ['ConvSR']
    """
    found: dict[str, Method] = {}
    for row in chosen:
        if row.method is not None:
            found.setdefault(row.name, row.method)
    return list(found.values())

"""The paper's 17 comparison methods by name and in its order, and where each row of a table gets its images, if anywhere."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import pandas as pd

from ivfnb import datasets
from ivfnb.datasets import Dataset
from ivfnb.evaluation.external import external
from ivfnb.evaluation.likeness import similarity
from ivfnb.evaluation.methods import Method, by_baseline, by_protocol, published
from ivfnb.fusion.protocol import AS_PAPER, AS_RELEASED, Protocol
from ivfnb.metrics import ELEVEN

OWN, PUBLISHED, NONE = "own implementation", "published images", "none at hand"
AUTHORS, PROJECT, REFERENCE = "the authors' images", "this project", "reference"
AUTHORS_NAME = "Authors' images"
OURS = {"Ours, as paper": AS_PAPER, "Ours, as released": AS_RELEASED}
NO_CLASSIFIER = "No classifier"
TWIN = "SSIM to published"
REFERENCES = ("Mean", "Maximum", "Laplacian pyramid")
SLOW = ("ConvSR", "MDLatLRR")  # tens of seconds per megapixel
VARIANTS = {"ConvSR": "multimodal mode", "HybridMSD": "sources as in its paper", "MDLatLRR": "level 2, each detail once"}


@dataclass(frozen=True)
class Competitor:
    """One of the 17: `needs` is what an own implementation lacks (empty where there is one); `published` the variant by set of pairs."""

    name: str
    needs: str = ""
    published: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)  # the published set's name for it, where it differs


# What is known of the published images stands beside each: whose run, which variant.
COMPETITORS = (
    Competitor("CBF", published={"tno21": "its author's run", "vifb21": "VIFB's run"}),
    Competitor("ConvSR", published={"tno21": "multi-focus mode"}),
    Competitor("Structaware", published={"tno21": "a third party's run"}),
    Competitor("DCHWT"),
    Competitor(
        "HybridMSD",
        published={"tno21": "sources exchanged, a third party's run", "vifb21": "VIFB's run"},
        labels={"vifb21": "Hybrid_MSD"},
    ),
    Competitor("DenseFuse", "its trained network", {"tno21": "addition"}),
    Competitor("NestFuse", "its trained network", {"tno21": "pair 01 by its authors, else a third party's run"}),
    Competitor("DDcGAN", "its trained network", {"tno21": "cropped to multiples of 4"}),
    Competitor("MEF-GAN", "its trained network", {"tno21": "cropped to multiples of 8, a third party's run"}),
    Competitor("PMGI", "its trained network", {"tno21": ""}),
    Competitor("CNN", "its trained network", {"tno21": "a third party's run"}),
    Competitor("MDLatLRR", published={"tno21": "level 2, details accumulated, a third party's run"}),
    Competitor("VggML", "VGG-19 trained on ImageNet", {"tno21": "its authors' run"}),
    Competitor("IFCNN", "its trained network", {"tno21": "elementwise maximum", "vifb21": "VIFB's run"}),
    Competitor("U2Fusion", "its trained network", {"tno21": "", "vifb21": "VIFB's run"}),
    Competitor("ResNet-ZCA", "ResNet-50 trained on ImageNet", {"tno21": "", "vifb21": "VIFB's run"}, {"vifb21": "ResNet"}),
    Competitor("RFN-Nest", "its trained network", {"tno21": "its authors' run"}),
)
NAMES = tuple(competitor.name for competitor in COMPETITORS)
AUTHORS_SETS = MappingProxyType({"tno21": "authors-tno21", "tno21-released": "authors-tno21", "vot40": "authors-vot40"})


@dataclass(frozen=True)
class Row:
    """A row of a table of methods. `method` is None where nothing is at hand, and `reason` then says why."""

    name: str
    source: str
    variant: str = ""
    method: Method | None = None
    reason: str = ""


def _own(name: str, pairs: Sequence[str], limited: bool) -> Method:
    method = by_baseline(name)
    return method.limited(pairs) if limited else method


def _competitor(competitor: Competitor, data: Dataset, sets: list[str], own: list[str], slow_pairs: int, everywhere: bool) -> list[Row]:
    """Rows of one competitor: own implementation, own in the variant of the published images where that differs, published images."""
    from ivfnb.baselines import BASELINES

    name, few = competitor.name, data.ids[: slow_pairs or None]
    label = competitor.labels.get(data.name, name)
    at_hand = data.name in competitor.published and f"published-{data.name}/{label}" in sets
    rows = []
    if name in own:
        slow = name in SLOW
        rows.append(Row(name, OWN, VARIANTS.get(name, ""), _own(name, few, slow and not everywhere)))
        twins = (each for each in BASELINES.values() if each.published.get(data.name) == label and each.name != name)
        for twin in (each for each in twins if at_hand and each.name.startswith(f"{name} (")):
            rows.append(Row(name, OWN, twin.name.partition("(")[2].rstrip(")") + ", as published", _own(twin.name, few, slow)))
    if at_hand:
        method = published(f"published-{data.name}/{label}", f"{name}, published")
        rows.append(Row(name, PUBLISHED, competitor.published[data.name], method))
    if not rows:
        lacking = f"needs {competitor.needs}" if competitor.needs else "own implementation not in this run"
        rows.append(Row(name, NONE, reason=f"{lacking}; no published images of {data.name} at hand"))
    return rows


def rows(data: Dataset, own: Iterable[str] | None = None, slow_pairs: int = 0, everywhere: bool = True) -> list[Row]:
    """Rows of a table over a set of pairs: the 17 in the paper's order, the authors' images, ours, the references, a user's folders.

    `own` names the baselines to run (None: all six of the 17 that have an own implementation). `slow_pairs` limits the slow ones (`SLOW`)
    to the first pairs, 0 does not; with `everywhere` the limit holds only for their second variant. Published images that belong to none
    of the 17 follow them. ValueError for a name that has no own implementation.
    """
    from ivfnb.baselines import PAPER as IMPLEMENTED

    own = list(IMPLEMENTED if own is None else own)
    if unknown := [name for name in own if name not in IMPLEMENTED]:
        raise ValueError(f"own: found {unknown[0]!r}, expected some of {', '.join(IMPLEMENTED)}")
    sets = datasets.available()
    found = [row for competitor in COMPETITORS for row in _competitor(competitor, data, sets, own, slow_pairs, everywhere)]
    taken = {competitor.labels.get(data.name, competitor.name) for competitor in COMPETITORS}
    prefix = f"published-{data.name}/"
    further = [name.removeprefix(prefix) for name in sets if name.startswith(prefix)]
    further = [label for label in further if label not in taken]
    found += [Row(label, PUBLISHED, method=published(f"{prefix}{label}", f"{label}, published")) for label in further]
    if (authors := AUTHORS_SETS.get(data.name)) in sets:
        found.append(Row(AUTHORS_NAME, AUTHORS, "456x456", published(authors, AUTHORS_NAME, AUTHORS)))
    else:
        found.append(Row(AUTHORS_NAME, NONE, reason=f"no images of {data.name} by the authors at hand"))
    found += ours()
    found += [Row(name, REFERENCE, method=by_baseline(name)) for name in REFERENCES]
    return found + [Row(method.name, method.source, method=method) for method in external(data)]


def ours() -> list[Row]:
    """Our method by both protocols, and the same pipeline without a classifier."""
    found = [Row(name, PROJECT, "native size" if p.size is None else "456x456", by_protocol(name, p)) for name, p in OURS.items()]
    none = Protocol(classifier="none", stretch=True)
    return [*found, Row(NO_CLASSIFIER, REFERENCE, "mean of the enhanced pair, stretch, SSR", by_protocol(NO_CLASSIFIER, none))]


def methods(chosen: Iterable[Row]) -> list[Method]:
    """What `evaluate` takes: the methods of the rows that have images."""
    return [row.method for row in chosen if row.method is not None]


def common_ids(scores: pd.DataFrame, at_least: int) -> tuple[list[str], list[str]]:
    """(ids, methods): the methods of a tidy table that cover at least so many pairs, and the pairs that all of them cover."""
    covered = scores.groupby("method", sort=False)["id"].unique()
    chosen = covered[covered.map(len) >= at_least]
    shared = set.intersection(*map(set, chosen)) if len(chosen) else set()
    return [id for id in dict.fromkeys(scores["id"]) if id in shared], list(chosen.index)


def similarities(data: Dataset, chosen: Iterable[Row]) -> dict[str, float]:
    """Mean SSIM of each own implementation to the published images of the same competitor, by the own method's name."""
    chosen = [row for row in chosen if row.method is not None]
    theirs = {row.name: row.method for row in chosen if row.source == PUBLISHED}
    own = [row for row in chosen if row.source == OWN and row.name in theirs]
    return {row.method.name: float(similarity(data, row.method, theirs[row.name]).mean()) for row in own}


def table(
    chosen: Sequence[Row], scores: pd.DataFrame, likeness: dict[str, float] | None = None, ids: Iterable[str] | None = None
) -> pd.DataFrame:
    """The table of methods: method, source, variant, pairs covered, SSIM to the published images, mean of each metric, note.

    `scores` is tidy, of one set and one convention; `ids` restricts it to these pairs, and leaves out the rows that lack one of them.
    """
    ids = None if ids is None else list(ids)
    scores = scores if ids is None else scores[scores["id"].isin(ids)]
    grouped = scores.pivot_table(index="method", columns="metric", values="value", aggfunc="mean").reindex(columns=list(ELEVEN))
    pairs = scores.groupby("method")["id"].nunique()
    lines = []
    for row in chosen:
        name = row.method.name if row.method else ""
        count = int(pairs.get(name, 0))
        if ids is None or count == len(ids) > 0:
            values = grouped.loc[name].to_dict() if name in grouped.index else dict.fromkeys(ELEVEN, float("nan"))
            note = row.reason or ("" if count else "no image could be read and scored")
            like = (likeness or {}).get(name, float("nan"))
            lines.append(
                {"method": row.name, "source": row.source, "variant": row.variant, "pairs": count, TWIN: like, **values, "note": note}
            )
    return pd.DataFrame(lines, columns=["method", "source", "variant", "pairs", TWIN, *ELEVEN, "note"])


def one_each(chosen: Sequence[Row], scores: pd.DataFrame) -> list[str]:
    """Methods of the rows that cover every pair of a tidy table, one a name: the own implementation before published images."""
    everything, found = scores["id"].nunique(), {}
    pairs = scores.groupby("method")["id"].nunique()
    for row in chosen:
        if row.method is not None and pairs.get(row.method.name, 0) == everything > 0:
            found.setdefault(row.name, row.method.name)
    return list(found.values())

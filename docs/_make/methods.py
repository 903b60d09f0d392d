"""A page for each comparison method: what the registry knows of it, the written text, its coverage and agreement in the full run."""

import inspect
from pathlib import Path
from statistics import mean

import pandas as pd

from ivfnb.baselines import COMPETITORS, Competitor
from ivfnb.baselines.description import Late
from ivfnb.datasets import manifest

from . import results
from .metrics import link


def slug(name: str) -> str:
    """Name of a method's page."""
    return name.replace(" ", "_")


def _function(competitor: Competitor):
    function = competitor.function
    return function.function() if isinstance(function, Late) else function


def _weights(competitor: Competitor) -> str:
    """Where the weights come from, and under what licence."""
    if competitor.fetched:
        entry = manifest.load().get(f"weights/{competitor.name}")
        licence = f" Licence: {entry.licence}." if entry is not None and entry.licence else ""
        return f"its authors', which `ivfnb fetch weights/{competitor.name}` brings.{licence}"
    return "learned in this project, part of the repository" if competitor.weights else "none: nothing is learned"


def _facts(competitor: Competitor) -> str:
    doi = f"[doi {competitor.doi}](https://doi.org/{competitor.doi})" if competitor.doi else ""
    words = {
        "row of the paper's tables": "none, a plain reference" if competitor.row is None else str(competitor.row),
        "publication": ", ".join(filter(None, (competitor.citation, doi))),
        "weights": _weights(competitor),
        "speed": "ten seconds a megapixel and more" if competitor.cost == "slow" else "below ten seconds a megapixel",
        "module": f"`{competitor.module}`",
    }
    return "| | |\n|---|---|\n" + "\n".join(f"| {key} | {value} |" for key, value in words.items()) + "\n"


def _variants(competitor: Competitor) -> str:
    if len(competitor.variants) == 1 and not competitor.variants[0].words:
        python = f'ivfnb.BASELINES["{competitor.name}"].fuse(infrared, visible)'
        return f'`ivfnb fuse --method "{competitor.name}"` runs it; from Python, `{python}`.\n'
    lines = ["| name | what it is | published images made so |", "|---|---|---|"]
    for each in competitor.variants:
        full = f"{competitor.name} ({each.name})" if each.name else competitor.name
        words = each.words or ("as its paper describes it" if not each.name else each.name)
        lines.append(f"| `{full}` | {words} | {', '.join(each.published)} |")
    return "`ivfnb fuse --method NAME` and `ivfnb.BASELINES[NAME]` know it by these names:\n\n" + "\n".join(lines) + "\n"


def _coverage(name: str) -> str:
    """Rows of the full run's Table 2."""
    frame = pd.read_csv(results.stem("05_table2_standard").with_suffix(".csv"))
    rows = frame[frame["method"] == name].dropna(axis=1, how="all")
    if rows.empty:
        return "The full run has no row of it.\n"
    lines = ["| " + " | ".join(rows.columns) + " |", "|" + "---|" * len(rows.columns)]
    for row in rows.itertuples(index=False):
        lines.append(
            "| " + " | ".join("" if pd.isna(cell) else f"{cell:.4g}" if isinstance(cell, float) else str(cell) for cell in row) + " |"
        )
    return (
        "\n".join(lines)
        + "\n\nMeans over the TNO pairs that the column `pairs` counts; [all methods](../results/methods.md) beside one another.\n"
    )


def _agreement(name: str) -> str:
    """How like published images ours are, stored as those are (as JPEG, where they are)."""
    frame = pd.read_csv(results.stem("baseline_agreement").with_suffix(".csv"))
    frame["likeness"] = frame["ssim_jpeg"].fillna(frame["ssim"])
    found = frame[(frame["method"] == name) | frame["method"].str.startswith(f"{name} (")]
    lines = ["| variant | pairs | published images | mean SSIM | least |", "|---|---|---:|---:|---:|"]
    for (method, pairs), group in found.groupby(["method", "pairs"], sort=False):
        likeness = group["likeness"].dropna()
        if len(likeness):
            lines.append(f"| {method} | {pairs} | {len(likeness)} | {mean(likeness):.4f} | {likeness.min():.4f} |")
    if len(lines) == 2:
        return ""
    told = (
        "SSIM of our images to published ones, stored as those are (as JPEG, where they are). The table of variants says in which of them "
        "the published ones were made."
    )
    return f"## Compared with published images\n\n{told}\n\n" + "\n".join(lines) + "\n"


def page(competitor: Competitor, written: str) -> str:
    """Markdown of a method's page."""
    function = _function(competitor)
    purpose = (inspect.getmodule(function).__doc__ or "").partition("\n")[0]
    heading = f"# {competitor.name}\n\n"
    words = purpose.removeprefix(f"{competitor.name}: ") if competitor.row is not None else ""
    about = words[:1].upper() + words[1:]
    return (
        f"{heading}{about}\n\n{_facts(competitor)}\n## How it works\n\n{written}\n## Variants\n\n{_variants(competitor)}\n"
        f"## In the full run\n\n{_coverage(competitor.name)}\n{_agreement(competitor.name)}\n"
        f"## In Python\n\n```{{eval-rst}}\n.. autofunction:: {function.__module__}.{function.__name__}\n```\n"
    )


def own() -> list[Competitor]:
    """Methods of this project: the paper's in its order, then the references."""
    found = [each for each in COMPETITORS.values() if each.module.startswith("ivfnb.")]
    return sorted(found, key=lambda each: (each.row is None, each.row or 0))


def stage(docs: Path, into: Path) -> list[str]:
    """Write the pages; the names of them, in the paper's order."""
    for competitor in own():
        written = docs / "methods" / f"{slug(competitor.name)}.md"
        text = written.read_text(encoding="utf-8") if written.is_file() else ""
        (into / "methods" / f"{slug(competitor.name)}.md").write_text(page(competitor, text), encoding="utf-8")
    return [slug(each.name) for each in own()]


def overview() -> str:
    """Table of all methods."""
    lines = ["| row | method | weights | speed | publication |", "|---|---|---|---|---|"]
    for each in own():
        weights = "fetched" if each.fetched else "learned here" if each.weights else "none"
        lines.append(f"| {each.row or ''} | [{each.name}]({slug(each.name)}.md) | {weights} | {each.cost} | {link(each.citation)} |")
    return "\n".join(lines) + "\n"

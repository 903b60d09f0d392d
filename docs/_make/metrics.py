"""A page for each metric: what the registry knows of it, the written text, values to compare with, the function's own documentation."""

import csv
import math
import re
from pathlib import Path

from ivfnb import paths
from ivfnb.metrics import CONVENTIONS, ELEVEN, METRICS, Metric, conformance

CONVENTION = {
    "standard": "the published definition, in double precision, on images of one size",
    "as_released": "the paper's released evaluator: sources resized to the fused image, uint8 images",
    "vifb": "the benchmark VIFB: colour channels scored one by one and averaged",
}


def _number(value: float) -> str:
    return "∞" if value == math.inf else "-∞" if value == -math.inf else f"{value:g}"


def link(reference: str) -> str:
    """A reference whose DOI is a link."""
    words, sign, doi = reference.partition("doi ")
    return f"{words}[{sign}{doi}](https://doi.org/{doi})" if sign else reference


def _facts(metric: Metric) -> str:
    """Table of what the registry knows."""
    name, function = metric.name, metric.function
    low, high = metric.value_range
    given = ["standard", "as_released"] * metric.eleven or ["standard"]
    others = [each for each in CONVENTIONS if metric.name in CONVENTIONS[each].replaced]
    words = {
        "better": f"{metric.arrow} {metric.direction}",
        "unit": "none" if metric.unit == "1" else metric.unit,
        "range": f"{_number(low)} to {_number(high)}",
        "compares with the sources": "yes" if metric.needs_sources else "no, it looks at the fused image alone",
        "smallest image": f"{metric.smallest}×{metric.smallest} pixels",
        "one of the paper's eleven": "yes" if metric.eleven else "no",
        "given by default in": ", ".join(f"`{each}`" for each in [*given, *metric.conventions] if metric.eleven or each != "standard"),
        "computed otherwise in": ", ".join(f"`{each}` (`{CONVENTIONS[each].replaced[name].__name__}`)" for each in others)
        or "no convention",
        "definition": link(metric.reference),
        "function": f"`{function.__module__}.{function.__name__}`",
    }
    return "| | |\n|---|---|\n" + "\n".join(f"| {key} | {value} |" for key, value in words.items() if value) + "\n"


def _implementations(name: str) -> str:
    """What public implementations give for one image, where that was measured."""
    with open(paths.root() / "data" / "paper" / "public_implementations.csv", newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if name in row["metric"].split(", ")]
    if not rows:
        return ""
    key = next(each for each in rows[0] if each.startswith("values"))
    cause = f" ({rows[0]['cause']})" if rows[0]["cause"] else ""
    return f"\nFor one TNO image and the mean of its sources, eight public implementations gave: {rows[0][key]}{cause}.\n"


def _values(name: str) -> str:
    """Values of the conformance kit."""
    kit = conformance.kit()
    conventions = [each for each in CONVENTIONS if any(name in triple.values[each] for triple in kit.triples.values())]
    lines = [f"| triple | {' | '.join(f'`{each}`' for each in conventions)} |", "|---|" + "---:|" * len(conventions)]
    for triple in kit.triples.values():
        cells = [triple.values[each].get(name) for each in conventions]
        if any(cell is not None for cell in cells):
            lines.append(f"| {triple.name} | " + " | ".join("" if cell is None else f"{cell:.10g}" for cell in cells) + " |")
    relative, absolute = kit.tolerances[name]
    return (
        "\n".join(lines) + f"\n\nA value agrees if it is off by at most {relative:g} of itself (and {absolute:g}). "
        "[How to check an implementation](../howto/conformance.md) has the images.\n"
    )


def page(name: str, written: str) -> str:
    """Markdown of a metric's page."""
    metric = METRICS[name]
    purpose = (metric.function.__doc__ or "").partition("\n")[0]
    words = re.split(r" \(|[:;,]", purpose)[0]
    kept = words[:2].isupper() or "'s " in words  # an abbreviation, or somebody's name
    title = f"{name}: {words if kept else words[:1].lower() + words[1:]}" if words else name
    function = f"{metric.function.__module__}.{metric.function.__name__}"
    others = [CONVENTIONS[each].replaced[name] for each in CONVENTIONS if name in CONVENTIONS[each].replaced]
    documented = "\n".join(f".. autofunction:: {each}" for each in [function, *(f"{f.__module__}.{f.__name__}" for f in others)])
    return (
        f"# {title}\n\n{purpose}\n\n{_facts(metric)}\n{written}{_implementations(name)}\n"
        f"## Values to compare with\n\n{_values(name)}\n## In Python\n\n```{{eval-rst}}\n{documented}\n```\n"
    )


def stage(docs: Path, into: Path) -> list[str]:
    """Write the pages; those of metrics without a written text say what is known. The names, in the order of tables."""
    own = [name for name, each in METRICS.items() if each.function.__module__.startswith("ivfnb.")]
    for name in own:
        written = docs / "metrics" / f"{name}.md"
        (into / "metrics" / f"{name}.md").write_text(
            page(name, written.read_text(encoding="utf-8") if written.is_file() else ""), encoding="utf-8"
        )
    return own


def overview() -> str:
    """Table of all metrics."""
    lines = ["| metric | better | unit | range | sources | what it measures |", "|---|---|---|---|---|---|"]
    for name, each in METRICS.items():
        if each.function.__module__.startswith("ivfnb."):
            low, high = each.value_range
            purpose = (each.function.__doc__ or "").partition("\n")[0]
            mark = f"**[{name}]({name}.md)**" if name in ELEVEN else f"[{name}]({name}.md)"
            needs = "yes" if each.needs_sources else "no"
            unit = "" if each.unit == "1" else each.unit
            lines.append(f"| {mark} | {each.arrow} | {unit} | {_number(low)} to {_number(high)} | {needs} | {purpose} |")
    return "\n".join(lines) + "\n"

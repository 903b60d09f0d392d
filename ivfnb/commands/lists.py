"""`ivfnb methods`, `ivfnb metrics` and `ivfnb data`: what there is, what it needs here, and where it comes from."""

import argparse
import inspect
import json
import shutil
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from ivfnb.commands import options

Rows = list[dict[str, Any]]  # one mapping a line, of what JSON can hold
PAPER = "Qi, Abera, Fanose, Wang and Cheng, Neurocomputing 578, 2024"
OWN_LICENCE = "BSD-3-Clause (this project's code)"
EXAMPLES = """examples:
  ivfnb {0}            a table
  ivfnb {0} {1:<10} all that is known of one, and how to use it
  ivfnb {0} --json     for another program"""
SHOWN = {  # what the table of each command shows; the rest is told of one by its name, and in JSON
    "methods": ("name", "runs here", "cost", "needs", "citation", "licence"),
    "metrics": ("name", "better", "unit", "range", "sources", "conventions", "reference"),
    "data": ("name", "kind", "at hand", "state", "download", "licence", "citation"),
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of all three."""
    command = parser.prog.split()[-1]
    options.explain(parser, EXAMPLES.format(command, {"methods": "CBF", "metrics": "Qabf", "data": "tno21"}.get(command, "NAME")))
    parser.add_argument("names", nargs="*", metavar="NAME", help="all that is known of these (default: a table of all)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def methods() -> Rows:
    """The paper's method by its two protocols, and every comparison method."""
    from ivfnb.baselines import BASELINES, COMPETITORS
    from ivfnb.baselines.common import weights
    from ivfnb.evaluation.recipe import PROTOCOLS
    from ivfnb.fusion.protocol import CHOICES, documented
    from ivfnb.paths import EXTRAS

    lacking = "" if _there("torch") and _there("safetensors") else f"torch: pip install 'ivfnb[{EXTRAS['torch']}]'"
    found: Rows = []
    for name, protocol in PROTOCOLS.items():
        fields = {
            field: {"value": value, "choices": CHOICES.get(field), "what": documented()[field]} for field, value in asdict(protocol).items()
        }
        about = {"name": name, "use": f"ivfnb fuse --protocol {name}", "runs here": "no" if lacking else "yes", "cost": "slow"}
        source = {"citation": PAPER, "doi": "10.1016/j.neucom.2024.127353", "licence": f"{OWN_LICENCE}, weights trained here"}
        found.append({**about, "needs": lacking or "torch; its weights are here", **source, "set": fields})
    pinned = set(weights.methods())
    for competitor in COMPETITORS.values():
        name = competitor.name
        variants = [each for each in BASELINES.values() if each.competitor.name == name]
        lacks = competitor.needs if not variants else variants[0].lacks()
        needs = lacks or (
            "its authors' weights, which are here" if competitor.fetched else "weights trained here" if competitor.weights else ""
        )
        of_weights = f"; weights: {weights.licence(name).partition(' (')[0]}" if competitor.fetched and name in pinned else ""
        found.append(
            {
                "name": name,
                "use": f"ivfnb fuse --method '{name}'",
                "runs here": "no" if lacks else "yes",
                "cost": competitor.cost,
                "needs": needs,
                "citation": competitor.citation,
                "doi": competitor.doi,
                "licence": OWN_LICENCE + of_weights,
                "row of the paper": competitor.row,
                "reference": competitor.reference,
                "variants": {each.name: dict(each.parameters) for each in variants},
                "published images of": sorted(competitor.published),
            }
        )
    return found


def _there(module: str) -> bool:
    from importlib.util import find_spec

    return find_spec(module) is not None


def metrics() -> Rows:
    """Every metric, those of other packages included."""
    from ivfnb.metrics import CONVENTIONS, METRICS

    found: Rows = []
    for name, each in METRICS.items():
        low, high = each.value_range
        given = [convention for convention, rules in CONVENTIONS.items() if name in rules.names or not rules.only_names]
        found.append(
            {
                "name": name,
                "better": each.direction,
                "unit": each.unit,
                "range": f"{low:g} to {high:g}",
                "sources": "with" if each.needs_sources else "without",
                "conventions": ", ".join(given),
                "eleven": each.eleven,
                "reference": each.reference,
                "smallest": f"{each.smallest} pixels a side",
                "what": inspect.getdoc(each.function) or "",
            }
        )
    return found


def data() -> Rows:
    """Every set of images and of weights, and what of it is at hand."""
    from ivfnb.datasets import listing
    from ivfnb.datasets.manifest import load

    found: Rows = []
    for name, entry in load().items():
        copy = listing.at_hand(entry)
        state, count = listing.state(entry, copy)
        size = "?" if entry.bytes is None else f"{entry.bytes / 1e6:.2f} MB" if entry.bytes else "-"
        found.append(
            {
                "name": name,
                "kind": entry.kind,
                "title": entry.title,
                "at hand": entry.count(count),
                "state": state,
                "wrong": listing.told(copy.faults) if copy.faults else "",
                "download": size + (" and by hand" if entry.by_hand and entry.bytes else ""),
                "licence": entry.licence,
                "citation": entry.citation,
                "homepage": entry.homepage,
                "note": entry.note,
                "get": entry.by_hand or (f"ivfnb fetch {name}" if entry.pins or entry.archives else ""),
            }
        )
    return found


LISTS: dict[str, Callable[[], Rows]] = {"methods": methods, "metrics": metrics, "data": data}


def run(arguments: argparse.Namespace) -> int:
    """Print a table, or all that is known of what was named."""
    rows = LISTS[arguments.command]()
    if arguments.names:
        known = {row["name"].casefold(): row for row in rows}
        if unknown := [name for name in arguments.names if name.casefold() not in known]:
            raise ValueError(f"NAME: found {unknown[0]!r}, expected one of {', '.join(row['name'] for row in rows)}")
        rows = [known[name.casefold()] for name in arguments.names]
    if arguments.json:
        print(json.dumps(rows, indent=1, default=str))
    elif arguments.names:
        print("\n\n".join(_told(row) for row in rows))
    else:
        print(_table(rows, SHOWN[arguments.command]))
    return 0


def _table(rows: Rows, shown: tuple[str, ...]) -> str:
    """Rows as wide as the terminal, long texts in several lines."""
    from tabulate import tabulate

    wide = max(100, shutil.get_terminal_size((140, 24)).columns)
    lines = [[str(row[name]) for name in shown] for row in rows]
    needed = [max(len(name), *(len(line[place]) for line in lines)) for place, name in enumerate(shown)]
    widths = _shared(needed, wide - 2 * (len(shown) - 1))
    return tabulate(lines, headers=shown, maxcolwidths=widths, disable_numparse=True)


def _shared(needed: list[int], room: int) -> list[int]:
    """Widths of columns: what is short gets what it needs, the rest share what is left."""
    widths: dict[int, int] = {}
    for count, place in enumerate(sorted(range(len(needed)), key=lambda place: needed[place])):
        widths[place] = max(8, min(needed[place], room // (len(needed) - count)))
        room -= widths[place]
    return [widths[place] for place in range(len(needed))]


def _told(row: Mapping[str, Any]) -> str:
    """All that is known of one, a line for each thing."""
    lines = []
    for key, value in row.items():
        if isinstance(value, Mapping):
            lines.append(f"{key}:")
            lines += [_line(f"  {name}", _worth(each)) for name, each in value.items()]
        elif value not in ("", None, False, []):
            text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            lines.append(_line(key, text) if "\n" not in text else f"{key}:\n{textwrap.indent(text, '  ')}")
    return "\n".join(lines)


def _worth(each: Any) -> str:
    """A field of a protocol with its choices and what it is, or a variant's parameters."""
    if isinstance(each, Mapping) and "what" in each:
        choices = f" (one of {', '.join(map(str, each['choices']))})" if each["choices"] else ""
        return f"{each['value']}{choices}. {each['what']}"
    return ", ".join(f"{name}={value}" for name, value in each.items()) or "as published" if isinstance(each, Mapping) else str(each)


def _line(key: str, text: str) -> str:
    return textwrap.fill(f"{key}: {text}", width=max(80, min(120, shutil.get_terminal_size().columns)), subsequent_indent="    ")

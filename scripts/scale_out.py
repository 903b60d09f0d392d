"""How far a cluster takes LLVIP: pairs a second of one worker and of two here, and the arithmetic for many.

    python scripts/scale_out.py [--measure] [--profile paper] [--cores 16] [--page docs/howto/cluster.md]

`--measure` first runs `ivfnb bench cluster`, which writes its rows into results/<profile>/bench.csv, beside those of other commits: do so
on an idle machine. The arithmetic takes the processor seconds of every method in that file, for one 768x576 pair, and scales them by
pixels to LLVIP's 1280x1024. `--page` writes the tables into the page, between its marks; without it they are printed.
"""

import argparse
import math
import re
import sys
from pathlib import Path

import pandas as pd

from ivfnb import commands, files, paths
from ivfnb.evaluation import competitors

PAIRS = 15_488
PIXELS = 1280 * 1024 / (768 * 576)  # of a pair of LLVIP over one of the bench
MACHINES = (1, 10, 100)
OURS = "1280x1024, dense"  # the bench times it by the clock, on all cores
READ, WRITTEN = 0.17, 0.5  # MB: the two JPEG files of a pair (mean of 45), and one fused PNG (mean of 10, by two methods)
PROCESSOR = ", the same, processor time"


def seconds(bench: pd.DataFrame) -> dict[str, float]:
    """Processor seconds that a pair of LLVIP costs by method, metrics included, the paper's own method first."""
    value = bench.set_index(["section", "what"])["value"]
    metrics = value["metrics", "the same, processor time"] * PIXELS
    found = {"this method": value["weightmap", OURS] * int(bench["cores"].iloc[0]) + metrics}
    for name in competitors.NAMES:
        keys = [("baselines", f"{label}{PROCESSOR}") for label in (name, f"{name} (retrained)")]
        if key := next((key for key in keys if key in value), None):
            found[name] = value[key] * PIXELS + metrics
    return found


def measured(bench: pd.DataFrame) -> str:
    """Table of what was measured, or a sentence that says it was not."""
    rows = bench[(bench["section"] == "cluster") & bench["value"].notna()]
    if rows.empty:
        return "Not measured yet: `python scripts/scale_out.py --measure`."
    return rows[["what", "value", "unit"]].fillna("").to_markdown(index=False)


def arithmetic(bench: pd.DataFrame, cores: int) -> str:
    """Tables of seconds by method, and of hours by number of machines."""
    costs = seconds(bench)
    total, absent = sum(costs.values()), [name for name in competitors.NAMES if name not in costs]
    lines = [f"| {name} | {cost:.2f} |" for name, cost in sorted(costs.items(), key=lambda item: -item[1])]
    table = []
    for machines in MACHINES:
        workers = machines * cores
        rounds = math.ceil(PAIRS / workers)  # a pair is one task: the last round may leave workers idle
        rate = PAIRS / (rounds * total)
        cells = (
            machines,
            f"{workers:,}",
            f"{rounds * total / 3600:,.2f}",
            f"{rate:.2f}",
            f"{rate * READ:.2f}",
            f"{rate * WRITTEN * len(costs):.1f}",
        )
        table.append("| " + " | ".join(map(str, cells)) + " |")
    head = f"| machines | workers, {cores} a machine | hours for {PAIRS:,} pairs | pairs a second | MB a second read | written |"
    parts = [
        "| method | processor seconds a pair |",
        "| --- | ---: |",
        *lines,
        f"| **together** | **{total:.2f}** |",
        "",
        head,
        "|" + " ---: |" * 6,
    ]
    parts += [*table, "", f"Without a time in the bench file, and not counted: {', '.join(absent)}."] if absent else table
    return "\n".join(parts)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", action="store_true", help="measure one worker and two first")
    parser.add_argument("--profile", default="paper", help="whose bench.csv is read, and written (default: %(default)s)")
    parser.add_argument("--cores", type=int, default=16, help="of a machine of the cluster (default: %(default)s)")
    parser.add_argument("--page", type=Path, help="page whose marked parts are written anew")
    arguments = parser.parse_args()
    code = commands.main(["bench", "cluster", "--mixed", "--profile", arguments.profile]) if arguments.measure else 0
    bench = pd.read_csv(paths.results_root() / arguments.profile / "bench.csv")
    parts = {"measured": measured(bench), "arithmetic": arithmetic(bench, arguments.cores)}
    if arguments.page is None:
        print("\n\n".join(parts.values()))
        return code
    text = arguments.page.read_text(encoding="utf-8")
    for name, part in parts.items():
        text, found = re.subn(rf"(<!-- {name} -->\n).*?(\n<!-- end -->)", lambda m, part=part: m[1] + part + m[2], text, flags=re.DOTALL)
        if found != 1:
            raise ValueError(f"{arguments.page}: found {found} parts {name}, expected one from <!-- {name} --> to <!-- end -->")
    files.write_text(arguments.page, text)
    return code


if __name__ == "__main__":
    sys.exit(main())

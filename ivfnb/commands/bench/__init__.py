"""Speed and memory, measured: `python -m ivfnb bench [section ...]` writes results/<profile>/bench.csv.

A section is a module of this package with `rows() -> list[dict]`, one row per figure: "section", "what", "value", "unit" and "bar" (what it
should be; empty where nothing is asked). `bars` compares each value with its bar: the column "met". A section that draws its rows has
`chart(rows)` too; what it gives becomes results/<profile>/figures/bench_<section>.png.
"""

import argparse
import importlib
import json
import math
import pkgutil
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ivfnb import files, paths, provenance
from ivfnb.commands.bench import bars

if TYPE_CHECKING:
    import pandas as pd  # imported late: it would add to the memory that is measured

REPEATS = 5
HERE = ("bars",)  # modules of this package that are no section
_PEAK = "\nfrom ivfnb.commands import bench\nprint(bench.peak_bytes())"


def seconds(function: Callable[[], object], repeats: int = REPEATS) -> float:
    """Seconds one call takes: the least of `repeats` after one that is not counted, since other work on the machine only adds."""
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def peak_bytes() -> int:
    """Largest resident memory of this process so far, bytes."""
    status = Path("/proc/self/status")
    if status.is_file():  # Linux: getrusage would count what the parent process held when it started this one
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) * 1024
    import resource  # no such module on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)  # macOS gives bytes


def peak_memory(code: str) -> int:
    """Largest resident memory, bytes, of a fresh Python process that runs `code`, interpreter and libraries included.

    RuntimeError with the last line of its complaint when the code fails.
    """
    done = subprocess.run([sys.executable, "-c", code + _PEAK], capture_output=True, text=True, check=False, cwd=paths.root())
    if done.returncode:
        raise RuntimeError(f"the measured process failed: {done.stderr.strip().splitlines()[-1:]}")
    return int(done.stdout.split()[-1])


def sections() -> list[str]:
    """Names of the sections there are: the modules of this package, without what they share."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name not in HERE)


def _processor() -> str:
    """Model of the processor, for a reader who compares times."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.is_file() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor())


def _stamp(profile: str) -> dict:
    """Provenance as flat columns."""
    record = provenance.stamp(profile=profile, processor=_processor())
    return {key: json.dumps(value) if isinstance(value, dict | list) else value for key, value in record.items()}


def kept(path: Path, replaced: Iterable[str], stamp: dict, mixed: bool = False) -> "pd.DataFrame | None":
    """Rows of other sections than `replaced` that the CSV `path` holds, None where there are none.

    ValueError naming the file when it is no CSV with a column "section", or, unless `mixed`, for rows of another commit or profile than the
    stamp's: numbers of several commits would stand in one table.
    """
    import pandas as pd

    if not path.is_file():
        return None
    try:
        before = pd.read_csv(path, dtype=str, keep_default_na=False)
        others = before[~before["section"].isin(list(replaced))]
    except (KeyError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise ValueError(f"{path}: found no CSV with a column section ({error}), expected one that bench wrote; move it away") from error
    for name in () if mixed else ("commit", "profile"):
        if strange := sorted(set(others.get(name, [])) - {str(stamp.get(name) or "")}):
            raise ValueError(
                f"{path}: found rows of the {name} {strange[0]}, expected {stamp.get(name)}; --mixed keeps them, or move it away"
            )
    return others if len(others) else None


def write(rows: list[dict], path: Path, stamp: dict, mixed: bool = False) -> "pd.DataFrame":
    """Put `rows`, each with `stamp` beside it, into the CSV `path`, whole or not at all; rows of other sections stay, see `kept`."""
    import pandas as pd

    table = pd.DataFrame([{**row, **stamp} for row in rows])
    others = kept(path, table["section"], stamp, mixed)
    table = table if others is None else pd.concat([others, table])
    measured = [column for column in table.columns if column not in stamp]
    table = table[[*measured, *stamp]]
    with files.replacing(path) as beside:
        table.to_csv(beside, index=False)
    return table


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `python -m ivfnb bench`."""
    parser.add_argument("section", nargs="*", help=f"what to measure, all if none is named: {', '.join(sections())}")
    parser.add_argument("--profile", default="demo", help="write results/<profile>/bench.csv (default: %(default)s)")
    parser.add_argument("--mixed", action="store_true", help="keep rows of other sections that another commit or profile measured")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows as JSON too")


def run(arguments: argparse.Namespace) -> int:
    """Measure the sections, print each as a table as soon as it is done, and write the CSV (and JSON) file.

    0 where every bar is met, 1 where some are not: those rows are named at the end. ValueError for an unknown section.
    """
    import pandas as pd

    unknown = sorted(set(arguments.section) - set(sections()))
    if unknown:
        raise ValueError(f"section: found {', '.join(unknown)}, expected some of {', '.join(sections())}")
    path = paths.results_dir(arguments.profile) / "bench.csv"
    every: list[dict] = []
    stamp, mixed = _stamp(arguments.profile), bool(getattr(arguments, "mixed", False))
    kept(path, arguments.section or sections(), stamp, mixed)  # before minutes are spent
    for name in arguments.section or sections():
        module = importlib.import_module(f"{__name__}.{name}")
        rows = [bars.judged(row) for row in module.rows()]
        every += rows
        write(rows, path, _stamp(arguments.profile), mixed)
        table = pd.DataFrame(rows).astype(object)
        print(table.where(table.notna(), "").to_markdown(index=False), end="\n\n", flush=True)
        if hasattr(module, "chart") and find_spec("matplotlib"):
            from ivfnb.report.figures import save_figure

            print(f"drawn: {save_figure(module.chart(rows), path.with_name('figures') / f'bench_{name}.png')}", end="\n\n")
        if arguments.json:
            files.write_json(arguments.json, [_without_nan(row) for row in every], indent=1)
    print(f"written: {path}")
    short = bars.falling_short(every)
    for text in short:
        print(f"falls short: {text}", file=sys.stderr)
    return 1 if short else 0


def _without_nan(row: dict) -> dict:
    """The row with None for what is not a number, which JSON does not know."""
    return {key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in row.items()}

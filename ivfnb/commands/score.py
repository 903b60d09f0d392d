"""`ivfnb score`: metrics of fused image files, one, whole folders, or the folders of several methods, as tables or for other programs."""

import argparse
import json
import sys
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from ivfnb import files as whole
from ivfnb import images, provenance
from ivfnb.commands import options
from ivfnb.evaluation import folders, gathering
from ivfnb.evaluation.fitting import FITS
from ivfnb.evaluation.outputs import Sources, check_output
from ivfnb.metrics.registry import CONVENTIONS, METRICS
from ivfnb.metrics.scoring import CHANNELS
from ivfnb.report import overviews

FORMS = {"csv": "csv", "json": "json", "markdown": "md", "latex": "tex"}  # option -> form
ACROSS = 4  # methods that stand side by side in a terminal

EXAMPLES = """examples:
  ivfnb score --fused fused.png --infrared ir.png --visible vis.png
  ivfnb score --fused fused/ --infrared ir/ --visible vis/ --csv scores.csv
  ivfnb score --fused A=runs/a B=runs/b --infrared ir/ --visible vis/ --names SSIM,VIFF,Qabf --markdown
  ivfnb score --fused mine=fused/ --data tno21 --against --latex table.tex      beside the 17 comparison methods
  ivfnb score --fused fused/                                                    metrics that need no sources
  ivfnb score --fused fused.png --infrared ir.tif --visible vis.png --levels-infrared 0:16383

Folders are matched by file name, by the rule of `ivfnb fuse`; a fused file may carry its method's name (fight_CBF.png). Means never
hide what is missing: images without sources, that fail, or that a method lacks are named on standard error.

exit code: 0 when all was scored; 1 when an image failed or has no sources (the others are scored); 2 for bad input."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    options.explain(parser, EXAMPLES)
    what = parser.add_argument_group("what")
    what.add_argument(
        "--fused", required=True, nargs="+", metavar="PATH", help="fused image, or a folder of them; NAME=PATH for each of several methods"
    )
    what.add_argument("--infrared", type=Path, metavar="PATH", help="infrared image or folder (without sources: metrics that need none)")
    what.add_argument("--visible", type=Path, metavar="PATH", help="visible image or folder; it may be the infrared one's folder")
    what.add_argument("--data", metavar="SET", help="a known set in place of --infrared and --visible (`ivfnb data` lists them)")
    what.add_argument(
        "--against",
        nargs="*",
        metavar="METHOD",
        help="with --data, rows of the paper's competitors beside (all 17, or those named): published images, else computed here",
    )
    options.add_patterns(what, fused=True)
    options.add_levels(what)
    how = parser.add_argument_group("how")
    how.add_argument("--convention", choices=list(CONVENTIONS), default="standard", help="which rules (default: %(default)s)")
    how.add_argument("--names", help="'all', or metrics separated by commas (`ivfnb metrics` lists them; default: the convention's own)")
    how.add_argument("--channels", choices=CHANNELS, help="score colour images by luma, or by the mean over their channels")
    how.add_argument(
        "--fit",
        choices=FITS,
        default="content",
        help="sources of another size than the fused image: crop, resize or (default) what fits it",
    )
    how.add_argument("--jobs", type=int, default=1, metavar="N", help="images scored at once (default: %(default)s; -1: all cores)")
    options.add_parallel(how)
    out = parser.add_argument_group("output (tables for the terminal unless one of these is asked for)")
    for option, words in (("csv", "CSV with all digits"), ("json", "JSON with values, means, intervals, ranks and what made them")):
        out.add_argument(f"--{option}", nargs="?", const="-", metavar="FILE", help=f"{words}, to a file or to standard output")
    for option in ("markdown", "latex"):
        out.add_argument(f"--{option}", nargs="?", const="-", metavar="FILE", help=f"tables as {option.capitalize()}")


def _fused(given: list[str]) -> dict[str, Path]:
    """Paths by name of the method; ValueError for two of one name, or one that is absent."""
    found: dict[str, Path] = {}
    for text in given:
        name, equals, path = text.partition("=")
        if not equals or Path(text).exists():
            name, path = Path(text).resolve().name if len(given) > 1 else "fused", text
        if name in found:
            raise ValueError(f"--fused: found two methods called {name!r}, expected NAME=PATH with a name for each")
        if not Path(path).exists():
            raise ValueError(f"--fused: {path}: found no such file, expected an image or a folder of them")
        found[name] = Path(path)
    return found


def _sources(arguments: argparse.Namespace) -> dict[str, Path]:
    given = {role: getattr(arguments, role) for role in gathering.SOURCES if getattr(arguments, role) is not None}
    if len(given) == 1:
        raise ValueError(f"found --fused and --{next(iter(given))} alone, expected both sources or none")
    if given and arguments.data:
        raise ValueError("--data: found --infrared and --visible beside it, expected either")
    if arguments.against is not None and not arguments.data:
        raise ValueError("--against: expected --data SET with it: comparison methods are run on a known set")
    folders.competitors(arguments.against)
    for role, path in given.items():
        if not path.exists():
            raise ValueError(f"--{role}: {path}: found no such file, expected an image or a folder of them")
    return given


def _rules(arguments: argparse.Namespace) -> folders.Rules:
    names = arguments.names if arguments.names in (None, "all") else tuple(name.strip() for name in arguments.names.split(","))
    channels = arguments.channels
    if arguments.against is not None:
        if channels == "mean":
            raise ValueError("--channels: found 'mean' beside --against, expected 'luma': comparison methods are scored by luma")
        channels = "luma"
    meant = options.levels(arguments)
    by_role = images.by_role(meant.get("levels"), meant.get("levels_infrared"), meant.get("levels_visible"))
    return folders.Rules(names, arguments.convention, channels, by_role, arguments.fit)


def _check(arguments: argparse.Namespace, gathered: gathering.Gathered) -> dict[str, str]:
    """Forms asked for, with where they go; ValueError for a place that cannot or must not be written."""
    asked = {form: target for option, form in FORMS.items() if (target := getattr(arguments, option)) is not None}
    known = Sources(file for entry in gathered.entries for file in entry.files.values())
    for target in asked.values():
        if target != "-":
            check_output(target, known)
    return asked


def run(arguments: argparse.Namespace) -> int:
    """Score, and print or write the values; what failed or is missing is told on standard error."""
    with options.parallel_from(arguments):
        return _run(arguments)


def _run(arguments: argparse.Namespace) -> int:
    fused, sources, rules = _fused(arguments.fused), _sources(arguments), _rules(arguments)
    gathered = gathering.gather(fused, sources, arguments.data, options.patterns(arguments))
    asked = _check(arguments, gathered)
    several = any(path.is_dir() for path in fused.values())
    bar = tqdm(
        folders.score_all(gathered, rules, arguments.jobs),
        total=len(gathered.entries),
        desc="scoring",
        unit="image",
        disable=None,
        leave=False,
    )
    scored = list(bar)
    failed = [each for each in scored if each.reason]
    if failed and not several:
        raise ValueError(failed[0].reason)
    for each in failed:
        options.complain("score", each.reason)
    _tell(gathered, len(fused))
    frame = folders.tidy(gathered.name, scored, rules.convention)
    if arguments.against is not None:
        theirs, notes = folders.against(arguments.data, arguments.against or None, rules, arguments.jobs)
        options.complain("score", *(f"no row of {note}" for note in notes))
        frame = pd.concat([frame, theirs], ignore_index=True) if len(theirs) else frame
    if frame.empty:
        raise ValueError(f"found nothing that could be scored in {', '.join(map(str, fused.values()))}")
    for form, target in asked.items():
        _write(frame, form, target)
    if not asked:
        _show(frame)
    return 1 if failed or gathered.wrong else 0


def _tell(gathered: gathering.Gathered, methods: int) -> None:
    """What the values leave out."""
    for (method, id), reason in gathered.wrong.items():
        options.complain("score", f"{method + ', ' if method and methods > 1 else ''}{id}: found {reason}")
    for method, ids in gathered.lacking.items():
        named = ", ".join(ids[:5]) + (", ..." if len(ids) > 5 else "")
        have = f"{gathered.pairs - len(ids)} of {gathered.pairs} pairs have a fused image"
        options.complain("score", f"{method + ': ' if methods > 1 else ''}{have}, means are over those; without: {named}")
    options.complain("score", *options.unused(gathered.unused))


def _write(frame: pd.DataFrame, form: str, target: str) -> None:
    """One form to standard output ("-") or to a file, whole or not at all."""
    if form == "json":
        text = json.dumps({**overviews.as_json(frame), "provenance": provenance.stamp()}, indent=1) + "\n"
    else:
        text = overviews.document(frame, form)
    if target == "-":
        sys.stdout.write(text)
    else:
        whole.write_text(target, text)


def _show(frame: pd.DataFrame) -> None:
    """Tables for a terminal."""
    from tabulate import tabulate

    wide = overviews.per_image(frame)
    if len(wide) == 1:
        row = wide.iloc[0]
        lines = [(name, row[name], METRICS[name].arrow, METRICS[name].unit) for name in map(str, wide) if name in METRICS]
        print(tabulate(lines, headers=["metric", row["id"], "better", "unit"], floatfmt=".6g"))
        if "fit" in wide:
            print(f"sizes differ: the sources were {row['fit']}")
        return

    def shown(table: pd.DataFrame) -> str:
        headers = [f"{name} {METRICS[name].arrow}" if name in METRICS else name for name in map(str, table)]
        return tabulate(table.to_numpy(dtype=object).tolist(), headers=headers, floatfmt=".5g", missingval="")

    if frame["method"].nunique() == 1:
        print(shown(overviews.with_means(frame)))
    else:
        print(shown(wide))
    found = overviews.summary(frame)
    methods = list(dict.fromkeys(found["method"]))
    if len(methods) > 1:
        print(f"\nmeans\n{shown(overviews.means_table(found))}")
    if found["low"].notna().any():
        for start in range(0, len(methods), ACROSS):
            part = found[found["method"].isin(methods[start : start + ACROSS])]
            print(f"\nmeans and 95 % bootstrap intervals\n{shown(overviews.intervals_table(part))}")
    if found["rank"].notna().any():
        print(f"\naverage ranks over {overviews.common_pairs(frame)} common images, 1 is best\n{shown(overviews.ranks_table(found))}")

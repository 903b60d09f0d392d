"""`ivfnb fuse`: fuse a pair of files, two folders of them, or videos, by one of the two protocols or a comparison method."""

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from ivfnb.commands import options
from ivfnb.datasets.naming import suggested
from ivfnb.evaluation import batch, video
from ivfnb.evaluation.recipe import Recipe, recipe
from ivfnb.files import special

EXAMPLES = """examples:
  ivfnb fuse --infrared ir.png --visible vis.png --output fused.png
  ivfnb fuse --infrared ir/ --visible vis/ --output fused/ --jobs 2          folders; what is done already is kept
  ivfnb fuse --infrared all/ --visible all/ --output fused/                  one folder: Camp_IR.png and Camp_Vis.png
  ivfnb fuse --infrared dji/ --visible dji/ --output fused/ --pattern-infrared '{id}_T.jpg' --pattern-visible '{id}_W.jpg'
  ivfnb fuse --infrared ir.tif --visible vis.png --output fused.png --levels-infrared 0:16383
  ivfnb fuse --infrared ir.mp4 --visible vis.mp4 --output fused.mp4 --levels minmax
  ivfnb fuse --infrared ir.png --visible vis.png --output fused.png --method CBF
  ivfnb fuse --infrared ir.png --visible vis.png --output fused.png --protocol released --set weighting=soft

A PNG file carries what made it (its text "ivfnb"); beside any other file, and beside a video, NAME.json says it. In a folder, pairs
that are up to date by that record are kept.

exit code: 0 when all is fused or kept; 1 when a pair of a folder failed or an image has no partner; 2 for bad input."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    options.explain(parser, EXAMPLES)
    what = parser.add_argument_group("what")
    what.add_argument("--infrared", type=Path, metavar="PATH", help="infrared image or video, or a folder of them")
    what.add_argument("--visible", type=Path, metavar="PATH", help="visible image or video, or a folder of them")
    what.add_argument("--side-by-side", type=Path, metavar="VIDEO", help="in place of both: one video that shows them side by side")
    what.add_argument("--left", choices=("infrared", "visible"), help="which of the two --side-by-side shows on the left")
    what.add_argument("--output", type=Path, required=True, metavar="PATH", help="file to write, or the folder for them")
    what.add_argument(
        "--weight-map", type=Path, metavar="PATH", help="also write the weight of the visible image, 0..255 (for folders: a folder)"
    )
    options.add_patterns(what)
    options.add_levels(what)
    how = parser.add_argument_group("how")
    how.add_argument("--protocol", choices=("paper", "released"), help="the paper's text, or its released code (default: paper)")
    how.add_argument("--method", metavar="NAME", help="a comparison method in place of the paper's (`ivfnb methods` lists them)")
    how.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="another value for a field of the protocol (`ivfnb methods paper` lists them) or a parameter of the method; may be repeated",
    )
    how.add_argument(
        "--weights", default="", metavar="NAME", help="name in data/weights/ or a .safetensors file (default: what fits the protocol)"
    )
    how.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s: CUDA where there is one)")
    how.add_argument(
        "--precision", choices=("float32", "tf32", "bfloat16"), default="float32", help="of the paper's network (default: %(default)s)"
    )
    how.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="pairs (or frames of a video) fused at once (default: %(default)s; -1: all cores)"
    )
    options.add_parallel(how)
    how.add_argument("--force", action="store_true", help="fuse again what is up to date")


def _recipe(arguments: argparse.Namespace) -> Recipe:
    """How to fuse; ValueError for arguments that do not go together."""
    if arguments.method and (arguments.weight_map or arguments.weights or arguments.protocol):
        named = next(name for name in ("weight_map", "weights", "protocol") if getattr(arguments, name))
        raise ValueError(f"--method: found --{named.replace('_', '-')} beside it, expected none: it belongs to the paper's method")
    settings = dict(options.setting(text) for text in arguments.set)
    return recipe(arguments.method or "", arguments.protocol or "paper", settings, arguments.weights, arguments.device, arguments.precision)


def _plan(arguments: argparse.Namespace) -> batch.Plan:
    """What to fuse; ValueError for arguments that do not go together, or a place that cannot be written."""
    infrared, visible, both = arguments.infrared, arguments.visible, arguments.side_by_side
    if both is not None:
        if infrared or visible or not arguments.left:
            raise ValueError("--side-by-side: expected --left infrared or --left visible with it, and neither --infrared nor --visible")
        if not video.is_video(both):
            raise ValueError(f"--side-by-side: found {both}, expected a video ({', '.join(sorted(video.SUFFIXES))})")
        return batch.plan_files({f"{arguments.left}_left": both}, arguments.output, arguments.weight_map)
    if infrared is None or visible is None or arguments.left:
        raise ValueError("expected --infrared and --visible, or --side-by-side and --left")
    if infrared.is_dir() != visible.is_dir():
        raise ValueError(f"--infrared {infrared}, --visible {visible}: found one folder, expected two folders or two files")
    for name, path in (("infrared", infrared), ("visible", visible)):
        if not path.exists():
            raise ValueError(f"--{name}: {path}: found no such file, expected an image, a video or a folder of them")
    sources, patterns = {"infrared": infrared, "visible": visible}, options.patterns(arguments)
    if infrared.is_dir():
        return batch.plan_folders(sources, arguments.output, arguments.weight_map, patterns)
    if patterns:
        raise ValueError("--pattern-infrared, --pattern-visible: found them with two files, expected two folders")
    return batch.plan_files(sources, arguments.output, arguments.weight_map)


def _hint(plan: batch.Plan, arguments: argparse.Namespace) -> str:
    """What to do where partners were not found."""
    lonely = [
        Path(text.partition(" without a partner")[0].removeprefix("found ")) for text in plan.wrong.values() if "without a partner" in text
    ]
    by_folder = {folder: [path for path in lonely if path.parent == folder] for folder in (arguments.infrared, arguments.visible)}
    first = [paths[0].name if paths else "" for paths in by_folder.values()]
    infrared, visible = suggested(*first) if len(first) == 2 and all(first) else suggested("", "")
    return f"say how files are named, as in --pattern-infrared '{infrared}' --pattern-visible '{visible}'"


def run(arguments: argparse.Namespace) -> int:
    """Fuse, and print what was written, kept, failed and unused."""
    with options.parallel_from(arguments):
        return _run(arguments)


def _run(arguments: argparse.Namespace) -> int:
    how, levels = _recipe(arguments), options.levels(arguments)
    plan = _plan(arguments)
    folders = arguments.infrared is not None and arguments.infrared.is_dir()
    counts = {"done": 0, "kept": 0, "failed": len(plan.wrong)}
    for id, reason in plan.wrong.items():
        options.complain("fuse", f"{id}: found {reason}")
    if plan.wrong and any("without a partner" in reason for reason in plan.wrong.values()):
        options.complain("fuse", _hint(plan, arguments))
    outcomes = batch.run(plan, how, levels, arguments.jobs, arguments.force)
    bar = tqdm(outcomes, total=len(plan.works), desc="fusing", unit="pair", disable=None if folders else True)
    try:
        for outcome in bar:
            counts[outcome.state] += 1
            for text in outcome.said:
                options.complain("fuse", f"warning: {text}")
            if outcome.state == "failed":
                if not folders:
                    raise options.Failed(outcome.reason, outcome.trace)
                options.complain("fuse", f"{outcome.id}: {outcome.reason}", outcome.trace if arguments.debug else "")
    finally:
        bar.close()
        if folders:
            options.complain("fuse", *options.unused(plan.unused))
    print(_summary(counts, arguments.output, folders), file=sys.stderr if special(arguments.output) else sys.stdout)
    return 1 if counts["failed"] else 0


def _summary(counts: dict[str, int], output: Path, folders: bool) -> str:
    parts = [f"{counts['done']} fused into {output}"]
    if counts["kept"]:
        parts.append(f"{counts['kept']} kept, up to date (--force fuses again)")
    if counts["failed"] or folders:
        parts.append(f"{counts['failed']} failed")
    return ", ".join(parts)

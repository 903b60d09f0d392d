"""`ivfnb score`: metrics of fused image files, one or whole folders, as a table or CSV."""

import argparse
import csv
import io
import sys
from pathlib import Path

from ivfnb import files as whole
from ivfnb import parallel
from ivfnb.datasets import listing
from ivfnb.images import Image, read_color, read_gray
from ivfnb.metrics.registry import CONVENTIONS, METRICS
from ivfnb.metrics.scoring import CHANNELS, score

ROLES = ("fused", "infrared", "visible")


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("--fused", type=Path, required=True, help="fused image, or a folder of them")
    parser.add_argument("--infrared", type=Path, help="infrared image or folder (without sources: metrics that need none)")
    parser.add_argument("--visible", type=Path, help="visible image or folder; folders are matched by file name")
    parser.add_argument("--convention", choices=list(CONVENTIONS), default="standard", help="which rules (default: %(default)s)")
    parser.add_argument("--names", help=f"'all', or names separated by commas, of {', '.join(METRICS)} (default: the convention's own)")
    parser.add_argument("--channels", choices=CHANNELS, help="score colour images by luma, or by the mean over their channels")
    parser.add_argument("--csv", nargs="?", const="-", metavar="FILE", help="write CSV with all digits, to a file or to standard output")
    parser.add_argument("--jobs", type=int, default=1, help="images scored at once (default: %(default)s)")


def _files(given: dict[str, Path]) -> dict[str, dict[str, Path]]:
    """Files by id and role; ValueError where folders and files are mixed, or a fused image has no sources."""
    are_folders = {role: path.is_dir() for role, path in given.items()}
    if len(set(are_folders.values())) > 1:
        kinds = ", ".join(f"--{role} {path} (a {'folder' if are_folders[role] else 'file'})" for role, path in given.items())
        raise ValueError(f"found {kinds}; expected all folders or all files")
    if not are_folders["fused"]:
        return {given["fused"].stem: given}
    matched = listing.match("score", given)
    fused = {file["fused"] for file in matched.values() if "fused" in file}
    there = {file for file in given["fused"].iterdir() if file.suffix.lower() in listing.SUFFIXES and not file.name.startswith(".")}
    if lonely := sorted(file.name for file in there - fused):
        raise ValueError(
            f"--fused {given['fused']}: found {', '.join(lonely[:5])} without sources, expected files of the same names in both"
        )
    if not fused:
        raise ValueError(f"--fused {given['fused']}: found no images, expected files {', '.join(sorted(listing.SUFFIXES))}")
    return {id: files for id, files in matched.items() if "fused" in files}


def score_file(files: dict[str, Path], names: list[str] | str | None, convention: str, channels: str | None) -> dict[str, float]:
    """`score` of image files by role; ValueError names the fused file."""
    color = (channels or CONVENTIONS[convention].channels) == "mean"
    images: dict[str, Image] = {role: read_color(file) if color else read_gray(file) for role, file in files.items()}
    try:
        return score(images["fused"], images.get("infrared"), images.get("visible"), names, convention, channels)
    except ValueError as error:
        raise ValueError(f"{files['fused']}: {error}") from error


def _write_csv(rows: list[dict], target: str) -> None:
    """CSV to standard output ("-") or to a file, whole or not at all."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    if target == "-":
        sys.stdout.write(text.getvalue())
    else:
        whole.write_text(target, text.getvalue())


def run(arguments: argparse.Namespace) -> int:
    """Score, and print or write the values; folders get a row of means."""
    from tabulate import tabulate

    given = {role: getattr(arguments, role) for role in ROLES if getattr(arguments, role) is not None}
    if len(given) == 2:
        raise ValueError(f"found {' and '.join(f'--{role}' for role in given)} alone, expected both sources or none")
    names = arguments.names if arguments.names in (None, "all") else [name.strip() for name in arguments.names.split(",")]
    files = _files(given)
    wanted = names, arguments.convention, arguments.channels
    scores = parallel.each(score_file, [(roles, *wanted) for roles in files.values()], arguments.jobs, threads=True)
    rows = [{"id": id, **values} for id, values in zip(files, scores, strict=True)]
    if len(rows) > 1:
        rows.append({"id": "mean", **{name: sum(values[name] for values in scores) / len(scores) for name in scores[0]}})
    if arguments.csv:
        _write_csv(rows, arguments.csv)
    elif len(rows) == 1:
        lines = [(name, value, METRICS[name].arrow, METRICS[name].unit) for name, value in scores[0].items()]
        print(tabulate(lines, headers=["metric", rows[0]["id"], "better", "unit"], floatfmt=".6g"))
    else:
        headers = {name: name if name == "id" else f"{name} {METRICS[name].arrow}" for name in rows[0]}
        print(tabulate(rows, headers=headers, floatfmt=".5g"))
    return 0

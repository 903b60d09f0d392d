"""What several commands have in common: arguments of levels and file names, what they say on standard error, and how they fail."""

import argparse
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ivfnb import parallel


class Failed(ValueError):
    """Bad input that was met in a worker: the message, and the traceback for `--debug`."""

    def __init__(self, message: str, trace: str = "") -> None:
        super().__init__(message)
        self.trace = trace


def explain(parser: argparse.ArgumentParser, epilog: str) -> None:
    """Help with examples below, their lines as they stand."""
    parser.formatter_class = _Help
    parser.epilog = epilog


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help as wide as the terminal, at most 120 columns, with room for long options."""

    def __init__(self, prog: str, **given: Any) -> None:
        super().__init__(prog, max_help_position=32, width=min(120, shutil.get_terminal_size().columns) - 2)


def add_levels(parser: argparse._ArgumentGroup) -> None:
    """Arguments that say what the numbers of image files mean."""
    say = "LOW:HIGH, such as 0:16383 or 20.5:38, which become black and white; minmax, the image's own range; or full, the file type's"
    parser.add_argument("--levels", metavar="WHAT", help=f"what numbers of more than 8 bits mean: {say}")
    parser.add_argument("--levels-infrared", metavar="WHAT", help="the same of infrared files alone, 8 bits included")
    parser.add_argument("--levels-visible", metavar="WHAT", help="the same of visible files alone, 8 bits included")


def levels(arguments: argparse.Namespace) -> dict[str, Any]:
    """What numbers mean, as `ImagePair` takes it; ValueError names the option."""
    from ivfnb.images import Levels

    given = {name: getattr(arguments, name) for name in ("levels", "levels_infrared", "levels_visible")}
    return {
        name: Levels.parse(text, f"--{name.replace('_', '-')}", deep=name == "levels") for name, text in given.items() if text is not None
    }


def add_patterns(parser: argparse._ArgumentGroup, fused: bool = False) -> None:
    """Arguments that say how files in folders are named."""
    usual = "x_ir and x_vis, IR1 and VIS1, x_T and x_W, x_nir and x_rgb, 1i and 1v and their like are known"
    parser.add_argument("--pattern-infrared", metavar="NAME", help=f"how infrared files are named, such as '{{id}}_T.jpg' ({usual})")
    parser.add_argument("--pattern-visible", metavar="NAME", help="how visible files are named, such as '{id}_W.jpg'")
    if fused:
        parser.add_argument("--pattern-fused", metavar="NAME", help="how fused files are named, such as '{id}_U2Fusion.png'")


def patterns(arguments: argparse.Namespace) -> dict[str, str]:
    """How files are named, by role, where it was said."""
    given = {role: getattr(arguments, f"pattern_{role}", None) for role in ("infrared", "visible", "fused")}
    return {role: text for role, text in given.items() if text}


def setting(text: str) -> tuple[str, str]:
    """Name and value of FIELD=VALUE; ValueError for other text."""
    name, equals, value = text.partition("=")
    if not (equals and name.strip()):
        raise ValueError(f"--set: found {text!r}, expected FIELD=VALUE")
    return name.strip(), value.strip()


def unused(files: Sequence[Path]) -> list[str]:
    """One line on files that belong to no pair; none where there are none."""
    if not files:
        return []
    names = ", ".join(path.name for path in files[:5]) + (", ..." if len(files) > 5 else "")
    return [f"{len(files)} unused, no part of a pair by name or suffix: {names}"]


def complain(command: str, *lines: str) -> None:
    """Lines on standard error, each with the command's name, past a progress bar."""
    for line in filter(None, lines):
        tqdm.write(f"ivfnb {command}: {line}", file=sys.stderr)


def add_parallel(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """Add `--workers` and `--scheduler`, of which a call may name one."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--workers", type=int, metavar="N", help="share the pairs among N processes of a Dask cluster on this machine (-1: one a core)"
    )
    where.add_argument(
        "--scheduler", metavar="ADDRESS", help="share the pairs among the workers of a Dask cluster that runs, such as tcp://HOST:8786"
    )


@contextmanager
def parallel_from(arguments: argparse.Namespace) -> Iterator[str | None]:
    """The cluster that the arguments name, if any, while a command works: `parallel.pool` and `parallel.each` then use its workers."""
    with parallel.cluster(arguments.scheduler, arguments.workers) as address:
        yield address

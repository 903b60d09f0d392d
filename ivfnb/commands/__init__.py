"""The command line: `ivfnb COMMAND` (or `python -m ivfnb COMMAND`). Each command's arguments and work live in its own module."""

import argparse
import importlib
import sys
from collections.abc import Sequence

from ivfnb import __version__
from ivfnb.files import trouble
from ivfnb.paths import missing

COMMANDS = {
    "reproduce": ("ivfnb.commands.reproduce", "run the notebooks of a profile through papermill"),
    "verify": ("ivfnb.commands.verify", "check results against their records, and compute some of them again"),
    "fuse": ("ivfnb.commands.fuse", "fuse an infrared and a visible image, or folders of them"),
    "score": ("ivfnb.commands.score", "metrics of fused images"),
    "fetch": ("ivfnb.commands.fetch", "download and check data sets"),
    "bench": ("ivfnb.commands.bench", "measure speed and memory"),
}


def parser_of(chosen: str = "") -> argparse.ArgumentParser:
    """Parser of all commands; arguments are known of the chosen one only, whose module alone is imported (torch takes seconds)."""
    parser = argparse.ArgumentParser(prog="ivfnb", description="Reproduction of Qi et al. 2024, infrared and visible image fusion.")
    parser.add_argument("--version", action="version", version=f"ivfnb {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (module, purpose) in COMMANDS.items():
        command = commands.add_parser(name, help=purpose, description=purpose)
        if name == chosen:
            importlib.import_module(module).configure(command)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 2 for bad input or a missing extra (the message on standard error), else what the command returns."""
    argv = list(sys.argv[1:] if argv is None else argv)
    try:
        arguments = parser_of(argv[0] if argv else "").parse_args(argv)
        return importlib.import_module(COMMANDS[arguments.command][0]).run(arguments)
    except ModuleNotFoundError as error:
        if (said := missing(error)) is None:
            raise
        print(f"ivfnb {argv[0]}: {said}", file=sys.stderr)
        return 2
    except ValueError as error:
        print(f"ivfnb {argv[0]}: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"ivfnb {argv[0]}: {trouble(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"ivfnb {argv[0]}: interrupted", file=sys.stderr)
        return 130

"""The command line: `python -m ivfnb COMMAND`. Each command's arguments and work live in its own module."""

import argparse
import importlib
import sys
from collections.abc import Sequence

COMMANDS = {
    "reproduce": ("ivfnb.commands.reproduce", "run the notebooks of a profile through papermill"),
    "fuse": ("ivfnb.commands.fuse", "fuse an infrared and a visible image, or folders of them"),
    "score": ("ivfnb.commands.score", "metrics of fused images"),
    "fetch": ("ivfnb.commands.fetch", "download and check data sets"),
    "bench": ("ivfnb.commands.bench", "measure speed and memory"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 2 for bad input (the message on standard error), else what the command returns."""
    argv = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(
        prog="python -m ivfnb", description="Reproduction of Qi et al. 2024, infrared and visible image fusion."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (module, purpose) in COMMANDS.items():
        command = commands.add_parser(name, help=purpose, description=purpose)
        if argv[:1] == [name]:  # only the chosen command's module is imported: torch takes seconds
            importlib.import_module(module).configure(command)
    arguments = parser.parse_args(argv)
    try:
        return importlib.import_module(COMMANDS[arguments.command][0]).run(arguments)
    except ValueError as error:
        print(f"ivfnb {arguments.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"ivfnb {arguments.command}: interrupted", file=sys.stderr)
        return 130

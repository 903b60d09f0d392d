"""The command line: `ivfnb COMMAND` (or `python -m ivfnb COMMAND`). Each command's arguments and messages live in its own module."""

import argparse
import codecs
import importlib
import os
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

from ivfnb import __version__
from ivfnb.files import trouble
from ivfnb.paths import missing

COMMANDS = {
    "fuse": ("ivfnb.commands.fuse", "fuse infrared and visible images or videos, files or folders of them"),
    "score": ("ivfnb.commands.score", "metrics of fused images, of one or several methods, with tables"),
    "methods": ("ivfnb.commands.lists", "list fusion methods: publication, what they need here, cost, licence of weights"),
    "metrics": ("ivfnb.commands.lists", "list metrics: direction, unit, range, conventions, publication"),
    "data": ("ivfnb.commands.lists", "list data sets: what is at hand, size, licence, publication"),
    "fetch": ("ivfnb.commands.fetch", "download and check data sets and weights"),
    "evaluate": ("ivfnb.commands.evaluate", "metrics of methods on a whole data set"),
    "reproduce": ("ivfnb.commands.reproduce", "run the notebooks of a profile through papermill"),
    "verify": ("ivfnb.commands.verify", "check results against their records, and compute some of them again"),
    "conformance": ("ivfnb.commands.conformance", "check any implementation of the metrics against known values"),
    "app": ("ivfnb.commands.app", "serve a page on which pairs are fused"),
    "bench": ("ivfnb.commands.bench", "measure speed and memory"),
    "completion": ("ivfnb.commands.completion", "print a script that completes commands and options in a shell"),
}
BUG = 70  # exit code of an error that is none of the input, as sysexits.h has it
CLOSED = 141  # exit code where the reader of standard output went away, as shells give it for SIGPIPE
PLAIN = {"↑": "^", "↓": "v", "±": "+-", "…": "..."}  # signs of tables for a terminal that does not know them


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, like all others."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and where help is; exit with code 2."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def parser_of(chosen: str | None = "") -> argparse.ArgumentParser:
    """Parser of all commands; arguments are known of the chosen one only (None: of all), whose module alone is imported."""
    parser = Parser(
        prog="ivfnb",
        description="Infrared and visible image fusion: the method of Qi et al. 2024, reproduced, and what it is compared with.",
        epilog="`ivfnb COMMAND --help` shows the arguments of a command, with examples.",
    )
    parser.add_argument("--version", action="version", version=f"ivfnb {__version__}")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (module, purpose) in COMMANDS.items():
        command = commands.add_parser(name, help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}.")
        if chosen in (name, None):
            importlib.import_module(module).configure(command)
            command.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help="show the traceback of an error")
    return parser


def _readable(error: UnicodeError) -> tuple[str, int]:
    """What to print in place of signs that standard output does not know."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    unknown = error.object[error.start : error.end]
    return "".join(PLAIN.get(sign) or sign.encode("ascii", "backslashreplace").decode() for sign in unknown), error.end


@contextmanager
def _speaking(name: str) -> Iterator[None]:
    """Whatever is printed arrives, in whatever encoding; warnings are lines like other messages."""
    codecs.register_error("ivfnb", _readable)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="ivfnb")
    from ivfnb.commands.options import complain

    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: complain(name, f"warning: {message}")
        yield


def _said(error: BaseException) -> str | None:
    """One line that tells a user what is wrong; None for an error that is a bug."""
    if isinstance(error, ModuleNotFoundError):
        return missing(error) or (error.msg if "pip install" in error.msg else None)
    if isinstance(error, OSError) and error.strerror:
        return trouble(error)
    if isinstance(error, MemoryError):
        return "found too little memory; smaller images, fewer --jobs or a smaller --set size need less"
    return " ".join(str(error).split()) if isinstance(error, (ValueError, OSError)) else None


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 2 for bad input or a missing extra (one line on standard error), else what the command returns."""
    argv = list(sys.argv[1:] if argv is None else argv)
    name = next((word for word in argv if not word.startswith("-")), "")
    debug = "--debug" in argv
    with _speaking(name):
        try:
            arguments = parser_of(name).parse_args(argv)
            code = importlib.import_module(COMMANDS[arguments.command][0]).run(arguments)
            sys.stdout.flush()
            return code
        except BrokenPipeError:  # head, say: nobody reads on
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            return CLOSED
        except KeyboardInterrupt:
            print(f"ivfnb {name}: interrupted", file=sys.stderr)
            return 130
        except Exception as error:
            said = _said(error)
            if debug:
                print(getattr(error, "trace", "") or traceback.format_exc(), file=sys.stderr)
            unforeseen = f"found an error of the program itself, {type(error).__name__}: {error}; --debug shows where"
            print(f"ivfnb {name}: {unforeseen if said is None else said}", file=sys.stderr)
            return BUG if said is None else 2

"""`ivfnb conformance MODULE:FUNCTION`: any implementation of the metrics against the kit in `data/conformance/`."""

import argparse
import importlib
import sys
from collections.abc import Callable
from functools import reduce
from itertools import groupby
from pathlib import Path
from typing import Any

from ivfnb.metrics import conformance
from ivfnb.metrics.conformance import Comparison
from ivfnb.metrics.registry import CONVENTIONS


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument(
        "function", metavar="MODULE:FUNCTION", help="called with fused, infrared and visible (uint8 arrays); gives name -> value"
    )
    parser.add_argument("--metric", metavar="NAME", help="the metric it computes, where it gives one number")
    parser.add_argument(
        "--convention", choices=list(CONVENTIONS), default="standard", help="whose values are expected (default: %(default)s)"
    )
    parser.add_argument("--colour", action="store_true", help="hand it the coloured triple as well")
    parser.add_argument("--kit", type=Path, metavar="FOLDER", help="another folder with expected.json than the project's own")
    parser.add_argument("--every", action="store_true", help="list every value, not only those that differ")


def imported(name: str) -> Callable[..., Any]:
    """Function that `MODULE:FUNCTION` names; modules of the current folder are found as well.

    Raises ValueError where the text, the module or the function is none. The module's code runs.
    """
    module, _, path = name.partition(":")
    if not module or not path:
        raise ValueError(f"found {name!r}, expected MODULE:FUNCTION, such as skimage.measure:shannon_entropy")
    sys.path.insert(0, str(Path.cwd()))
    try:
        found = reduce(getattr, path.split("."), importlib.import_module(module))
    except ModuleNotFoundError as error:
        if not (module + ".").startswith(f"{error.name}."):
            raise  # the module is there, and lacks another one
        raise ValueError(f"found no module {module!r}, expected one that Python finds from {Path.cwd()}") from error
    except AttributeError as error:
        raise ValueError(f"{name}: {error}, expected a function of {module}") from error
    finally:
        sys.path.pop(0)
    if not callable(found):
        raise ValueError(f"{name}: found {type(found).__name__}, expected a function")
    return found


def _summary(name: str, of_metric: list[Comparison]) -> tuple[str, str, str, str]:
    """Row of one metric: name, share that agrees, largest difference and where it is."""
    worst = max(of_metric, key=lambda each: each.difference)
    agree = f"{sum(each.agrees for each in of_metric)} of {len(of_metric)}"
    return name, agree, f"{worst.difference:.1e}", worst.triple if worst.difference > 0 else ""


def _print(found: list[Comparison], names: list[str], every: bool) -> None:
    """The comparison as tables: metrics, values that differ (or all of them), errors."""
    from tabulate import tabulate

    valued = sorted((each for each in found if each.metric), key=lambda each: names.index(each.metric))
    if valued:
        rows = [_summary(name, list(group)) for name, group in groupby(valued, lambda each: each.metric)]
        print(tabulate(rows, headers=["metric", "triples that agree", "largest relative difference", "on"], disable_numparse=True))
    lines = [
        (each.metric, each.triple, each.expected, each.found) for each in valued if each.found is not None and (every or not each.agrees)
    ]
    if lines:
        print("\n" + tabulate(lines, headers=["metric", "triple", "expected", "found"], floatfmt=".10g"))
    for triple, error in dict.fromkeys((each.triple, each.error) for each in found if each.error):
        print(f"\nraised on {triple!r}: {error}")


def run(arguments: argparse.Namespace) -> int:
    """Compare and print; 0 where every value given agrees, 1 where one does not."""
    kit = conformance.kit(arguments.kit)
    function = imported(arguments.function)
    found = list(conformance.compare(function, arguments.convention, arguments.metric, arguments.colour, kit))
    if not found:
        raise ValueError(f"{arguments.function}: found no metric of the kit, expected names among {', '.join(kit.tolerances)}")
    names = list(kit.tolerances)
    _print(found, names, arguments.every)
    absent = [name for name in names if name not in {each.metric for each in found}]
    if absent and not arguments.metric:
        print(f"\nnot given: {', '.join(absent)}")
    good = sum(each.agrees for each in found)
    print(f"\n{good} of {len(found)} values agree with the convention {arguments.convention!r}.")
    return int(good < len(found))

"""`ivfnb evaluate`: metrics of methods on a whole data set, fused or read, remembered; on this machine or on a cluster."""

import argparse
import sys
import warnings
from pathlib import Path

from ivfnb import evaluation, files
from ivfnb.commands.options import add_parallel, parallel_from
from ivfnb.datasets import dataset
from ivfnb.fusion.protocol import AS_PAPER, AS_RELEASED
from ivfnb.metrics import CONVENTIONS

PROTOCOLS = {"paper": AS_PAPER, "released": AS_RELEASED}


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("set", help="data set of pairs, as `ivfnb fetch --list` names it")
    parser.add_argument(
        "methods", nargs="+", metavar="METHOD", help="paper, released, a comparison method, or a set of published fused images"
    )
    parser.add_argument("--names", help="metrics, separated by commas (default: the paper's eleven)")
    parser.add_argument("--convention", choices=list(CONVENTIONS), default="standard", help="which rules (default: %(default)s)")
    parser.add_argument("--pairs", type=int, metavar="N", help="the first N pairs alone")
    parser.add_argument("--jobs", type=int, default=1, help="processes that score (default: %(default)s)")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write every value, a row each")
    add_parallel(parser)


def run(arguments: argparse.Namespace) -> int:
    """Evaluate, and print means over the pairs; 1 where an image failed, which is then named."""
    if arguments.pairs is not None and arguments.pairs < 1:
        raise ValueError(f"--pairs: found {arguments.pairs}, expected at least 1")
    methods = [evaluation.method(PROTOCOLS.get(name, name)) for name in dict.fromkeys(arguments.methods)]
    names = [name.strip() for name in arguments.names.split(",")] if arguments.names else None
    data = dataset(arguments.set)[: arguments.pairs]
    with parallel_from(arguments), warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", evaluation.EvaluationWarning)
        table = evaluation.evaluate(data, methods, names, arguments.convention, arguments.jobs)
    for each in said:
        print(each.message, file=sys.stderr)
    if arguments.csv:
        with files.replacing(arguments.csv) as beside:
            table.to_csv(beside, index=False)
    if not table.empty:
        means = table.pivot_table("value", "method", "metric", "mean", sort=False)
        print(means.assign(pairs=table.groupby("method")["id"].nunique()).to_markdown(floatfmt=".5g"))
    return int(any(issubclass(each.category, evaluation.EvaluationWarning) for each in said))

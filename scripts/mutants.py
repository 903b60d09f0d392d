"""Change one operator or number at a time and see whether the tests notice: python scripts/mutants.py [GROUP ...] [--count N] [--seed S]

A group is a part of the package with the tests that are about it, and the examples in its docstrings. Of all places that can be changed in
it, `--count` are drawn; each changed copy of the package is tested in a process of its own (forked from one that has the libraries loaded)
until a test fails. What no test notices is written to .cache/mutants.json, and printed. Ends with 1 where less than 85 % of a group's
mutants are noticed.
"""

import argparse
import ast
import copy
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WANTED = 0.85
METRIC_TESTS = ("conformance", "ranges", "properties", "loops", "scoring", "registry", "truth", "golden")
DENSE_TESTS = ["tests/classifier/test_dense_device.py", "tests/classifier/test_dense.py"]
# group -> (files, below ivfnb/; tests, the quickest first)
GROUPS = {
    "metrics": (
        ["metrics/*.py"],
        [f"tests/metrics/test_{name}.py" for name in METRIC_TESTS],
    ),
    "targets": (["metrics/targets.py"], [f"tests/metrics/test_{name}.py" for name in ("targets", "insets", "registry")]),
    "enhance": (["enhance/*.py"], ["tests/enhance"]),
    "fusion": (
        ["fusion/*.py"],
        [
            "tests/fusion/test_boundaries.py",
            "tests/fusion/test_weightmap.py",
            "tests/fusion/test_memory.py",
            "tests/fusion/test_pipeline.py",
        ],
    ),
    "windows": (["classifier/windows.py", "classifier/grid.py"], ["tests/fusion/test_weightmap.py", *DENSE_TESTS]),
    "dense": (["classifier/dense.py", "classifier/folding.py"], DENSE_TESTS),
    "statistics": (
        ["report/ranks.py", "report/uncertainty.py", "report/agreement.py"],
        [f"tests/report/test_{name}.py" for name in ("boundaries", "statistics")],
    ),
}
LEFT_OUT = {"metrics": ("targets.py",)}  # files of a group that are a group of their own

COMPARED = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot}
COMPARED |= {ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In}
CALCULATED = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult}
CALCULATED |= {ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.MatMult: ast.Add}


@dataclass(frozen=True)
class Mutant:
    """One change: the `place`-th of a file's changes."""

    group: str
    file: str
    place: int
    line: int
    said: str


def _number(value: float) -> list[float]:
    """Other numbers in the place of one."""
    if isinstance(value, bool):
        return [not value]
    return [value + 1] if isinstance(value, int) else [value * 1.1 if value else 0.1]


def _others(node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """What could stand in the place of a node, and how to say it."""
    if isinstance(node, ast.Compare):
        for i, operator in enumerate(node.ops):
            if type(operator) in COMPARED:
                new = copy.deepcopy(node)
                new.ops[i] = COMPARED[type(operator)]()
                yield new, f"{ast.unparse(node)} -> {ast.unparse(new)}"
    elif isinstance(node, ast.BinOp) and type(node.op) in CALCULATED and not isinstance(node.left, ast.Constant | ast.JoinedStr):
        new = copy.deepcopy(node)
        new.op = CALCULATED[type(node.op)]()
        yield new, f"{ast.unparse(node)} -> {ast.unparse(new)}"
    elif isinstance(node, ast.BoolOp):
        new = copy.deepcopy(node)
        new.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield new, f"{ast.unparse(node)} -> {ast.unparse(new)}"
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub | ast.Invert):
        yield copy.deepcopy(node.operand), f"{ast.unparse(node)} -> {ast.unparse(node.operand)}"
    elif isinstance(node, ast.IfExp):
        new = copy.deepcopy(node)
        new.body, new.orelse = new.orelse, new.body
        yield new, f"{ast.unparse(node)} -> {ast.unparse(new)}"
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        for value in _number(node.value):
            yield ast.copy_location(ast.Constant(value), node), f"{node.value} -> {value}"


class _Walk(ast.NodeTransformer):
    """Counts the places of a file that can be changed, and changes the one that is asked for."""

    def __init__(self, wanted: int = -1):
        self.wanted, self.found = wanted, list[tuple[int, str]]()

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.arg | ast.JoinedStr | ast.Raise | ast.Import | ast.ImportFrom):
            return node  # annotations, messages
        if isinstance(node, ast.keyword) and node.arg == "strict":
            return node  # of zip: a guard, like a message
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            node.decorator_list, kept = [], node.decorator_list
            self.generic_visit(node)
            node.decorator_list = kept
            return node
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return node
        if isinstance(node, ast.AnnAssign):
            if node.value is not None:
                node.value = self.visit(node.value)  # type: ignore[assignment]
            return node
        result = node
        for new, said in _others(node):
            self.found.append((getattr(node, "lineno", 0), said))
            if len(self.found) - 1 == self.wanted:
                result = ast.copy_location(new, node)
        if result is node:
            self.generic_visit(node)
        return result


def _statements(tree: ast.Module) -> ast.Module:
    """The same without return annotations, which nothing runs."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
    return tree


def mutants(group: str) -> list[Mutant]:
    """Every change of a group's files."""
    found = []
    for pattern in GROUPS[group][0]:
        for path in sorted((ROOT / "ivfnb").glob(pattern)):
            if path.name in (*LEFT_OUT.get(group, ()), "__init__.py"):
                continue
            walk = _Walk()
            walk.visit(_statements(ast.parse(path.read_text(encoding="utf-8"))))
            name = path.relative_to(ROOT).as_posix()
            found += [Mutant(group, name, place, line, said) for place, (line, said) in enumerate(walk.found)]
    return found


def drawn(group: str, count: int, seed: int) -> list[Mutant]:
    """Some of a group's mutants, the same ones for the same seed."""
    every = mutants(group)
    return sorted(random.Random(f"{seed} {group}").sample(every, min(count, len(every))), key=lambda each: (each.file, each.place))


def changed(mutant: Mutant) -> str:
    """Source of the file with the change."""
    walk = _Walk(mutant.place)
    tree = walk.visit(_statements(ast.parse((ROOT / mutant.file).read_text(encoding="utf-8"))))
    return ast.unparse(ast.fix_missing_locations(tree))


def _run(folder: str, tests: list[str]) -> None:
    """In a process of its own: run the tests on the copy of the package in a folder; the exit code says whether one failed."""
    os.setsid()
    os.chdir(folder)
    os.environ.update(IVFNB_CACHE=str(Path(folder, ".cache")), IVFNB_RESULTS=str(Path(folder, "results")), PYTHONPATH=folder)
    sys.path[:0] = [folder]
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    import pytest

    quietly = ["-x", "-q", "-p", "no:cacheprovider", "--no-header", "--tb=no", "--doctest-modules"]
    os._exit(int(pytest.main([*quietly, *tests])))


class Trial:
    """Tests at work on a changed copy of the package (None: an unchanged one).

    Attributes
    ----------
    code : int or None
        Of the tests, once they have ended; a time out is one too.
    """

    def __init__(self, mutant: Mutant | None, tests: list[str], limit: float):
        self.mutant, self.begun, self.limit = mutant, time.monotonic(), limit
        self.folder = tempfile.mkdtemp(prefix="ivfnb-mutant-")
        for path in ROOT.iterdir():
            if path.name not in ("ivfnb", ".git", ".cache") and not path.name.startswith(".venv"):
                Path(self.folder, path.name).symlink_to(path)
        shutil.copytree(ROOT / "ivfnb", Path(self.folder, "ivfnb"), ignore=shutil.ignore_patterns("__pycache__"))
        if mutant is not None:
            Path(self.folder, mutant.file).write_text(changed(mutant), encoding="utf-8")
        self.process = multiprocessing.get_context("fork").Process(target=_run, args=(self.folder, tests))
        self.process.start()

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self.begun

    def ended(self) -> int | None:
        """Exit code of the tests; None while they run."""
        self.process.join(0.05)
        code = self.process.exitcode
        if code is None and self.seconds > self.limit:
            os.killpg(int(self.process.pid or 0), signal.SIGKILL)
            self.process.join()
            code = self.process.exitcode
        if code is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
        return code


def outcomes(some: list[Mutant], tests: dict[str, list[str]], limit: float, jobs: int, until: float) -> dict[Mutant, bool]:
    """Whether the tests notice each mutant, of those that were begun before the clock says `until`."""
    waiting, running, found = list(some), list[Trial](), dict[Mutant, bool]()
    while running or (waiting and time.monotonic() < until):
        while waiting and len(running) < jobs and time.monotonic() < until:
            mutant = waiting.pop(0)
            running.append(Trial(mutant, tests[mutant.file], limit))
        for trial in list(running):
            if (code := trial.ended()) is not None:
                running.remove(trial)
                if trial.mutant is not None:
                    found[trial.mutant] = code != 0
    return found


def _preload() -> None:
    """Libraries that every process would import anew."""
    import cv2
    import hypothesis  # noqa: F401
    import pandas  # noqa: F401
    import pytest  # noqa: F401
    import scipy.ndimage
    import scipy.signal
    import scipy.stats  # noqa: F401
    import skimage.metrics  # noqa: F401
    import torch

    torch.set_num_threads(1)
    cv2.setNumThreads(1)


def main() -> int:
    """Draw, test, and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("group", nargs="*", help=f"some of {', '.join(GROUPS)} (default: all)")
    parser.add_argument("--count", type=int, default=24, help="mutants of each group (default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=20.0, help="begin no further mutant after so long (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--list", action="store_true", help="only print those that are drawn")
    given = parser.parse_args()
    if unknown := set(given.group) - set(GROUPS):
        parser.error(f"found {unknown.pop()}, expected some of {', '.join(GROUPS)}")
    os.environ["OMP_NUM_THREADS"] = "1"
    _preload()
    chosen = given.group or list(GROUPS)
    begun, report, short = time.monotonic(), dict[str, object](), False
    for number, group in enumerate(chosen):
        some = drawn(group, given.count, given.seed)
        if given.list:
            print("\n".join(f"{group}: {each.file}:{each.line}: {each.said}" for each in some))
            continue
        until = begun + 60 * given.minutes * (number + 1) / len(chosen)  # each group has its share of the time, and what others left
        about = [test for test in GROUPS[group][1] if (ROOT / test).exists()]
        tests = {each.file: [each.file, *about] for each in some}
        plain = Trial(None, sorted({each.file for each in some}) + about, 3600)
        while (code := plain.ended()) is None:
            pass
        if code:
            print(f"{group}: the tests fail (exit code {code}) without any change; nothing can be told", file=sys.stderr)
            return 1
        random.Random(given.seed).shuffle(some)  # so that those that time leaves out are of any file
        found = outcomes(some, tests, 4 * plain.seconds + 30, given.jobs, until)
        alive = sorted(f"{each.file}:{each.line}: {each.said}" for each, dead in found.items() if not dead)
        dead = sum(found.values())
        share = dead / len(found) if found else 0.0
        short |= share < WANTED
        counts = {"mutants": len(found), "of": len(mutants(group)), "noticed": dead, "share": round(share, 3)}
        report[group] = {**counts, "survivors": alive}
        print(f"{group}: {dead} of {len(found)} noticed ({share:.0%})", *alive, sep="\n  ", flush=True)
    if not given.list:
        from ivfnb import files

        record = {"seed": given.seed, "seconds": round(time.monotonic() - begun), "groups": report}
        print(f"written: {files.write_json(ROOT / '.cache' / 'mutants.json', record, indent=1)}; {record['seconds']} s")
    return int(short)


if __name__ == "__main__":
    sys.exit(main())

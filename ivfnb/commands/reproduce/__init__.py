"""`ivfnb reproduce`: run the notebooks end to end through papermill, one profile at a time, from this one process.

A profile is `notebooks/profiles/<name>.yaml`: parameter names and values. Each notebook receives those it declares in its cell tagged
`parameters`; a key that no notebook declares is an error. A notebook runs where its parameters, its text, the code it imports, the files
it may read or a version changed since its last run, or that run did not end well.
"""

import argparse
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ivfnb import files, paths
from ivfnb.commands.options import add_parallel, parallel_from
from ivfnb.commands.profiles import declared, notebooks, select, settings
from ivfnb.commands.reproduce import keys, records
from ivfnb.commands.reproduce.kernel import execute, kernel_of_this_interpreter
from ivfnb.files.yaml_text import parsed
from ivfnb.report import contents


def reproduce(profile: str = "demo", only: str | None = None, overrides: dict[str, Any] | None = None, force: bool = False) -> int:
    """Run the notebooks of a profile into `results/<profile>/`.

    Parameters
    ----------
    profile : str
        Name of a file in notebooks/profiles.
    only : str, optional
        Notebooks to run, such as "04,05"; None: all.
    overrides : dict, optional
        Parameters that replace those of the profile.
    force : bool
        Runs what has not changed too.

    Returns
    -------
    int
        0 when all went well, 1 when a cell failed (later notebooks are not run).

    Raises
    ------
    ValueError
        For an unknown profile, notebook or parameter, or another run at work in the folder, before anything runs.
    OSError
        Where the folder cannot be written.

    Notes
    -----
    Leaves `notebooks/*.ipynb` and `.html`, whatever the notebooks write, `state.json` (what is current: see `records`) and `run.json`
    (provenance, seconds, hashes; of a run of some notebooks only, such as 05, `run_05.json`), and `index.html`, which links all of them.
    """
    chosen, every = select(only), notebooks()
    known = {stem: declared(path) for stem, path in every.items()}
    given = settings(profile, overrides or {}, known)
    folder, started, failure = paths.results_dir(profile), time.perf_counter(), None
    with records.alone(folder):
        state, seen = records.State(folder), keys.inputs()
        parameters = {stem: {name: value for name, value in given.items() if name in known[stem]} for stem in every}
        wanted = {stem: keys.key(path, parameters[stem], seen) for stem, path in every.items()}
        reasons = {stem: state.why(stem, wanted[stem]) or ("asked for again" if force and stem in chosen else "") for stem in every}
        todo = [stem for stem in chosen if reasons[stem]]
        _tell(state, chosen, reasons)
        if todo:
            with kernel_of_this_interpreter() as kernel:
                waiting = list(todo)
                while waiting and not failure:
                    stem = waiting.pop(0)
                    failure = _run(every[stem], parameters[stem], wanted[stem], state, kernel)
            ended = [stem for stem in chosen if stem not in waiting]
            weights = {path.name: files.digest(path) for path in sorted((paths.root() / "data" / "weights").glob("*.safetensors"))}
            record = {"profile": profile, "parameters": given, "overrides": overrides or {}, "failure": failure, "weights": weights}
            part = "" if len(chosen) == len(every) else "_" + "_".join(stem[:2] for stem in chosen)
            written = records.write_run(folder, state, ended, part, **record)
            contents.index(folder, written)
    done = f"{', '.join(todo) or 'nothing'} run in {time.perf_counter() - started:.0f} s"
    print(failure or f"{done}; results in {folder}, table of contents: {folder / records.CONTENTS}")
    return 1 if failure else 0


def _tell(state: records.State, chosen: Iterable[str], reasons: dict[str, str]) -> None:
    """Say of each notebook whether it runs, and why."""
    for stem, why in reasons.items():
        if stem in chosen:
            since = "" if why else state.records[stem]["time"]
            print(f"{stem}: runs: {why}" if why else f"{stem}: unchanged since {since}, kept (--force runs it again)")
        elif why and why != records.NOTHING:
            print(f"{stem}: not asked for; what is there is of an earlier run: {why}")
    sys.stdout.flush()


def _run(path: Path, parameters: dict[str, Any], key: keys.Key, state: records.State, kernel: dict[str, Any]) -> str | None:
    """Run one notebook between its two records; None when it went well, else a message."""
    begun = time.perf_counter()
    state.begin(path.stem, key)
    failure = execute(path, state.folder / "notebooks" / path.name, parameters, kernel)
    if withdrawn := state.end(path.stem, time.perf_counter() - begun, failure):
        more = f" and {len(withdrawn) - 3} more" if len(withdrawn) > 3 else ""
        print(f"{path.stem}: withdrawn, since an earlier run made them: {', '.join(withdrawn[:3])}{more}")
    return failure


def _assignment(text: str) -> tuple[str, Any]:
    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        raise argparse.ArgumentTypeError(f"found {text!r}, expected key=value")
    try:
        read = parsed(value)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"found {text!r}, whose value is no YAML, expected key=value") from error
    return name.strip(), "" if read is None else read


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `ivfnb reproduce`."""
    parser.add_argument("--profile", default="demo", help="name of a file in notebooks/profiles (default: demo)")
    parser.add_argument("--only", help="comma-separated notebooks to run, such as 04,05")
    parser.add_argument("--force", action="store_true", help="run what has not changed too")
    parser.add_argument(
        "--set", dest="overrides", action="append", type=_assignment, default=[], metavar="KEY=VALUE", help="replace a parameter"
    )
    add_parallel(parser)


def run(arguments: argparse.Namespace) -> int:
    """Door of `ivfnb reproduce`."""
    with parallel_from(arguments):  # the kernels find it by an environment variable
        return reproduce(arguments.profile, arguments.only, dict(arguments.overrides), arguments.force)

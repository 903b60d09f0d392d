"""`ivfnb reproduce`: run the notebooks end to end through papermill, one profile at a time, from this one process.

A profile is `notebooks/profiles/<name>.yaml`: parameter names and values. Each notebook receives those it declares in its cell tagged
`parameters`; a key that no notebook declares is an error.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from ivfnb import files, paths, provenance
from ivfnb.commands.profiles import declared, notebooks, select, settings
from ivfnb.report import contents

VARIABLES = ("IVFNB_DATA", "IVFNB_CACHE")  # folders that kernels, which start elsewhere, must find as well


@contextmanager
def kernel_of_this_interpreter() -> Iterator[dict[str, Any]]:
    """papermill's settings for a kernel that is `sys.executable`, whatever kernels Jupyter knows, with its sockets in a private folder.

    The variables that name folders are made absolute meanwhile, since a kernel starts in the notebooks' folder.
    """
    from traitlets.config import Config

    folder, before = tempfile.mkdtemp(prefix="ivfnb-"), dict(os.environ)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    files.write_json(Path(folder) / "kernels" / "python3" / "kernel.json", {"argv": argv, "display_name": "Python 3", "language": "python"})
    named = {name: str(Path(os.environ[name]).expanduser().resolve()) for name in VARIABLES if os.environ.get(name)}
    known = os.environ.get("JUPYTER_PATH")
    os.environ.update(named, IVFNB_RESULTS=str(paths.results_root()), JUPYTER_PATH=os.pathsep.join(filter(None, (folder, known))))
    try:
        manager = {"transport": "ipc", "ip": str(Path(folder) / "k")}  # sockets in files, so no port is opened
        yield {"kernel_name": "python3", "config": Config({"KernelManager": manager})}
    finally:
        os.environ.clear()
        os.environ.update(before)
        shutil.rmtree(folder, ignore_errors=True)


def _run_one(path: Path, executed: Path, parameters: dict[str, Any], kernel: dict[str, Any]) -> str | None:
    """Execute one notebook; None when it went well, else a message that names notebook, cell and error."""
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill import execute_notebook
    from papermill.exceptions import PapermillExecutionError

    bar = {"desc": path.stem, "mininterval": 0.5}
    try:
        execute_notebook(path, executed, parameters, progress_bar=bar, cwd=path.parent, **kernel)
    except PapermillExecutionError as error:
        first = next((line for line in error.source.splitlines() if line.strip()), "")
        where = f"{path.name}, cell {error.cell_index} (In [{error.exec_count}], {first!r})"
        return f"{where}: {error.ename}: {error.evalue}\nThe notebook with its traceback: {executed}"
    except (CellTimeoutError, DeadKernelError) as error:
        return f"{path.name}: {type(error).__name__}: {error}\nThe notebook as far as it came: {executed}"
    files.write_text(executed.with_suffix(".html"), contents.executed(executed))
    return None


def _files(folder: Path) -> dict[str, str]:
    """Hash of every result file of a run, by its path below the folder."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith((".", "index.html")))
    return {str(path.relative_to(folder)): files.digest(path) for path in found if not path.match("run*.json")}


def reproduce(profile: str = "demo", only: str | None = None, overrides: dict[str, Any] | None = None) -> int:
    """Run the notebooks of a profile into `results/<profile>/`.

    Parameters
    ----------
    profile : name of a file in notebooks/profiles
    only : notebooks to run, such as "04,05"; None: all
    overrides : parameters that replace those of the profile

    Returns
    -------
    int
        0 when all went well, 1 when a cell failed (later notebooks are not run).

    Raises
    ------
    ValueError
        For an unknown profile, notebook or parameter, before anything runs.

    Notes
    -----
    Leaves `notebooks/*.ipynb` and `.html`, whatever the notebooks write, `run.json` (provenance, seconds, hashes), and `index.html`, which
    links all of them; a run of some notebooks only, such as 05, leaves `run_05.json` beside `run.json`.
    """
    chosen = select(only)
    known = {stem: declared(path) for stem, path in notebooks().items()}
    given = settings(profile, overrides or {}, known)
    folder = paths.results_dir(profile)
    executed_dir = folder / "notebooks"
    executed_dir.mkdir(exist_ok=True)
    seconds, failure, started = {}, None, time.perf_counter()
    with kernel_of_this_interpreter() as kernel:
        for stem, path in chosen.items():
            begun = time.perf_counter()
            parameters = {name: value for name, value in given.items() if name in known[stem]}
            failure = _run_one(path, executed_dir / path.name, parameters, kernel)
            seconds[stem] = round(time.perf_counter() - begun, 1)
            if failure:
                break
    weights = {path.name: files.digest(path) for path in sorted((paths.root() / "data" / "weights").glob("*.safetensors"))}
    record = {"profile": profile, "parameters": given, "overrides": overrides or {}, "seconds": seconds, "failure": failure}
    part = "" if len(chosen) == len(known) else "_" + "_".join(stem[:2] for stem in chosen)
    written = provenance.write_run(folder / f"run{part}.json", **record, weights=weights, files=_files(folder))
    listed = contents.index(folder, files.read_json(written))
    print(failure or f"{', '.join(chosen)} done in {time.perf_counter() - started:.0f} s; results in {folder}, table of contents: {listed}")
    return 1 if failure else 0


def _assignment(text: str) -> tuple[str, Any]:
    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        raise argparse.ArgumentTypeError(f"found {text!r}, expected key=value")
    try:
        read = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise argparse.ArgumentTypeError(f"found {text!r}, whose value is no YAML, expected key=value") from error
    return name.strip(), "" if read is None else read


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `ivfnb reproduce`."""
    parser.add_argument("--profile", default="demo", help="name of a file in notebooks/profiles (default: demo)")
    parser.add_argument("--only", help="comma-separated notebooks to run, such as 04,05")
    parser.add_argument(
        "--set", dest="overrides", action="append", type=_assignment, default=[], metavar="KEY=VALUE", help="replace a parameter"
    )


def run(arguments: argparse.Namespace) -> int:
    """Door of `ivfnb reproduce`."""
    return reproduce(arguments.profile, arguments.only, dict(arguments.overrides))

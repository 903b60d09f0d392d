"""Run the notebooks end to end through papermill, one profile at a time, from this one process.

A profile is `notebooks/profiles/<name>.yaml`: parameter names and values. Each notebook receives those it declares in its cell tagged
`parameters`; a key that no notebook declares is an error, since papermill alone would only log it.
"""

import argparse
import ast
import time
from pathlib import Path
from typing import Any

import yaml

from ivfnb import paths, provenance


def notebooks() -> dict[str, Path]:
    """The numbered notebooks by their stem, in order."""
    return {path.stem: path for path in sorted((paths.root() / "notebooks").glob("[0-9][0-9]_*.ipynb"))}


def profiles() -> dict[str, Path]:
    """The profiles by name."""
    return {path.stem: path for path in sorted((paths.root() / "notebooks" / "profiles").glob("*.yaml"))}


def declared(notebook: Path) -> dict[str, Any]:
    """Parameters a notebook declares, with their defaults."""
    from papermill import inspect_notebook

    return {name: ast.literal_eval(entry["default"]) for name, entry in inspect_notebook(notebook).items()}


def _fits(value: Any, default: Any) -> bool:
    """Whether a value may replace a default: same type, a whole number for a real one, anything for None."""
    if default is None or value is None or type(value) is type(default):
        return True
    return isinstance(default, float) and type(value) is int


def settings(profile: str, overrides: dict[str, Any], known: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Parameters of a profile with overrides on top; ValueError for an unknown profile, key or type, listing the known ones."""
    if profile not in profiles():
        raise ValueError(f"profile: found {profile!r}, expected one of {sorted(profiles())}")
    read = yaml.safe_load(profiles()[profile].read_text(encoding="utf-8")) or {}
    every = {name: default for parameters in known.values() for name, default in parameters.items()}
    for origin, given in ((str(profiles()[profile].name), read), ("--set", overrides)):
        if unknown := sorted(set(given) - set(every)):
            raise ValueError(f"{origin}: found unknown {', '.join(unknown)}; expected some of {', '.join(sorted(every))}")
        for name, value in given.items():
            if not _fits(value, every[name]):
                raise ValueError(f"{origin}: found {name}={value!r}, expected a {type(every[name]).__name__} such as {every[name]!r}")
    return {**read, **overrides, "profile": profile}


def select(only: str | None) -> dict[str, Path]:
    """Notebooks named by `--only 04,05` (numbers or stems), all for None; ValueError lists them when one is unknown."""
    every = notebooks()
    if only is None:
        return every
    chosen = {}
    for name in filter(None, (part.strip() for part in only.split(","))):
        found = [stem for stem in every if name in (stem, stem[:2])]
        if not found:
            raise ValueError(f"--only: found {name!r}, expected some of {', '.join(every)} or their numbers")
        chosen[found[0]] = every[found[0]]
    return dict(sorted(chosen.items()))


def _write_html(executed: Path) -> None:
    from nbconvert import HTMLExporter

    body, _ = HTMLExporter(embed_images=True).from_filename(str(executed))
    beside = executed.with_name(f".{executed.stem}.html")
    beside.write_text(body, encoding="utf-8")
    beside.replace(executed.with_suffix(".html"))


def _run_one(path: Path, executed: Path, parameters: dict[str, Any]) -> str | None:
    """Execute one notebook; None when it went well, else a message that names notebook, cell and error."""
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill import execute_notebook
    from papermill.exceptions import PapermillExecutionError
    from traitlets.config import Config

    try:
        execute_notebook(
            path,
            executed,
            parameters,
            kernel_name="python3",
            progress_bar={"desc": path.stem, "mininterval": 0.5},
            cwd=path.parent,
            config=Config({"KernelManager": {"transport": "ipc"}}),  # sockets in files, so no port is opened
        )
    except PapermillExecutionError as error:
        first = next((line for line in error.source.splitlines() if line.strip()), "")
        where = f"{path.name}, cell {error.cell_index} (In [{error.exec_count}], {first!r})"
        return f"{where}: {error.ename}: {error.evalue}\nThe notebook with its traceback: {executed}"
    except (CellTimeoutError, DeadKernelError) as error:
        return f"{path.name}: {type(error).__name__}: {error}\nThe notebook as far as it came: {executed}"
    _write_html(executed)
    return None


def _files(folder: Path) -> dict[str, str]:
    """Hash of every result file of a run, by its path below the folder."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith("."))
    return {str(path.relative_to(folder)): provenance.sha256(path) for path in found if not path.match("run*.json")}


def reproduce(profile: str = "demo", only: str | None = None, overrides: dict[str, Any] | None = None) -> int:
    """Run the notebooks of a profile into `results/<profile>/`; 0 when all went well, 1 when a cell failed (later notebooks are not run).

    Leaves `notebooks/*.ipynb` and `.html`, whatever the notebooks write, and `run.json` (provenance, seconds, hashes); a run of some
    notebooks only, such as 05, leaves `run_05.json` beside it.
    """
    chosen = select(only)
    known = {stem: declared(path) for stem, path in notebooks().items()}
    given = settings(profile, overrides or {}, known)
    folder = paths.results_dir(profile)
    executed_dir = folder / "notebooks"
    executed_dir.mkdir(exist_ok=True)
    seconds, failure, started = {}, None, time.perf_counter()
    for stem, path in chosen.items():
        begun = time.perf_counter()
        parameters = {name: value for name, value in given.items() if name in known[stem]}
        failure = _run_one(path, executed_dir / path.name, parameters)
        seconds[stem] = round(time.perf_counter() - begun, 1)
        if failure:
            break
    weights = {path.name: provenance.sha256(path) for path in sorted((paths.root() / "data" / "weights").glob("*.safetensors"))}
    record = {"profile": profile, "parameters": given, "overrides": overrides or {}, "seconds": seconds, "failure": failure}
    part = "" if len(chosen) == len(known) else "_" + "_".join(stem[:2] for stem in chosen)
    provenance.write_run(folder / f"run{part}.json", **record, weights=weights, files=_files(folder))
    print(failure or f"{', '.join(chosen)} done in {time.perf_counter() - started:.0f} s; results in {folder}")
    return 1 if failure else 0


def _assignment(text: str) -> tuple[str, Any]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected key=value")
    return name.strip(), yaml.safe_load(value)


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of `python -m ivfnb reproduce`."""
    parser.add_argument("--profile", default="demo", help="name of a file in notebooks/profiles (default: demo)")
    parser.add_argument("--only", help="comma-separated notebooks to run, such as 04,05")
    parser.add_argument(
        "--set", dest="overrides", action="append", type=_assignment, default=[], metavar="KEY=VALUE", help="replace a parameter"
    )


def run(arguments: argparse.Namespace) -> int:
    """Door of `python -m ivfnb reproduce`."""
    return reproduce(arguments.profile, arguments.only, dict(arguments.overrides))

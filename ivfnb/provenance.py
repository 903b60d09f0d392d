"""What made this number: the stamp that every result file carries."""

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ivfnb import files, paths

PACKAGES = ("torch", "numpy", "scipy", "opencv-python-headless", "scikit-image", "pandas", "papermill")


def _git(*arguments: str) -> str | None:
    """Output of a git command in the project's root, None outside a checkout or without git.

    It takes no lock: that of a run that is killed would stay, and keep the user from committing.
    """
    try:
        done = subprocess.run(
            ["git", "--no-optional-locks", *arguments], cwd=paths.root(), capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


sha256 = files.digest  # hexadecimal sha256 of a file's bytes


def _interpreter() -> str:
    """Which Python runs: implementation, version, and whether of a virtual environment, of conda or of the system; no path of it."""
    kind = "venv" if sys.prefix != sys.base_prefix else "conda" if Path(sys.prefix, "conda-meta").is_dir() else "system"
    return f"{platform.python_implementation()} {platform.python_version()} ({kind})"


@lru_cache(maxsize=1)
def _environment() -> dict[str, Any]:
    """The part of a stamp that does not change while a process runs."""
    top = _git("rev-parse", "--show-toplevel")
    ours = bool(top) and Path(str(top)).resolve() == paths.root()  # an installed copy may lie in the checkout of another project
    changed = _git("status", "--porcelain", "--untracked-files=no") if ours else None
    return {
        "commit": _git("rev-parse", "HEAD") if ours else None,
        "dirty": None if changed is None else bool(changed),
        "python": platform.python_version(),
        "interpreter": _interpreter(),
        "versions": {package: _version(package) for package in PACKAGES},
        "machine": f"{platform.system()} {platform.machine()}",
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
    }


def stamp(**extra: Any) -> dict[str, Any]:
    """Provenance record of what this process makes.

    Parameters
    ----------
    **extra : what to record beside it: profile, parameters, hashes of inputs and weights, device, seed, ...

    Returns
    -------
    dict
        commit (None outside a checkout), dirty (whether files that git knows differ from it), python, interpreter (implementation,
        version, and venv, conda or system), versions (package -> version, None where absent), machine, cores, time (UTC, ISO 8601), then
        `extra`. No name of a user, a machine or a folder is in it.

    Examples
    --------
    >>> stamp(profile="demo")["profile"]
    'demo'
    """
    return {**_environment(), "time": datetime.now(UTC).isoformat(timespec="seconds"), **extra}


def line(record: dict[str, Any] | None = None) -> str:
    """One readable line of a stamp, for the head of a notebook.

    Parameters
    ----------
    record : dict, optional
        As `stamp` makes it; None: a new one.

    Returns
    -------
    str

    Examples
    --------
    >>> line()
    'ivfnb at ...; Python 3...cores; ...'
    """
    record = record or stamp()
    commit = "no commit" if record["commit"] is None else record["commit"][:10] + (" with local changes" if record["dirty"] else "")
    versions = ", ".join(f"{name} {record['versions'][name]}" for name in ("torch", "numpy", "opencv-python-headless"))
    return f"ivfnb at {commit}; Python {record['python']}, {versions}; {record['machine']}, {record['cores']} cores; {record['time']}"


def write_run(path: str | Path, **extra: Any) -> Path:
    """Write a stamp as a run's JSON file, whole or not at all.

    Parameters
    ----------
    path : str or Path
        Usually a run's `run.json`.
    **extra : object
        See `stamp`.

    Returns
    -------
    Path
        `path`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files.read_json(write_run(f"{folder}/run.json", profile="demo"))["profile"]
    'demo'
    """
    return files.write_json(path, stamp(**extra), indent=1)


def origin(path: str | Path) -> dict[str, Any] | None:
    """Which run wrote a result file, by the records in the folders above it.

    Parameters
    ----------
    path : str or Path
        A file below `results/<profile>/`.

    Returns
    -------
    dict or None
        profile, commit and dirty, as the run's record has them; None for a file that no record lists with the content it has.

    Examples
    --------
    >>> origin("no/such/file.csv") is None
    True
    """
    path = Path(path).resolve()
    if not path.is_file():
        return None
    digest = files.digest(path)
    for folder in list(path.parents)[:3]:
        name, state = path.relative_to(folder).as_posix(), files.read_json(folder / "state.json")
        notebooks = state.get("notebooks") if isinstance(state, dict) else None
        records = [record for record in notebooks.values() if isinstance(record, dict)] if isinstance(notebooks, dict) else []
        found = [{"profile": folder.name, **record} for record in records if record.get("state") == "done"]
        found += [run for run in map(files.read_json, sorted(folder.glob("run*.json"), reverse=True)) if isinstance(run, dict)]
        for record in found:
            if isinstance(record.get("files"), dict) and record["files"].get(name) == digest:
                return {key: record.get(key) for key in ("profile", "commit", "dirty")}
    return None

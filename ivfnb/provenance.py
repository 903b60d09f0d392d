"""What made this number: the stamp that every result file carries."""

import hashlib
import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ivfnb import paths

PACKAGES = ("torch", "numpy", "scipy", "opencv-python-headless", "scikit-image", "pandas", "papermill")


def _git(*arguments: str) -> str | None:
    """Output of a git command in the project's root, None outside a checkout or without git."""
    try:
        done = subprocess.run(["git", *arguments], cwd=paths.root(), capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def sha256(path: str | Path) -> str:
    """Hexadecimal sha256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@lru_cache(maxsize=1)
def _environment() -> dict[str, Any]:
    """The part of a stamp that does not change while a process runs."""
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return {
        "commit": _git("rev-parse", "HEAD"),
        "dirty": None if changed is None else bool(changed),
        "python": platform.python_version(),
        "versions": {package: _version(package) for package in PACKAGES},
        "machine": f"{platform.system()} {platform.machine()}",
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
    }


def stamp(**extra: Any) -> dict[str, Any]:
    """Provenance record: commit, dirty flag, versions, machine and time (UTC), with `extra` (profile, hashes, ...) beside them."""
    return {**_environment(), "time": datetime.now(UTC).isoformat(timespec="seconds"), **extra}


def line(record: dict[str, Any] | None = None) -> str:
    """One readable line of a stamp, for the head of a notebook."""
    record = record or stamp()
    commit = "no commit" if record["commit"] is None else record["commit"][:10] + (" with local changes" if record["dirty"] else "")
    versions = ", ".join(f"{name} {record['versions'][name]}" for name in ("torch", "numpy", "opencv-python-headless"))
    return f"ivfnb at {commit}; Python {record['python']}, {versions}; {record['machine']}, {record['cores']} cores; {record['time']}"


def write_json(path: str | Path, content: Any) -> Path:
    """Write JSON whole or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(json.dumps(content, indent=1, default=str) + "\n", encoding="utf-8")
    beside.replace(path)
    return path


def write_run(path: str | Path, **extra: Any) -> Path:
    """Write a stamp with `extra` as the JSON file `path` (a run's `run.json`)."""
    return write_json(path, stamp(**extra))

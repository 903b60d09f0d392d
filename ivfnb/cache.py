"""What was computed once and is remembered by content below `.cache/` (IVFNB_CACHE): where it lies and which code it depends on."""

import hashlib
import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import joblib

from ivfnb import paths

# Modules whose change cannot change a fused image; a new module counts until it is named here.
NOT_FUSING = (
    *("metrics", "bench", "evaluate", "methods", "cache", "roster", "report", "findings", "reported", "truth", "targets"),
    *("training", "appraisal", "provenance"),
    *("datasets", "manifest", "listing", "archives", "download", "fetch"),
    *("reproduce", "cli", "app", "fuse_files"),
)
# What values beside the metrics are made of: `Extra` of `evaluate`, similarities of two fused images.
BESIDE = ("targets.py", "enhance.py", "images.py", "baselines/agreement.py")


def folder() -> Path:
    """Root of everything remembered; deleting it costs time only."""
    return Path(os.environ.get("IVFNB_CACHE") or paths.root() / ".cache")


@lru_cache
def code_hash(part: str) -> str:
    """Hash of the source that makes "fused" images, scores of "windows", "metrics" or what stands "beside" them.

    A result does not outlive the code that made it.
    """
    package = Path(__file__).parent
    chosen = {
        "metrics": [*(package / "metrics").rglob("*.py"), package / "images.py"],
        "windows": [package / f"{name}.py" for name in ("dense", "folding", "network", "patches", "weightmap")],
        "fused": [path for path in package.rglob("*.py") if path.relative_to(package).parts[0].removesuffix(".py") not in NOT_FUSING],
        "beside": [package / name for name in BESIDE],
    }
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(chosen[part]))).hexdigest()[:16]


def place(kind: str, content: Any, suffix: str) -> Path:
    """File in which what depends on `content` (anything joblib can hash) is remembered; it need not exist."""
    key = joblib.hash(content)
    return folder() / kind / key[:2] / f"{key}{suffix}"


def read_json(path: Path) -> Any:
    """Content of a remembered JSON file, None where there is none (or a damaged one, which is made anew)."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None


def write_json(path: Path, content: Any) -> None:
    """Write a remembered JSON file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{os.getpid()}.{path.name}")
    beside.write_text(json.dumps(content), encoding="utf-8")
    beside.replace(path)

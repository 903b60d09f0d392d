"""The authors' weights by method: files that were fetched, looked for below the data root, then below data/."""

from pathlib import Path

from ivfnb import paths
from ivfnb.manifest import DatasetError

FOLDER = "published-weights"


def files(method: str) -> dict[str, Path]:
    """Files of a method's published weights by name; DatasetError says how to get them where there are none."""
    for root in dict.fromkeys((paths.data_root(), paths.root() / "data")):
        folder = root / FOLDER / method
        found = {path.name: path for path in sorted(folder.glob("*")) if path.is_file()} if folder.is_dir() else {}
        if found:
            return found
    raise DatasetError(
        f"{method}: found no published weights, expected files below {paths.data_root() / FOLDER / method}; "
        f"get them with: python -m ivfnb fetch weights/{method}"
    )

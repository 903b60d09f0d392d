"""Where things are: the project's root, the data root and the folders of results. Nothing else in the project spells a path."""

import os
from pathlib import Path


def root() -> Path:
    """Folder that holds `notebooks/`, `data/` and `results/` (the checkout this package is imported from)."""
    return Path(__file__).resolve().parent.parent


def data_root() -> Path:
    """Folder in which data sets are looked for first: the environment variable IVFNB_DATA, else `data/` of the checkout.

    Raises ValueError when IVFNB_DATA names a folder that does not exist, since falling back in silence would run another data set.
    """
    named = os.environ.get("IVFNB_DATA")
    if not named:
        return root() / "data"
    folder = Path(named).expanduser().resolve()
    if not folder.is_dir():
        raise ValueError(f"IVFNB_DATA={named}: found no such folder, expected a folder of data sets (unset it to use {root() / 'data'})")
    return folder


def own_data() -> Path:
    """Folder in which this installation keeps the data sets that it fetches and unpacks: `data/` of the checkout."""
    return root() / "data"


def results_dir(profile: str) -> Path:
    """Folder of the results of one profile, made if absent: `results/<profile>` (IVFNB_RESULTS replaces `results`)."""
    folder = Path(os.environ.get("IVFNB_RESULTS") or root() / "results").expanduser().resolve() / profile
    folder.mkdir(parents=True, exist_ok=True)
    return folder

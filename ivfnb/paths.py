"""Where things are: the project's root, the data root and the folders of results. Nothing else in the project spells a path."""

import os
import warnings
from pathlib import Path
from typing import Any


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


def results_dir(profile: str) -> Path:
    """Folder of the results of one profile, made if absent: `results/<profile>` (IVFNB_RESULTS replaces `results`)."""
    folder = Path(os.environ.get("IVFNB_RESULTS") or root() / "results").expanduser().resolve() / profile
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def additions(group: str) -> list[Any]:
    """What installed packages add to this one: the objects that their entry points of a group name.

    Parameters
    ----------
    group : str
        Group of entry points, such as "ivfnb.metrics".

    Returns
    -------
    list
        Modules, classes or functions, loaded, in the order of the names of their entry points.

    Warns
    -----
    UserWarning
        Of each entry point that cannot be loaded, naming the package that has it; the others are given none the less.
    """
    from importlib.metadata import entry_points  # late: where nothing is added it is not needed

    found = []
    for entry in sorted(entry_points(group=group), key=lambda entry: (entry.name, entry.value)):
        try:
            found.append(entry.load())
        except Exception as error:
            package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "a package"
            reason = f"{type(error).__name__}: {error}"
            warnings.warn(f"{package}: found that {entry.value} ({group}: {entry.name}) does not load ({reason}); left out", stacklevel=2)
    return found

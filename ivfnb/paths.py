"""Where things are, and what other distributions add. Nothing else in the project spells a path."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parent
SHIPPED = PACKAGE / "_shipped"  # in an installed wheel: the checkout's notebooks/ and data/, as far as they travel


def in_checkout() -> bool:
    """Whether this package is imported from a checkout, not from an installed wheel."""
    return not SHIPPED.is_dir()


def root() -> Path:
    """Folder that holds what the project ships, `notebooks/` and `data/`: the checkout, or a folder of the installed package."""
    return PACKAGE.parent if in_checkout() else SHIPPED


def own_data() -> Path:
    """Folder in which this installation keeps data sets that it fetches: `data/` of the checkout, else the user's data folder."""
    if in_checkout():
        return root() / "data"
    from platformdirs import user_data_path

    return user_data_path("ivfnb", appauthor=False)


def _named(variable: str) -> Path | None:
    """Folder that an environment variable names, absolute; None where it is unset or empty."""
    named = os.environ.get(variable)
    return Path(named).expanduser().resolve() if named else None


def data_root() -> Path:
    """Folder in which data sets are looked for first: the environment variable IVFNB_DATA, else `own_data()`.

    Raises ValueError when IVFNB_DATA names a folder that does not exist, since falling back in silence would run another data set.
    """
    folder = _named("IVFNB_DATA")
    if folder is None:
        return own_data()
    if not folder.is_dir():
        named = os.environ["IVFNB_DATA"]
        raise ValueError(f"IVFNB_DATA={named}: found no such folder, expected a folder of data sets (unset it to use {own_data()})")
    return folder


def cache_root() -> Path:
    """Root of everything remembered: IVFNB_CACHE, else `.cache/` of the checkout or the user's cache folder."""
    if (folder := _named("IVFNB_CACHE")) is not None:
        return folder
    if in_checkout():
        return root() / ".cache"
    from platformdirs import user_cache_path

    return user_cache_path("ivfnb", appauthor=False)


def results_root() -> Path:
    """Folder of the results of all profiles: IVFNB_RESULTS, else `results/` of the checkout or of the current folder; absolute."""
    return _named("IVFNB_RESULTS") or (root() if in_checkout() else Path.cwd()) / "results"


def results_dir(profile: str) -> Path:
    """Folder of the results of one profile, made if absent.

    Raises ValueError for a name that would leave the folder of results.
    """
    folder = results_root() / profile
    if not profile or folder.resolve().parent != results_root().resolve():
        raise ValueError(f"profile: found {profile!r}, expected the name of a folder below {results_root()}")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


# Which extra of this package brings a module that is imported only where it is needed.
EXTRAS = {
    **dict.fromkeys(("torch", "safetensors"), "network"),
    **dict.fromkeys(("IPython", "ipykernel", "jinja2", "jupyterlab", "matplotlib", "nbclient", "nbconvert", "nbformat"), "notebooks"),
    **dict.fromkeys(("papermill", "scikit_posthocs", "seaborn", "statsmodels", "traitlets", "ziamath"), "notebooks"),
    "streamlit": "app",
    **dict.fromkeys(("dask", "distributed", "fsspec"), "cluster"),
}


def missing(error: ModuleNotFoundError) -> str | None:
    """One line that names the extra to install where a module of one is missing; None where the error is about something else."""
    module = (error.name or "").partition(".")[0]
    if module not in EXTRAS:
        return None
    return f"{module} is not installed, and this needs it: pip install 'ivfnb[{EXTRAS[module]}]'"


@contextmanager
def extra() -> Iterator[None]:
    """Around an import of a module that an extra brings: a ModuleNotFoundError then names the extra."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (said := missing(error)) is None:
            raise
        raise ModuleNotFoundError(said, name=error.name) from error


@cache
def additions(group: str) -> tuple[Any, ...]:
    """What installed packages add to this one: the objects that their entry points of a group name.

    Parameters
    ----------
    group : str
        Group of entry points, such as "ivfnb.metrics".

    Returns
    -------
    tuple
        Modules, classes or functions, loaded, in the order of the names of their entry points.

    Warns
    -----
    UserWarning
        Of each entry point that cannot be loaded, naming the package that has it; the others are given none the less.
    """
    from importlib.metadata import entry_points  # late: where nothing is added it is not needed

    found: list[Any] = []
    for entry in sorted(entry_points(group=group), key=lambda entry: (entry.name, entry.value)):
        try:
            found.append(entry.load())
        except Exception as error:
            package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "a package"
            reason = f"{type(error).__name__}: {error}"
            warnings.warn(f"{package}: found that {entry.value} ({group}: {entry.name}) does not load ({reason}); left out", stacklevel=2)
    return tuple(found)

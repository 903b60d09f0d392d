"""Weights that others trained, by the name of the method: pinned in data/manifest.yaml, looked for in every data root, checked before use.

None of them ships with the project. `python -m ivfnb fetch weights/METHOD` brings them from their authors' repositories.
"""

from functools import lru_cache
from pathlib import Path

from ivfnb.datasets import listing, manifest
from ivfnb.datasets.manifest import DatasetError, Entry, Pin

PREFIX = "weights/"  # of the sets' names in the manifest


class WeightsError(DatasetError):
    """Weights that are absent or not as pinned; the message names the file and the command that brings it."""


def methods() -> list[str]:
    """Names of the methods whose weights the manifest pins."""
    return [name.removeprefix(PREFIX) for name, entry in manifest.load().items() if entry.kind == "weights"]


def licence(method: str) -> str:
    """Under what licence, and from whom, a method's weights come. ValueError for a method without weights."""
    entry = _entry(method)
    return f"{entry.licence} ({entry.citation}; {entry.homepage})"


def files(method: str, *names: str) -> dict[str, Path]:
    """Files of a method's weights by name, of the size and hash the manifest pins.

    Parameters
    ----------
    method : str
        Name of the method, such as "U2Fusion" (see `methods`).
    names : str
        Names of files; without any, all that the method needs, which leaves out those the manifest calls optional.

    Returns
    -------
    dict
        Name of the file -> where it lies: in `published-weights/METHOD/` below IVFNB_DATA or data/.

    Raises
    ------
    WeightsError
        If a file is absent or changed; the message is one line and names the command that fetches it.
    ValueError
        For a method or a file the manifest does not know.
    """
    found = {}
    for pin in _pins(method, names):
        places = [root / pin.path for root in listing.roots() if (root / pin.path).is_file()]
        faults = [_fault(place, pin, *_state(place)) for place in places]
        if None not in faults:
            what = f"{places[0]}: {faults[0]}" if places else f"found no {pin.path} below {_looked()}, expected the weights"
            raise WeightsError(f"{method}: {what}; get them with: python -m ivfnb fetch {PREFIX}{method}")
        found[Path(pin.path).name] = places[faults.index(None)]
    return found


def is_at_hand(method: str, *names: str) -> bool:
    """Whether `files` would find them all, unchanged. ValueError for a method or a file the manifest does not know."""
    _pins(method, names)
    try:
        files(method, *names)
    except WeightsError:
        return False
    return True


def _entry(method: str) -> Entry:
    entry = manifest.load().get(PREFIX + method)
    if entry is None:
        raise ValueError(f"method: found {method!r}, expected one of {', '.join(methods())}")
    return entry


def _pins(method: str, names: tuple[str, ...]) -> list[Pin]:
    pins = {Path(pin.path).name: pin for pin in _entry(method).pins}
    if unknown := [name for name in names if name not in pins]:
        raise ValueError(f"{method}: found the file name {unknown[0]!r}, expected one of {', '.join(pins)}")
    return [pins[name] for name in names] or [pin for pin in pins.values() if not pin.optional]


def _looked() -> str:
    return " or ".join(map(str, listing.roots()[:-1]))


def _state(file: Path) -> tuple[int, int]:
    status = file.stat()
    return status.st_size, status.st_mtime_ns


@lru_cache(maxsize=256)
def _fault(file: Path, pin: Pin, _size: int, _changed: int) -> str | None:
    """What is wrong with a file; it is hashed once in a process unless it changes."""
    return manifest.fault(file, pin)

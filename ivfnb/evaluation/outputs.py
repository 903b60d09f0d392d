"""Places to write to, checked before anything is computed: no source is overwritten, and what cannot be written is known at once."""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from ivfnb import files


class OutputError(ValueError):
    """A place that cannot or must not be written to; the message names it, what was found and what was expected."""


class Sources:
    """Files or folders that must not be written to, known in every spelling: relative, absolute, a link, through "..", a hard link.

    Where only upper and lower case differ it counts as the same, since some systems do not tell them apart.

    Parameters
    ----------
    paths : iterable of str or Path
        Of what exists or not.

    Examples
    --------
    >>> sources = Sources(["ir/1.png"])
    >>> sources.holds("x/../ir/1.png"), sources.holds("IR/1.PNG"), sources.holds("ir/11.png")
    (PosixPath('ir/1.png'), PosixPath('ir/1.png'), None)
    """

    def __init__(self, paths: Iterable[str | Path]) -> None:
        self._names: dict[str, Path] = {}
        self._places: dict[tuple[int, int], Path] = {}
        for path in map(Path, paths):
            self._names[os.path.realpath(path).casefold()] = path
            if place := self._place(path):
                self._places[place] = path

    @staticmethod
    def _place(path: str | Path) -> tuple[int, int] | None:
        try:
            status = os.stat(path)
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def holds(self, path: str | Path) -> Path | None:
        """The source that a path leads to; None where it leads to none."""
        place = self._place(path)
        return self._names.get(os.path.realpath(path).casefold()) or (self._places.get(place) if place else None)


def _ancestor(path: Path) -> Path:
    """The nearest folder above a path that exists (or what stands in its place)."""
    return next(above for above in path.parents if os.path.lexists(above))


def check_output(path: str | Path, sources: Sources | None = None, folder: bool = False, trial: bool = True) -> Path:
    """Whether a file (or, with `folder`, files in a folder) can be written.

    Parameters
    ----------
    path : str or Path
        Of the file or folder; missing folders on the way would be made. A special file (a pipe) passes.
    sources : Sources, optional
        Files or folders that must not be it.
    folder : bool
        Whether `path` is to be a folder.
    trial : bool
        Whether to try to write into the folder (a file that nobody sees and that is gone at once); not needed twice.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    OutputError
        For a source, a folder in place of a file or the reverse, a place where nothing can be written, and a name that is too long.

    Examples
    --------
    >>> check_output("ivfnb", folder=True).name
    'ivfnb'
    >>> check_output("ir/1.png", Sources(["x/../ir/1.png"]))
    Traceback (most recent call last):
    ...
    ivfnb.evaluation.outputs.OutputError: ir/1.png: found a source, x/../ir/1.png, expected another place: sources are never overwritten
    """
    path = Path(path)
    if sources is not None and (source := sources.holds(path)):
        raise OutputError(f"{path}: found a source, {source}, expected another place: sources are never overwritten")
    if files.special(path):
        if folder:
            raise OutputError(f"{path}: found a special file, expected a folder")
        return path
    place = Path(os.path.realpath(path))
    if os.path.isdir(place) != folder and os.path.lexists(place):
        raise OutputError(f"{path}: found a {'file' if folder else 'folder'}, expected a {'folder' if folder else 'file'} to write")
    if os.path.isfile(place) and not os.access(place, os.W_OK):
        raise OutputError(f"{path}: found a file that must not be written, expected another place")
    home = place if os.path.isdir(place) else _ancestor(place)
    if not home.is_dir():
        raise OutputError(f"{path}: found that {home} is a file, expected a folder")
    _check_length(path, place, home)
    if not trial:
        return path
    try:
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        raise OutputError(f"{path}: found that nothing can be written in {home} ({error.strerror}), expected another place") from error
    return path


def _check_length(path: Path, place: Path, home: Path) -> None:
    """OutputError for a name or a path that is longer than the system takes."""
    try:
        name, whole = os.pathconf(home, "PC_NAME_MAX"), os.pathconf(home, "PC_PATH_MAX")
    except (OSError, AttributeError, ValueError):  # not known of this file system, or not on this system
        name, whole = 255, 4096
    parts = place.relative_to(home).parts
    if too_long := [part for part in parts if len(os.fsencode(part)) > name]:
        raise OutputError(f"{path}: found a name of {len(os.fsencode(too_long[0]))} bytes, expected at most {name}")
    if len(os.fsencode(place)) >= whole:
        raise OutputError(f"{path}: found a path of {len(os.fsencode(place))} bytes, expected fewer than {whole}")

"""Images behind a URL that fsspec knows (s3://, gs://, sftp://, https://, ...): listed there, and copied here when they are read."""

from pathlib import Path, PurePosixPath
from typing import Any

from ivfnb import cache, files, paths
from ivfnb.datasets.errors import DatasetError
from ivfnb.datasets.matching import SUFFIXES


def is_url(place: Any) -> bool:
    """Whether a place is a URL.

    Examples
    --------
    >>> is_url("s3://bucket/ir"), is_url("data/ir"), is_url(Path("data"))
    (True, False, False)
    """
    return isinstance(place, str) and "://" in place


def _opened(url: str) -> tuple[Any, str]:
    """File system of a URL, and the path there."""
    with paths.extra():
        import fsspec
    try:
        return fsspec.core.url_to_fs(url)
    except (ValueError, ImportError) as error:  # an unknown scheme, or one whose package is not installed
        raise DatasetError(f"{url}: found a URL that cannot be opened ({error}), expected one that fsspec knows") from error


def local(place: str | Path) -> Path:
    """A file on this machine with the content of a place.

    Parameters
    ----------
    place : str or Path
        A URL, or a file here, which is given back.

    Returns
    -------
    Path
        Of a URL a copy below `.cache/remote` (IVFNB_CACHE), made whole or not at all, and made again where the original has changed.

    Raises
    ------
    DatasetError
        Where the URL cannot be read.

    Examples
    --------
    >>> local("data/ir.png")
    PosixPath('data/ir.png')
    """
    if not is_url(place):
        return Path(place)
    url = str(place)
    system, path = _opened(url)
    try:
        copy = cache.place("remote", (url, system.ukey(path)), PurePosixPath(path).suffix)
        return copy if copy.is_file() else files.write_bytes(copy, system.cat_file(path))
    except OSError as error:
        raise DatasetError(f"{url}: found nothing to read ({type(error).__name__}: {error}), expected an image") from error


def match(folders: dict[str, str]) -> dict[str, dict[str, str]]:
    """Images of folders behind URLs, by id and role: those whose names are the same but for the suffix.

    Parameters
    ----------
    folders : dict
        URLs by role.

    Returns
    -------
    dict
        Role and URL by id, in order of the ids.

    Raises
    ------
    DatasetError
        Where a folder cannot be listed, two of its images have one name, or one lacks its partner.
    """
    found: dict[str, dict[str, str]] = {}
    for role, url in folders.items():
        system, folder = _opened(str(url))
        try:
            listed = sorted(entry["name"] for entry in system.ls(folder, detail=True) if entry["type"] == "file")
        except OSError as error:
            raise DatasetError(f"{role}: found no folder {url} ({type(error).__name__}), expected one with images") from error
        for path in map(PurePosixPath, listed):
            if path.suffix.lower() in SUFFIXES:
                if role in found.setdefault(path.stem, {}):
                    raise DatasetError(f"{url}: found {path.name} and another image of that name, expected one of each")
                found[path.stem][role] = system.unstrip_protocol(str(path))
    if lonely := sorted(id for id, roles in found.items() if len(roles) < len(folders)):
        raise DatasetError(
            f"{' and '.join(folders.values())}: found {', '.join(lonely[:5])} in one alone, expected images of the same names"
        )
    return dict(sorted(found.items()))

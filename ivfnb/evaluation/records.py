"""What made a fused image, kept with it: within a PNG file, beside any other; it says whether the image is up to date."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ivfnb import __version__, files, images, provenance
from ivfnb.images import Image, ImageError

KEY = "ivfnb"  # of the text in a PNG file
DECIDES = ("inputs", "how", "levels")  # parts of a record that an image depends on


def inputs(sources: Mapping[str, Path]) -> dict[str, dict[str, str]]:
    """Name and sha256 of source files, by role.

    Parameters
    ----------
    sources : mapping of str to Path
        "infrared", "visible", ...

    Returns
    -------
    dict

    Raises
    ------
    OSError
        For a file that cannot be read.
    """
    return {role: {"file": _printable(path.name), "sha256": files.digest(path)} for role, path in sources.items()}


def record(sources: Mapping[str, dict[str, str]], how: Mapping[str, Any], levels: Mapping[str, str | None] | None = None) -> dict[str, Any]:
    """What is to be said of a fused image before it is made.

    Parameters
    ----------
    sources : mapping
        As `inputs` gives them.
    how : mapping
        As `Recipe.key` gives it.
    levels : mapping of str to str or None, optional
        What the numbers of the sources were taken for.

    Returns
    -------
    dict
        Of what JSON can hold, without a time: the same inputs give the same file.
    """
    made = {name: value for name, value in provenance.stamp().items() if name != "time"}
    return {
        "inputs": dict(sources),
        "how": dict(how),
        "levels": {k: v for k, v in (levels or {}).items() if v},
        "version": __version__,
        **made,
    }


def beside(path: str | Path) -> Path:
    """File that holds the record of a file that is no PNG."""
    path = Path(path)
    return path.with_name(f"{path.name}.json")


def _printable(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _hash(image: Image) -> str:
    """Hash of levels and shape."""
    return hashlib.sha256(f"{image.shape}".encode() + np.ascontiguousarray(image).tobytes()).hexdigest()


def write(path: str | Path, image: Image, said: Mapping[str, Any]) -> None:
    """Write an image with its record.

    Parameters
    ----------
    path : str or Path
        As `images.write_image` takes it. A special file gets no record.
    image : array (h, w) or (h, w, 3)
        Levels 0..255.
    said : mapping
        As `record` gives it.

    Raises
    ------
    ImageError
        As `images.write_image` does.
    """
    path, levels = Path(path), images.to_uint8(np.asarray(image))
    whole = {**said, "pixels": _hash(levels)}
    if path.suffix.lower() == ".png":
        images.write_image(path, levels, {KEY: json.dumps(whole)})
        return
    images.write_image(path, levels)
    if not files.special(path):
        files.write_json(beside(path), {**whole, "bytes": files.digest(path)}, indent=1)


def write_beside(path: str | Path, said: Mapping[str, Any]) -> None:
    """Write the record of a file that is no image, such as a video, beside it."""
    if not files.special(path):
        files.write_json(beside(path), {**said, "bytes": files.digest(path)}, indent=1)


def read(path: str | Path) -> dict[str, Any] | None:
    """Record of a file.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    dict or None
        None where there is no file, or no record of it.

    Examples
    --------
    >>> read("no/such/file.png") is None
    True
    """
    path = Path(path)
    if not path.is_file():
        return None
    if path.suffix.lower() != ".png":
        said = files.read_json(beside(path))
    else:
        try:
            said = json.loads(images.read_text(path).get(KEY, "null"))
        except ValueError:
            said = None
    return said if isinstance(said, dict) else None


def up_to_date(path: str | Path, said: Mapping[str, Any]) -> bool:
    """Whether a file is what would be written again.

    Parameters
    ----------
    path : str or Path
    said : mapping
        As `record` gives it.

    Returns
    -------
    bool
        False where inputs, method, weights, code or levels differ, or the file is not as it was written.
    """
    found = read(path)
    if found is None or any(found.get(part) != json.loads(json.dumps(said[part])) for part in DECIDES):
        return False
    if "bytes" in found:
        return found["bytes"] == files.digest(path)
    try:
        return found.get("pixels") == _hash(images.read_color(path) if _coloured(path) else images.read_gray(path))
    except ImageError:
        return False


def _coloured(path: str | Path) -> bool:
    return images.read_header(path)["channels"] == 3

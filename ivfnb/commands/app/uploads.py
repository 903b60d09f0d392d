"""Files that users hand in: looked at by their headers before they are decoded, and kept in memory only."""

import hashlib
import io
import lzma
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np

from ivfnb import images
from ivfnb.commands.app.limits import MEGA, Limits
from ivfnb.datasets import ImagePair, packed
from ivfnb.images import Image, ImageError

_BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)


@dataclass(frozen=True)
class Given:
    """A file as it was handed in: its name and its bytes."""

    name: str
    stored: bytes = field(repr=False)

    @property
    def sha256(self) -> str:
        """Hash of the bytes."""
        return hashlib.sha256(self.stored).hexdigest()


@dataclass(frozen=True)
class Pair:
    """A pair that can be fused, and the files it was read from.

    `infrared` is (h, w), `visible` (h, w) or (h, w, 3) RGB, both levels 0..255; `files` holds a `Given` by role.
    """

    name: str
    infrared: Image = field(repr=False)
    visible: Image = field(repr=False)
    files: dict[str, Given]
    notes: tuple[str, ...] = ()
    shared: bool = False  # everybody has it, so what was computed of it may be shown to everybody

    @property
    def key(self) -> tuple[str, ...]:
        """What the pair's fused images depend on."""
        return tuple(given.sha256 for given in self.files.values())

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, pixels."""
        return self.infrared.shape[1], self.infrared.shape[0]


def check_header(given: Given, limits: Limits) -> tuple[int, int]:
    """Width and height of an image file by its header alone.

    Parameters
    ----------
    given : Given
    limits : Limits
        Of bytes and pixels.

    Returns
    -------
    width, height : int
        Pixels.

    Raises
    ------
    ImageError
        Naming a file that is too large, or whose header is no image's or says too many pixels.

    Examples
    --------
    >>> check_header(Given("note.png", b"no image"), Limits())
    Traceback (most recent call last):
    ...
    ivfnb.images.arrays.ImageError: note.png: found no image header, expected PNG, JPEG, TIFF, BMP, WebP, JPEG 2000, PNM or GIF
    """
    if len(given.stored) > limits.bytes:
        raise ImageError(f"{given.name}: found {len(given.stored) / MEGA:.1f} MB, expected at most {limits.megabytes}")
    header = images.header_of(given.stored, given.name)
    width, height = int(header["width"]), int(header["height"])
    if width * height > limits.pixels:
        found = f"{width}x{height} pixels ({width * height / MEGA:.1f} megapixels)"
        raise ImageError(f"{given.name}: found {found}, expected at most {limits.megapixels:g} megapixels")
    return width, height


def _grey_if_grey(image: Image) -> Image:
    """A colour image whose channels are equal as a grey one."""
    return np.ascontiguousarray(image[..., 0]) if image.ndim == 3 and (image[..., :1] == image).all() else image


def read_pair(name: str, infrared: Given, visible: Given, limits: Limits, levels: str | None = None) -> Pair:
    """Pair of two files in memory.

    Parameters
    ----------
    name : str
        Of the pair.
    infrared, visible : Given
    limits : Limits
    levels : str or None
        What numbers of more than 8 bits mean, see `ivfnb.images.Levels`.

    Returns
    -------
    Pair

    Raises
    ------
    ImageError
        Naming a file that is refused by its header, broken, or of another size than its partner.

    Warns
    -----
    LevelsWarning
        Where the numbers of a file may not be levels, and where the infrared image is coloured.
    """
    for given in (infrared, visible):
        check_header(given, limits)
    meant = images.by_role(levels)
    read = {role: images.decode(given.stored, given.name, meant[role]) for role, given in (("infrared", infrared), ("visible", visible))}
    images.warn_of_colours(read["infrared"], infrared.name)
    grey, visible_image = _grey_if_grey(read["infrared"]), _grey_if_grey(read["visible"])
    grey = grey if grey.ndim == 2 else images.to_gray(grey)
    if grey.shape != visible_image.shape[:2]:
        sizes = [f"{given.name} of {image.shape[1]}x{image.shape[0]}" for given, image in ((infrared, grey), (visible, visible_image))]
        raise ImageError(f"found {' and '.join(sizes)} pixels, expected one size")
    return Pair(name, grey, visible_image, {"infrared": infrared, "visible": visible})


def sample_pair(pair: ImagePair) -> Pair:
    """A pair of a data set, with the bytes of its files.

    Parameters
    ----------
    pair : ImagePair
        Of files.

    Returns
    -------
    Pair

    Examples
    --------
    >>> from ivfnb.datasets import dataset
    >>> sample_pair(dataset("sample", color=True)["chelsea"]).size
    (361, 241)
    """
    paths = {role: Path(str(pair.files[role])) for role in ("infrared", "visible")}
    return Pair(
        pair.id, pair.infrared, pair.visible, {role: Given(path.name, path.read_bytes()) for role, path in paths.items()}, shared=True
    )


def pairs_of_zip(given: Given, limits: Limits) -> tuple[dict[str, dict[str, str]], tuple[str, ...]]:
    """Pairs in a zip by the names of its members; nothing is unpacked.

    Parameters
    ----------
    given : Given
    limits : Limits
        Of bytes and pairs.

    Returns
    -------
    pairs : dict
        id -> role -> member, see `datasets.packed.among`.
    faults : tuple of str
        Images that are left out, and why.

    Raises
    ------
    ImageError
        For a file that is no zip, holds no pair, or holds too many.
    """
    if len(given.stored) > limits.zip_bytes:
        raise ImageError(f"{given.name}: found {len(given.stored) / MEGA:.1f} MB, expected at most {limits.zip_bytes / MEGA:g}")
    try:
        with zipfile.ZipFile(io.BytesIO(given.stored)) as archive:
            names = [member.filename for member in archive.infolist() if not member.is_dir()]
    except _BROKEN as error:
        raise ImageError(f"{given.name}: found a file that is no zip, or a broken one ({error}), expected a zip of pairs") from error
    pairs, faults = packed.among(names)
    if not pairs:
        expected = "infrared/NAME.png and visible/NAME.png, or NAME_ir.png and NAME_vis.png"
        raise ImageError(f"{given.name}: found {len(names)} files and no pair among them, expected {expected}")
    if len(pairs) > limits.pairs:
        raise ImageError(f"{given.name}: found {len(pairs)} pairs, expected at most {limits.pairs}")
    return pairs, faults


def member_of_zip(given: Given, member: str, limits: Limits) -> Given:
    """One file of a zip, unpacked in memory as far as the limit of bytes allows.

    Parameters
    ----------
    given : Given
        The zip.
    member : str
    limits : Limits

    Returns
    -------
    Given
        Named as the last part of the member's path.

    Raises
    ------
    ImageError
        For a member that is encrypted, broken or too large, whatever it says of its size.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(given.stored)) as archive, archive.open(member) as file:
            stored = file.read(limits.bytes + 1)
    except _BROKEN as error:
        raise ImageError(f"{given.name}: found that {member} cannot be unpacked ({error}), expected a plain zip") from error
    if len(stored) > limits.bytes:
        raise ImageError(f"{given.name}: found more than {limits.megabytes} MB in {member}, expected at most that")
    return Given(PurePosixPath(member).name, stored)

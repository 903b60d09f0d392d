"""What a data set is made of: pairs, fused images and photographs, read when they are first looked at."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ivfnb.datasets import remote
from ivfnb.datasets.manifest import DatasetError

if TYPE_CHECKING:
    from ivfnb.images import Image, Levels

    Meant = Levels | str | tuple[float, float] | None


def meant(levels: "Meant" = None, infrared: "Meant" = None, visible: "Meant" = None) -> "dict[str, Levels | None]":
    """What levels mean by role, see `images.by_role`; empty where nothing is said."""
    if levels is infrared is visible is None:
        return {}
    from ivfnb import images

    return images.by_role(levels, infrared, visible)


def _read(source: "Image | str | Path", color: bool = False, levels: "Levels | None" = None, infrared: bool = False) -> "Image":
    """Image of a file: grey, or RGB where `color` is asked for and the file's channels differ; an array is given back as it is."""
    if isinstance(source, np.ndarray) and levels is None:
        return source
    from ivfnb import images  # OpenCV and Pillow only where an image is read

    source = remote.local(source)
    try:
        if isinstance(source, np.ndarray):
            return images.as_levels(images.plain(source), levels=levels)
        if infrared:
            return images.read_infrared(source, levels)
        if not color:
            return images.read_gray(source, levels)
        image = images.read_color(source, levels)
    except images.ImageError as error:
        raise DatasetError(str(error)) from error
    return image if (image[..., :1] != image).any() else np.ascontiguousarray(image[..., 0])


class ImagePair:
    """A registered infrared and visible image, read at the first use, both at once.

    Parameters
    ----------
    id : name of the pair.
    infrared : array (h, w) of grey levels 0..255, or a file, on this machine or behind a URL that fsspec knows.
    visible : array (h, w) or, in colour, (h, w, 3) RGB, of levels 0..255, or a file.
    truth : of simulated pairs, mask (h, w), 255 where the visible image is the sharper one and 0 elsewhere, or a file; None of real pairs.
    color : whether a visible file that has colours is given as RGB; else as grey.
    levels : what the numbers of images of more than 8 bits mean, "full", "minmax" or "LOW:HIGH", see `images.Levels`.
    levels_infrared, levels_visible : the same of one of the two, whatever its depth.

    Raises
    ------
    DatasetError
        At the first use: where a file is no image, or the images are not of one size. The message names the files.

    Examples
    --------
    >>> from ivfnb.datasets import dataset
    >>> pair = dataset("sample", color=True)["chelsea"]
    >>> pair.infrared.shape, pair.visible.shape, pair.truth.shape
    ((241, 361), (241, 361, 3), (241, 361))
    """

    def __init__(
        self,
        id: str,
        infrared: "Image | str | Path",
        visible: "Image | str | Path",
        truth: "Image | str | Path | None" = None,
        color: bool = False,
        levels: "Meant" = None,
        levels_infrared: "Meant" = None,
        levels_visible: "Meant" = None,
    ):
        self.id, self.color, self.levels = id, color, meant(levels, levels_infrared, levels_visible)
        self.files: dict[str, Image | str | Path | None] = {"infrared": infrared, "visible": visible, "truth": truth}

    @cached_property
    def _images(self) -> "dict[str, Image]":
        given = {role: source for role, source in self.files.items() if source is not None}
        read = {
            role: _read(source, self.color and role == "visible", self.levels.get(role), role == "infrared")
            for role, source in given.items()
        }
        for role, image in read.items():
            if image.shape[:2] != read["infrared"].shape[:2]:
                found = [f"{self._where(role)} of {read[role].shape[1]}x{read[role].shape[0]}" for role in ("infrared", role)]
                raise DatasetError(f"{self.id}: found {' and '.join(found)} pixels, expected one size")
        return read

    def _where(self, role: str) -> str:
        return f"{role} array" if isinstance(self.files[role], np.ndarray) else str(self.files[role])

    @property
    def infrared(self) -> "Image":
        """Grey infrared image (h, w), levels 0..255."""
        return self._images["infrared"]

    @property
    def visible(self) -> "Image":
        """Visible image, levels 0..255: grey (h, w), or RGB (h, w, 3) where colour is asked for and the file has it."""
        return self._images["visible"]

    @property
    def truth(self) -> "Image | None":
        """Mask (h, w) of a simulated pair, 255 where the visible image is sharper; None for real pairs."""
        return self._images.get("truth")

    def __repr__(self) -> str:
        return f"ImagePair({self.id!r})"


class FusedImage:
    """A fused image, read at the first use.

    Parameters
    ----------
    id : name of the pair it was fused from.
    fused : array (h, w), or (h, w, 3) RGB, of levels 0..255, or a file.
    color : whether a file that has colours is given as RGB; else as grey.
    levels : what the numbers of an image of more than 8 bits mean, see `images.Levels`.
    """

    def __init__(self, id: str, fused: "Image | str | Path", color: bool = False, levels: "Meant" = None):
        self.id, self.color, self.files, self.levels = id, color, {"fused": fused}, meant(levels)

    @cached_property
    def fused(self) -> "Image":
        """Fused image (h, w) or (h, w, 3), levels 0..255; DatasetError names a file that is no image."""
        return _read(self.files["fused"], self.color, self.levels.get("fused"))

    def __repr__(self) -> str:
        return f"FusedImage({self.id!r})"


class Photograph:
    """A photograph, read at the first use.

    Parameters
    ----------
    id : name of the photograph.
    gray : array (h, w) of grey levels 0..255, or a file; colours of a file become BT.601 luma.
    """

    def __init__(self, id: str, gray: "Image | str | Path"):
        self.id, self.files = id, {"photograph": gray}

    @cached_property
    def gray(self) -> "Image":
        """Grey photograph (h, w), levels 0..255; DatasetError names a file that is no image."""
        return _read(self.files["photograph"])

    def __repr__(self) -> str:
        return f"Photograph({self.id!r})"

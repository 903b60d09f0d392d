"""What a data set is made of: pairs, fused images and photographs, read when they are first looked at."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ivfnb import images
from ivfnb.datasets.manifest import DatasetError
from ivfnb.images import Image

if TYPE_CHECKING:
    pass


def _read(source: Image | str | Path, color: bool = False) -> Image:
    """Image of a file: grey, or RGB where `color` is asked for and the file's channels differ; an array is given back as it is."""
    if isinstance(source, np.ndarray):
        return source
    try:
        if not color:
            return images.read_gray(source)
        image = images.read_color(source)
    except images.ImageError as error:
        raise DatasetError(str(error)) from error
    return image if (image[..., :1] != image).any() else np.ascontiguousarray(image[..., 0])


class ImagePair:
    """A registered infrared and visible image; files are read at the first use, both at once, and must be of one size (DatasetError).

    `infrared` is grey (h, w); `visible` is grey (h, w), or RGB (h, w, 3) where `color` is asked for and the file has it. Arrays may be
    given in place of files. `truth` is the mask of simulated pairs, 255 where the visible image is the sharper one; None elsewhere.
    """

    def __init__(self, id: str, infrared: Image | Path, visible: Image | Path, truth: Image | Path | None = None, color: bool = False):
        self.id, self.color, self.files = id, color, {"infrared": infrared, "visible": visible, "truth": truth}

    @cached_property
    def _images(self) -> list[Image]:
        read = {role: _read(source, self.color and role == "visible") for role, source in self.files.items() if source is not None}
        for role, image in read.items():
            if image.shape[:2] != read["infrared"].shape[:2]:
                found = [f"{self._where(role)} of {read[role].shape[1]}x{read[role].shape[0]}" for role in ("infrared", role)]
                raise DatasetError(f"{self.id}: found {' and '.join(found)} pixels, expected one size")
        return [read["infrared"], read["visible"], read.get("truth")]

    def _where(self, role: str) -> str:
        return f"{role} array" if isinstance(self.files[role], np.ndarray) else str(self.files[role])

    @property
    def infrared(self) -> Image:
        """Grey infrared image (h, w)."""
        return self._images[0]

    @property
    def visible(self) -> Image:
        """Visible image: grey (h, w), or RGB (h, w, 3) where colour is asked for and the file has it."""
        return self._images[1]

    @property
    def truth(self) -> Image | None:
        """Mask (h, w) of a simulated pair, 255 where the visible image is sharper; None for real pairs."""
        return self._images[2]

    def __repr__(self) -> str:
        return f"ImagePair({self.id!r})"


class FusedImage:
    """A fused image: `fused` is grey (h, w), or RGB (h, w, 3) where `color` is asked for and the file has it; read at first use."""

    def __init__(self, id: str, fused: Image | Path, color: bool = False):
        self.id, self.color, self.files = id, color, {"fused": fused}

    @cached_property
    def fused(self) -> Image:
        """Fused image (h, w) or (h, w, 3)."""
        return _read(self.files["fused"], self.color)

    def __repr__(self) -> str:
        return f"FusedImage({self.id!r})"


class Photograph:
    """A photograph: `gray` is (h, w); read at first use."""

    def __init__(self, id: str, gray: Image | Path):
        self.id, self.files = id, {"photograph": gray}

    @cached_property
    def gray(self) -> Image:
        """Grey photograph (h, w)."""
        return _read(self.files["photograph"])

    def __repr__(self) -> str:
        return f"Photograph({self.id!r})"

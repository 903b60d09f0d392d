"""Warnings about what an image may mean, and when they are due."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from ivfnb.images.arrays import Image


class ImageWarning(UserWarning):
    """An image was read or taken in a way that may not be what is meant; the message names it."""


class LevelsWarning(ImageWarning):
    """The numbers of an image may not be the grey levels they were taken for; the message names the image and their range."""


_ASKED: ContextVar[bool] = ContextVar("_ASKED", default=True)


@contextmanager
def without_doubt() -> Iterator[None]:
    """Levels were looked at at the door: what is computed from them is not doubted again (no `LevelsWarning`)."""
    token = _ASKED.set(False)
    try:
        yield
    finally:
        _ASKED.reset(token)


def doubt(text: str, stacklevel: int = 4) -> None:
    """A `LevelsWarning`, unless `without_doubt` is at work."""
    if _ASKED.get():
        warnings.warn(text, LevelsWarning, stacklevel=stacklevel)


def warn_of_unit(image: Image, name: str) -> None:
    """LevelsWarning where a floating-point image stops at 1, and so is black on the scale 0..255."""
    if image.dtype.kind == "f" and image.size and 0 < (high := float(image.max())) <= 1:
        doubt(f"{name}: found {image.dtype} values up to {high:g}, expected grey levels 0..255 (multiply by 255 if 1 is white)")


def is_coloured(image: Image) -> bool:
    """Whether an image shows colours, beyond the traces that JPEG leaves in a grey one.

    Parameters
    ----------
    image : array (h, w) or (h, w, 3)
        Levels 0..255.

    Returns
    -------
    bool
        True where the channels of more than one pixel in a thousand differ by more than 24 levels.

    Examples
    --------
    >>> is_coloured(np.zeros((4, 4, 3))), is_coloured(np.full((4, 4, 3), [250, 120, 0]))
    (False, True)
    """
    if image.ndim != 3:
        return False
    spread = image.max(axis=2).astype(np.float64) - image.min(axis=2)
    return bool(np.mean(spread > 24) > 1e-3)


def warn_of_colours(image: Image, name: str) -> None:
    """LevelsWarning where an infrared image is coloured: the luma of false colours is no temperature."""
    if is_coloured(image):
        text = "found a coloured infrared image (false colours, or a camera's overlay): its luma is not temperature; "
        text += "expected a grey one, such as the camera software exports with a grey palette or as 16-bit TIFF"
        doubt(f"{name}: {text}")

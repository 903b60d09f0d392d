"""What the numbers of an image mean: the one rule for what a grey level is, and how other numbers become levels."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import numpy as np

from ivfnb.images.arrays import Image, ImageError, plain

KINDS = ("full", "minmax")
CUT_SILENTLY = 0.01  # share of the pixels that may lie outside a given range before a warning says so
LOW_16_BIT, LOW_FLOAT = 2**14, 32.0  # a span below these, of 65,535 and of 255, fills a small part of its container
HOW = "say what they mean by levels (--levels, --levels-infrared, --levels-visible): 'full', 'minmax' or LOW:HIGH"


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


def _warn(text: str) -> None:
    if _ASKED.get():
        warnings.warn(text, LevelsWarning, stacklevel=4)


@dataclass(frozen=True)
class Levels:
    """What the numbers of an image mean, made by `Levels.parse`.

    Attributes
    ----------
    kind : str
        "full": the whole range of the container (0..65535 of uint16) is 0..255; floating point, which has none, holds levels 0..255.
        "minmax": the image's own least and greatest value are 0 and 255. "range": `low` and `high` are.
    low, high : float
        Of a range; values outside are cut.
    deep : bool
        Whether only images of more than 8 bits are meant: one word for files of which some are 8-bit images.

    Examples
    --------
    >>> meant = Levels.parse("0:16383")
    >>> meant.applied(np.array([[0, 16383]], np.uint16))
    array([[  0., 255.]])
    """

    kind: str
    low: float = 0.0
    high: float = 255.0
    deep: bool = False

    @classmethod
    def parse(cls, what: "Levels | str | tuple[float, float] | None", name: str = "levels", deep: bool = False) -> "Levels | None":
        """Levels of a word, two numbers or their text.

        Parameters
        ----------
        what : Levels, str, (low, high) or None
            "full", "minmax", "LOW:HIGH" such as "0:16383" or "-10:38.5", or two numbers; None and `Levels` are given back.
        name : str
            The argument that an error names.
        deep : bool
            See `Levels`.

        Returns
        -------
        Levels or None

        Raises
        ------
        ValueError
            For anything else, and where low is not below high.

        Examples
        --------
        >>> Levels.parse("minmax").kind, Levels.parse((30, 300)).high, str(Levels.parse("-10:38.5"))
        ('minmax', 300.0, '-10:38.5')
        """
        if what is None or isinstance(what, Levels):
            return what
        if isinstance(what, str) and what in KINDS:
            return cls(what, deep=deep)
        try:
            low, high = (float(number) for number in (what.split(":") if isinstance(what, str) else what))
        except (TypeError, ValueError):
            low = high = np.nan
        if not (np.isfinite([low, high]).all() and low < high):
            raise ValueError(f"{name}: found {what!r}, expected 'full', 'minmax' or LOW:HIGH with LOW below HIGH, such as 0:16383")
        return cls("range", low, high, deep)

    def __str__(self) -> str:
        """As `parse` takes it."""
        return f"{self.low:g}:{self.high:g}" if self.kind == "range" else self.kind

    def applied(self, image: Image, name: str = "image") -> Image:
        """Grey levels of numbers.

        Parameters
        ----------
        image : array of any shape
            Whole numbers or floating point.
        name : str
            What an error or warning calls the image.

        Returns
        -------
        array of the same shape, float64
            Levels 0..255.

        Raises
        ------
        ImageError
            For numbers that are not finite or, with "full", leave the container's range; with "minmax" for an image of one value.

        Warns
        -----
        LevelsWarning
            Where more than a hundredth of the values lie outside a given range and are cut.

        Examples
        --------
        >>> Levels.parse("minmax").applied(np.array([[12.0, 25.0, 38.0]]))
        array([[  0. , 127.5, 255. ]])
        """
        found_low, found_high = _extremes(image, name)
        low, high = self._limits(image.dtype, found_low, found_high)
        if low == high:
            raise ImageError(f"{name}: found the value {found_low:g} everywhere, expected several for levels 'minmax'")
        if self.kind == "full" and not (found_low >= low and found_high <= high):
            raise ImageError(f"{name}: found values from {found_low:g} to {found_high:g}, expected {low:g} to {high:g} for levels 'full'")
        result = image.astype(np.float64)
        if self.kind == "range":
            outside = np.mean((result < low) | (result > high)) if found_low < low or found_high > high else 0.0
            if outside > CUT_SILENTLY:
                text = f"found values from {found_low:g} to {found_high:g}, {100 * outside:.3g} % of them outside the levels {self}: cut"
                _warn(f"{name}: {text}")
            np.clip(result, low, high, out=result)
        if (low, high) == (0, 65535):
            return np.divide(result, 257.0, out=result)
        if (low, high) != (0, 255):
            result -= low
            result *= 255 / (high - low)
        return np.clip(result, 0, 255, out=result)

    def _limits(self, dtype: np.dtype, found_low: float, found_high: float) -> tuple[float, float]:
        """The numbers that become 0 and 255."""
        if self.kind == "full":
            return (0.0, float(np.iinfo(dtype).max)) if dtype.kind in "ui" else (0.0, 255.0)
        return (found_low, found_high) if self.kind == "minmax" else (self.low, self.high)


def by_role(
    levels: Levels | str | tuple[float, float] | None = None,
    infrared: Levels | str | tuple[float, float] | None = None,
    visible: Levels | str | tuple[float, float] | None = None,
) -> dict[str, Levels | None]:
    """What levels mean of each image of a pair, and of one fused from it.

    Parameters
    ----------
    levels : Levels, str, (low, high) or None
        Of every image of more than 8 bits that has no word of its own, see `Levels.parse`.
    infrared, visible : Levels, str, (low, high) or None
        Of that image, whatever its depth.

    Returns
    -------
    dict
        "fused", "infrared" and "visible" -> Levels or None.

    Raises
    ------
    ValueError
        For what `Levels.parse` refuses.

    Examples
    --------
    >>> {role: str(meant) for role, meant in by_role("full", infrared="0:16383").items()}
    {'fused': 'full', 'infrared': '0:16383', 'visible': 'full'}
    """
    general = Levels.parse(levels, deep=True)
    own = {"infrared": Levels.parse(infrared, "levels_infrared"), "visible": Levels.parse(visible, "levels_visible")}
    return {"fused": general, **{role: meant if meant is not None else general for role, meant in own.items()}}


def levels(image: Image, name: str = "image", levels: Levels | str | tuple[float, float] | None = None) -> Image:
    """Grey levels of an image as float64, checked: the one rule for what a grey image is.

    Parameters
    ----------
    image : array (h, w)
        uint8; uint16, which is divided by 257; or floating point or other whole-number levels 0..255. Of either byte order.
    name : str
        What the message of an error calls the image.
    levels : Levels, str, (low, high) or None
        What the numbers mean where they are not levels: "full", "minmax" or LOW and HIGH, see `Levels`.

    Returns
    -------
    array (h, w), float64
        Levels 0..255, a copy.

    Raises
    ------
    ImageError
        For other shapes, no pixels, other dtypes, masked arrays, and levels that are not finite or leave 0..255 by more than rounding
        (1e-6).

    Warns
    -----
    LevelsWarning
        Without `levels`, where uint16 fills a small part of its range or floating point spans few levels or stops at 1.

    Examples
    --------
    >>> levels(np.array([[0, 65535]], np.uint16))
    array([[  0., 255.]])
    >>> levels(np.array([[0, 16383]], np.uint16), levels="0:16383")
    array([[  0., 255.]])
    """
    image = plain(image, name)
    if image.ndim != 2 or image.size == 0:
        raise ImageError(f"{name}: found an array of shape {image.shape}, expected a grey image (h, w)")
    result = as_levels(image, name, levels)
    return result if result.dtype == np.float64 and result is not image else result.astype(np.float64)


def as_levels(image: Image, name: str = "image", levels: Levels | str | tuple[float, float] | None = None) -> Image:
    """Levels of an image of any shape by the rule of `levels`: uint8 as it is where it already is levels, else a float64 copy."""
    meant = Levels.parse(levels)
    if image.dtype.kind not in "uif":
        raise ImageError(f"{name}: found {image.dtype}, expected uint8, uint16 or floating point grey levels")
    if meant is not None and not (meant.deep and image.dtype == np.uint8):
        return meant.applied(image, name) if image.dtype != np.uint8 or meant.kind != "full" else image
    if image.dtype == np.uint8:
        return image
    low, high = _extremes(image, name)
    if image.dtype == np.uint16:
        if 0 < high < 2 * LOW_16_BIT or 0 < high - low < LOW_16_BIT:
            example = f", such as 0:{2 ** int(high).bit_length() - 1} for {int(high).bit_length()} bits"
            taken = f"taken as levels {low / 257:.3g} to {high / 257:.3g} of 0..255"
            _warn(f"{name}: found uint16 values from {low:g} to {high:g}, a small part of 0..65535, {taken}; {HOW}{example}")
        return image / 257.0
    if not (low >= -1e-6 and high <= 255 + 1e-6):  # the margin is for rounding in earlier stages
        raise ImageError(f"{name}: found levels from {low:g} to {high:g}, expected finite grey levels 0..255; if not, {HOW}")
    if image.dtype.kind == "f" and (0 < high <= 1 or 0 < high - low < LOW_FLOAT):
        of_one = ", such as 0:1" if high <= 1 else ""
        found = f"found {image.dtype} values from {low:g} to {high:g}, a small part of the grey levels 0..255 they were taken for"
        _warn(f"{name}: {found}; {HOW}{of_one}")
    return image.astype(np.float64)


def _extremes(image: Image, name: str) -> tuple[float, float]:
    """Least and greatest value; ImageError where they are not finite."""
    low, high = float(image.min()), float(image.max())
    if not np.isfinite([low, high]).all():
        raise ImageError(f"{name}: found levels from {low:g} to {high:g}, which are not finite, expected finite numbers")
    return low, high


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
        _warn(f"{name}: {text}")

"""What the numbers of an image mean, as a user says it: `Levels`."""

from dataclasses import dataclass

import numpy as np

from ivfnb.images.arrays import Image, ImageError
from ivfnb.images.doubts import doubt

KINDS = ("full", "minmax")
CUT_SILENTLY = 0.01  # share of the pixels that may lie outside a given range before a warning says so


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
        found_low, found_high = extremes(image, name)
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
                doubt(f"{name}: {text}")
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


def extremes(image: Image, name: str) -> tuple[float, float]:
    """Least and greatest value; ImageError where they are not finite."""
    low, high = float(image.min()), float(image.max())
    if not np.isfinite([low, high]).all():
        raise ImageError(f"{name}: found levels from {low:g} to {high:g}, which are not finite, expected finite numbers")
    return low, high

"""Images as metrics see them: checked, as float64 grey levels, with what several metrics ask of an image computed once."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, wraps
from typing import NamedTuple, ParamSpec
from weakref import WeakKeyDictionary, WeakValueDictionary

import cv2
import numpy as np

from ivfnb import images
from ivfnb.images import Image, ImageError, to_uint8

P = ParamSpec("P")
LARGE = 2**21  # pixels above which an image is worked on in runs of rows: what is computed on the way would take many times its memory
SMALLEST = 2  # side in pixels below which no metric is computed: first differences and the mirrored border need two


class Edges(NamedTuple):
    """Sobel edges, each (h, w): `strength` in grey levels and `angle` = atan(upward/rightward gradient), -pi/2 < angle <= pi/2, which
    is pi/2 wherever the rightward gradient vanishes, on flat areas too."""

    strength: Image
    angle: Image


class Plane:
    """One grey image and what metrics ask of it, computed once.

    Parameters
    ----------
    image : array (h, w), grey levels 0..255
        Checked by `ivfnb.images.levels`: uint16 is divided by 257.
    name : str
        What error messages call the image.

    Attributes
    ----------
    levels : float64 (h, w)
        Grey levels, C-contiguous and read-only. `plane(levels)` gives this object again for as long as it is in use.
    """

    def __init__(self, image: Image, name: str = "image"):
        self.levels = np.ascontiguousarray(images.levels(image, name))
        self.levels.flags.writeable = False
        self._given = np.asarray(image)
        self._shared: WeakKeyDictionary[Plane, float] = WeakKeyDictionary()
        _IN_USE[id(self.levels)] = self

    @cached_property
    def bins(self) -> Image:
        """Levels rounded to the nearest (halves up): uint8 (h, w)."""
        return to_uint8(self._given if self._given.dtype == np.uint8 else self.levels)

    @cached_property
    def probabilities(self) -> np.ndarray:
        """Shares of the 256 grey levels, (256,)."""
        return np.bincount(self.bins.ravel(), minlength=256) / self.bins.size

    @cached_property
    def entropy(self) -> float:
        """Shannon entropy of the 256 grey levels, bits."""
        return entropy_bits(self.probabilities)

    def shared_bits(self, other: "Plane") -> float:
        """Mutual information with another image of this shape, bits, at least 0; the joint histogram is made once a pair."""
        if other not in self._shared:
            together = entropy_bits(_joint_probabilities(self, other))
            self._shared[other] = max(self.entropy + other.entropy - together, 0.0)
        return self._shared[other]

    @cached_property
    def _inner_edges(self) -> Edges:
        return _edges_valid(self.levels)

    def edges(self, border: str, rows: slice = slice(None)) -> Edges:
        """Edges of all pixels, (h, w), or of some rows. `border` continues the image by one pixel: "edge" repeats it, "reflect" mirrors it
        without repeating the edge, "constant" puts zeros. Of a whole image the inner pixels are computed once for all borders.
        """
        height = len(self.levels)
        first, last, _ = rows.indices(height)
        if (first, last) != (0, height):
            part = self.levels[max(first - 1, 0) : last + 1]
            return _edges_valid(np.pad(part, [(int(first == 0), int(last == height)), (1, 1)], mode=border))  # type: ignore[call-overload]
        padded = np.pad(self.levels, 1, mode=border)  # type: ignore[call-overload]
        top, bottom = _edges_valid(padded[:3]), _edges_valid(padded[-3:])
        left, right = _edges_valid(padded[:, :3]), _edges_valid(padded[:, -3:])
        parts = []
        for i, inner in enumerate(self._inner_edges):
            part = np.empty(self.levels.shape, dtype=inner.dtype)
            part[1:-1, 1:-1], part[0], part[-1] = inner, top[i], bottom[i]
            part[:, 0], part[:, -1] = left[i][:, 0], right[i][:, 0]
            parts.append(part)
        return Edges(*parts)


def parts(shape: tuple[int, ...]) -> Iterator[slice]:
    """Rows to be worked on at once: all of an image of ordinary size, runs of a larger one, whose sums then differ in the last bits."""
    return images.bands(shape, None if shape[0] * shape[1] > LARGE else shape[0] * shape[1])


# Metrics are functions of arrays, and yet histograms and edges are made once: the arrays that `score` hands them are known here.
_IN_USE: WeakValueDictionary[int, Plane] = WeakValueDictionary()


def plane(image: Image | None, name: str = "image", smallest: int = SMALLEST, why: str = "") -> Plane:
    """Plane of a grey image: the one at hand where `image` is the `levels` of one, else a new one.

    Parameters
    ----------
    image : array (h, w), grey levels 0..255
        uint8, uint16 (divided by 257), other integers or floating point.
    name : str
        Argument that error messages name.
    smallest : int
        Side in pixels that the image has at least.
    why : str
        End of the message of an image that is missing or too small, such as " for VIFF".

    Returns
    -------
    Plane
        The image and what metrics ask of it.

    Raises
    ------
    ImageError
        If the image is missing, too small, not grey, or not of levels 0..255.

    Examples
    --------
    >>> import numpy as np
    >>> board = plane(np.array([[0, 255], [255, 0]], np.uint8))
    >>> board.entropy
    1.0
    >>> plane(board.levels) is board
    True
    """
    if image is None:
        raise ImageError(f"{name}: found None, expected an image{why}")
    known = _IN_USE.get(id(image))
    array = images.plain(image, name)
    if array.ndim in (2, 3) and min(array.shape[:2]) < smallest:
        raise ImageError(f"{name}: found {array.shape[0]}x{array.shape[1]} pixels, expected at least {smallest}x{smallest}{why}")
    return known if known is not None and known.levels is image else Plane(array, name)


def planes(given: Mapping[str, Image | None], smallest: int = SMALLEST, why: str = "") -> dict[str, Plane]:
    """Planes of images of one size, by the arguments' names; ImageError names the argument that is bad (see `plane`) or of another size."""
    found: dict[str, Plane] = {}
    for name, image in given.items():
        found[name] = plane(image, name, smallest, why)
        first, shape = next((other, each.levels.shape) for other, each in found.items())
        if found[name].levels.shape != shape:
            raise ImageError(f"{name}: found shape {found[name].levels.shape}, expected that of {first}, {shape}")
    return found


def checked(function: Callable[P, float], smallest: int = SMALLEST, why: str = "") -> Callable[P, float]:
    """A function of images behind the check of them: it is handed their float64 levels, of one shape, and its value becomes a float.

    ImageError names the argument, as `planes` does, before the function runs.
    """
    signature = inspect.signature(function)

    @wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> float:
        given = planes(signature.bind(*args, **kwargs).arguments, smallest, why)  # in use until the value is there
        return float(function(**{name: each.levels for name, each in given.items()}))  # type: ignore[call-arg, arg-type]

    return guarded


def mean_over_sources(measure: Callable[[Image, Image], float], fused: Image, infrared: Image, visible: Image) -> float:
    """Mean of measure(source, fused) over infrared and visible."""
    return sum(measure(source, fused) for source in (infrared, visible)) / 2


def sobel_valid(image: Image) -> tuple[Image, Image]:
    """Rightward and downward Sobel sums, (h-2, w-2) each, of (h, w). Exact on whole grey levels, so that ties stay ties."""
    down, right = image[:-2] + 2 * image[1:-1] + image[2:], image[:, :-2] + 2 * image[:, 1:-1] + image[:, 2:]
    return down[:, 2:] - down[:, :-2], right[2:] - right[:-2]


def _edges_valid(image: Image) -> Edges:
    """Edges of the pixels whose 3x3 neighbourhood lies in the image: (h-2, w-2)."""
    right, down = sobel_valid(image)
    upright = right == 0
    slope = down / (right + upright)
    np.negative(slope, out=slope)
    slope[upright] = np.inf
    strength = cv2.magnitude(right, down) if right.size else np.empty_like(right)  # a 2x2 image has no inner pixel
    return Edges(strength, np.arctan(slope, out=slope))


def entropy_bits(probabilities: np.ndarray) -> float:
    """Shannon entropy in bits of a histogram of any shape; empty bins count nothing."""
    filled = probabilities[probabilities > 0]
    return float(-np.sum(filled * np.log2(filled))) + 0.0  # + 0.0: no negative zero


def _joint_probabilities(first: Plane, second: Plane) -> np.ndarray:
    """Joint histogram (65536,) of the grey levels of two planes of one shape, as shares."""
    pairs = first.bins.ravel() * np.intp(256) + second.bins.ravel()
    return np.bincount(pairs, minlength=65536) / pairs.size

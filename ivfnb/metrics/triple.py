"""The images a metric looks at, checked once, with the work that several metrics share: histograms and Sobel edges."""

from functools import cached_property
from typing import NamedTuple

import numpy as np

from ivfnb.images import Image, to_uint8

SMALLEST = 2  # side in pixels below which no metric is computed: first differences and the mirrored border need two


def check_image(name: str, image: object, *, smallest: int = SMALLEST, why: str = "") -> Image:
    """Array of `image`, after checks; ValueError names the argument, what was found and what was expected.

    Accepted are finite numeric arrays of levels 0..255, (h, w) or (h, w, 3), with both sides of at least `smallest` pixels.
    """
    array = np.asarray(image)
    if array.dtype.kind not in "uif":
        raise ValueError(f"{name}: found dtype {array.dtype}, expected grey levels 0..255 as integers or floating point")
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 3):
        raise ValueError(f"{name}: found shape {array.shape}, expected (h, w) or (h, w, 3)")
    if min(array.shape[:2]) < smallest:
        raise ValueError(f"{name}: found {array.shape[0]}x{array.shape[1]} pixels, expected at least {smallest}x{smallest}{why}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"{name}: found values that are not finite, expected grey levels 0..255")
    low, high = array.min(), array.max()
    if low < 0 or high > 255:
        raise ValueError(f"{name}: found values {low}..{high}, expected grey levels 0..255")
    return array


class Edges(NamedTuple):
    """Sobel edges, each (h, w): `strength` in grey levels and `angle` = atan(upward/rightward gradient), -pi/2 < angle <= pi/2, which
    is pi/2 wherever the rightward gradient vanishes, on flat areas too."""

    strength: Image
    angle: Image


def sobel_valid(image: Image) -> tuple[Image, Image]:
    """Rightward and downward Sobel sums, (h-2, w-2) each, of (h, w). Exact on whole grey levels, so that ties stay ties."""
    down, right = image[:-2] + 2 * image[1:-1] + image[2:], image[:, :-2] + 2 * image[:, 1:-1] + image[:, 2:]
    return down[:, 2:] - down[:, :-2], right[2:] - right[:-2]


def _edges_valid(image: Image) -> Edges:
    """Edges of the pixels whose 3x3 neighbourhood lies in the image: (h-2, w-2)."""
    right, down = sobel_valid(image)
    angle = np.arctan(np.divide(-down, right, out=np.full_like(right, np.inf), where=right != 0))
    return Edges(np.sqrt(right**2 + down**2), angle)


class Plane:
    """One grey image (h, w) and what metrics ask of it, computed once: `levels` float64, `bins` uint8 (rounded, halves up)."""

    def __init__(self, image: Image):
        self.levels = np.ascontiguousarray(image, dtype=np.float64)
        self.bins = to_uint8(np.asarray(image))

    @cached_property
    def probabilities(self) -> np.ndarray:
        """Shares of the 256 grey levels, (256,)."""
        return np.bincount(self.bins.ravel(), minlength=256) / self.bins.size

    @cached_property
    def entropy(self) -> float:
        """Shannon entropy of the 256 grey levels, bits."""
        return entropy_bits(self.probabilities)

    @cached_property
    def _inner_edges(self) -> Edges:
        return _edges_valid(self.levels)

    def edges(self, border: str) -> Edges:
        """Edges of all pixels, (h, w). `border` continues the image by one pixel: "edge" repeats it, "reflect" mirrors it without
        repeating the edge, "constant" puts zeros. The inner pixels are computed once for all borders.
        """
        padded = np.pad(self.levels, 1, mode=border)
        top, bottom = _edges_valid(padded[:3]), _edges_valid(padded[-3:])
        left, right = _edges_valid(padded[:, :3]), _edges_valid(padded[:, -3:])
        parts = []
        for i, inner in enumerate(self._inner_edges):
            part = np.empty(self.levels.shape, dtype=inner.dtype)
            part[1:-1, 1:-1], part[0], part[-1] = inner, top[i], bottom[i]
            part[:, 0], part[:, -1] = left[i][:, 0], right[i][:, 0]
            parts.append(part)
        return Edges(*parts)


def entropy_bits(probabilities: np.ndarray) -> float:
    """Shannon entropy in bits of a histogram of any shape; empty bins count nothing."""
    filled = probabilities[probabilities > 0]
    return float(-np.sum(filled * np.log2(filled))) + 0.0  # + 0.0: no negative zero


def joint_probabilities(first: Plane, second: Plane) -> np.ndarray:
    """Joint histogram (65536,) of the grey levels of two planes of one shape, as shares."""
    pairs = first.bins.ravel() * np.intp(256) + second.bins.ravel()
    return np.bincount(pairs, minlength=65536) / pairs.size


class Triple:
    """A fused image and its two sources as `Plane`s, and what they share. Sources may be absent (None) for no-reference metrics."""

    def __init__(self, fused: Image, infrared: Image | None = None, visible: Image | None = None):
        self.fused = Plane(fused)
        self.infrared = None if infrared is None else Plane(infrared)
        self.visible = None if visible is None else Plane(visible)

    @property
    def sources(self) -> tuple[Plane, Plane]:
        """Infrared and visible."""
        return self.infrared, self.visible

    @cached_property
    def mutual_information(self) -> tuple[float, float]:
        """Mutual information in bits of (infrared, fused) and (visible, fused), at least 0; needs one joint histogram per source."""
        joint = (entropy_bits(joint_probabilities(source, self.fused)) for source in self.sources)
        sums = (source.entropy + self.fused.entropy for source in self.sources)
        return tuple(max(total - together, 0.0) for total, together in zip(sums, joint, strict=True))

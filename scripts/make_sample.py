"""Make `data/sample/`: one real Sentinel-2 pair and four simulated pairs whose true mask of the sharper source is known.

    pip install --no-deps spyndex==0.6.0
    python scripts/make_sample.py [folder]

Everything comes from files that installed packages ship; nothing is downloaded and nothing is random, so a second run writes equal pixels.
"""

import importlib.util
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from skimage import data

from ivfnb import images, paths

BLUR_SIGMA = 9.0  # of the classifier's training blurs, cut to 9..15 taps
COLD, WARM, HOT = 25.0, 185.0, 245.0  # levels of the simulated infrared: its scene spans COLD..WARM, targets are HOT


@dataclass(frozen=True)
class Scene:
    """Recipe of a simulated pair. Coordinates are shares of height and width; `thermal` maps 0..1 photograph levels to 0..1 heat."""

    photograph: Callable[[], np.ndarray]
    shape: tuple[int, int]
    blur_size: int
    visible_sharp: Callable[[np.ndarray, np.ndarray], np.ndarray]  # (y, x) in 0..1 -> bool
    thermal: Callable[[np.ndarray], np.ndarray]
    targets: tuple[tuple[float, float, float], ...]  # (y, x, height) of standing figures, one where each source is the sharp one


def _ellipse(y, x, row, column, height, width):
    return ((y - row) / height) ** 2 + ((x - column) / width) ** 2 < 1


SCENES = {
    # visible blurred right of a slanting line, as behind a near lens; heat falls with brightness
    "astronaut": Scene(
        data.astronaut, (352, 352), 15, lambda y, x: x < 0.58 - 0.2 * (y - 0.5), lambda g: 1 - g**0.8, ((0.35, 0.9, 0.2), (0.42, 0.09, 0.2))
    ),
    # visible sharp on the subject only; heat rises with brightness
    "camera": Scene(
        data.camera,
        (320, 320),
        13,
        lambda y, x: _ellipse(y, x, 0.55, 0.32, 0.5, 0.36),
        lambda g: g**0.7,
        ((0.8, 0.87, 0.2), (0.3, 0.1, 0.2)),
    ),
    # infrared sharp in a disc, and a corner of the visible; heat rises gently, then falls a little on the brightest parts
    "coffee": Scene(
        data.coffee,
        (256, 384),
        11,
        lambda y, x: ~_ellipse(y, x, 0.5, 0.42, 0.52, 0.33),
        lambda g: np.sin(0.62 * np.pi * g),
        ((0.62, 0.3, 0.22), (0.5, 0.9, 0.22)),
    ),
    # odd sizes, so that windows do not tile the image; three bands, the middle one sharp in the visible image
    "chelsea": Scene(
        data.chelsea,
        (241, 361),
        9,
        lambda y, x: np.abs(x - 0.45 - 0.1 * np.sin(2 * y)) < 0.22,
        lambda g: 1 - 0.8 * g - 0.2 * g**3,
        ((0.72, 0.86, 0.24), (0.75, 0.4, 0.24)),
    ),
}


def _paint(image: np.ndarray, targets) -> np.ndarray:
    """Infrared scene with warm standing figures: a head and a body each."""
    height, width = image.shape
    y, x = (np.indices(image.shape) + 0.5) / np.array([height, width])[:, None, None]
    for row, column, size in targets:
        aspect = height / width
        figure = _ellipse(y, x, row, column, 0.36 * size, 0.16 * size * aspect)
        figure |= _ellipse(y, x, row - 0.44 * size, column, 0.13 * size, 0.12 * size * aspect)
        image = np.where(figure, HOT, image)
    return image


def simulate(scene: Scene) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(infrared, visible, truth): exactly one source is sharp at each pixel; truth is 255 where that is the visible one, else 0."""
    photograph = images.resize(scene.photograph(), scene.shape, "area")
    size = (scene.blur_size, scene.blur_size)
    height, width = scene.shape
    y, x = np.meshgrid((np.arange(height) + 0.5) / height, (np.arange(width) + 0.5) / width, indexing="ij")
    visible_sharp = scene.visible_sharp(y, x)
    gray = images.to_gray(photograph)
    infrared = _paint(COLD + (WARM - COLD) * scene.thermal(gray / 255), scene.targets)
    infrared = np.where(visible_sharp, cv2.GaussianBlur(infrared, size, BLUR_SIGMA), infrared)
    where = visible_sharp if photograph.ndim == 2 else visible_sharp[..., None]
    visible = np.where(where, photograph, cv2.GaussianBlur(photograph, size, BLUR_SIGMA))
    return infrared, visible, np.where(visible_sharp, 255, 0).astype(np.uint8)


def sentinel2() -> tuple[np.ndarray, np.ndarray]:
    """(near infrared, colour visible) of the Sentinel-2 scene: each band stretched linearly between its 1st and 99th percentiles."""
    package = importlib.util.find_spec("spyndex")  # finds the files without importing the package and its dependencies
    if package is None:
        raise SystemExit("spyndex: found no such package, expected it installed (pip install --no-deps spyndex==0.6.0)")
    blue, green, red, infrared = np.array(json.loads((Path(package.origin).parent / "data" / "S2_10m.json").read_text()), dtype=np.float64)
    colour = np.stack([red, green, blue], axis=2)
    low, high = np.percentile(colour, (1, 99), axis=(0, 1))
    dark, bright = np.percentile(infrared, (1, 99))
    return np.clip((infrared - dark) / (bright - dark), 0, 1) * 255, np.clip((colour - low) / (high - low), 0, 1) * 255


def main(folder: Path) -> None:
    infrared, visible = sentinel2()
    images.write_image(folder / "infrared" / "sentinel2.png", infrared)
    images.write_image(folder / "visible" / "sentinel2.png", visible)
    for name, scene in SCENES.items():
        for kind, image in zip(("infrared", "visible", "truth"), simulate(scene), strict=True):
            images.write_image(folder / kind / f"{name}.png", image)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else paths.root() / "data" / "sample")

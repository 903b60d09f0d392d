"""The weight map against the truth, on simulated pairs where it is known which source is sharper at each pixel."""

from dataclasses import dataclass

import cv2
import numpy as np
from scipy import ndimage

from ivfnb import images
from ivfnb.images import Image


@dataclass(frozen=True)
class MapAccuracy:
    """Share of the judged pixels at which the map prefers the truly sharper source, and how many pixels were judged."""

    right: float  # 0..1; NaN where no pixel was judged
    judged: float  # share of all pixels, 0..1


def judged_pixels(
    infrared: Image, visible: Image, truth: Image, margin: float = 16.0, texture: float = 2.0, window: int = 32
) -> np.ndarray:
    """Pixels at which a map can be judged: bool (h, w).

    They lie further than `margin` pixels from an edge of the mask, since a window of twice that side sees both sources nearer to it, and on
    texture: the truly sharper source differs from its own blurred self (the weakest training blur, Gaussian of sigma 9 cut to 9 taps) by
    at least `texture` grey levels, root mean square over the square of `window` pixels a side around the pixel. Where both sources are
    flat none is sharper.
    """
    visible = images.to_gray(visible)
    infrared, visible = images.levels(infrared, "infrared"), images.levels(visible, "visible")
    sharp_visible = np.asarray(truth) > 127
    if not infrared.shape == visible.shape == sharp_visible.shape:
        raise ValueError(
            f"infrared, visible, truth: found sizes {infrared.shape}, {visible.shape}, {sharp_visible.shape}, expected one size"
        )
    detail = [image - cv2.GaussianBlur(image, (9, 9), 9.0) for image in (infrared, visible)]
    energy = cv2.blur(np.where(sharp_visible, detail[1], detail[0]) ** 2, (window, window))
    to_edge = [
        ndimage.distance_transform_edt(side) if not side.all() else np.full(side.shape, np.inf) for side in (sharp_visible, ~sharp_visible)
    ]
    return (np.maximum(*to_edge) > margin) & (energy >= texture**2)


def map_accuracy(weight_map: np.ndarray, infrared: Image, visible: Image, truth: Image, **rule) -> MapAccuracy:
    """How often the weight of the visible image (0..1) is above 0.5 where that image is the sharper one (truth 255), below where it is not.

    A weight of exactly 0.5 counts as wrong. `rule`: `margin`, `texture` and `window` of `judged_pixels`.
    """
    judged = judged_pixels(infrared, visible, truth, **rule)
    if np.shape(weight_map) != judged.shape:
        raise ValueError(f"weight_map: found shape {np.shape(weight_map)}, expected {judged.shape} as the images have")
    preference = np.sign(np.asarray(weight_map) - 0.5)
    right = preference == np.where(np.asarray(truth) > 127, 1, -1)
    return MapAccuracy(float(right[judged].mean()) if judged.any() else float("nan"), float(judged.mean()))

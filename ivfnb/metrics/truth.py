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
    """Pixels at which a weight map can be judged: on texture, and away from the edge of the mask.

    Parameters
    ----------
    infrared, visible : arrays (h, w), grey levels 0..255
        The sources; `visible` may be RGB (h, w, 3), of which the luma counts.
    truth : array (h, w)
        Above 127 where the visible image is the sharper one.
    margin : float
        Pixels from the edge of the mask up to which none is judged: a window of twice that side sees both sources nearer to it.
    texture : float
        Grey levels, root mean square over the window, by which the sharper source differs at least from its own blurred self.
    window : int
        Side of that window in pixels.

    Returns
    -------
    bool (h, w)
        Whether the pixel is judged.

    Raises
    ------
    ValueError
        If the sizes differ; ImageError if an image is none of grey levels.

    Notes
    -----
    The blur is the weakest of training, a Gaussian of sigma 9 cut to 9 taps. Where both sources are flat none is sharper.

    Examples
    --------
    >>> import numpy as np
    >>> board = np.indices((64, 64)).sum(axis=0) % 2 * 255
    >>> truth = np.zeros((64, 64))
    >>> truth[:, 32:] = 255
    >>> judged = judged_pixels(board, board, truth)
    >>> bool(judged[:, :16].all()), bool(judged[:, 16:48].any())
    (True, False)
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
    """How often a weight map prefers the sharper source.

    Parameters
    ----------
    weight_map : array (h, w), 0..1
        Weight of the visible image. A weight of exactly 0.5 counts as wrong.
    infrared, visible, truth : arrays (h, w)
        As in `judged_pixels`.
    **rule
        `margin`, `texture` and `window` of `judged_pixels`.

    Returns
    -------
    MapAccuracy
        `right`, the share of the judged pixels at which the weight is above 0.5 where the visible image is the sharper one and below
        elsewhere, and `judged`, their share of all pixels.

    Raises
    ------
    ValueError
        If the map has another size than the images.

    Examples
    --------
    >>> import numpy as np
    >>> board = np.indices((64, 64)).sum(axis=0) % 2 * 255
    >>> truth = np.zeros((64, 64))
    >>> truth[:, 32:] = 255
    >>> map_accuracy(truth / 255, board, board, truth)
    MapAccuracy(right=1.0, judged=0.5)
    """
    judged = judged_pixels(infrared, visible, truth, **rule)
    if np.shape(weight_map) != judged.shape:
        raise ValueError(f"weight_map: found shape {np.shape(weight_map)}, expected {judged.shape} as the images have")
    preference = np.sign(np.asarray(weight_map) - 0.5)
    right = preference == np.where(np.asarray(truth) > 127, 1, -1)
    return MapAccuracy(float(right[judged].mean()) if judged.any() else float("nan"), float(judged.mean()))

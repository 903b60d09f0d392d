"""Linear stretch to the full range, and what a flat image is."""

import numpy as np

from ivfnb.images import Image, levels


def is_flat(values: np.ndarray) -> bool:
    """Whether all values are equal but for rounding, which must not be stretched to black and white noise."""
    return np.ptp(values) <= 1e-9


def full_range(values: np.ndarray) -> np.ndarray | None:
    """Values mapped linearly to 0..255 in place; None where all are equal. Multiplying before dividing gives the released last bits."""
    if is_flat(values):
        return None
    low, high = values.min(), values.max()
    values -= low
    values *= 255
    values /= high - low
    return values


def stretch(image: Image) -> Image:
    """Linear stretch to the full range, (I - min) / (max - min) * 255: the paper's enhancement of the infrared image.

    Rounding can leave the maximum a hair below 255, so a later truncation to uint8 may give 254, as in the released script.
    """
    image = levels(image)
    return image.round(9) if full_range(image) is None else image  # rounded, so that a flat 89.999... is not truncated to 89 later

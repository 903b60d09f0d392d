"""The check of a pair that all comparison methods share."""

from ivfnb.images import Image, ImageError, levels


def check_pair(infrared: Image, visible: Image) -> tuple[Image, Image]:
    """Both images as float64 levels 0..255. ImageError names the image that is not grey, not in range, under 2x2 or of another size."""
    pair = levels(infrared, "infrared"), levels(visible, "visible")
    if pair[0].shape != pair[1].shape:
        raise ImageError(f"visible: found shape {pair[1].shape}, expected that of the infrared image, {pair[0].shape}")
    if min(pair[0].shape) < 2:
        raise ImageError(f"infrared: found shape {pair[0].shape}, expected at least 2x2 pixels")
    return pair

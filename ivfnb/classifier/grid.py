"""The grid of windows over an image: its shape, and images padded so that the windows cover every pixel."""

import numpy as np

WINDOW = 32  # side of a window, pixels; a sample stacks two of them


def grid_shape(shape: tuple[int, int], stride: int = 8) -> tuple[int, int]:
    """Rows and columns of the windows that lie fully inside an image of `shape`. ValueError for a bad stride or a shape below 32x32."""
    if isinstance(stride, bool) or int(stride) != stride or stride < 1:
        raise ValueError(f"stride: found {stride!r}, expected a whole number of pixels, at least 1")
    if len(shape) != 2 or min(shape) < WINDOW:
        raise ValueError(f"shape: found {tuple(shape)}, expected (height, width) of at least {WINDOW}x{WINDOW}")
    return (shape[0] - WINDOW) // stride + 1, (shape[1] - WINDOW) // stride + 1


def check_image(name: str, image: np.ndarray) -> np.ndarray:
    """Array of a grey image that windows can be laid on; ValueError names the argument, what was found and what was expected."""
    image = np.asarray(image)
    if image.ndim != 2 or min(image.shape) < WINDOW:
        raise ValueError(f"{name}: found an array of shape {image.shape}, expected a grey image (h, w) of at least {WINDOW}x{WINDOW}")
    if image.dtype.kind not in "uif" or not np.isfinite(image).all():
        raise ValueError(f"{name}: found {image.dtype} with non-finite or non-numeric values, expected grey levels 0..255")
    return image


def pad_to_grid(image: np.ndarray, stride: int = 8) -> tuple[np.ndarray, tuple[slice, slice]]:
    """Image padded below and on the right to the next size whose windows cover every pixel, and the slices that crop it back.

    Mirrored without repeating the edge; the first window stays where it is, as on the released grid. ValueError for images below 32x32 and
    for strides above 32, whose windows leave gaps whatever the size.
    """
    image = check_image("image", image)
    counts = grid_shape(image.shape, stride)
    if stride > WINDOW:
        raise ValueError(f"stride: found {stride}, expected at most {WINDOW}, since wider grids leave gaps between windows")
    missing = [(WINDOW + (count - 1) * stride - size) % stride for size, count in zip(image.shape, counts, strict=True)]
    padded = np.pad(image, [(0, missing[0]), (0, missing[1])], mode="reflect")
    return padded, (slice(0, image.shape[0]), slice(0, image.shape[1]))

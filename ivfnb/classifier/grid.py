"""The grid of windows over an image: its shape, and images padded so that the windows cover every pixel."""

import numpy as np

from ivfnb import images

WINDOW = 32  # side of a window, pixels; a sample stacks two of them


def grid_shape(shape: tuple[int, int], stride: int = 8) -> tuple[int, int]:
    """How many windows lie fully inside an image.

    Parameters
    ----------
    shape : (h, w)
        Of the image, pixels.
    stride : int
        Step of the windows in pixels.

    Returns
    -------
    rows, columns : int

    Raises
    ------
    ValueError
        For a stride that is no whole number of at least 1, or a shape below 32x32.

    Examples
    --------
    >>> grid_shape((456, 456), 8)
    (54, 54)
    """
    if isinstance(stride, bool) or int(stride) != stride or stride < 1:
        raise ValueError(f"stride: found {stride!r}, expected a whole number of pixels, at least 1")
    if len(shape) != 2 or min(shape) < WINDOW:
        raise ValueError(f"shape: found {tuple(shape)}, expected (height, width) of at least {WINDOW}x{WINDOW}")
    return (shape[0] - WINDOW) // stride + 1, (shape[1] - WINDOW) // stride + 1


def check_image(name: str, image: np.ndarray) -> np.ndarray:
    """Array of a grey image that windows can be laid on.

    Parameters
    ----------
    name : str
        What the message of an error calls the image.
    image : array (h, w)
        Grey levels, at least 32x32.

    Returns
    -------
    array (h, w)
        Levels 0..255, uint8 or float64; as it came where it is one of them.

    Raises
    ------
    ImageError
        Naming the argument, what was found and what was expected; see `ivfnb.images.levels`.

    Examples
    --------
    >>> check_image("visible", np.zeros((32, 40))).shape
    (32, 40)
    """
    image = images.plain(image, name)
    if image.ndim != 2 or min(image.shape) < WINDOW:
        raise images.ImageError(
            f"{name}: found an array of shape {image.shape}, expected a grey image (h, w) of at least {WINDOW}x{WINDOW}"
        )
    return images.as_levels(image, name)


def pad_to_grid(image: np.ndarray, stride: int = 8) -> tuple[np.ndarray, tuple[slice, slice]]:
    """Image padded below and on the right to the next size whose windows cover every pixel.

    Parameters
    ----------
    image : array (h, w)
        Grey levels, at least 32x32.
    stride : int
        Step of the windows in pixels.

    Returns
    -------
    padded : array
        Mirrored without repeating the edge; the first window stays where it is, as on the released grid. The image itself where nothing is
        missing.
    inside : two slices
        Crop it back to (h, w).

    Raises
    ------
    ValueError
        For images below 32x32, and for strides above 32, whose windows leave gaps whatever the size.

    Examples
    --------
    >>> padded, inside = pad_to_grid(np.zeros((33, 40)), 8)
    >>> padded.shape, padded[inside].shape
    ((40, 40), (33, 40))
    """
    image = check_image("image", image)
    grid_shape(image.shape, stride)
    if stride > WINDOW:
        raise ValueError(f"stride: found {stride}, expected at most {WINDOW}, since wider grids leave gaps between windows")
    below, right = ((WINDOW - size) % stride for size in image.shape)
    padded = np.pad(image, [(0, below), (0, right)], mode="reflect") if below or right else image
    return padded, (slice(0, image.shape[0]), slice(0, image.shape[1]))

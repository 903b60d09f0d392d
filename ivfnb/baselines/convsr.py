"""ConvSR: details fused in a convolutional sparse representation, whole coefficient vectors chosen by their activity."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache

import cv2
import numpy as np
from scipy import fft
from threadpoolctl import threadpool_limits

from ivfnb import paths
from ivfnb.baselines.common.convolution import Convolution
from ivfnb.baselines.common.pair import check_pair
from ivfnb.baselines.common.sparse import sparse_code
from ivfnb.baselines.registry import Competitor, Published, Variant, register
from ivfnb.images import Image

LOWPASS, PADDING = 5.0, 16  # weight of the gradients in the base layer, mirrored border in pixels
SPARSITY = 0.01  # of the code of details of 0..1 levels
ITERATIONS, TOLERANCE = 500, 1e-3  # at most, and relative size of both residuals at which to stop
RADII = {"multimodal": 3, "multi-focus": 9}  # of the window in which activities are averaged, pixels


@cache
def dictionary() -> np.ndarray:
    """The learned filters; `scripts/learn_baselines.py` made them.

    Returns
    -------
    array (32, 8, 8), float32
        Of unit norm, read-only.

    Examples
    --------
    >>> dictionary().shape
    (32, 8, 8)
    """
    with np.load(paths.root() / "data" / "weights" / "convsr.npz") as stored:
        filters = stored["filters"]
    filters.flags.writeable = False
    return filters


def base_layer(image: Image) -> Image:
    """Low-pass part of an image: least squares with LOWPASS times the squared first differences.

    Parameters
    ----------
    image : array (h, w)

    Returns
    -------
    array (h, w), float64

    Notes
    -----
    The border is mirrored.

    Examples
    --------
    >>> base_layer(np.full((20, 20), 0.5)).round(9)[0, 0].item()
    0.5
    """
    padded = np.pad(image, PADDING, mode="symmetric")
    rows, columns = (2 - 2 * np.cos(2 * np.pi * np.arange(size) / size) for size in padded.shape)
    transfer = 1 / (1 + LOWPASS * (rows[:, None] + columns[: padded.shape[1] // 2 + 1]))
    smooth = fft.irfft2(fft.rfft2(padded) * transfer, s=padded.shape)
    return smooth[PADDING:-PADDING, PADDING:-PADDING]


def fuse(infrared: Image, visible: Image, mode: str = "multimodal") -> Image:
    """Base layer plus the details of the more active source at each pixel.

    Parameters
    ----------
    infrared, visible : arrays (h, w)
        Levels 0..255, of one size of at least 2x2.
    mode : str
        "multimodal" is the paper's for infrared and visible images (mean of the base layers, activity window of radius 3); "multi-focus"
        takes the base of the more active source too, radius 9, which is how the public script and hence the published images were run.

    Returns
    -------
    array (h, w), float64
        Levels 0..255, not rounded; coded in float32.

    Raises
    ------
    ImageError
        For images that are not grey, not in range or not of one size.
    ValueError
        For an unknown mode.

    Notes
    -----
    32 filters of 8x8, sparsity 0.01. Since a sparse code is not exact, a source fused with itself comes back only up to what the code
    leaves out. Departures: the dictionary is learned anew (`training.convsr.learn_filters`), levels outside 0..255 are clipped.

    References
    ----------
    Liu, Chen, Ward and Wang 2016, doi 10.1109/LSP.2016.2618776

    Examples
    --------
    >>> fuse(np.full((16, 16), 10), np.full((16, 16), 30))[0, 0].round(6).item()
    20.0
    """
    infrared, visible = check_pair(infrared, visible)
    if mode not in RADII:
        raise ValueError(f"mode: found {mode!r}, expected one of {tuple(RADII)}")
    filters = dictionary()
    bases = [base_layer(image / 255) for image in (infrared, visible)]
    details = [image / 255 - base for image, base in zip((infrared, visible), bases, strict=True)]
    # One thread for each image: the matrix products are too small to be shared among threads themselves.
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(2) as pool:
        codes = list(pool.map(lambda detail: sparse_code(detail, filters, SPARSITY, TOLERANCE, ITERATIONS), details))
    side = (2 * RADII[mode] + 1,) * 2
    activities = [cv2.blur(np.abs(code).sum(axis=0, dtype=np.float64), side, borderType=cv2.BORDER_CONSTANT) for code in codes]
    chosen = activities[0] > activities[1]
    base = np.where(chosen, *bases) if mode == "multi-focus" else (bases[0] + bases[1]) / 2
    np.copyto(codes[1], codes[0], where=chosen)
    fused = base + Convolution(filters, infrared.shape).synthesise(codes[1])
    return np.clip(255 * fused, 0, 255)


register(
    Competitor(
        "ConvSR",
        fuse,
        "Liu, Chen, Ward and Wang, Image fusion with convolutional sparse representation, "
        "IEEE Signal Processing Letters 23(12):1882-1886, 2016",
        "10.1109/LSP.2016.2618776",
        row=2,
        variants=(
            Variant("", {"mode": "multimodal"}, "multimodal mode"),
            Variant("multi-focus", {"mode": "multi-focus"}, published=("tno21",)),
        ),
        published={"tno21": Published("multi-focus mode")},
        cost="slow",
        weights="convsr.npz",
    )
)

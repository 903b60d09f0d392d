"""MDLatLRR: detail taken out level by level with a projection learned by latent low-rank representation."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
from threadpoolctl import threadpool_limits

from ivfnb import paths
from ivfnb.baselines.common.convolution import windows_by_row
from ivfnb.baselines.common.pair import check_pair
from ivfnb.baselines.registry import Competitor, Published, Variant, register
from ivfnb.images import Image

SIDE = 16  # of a patch, pixels; patches lie at every pixel
DETAILS = ("once", "accumulated")
CHUNK = 1024  # patches worked on at once: they and their products stay in the processor's cache
# Nodes of the trapezoid rule in log t for the integral in `nuclear_norms`; t is in units of the patch's Frobenius norm.
STEP = 1.0
NODES = np.exp(np.arange(-9.0, 1.1, STEP))


@cache
def projection() -> np.ndarray:
    """The learned projection L; `scripts/learn_baselines.py` made it.

    Returns
    -------
    array (256, 256), float32
        Read-only.

    Examples
    --------
    >>> projection().shape
    (256, 256)
    """
    with np.load(paths.root() / "data" / "weights" / "mdlatlrr.npz") as stored:
        matrix = stored["projection"]
    matrix.flags.writeable = False
    return matrix


def _tridiagonal(patches: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Diagonal (side, n) and squared subdiagonal (side - 1, n) of the tridiagonal form of P P^T, for patches (side, side, n)."""
    side = len(patches)
    gram, work = np.empty_like(patches), np.empty_like(patches)
    for row in range(side):
        np.einsum("kn,jkn->jn", patches[row], patches[row:], out=gram[row, row:])
        gram[row:, row] = gram[row, row:]
    diagonal, squares = np.empty_like(patches[0]), np.empty_like(patches[0, 1:])
    for step in range(side - 2):  # Householder reflections, each over all patches at once
        vector, rest = gram[step + 1 :, step].copy(), gram[step + 1 :, step + 1 :]
        squares[step] = np.einsum("in,in->n", vector, vector)
        norm = np.sqrt(squares[step])
        half = norm * (norm + np.abs(vector[0]))
        vector[0] += np.copysign(norm, vector[0])
        scaled = vector / np.where(half > 0, half, 1)
        product = np.einsum("ijn,jn->in", rest, scaled)
        product -= vector * (np.einsum("in,in->n", product, scaled) / 2)
        outer = np.multiply(vector[:, None], product, out=work[: len(vector), : len(vector)])
        rest -= outer
        rest -= outer.transpose(1, 0, 2)
        diagonal[step] = gram[step, step]
    diagonal[-2], diagonal[-1], squares[-1] = gram[-2, -2], gram[-1, -1], gram[-1, -2] ** 2
    return diagonal, squares


def nuclear_norms(patches: np.ndarray) -> np.ndarray:
    """Sum of the singular values of each of many patches.

    Parameters
    ----------
    patches : array (side, side, n)
        float32 or float64.

    Returns
    -------
    array (n,), float64
        Relative error under 1e-4, of float32 under 2e-3: there singular values below 3e-4 of the patch's norm drown in rounding.

    Notes
    -----
    Since a singular value is 1/pi times the integral over t of log(1 + s^2 / t^2), it suffices to know the determinant of 1 + P P^T / t^2
    at a few t, which a tridiagonal matrix gives by a recursion: no patch needs a decomposition of its own.

    Examples
    --------
    >>> nuclear_norms(np.eye(4)[..., None]).round(2)
    array([4.])
    """
    diagonal, squares = (part.astype(np.float64) for part in _tridiagonal(patches))
    trace = diagonal.sum(axis=0)
    scale = np.where(trace > 0, trace, 1)
    diagonal /= scale
    squares /= scale**2
    shift = NODES[:, None] ** 2
    pivot = diagonal[0] + shift
    determinant = pivot.copy()  # of P P^T + t^2: its least, t to the power of 2 side, is no underflow
    for entry, square in zip(diagonal[1:], squares, strict=True):
        np.divide(square, pivot, out=pivot)
        np.subtract(entry + shift, pivot, out=pivot)
        np.maximum(pivot, shift, out=pivot)  # none is less but for rounding
        determinant *= pivot
    logarithm = np.log(determinant) - len(diagonal) * np.log(shift)
    integral = NODES @ logarithm
    ratio = np.exp(-STEP)
    # Below the nodes the logarithm goes on as a straight line; above them it is the trace, 1, over t^2 less half the squares over t^4.
    integral += NODES[0] * ratio / (1 - ratio) * (logarithm[0] + (logarithm[0] - logarithm[1]) / (1 - ratio))
    square_sum = (diagonal**2).sum(axis=0) + 2 * squares.sum(axis=0)
    integral += ratio / (1 - ratio) / NODES[-1] * (trace > 0) - ratio**3 / (1 - ratio**3) / NODES[-1] ** 3 * square_sum / 2
    return np.sqrt(trace) * integral * STEP / np.pi


def _level(infrared: Image, visible: Image, matrix: np.ndarray) -> tuple[Image, Image, Image]:
    """Detail layers of both float32 images and the fused one, patches averaged where they overlap."""
    windows = [windows_by_row(image, SIDE) for image in (infrared, visible)]
    rows, columns = windows[0].shape[0], windows[0].shape[2]
    block = max(1, CHUNK // columns)
    tops = range(0, rows, block)
    parts = [tops[: len(tops) // 2], tops[len(tops) // 2 :]]
    # Two threads of products that are too small to be shared among threads themselves; always two, so that sums round alike everywhere.
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(2) as pool:
        sums = np.zeros((3, *infrared.shape), np.float32)
        for part, found in zip(parts, pool.map(lambda part: _patch_sums(windows, matrix, part, block), parts), strict=True):
            if part:
                sums[:, part[0] : part[0] + found.shape[1]] += found
    covering = [np.convolve(np.ones(count), np.ones(SIDE)) for count in (rows, columns)]  # patches over each row, over each column
    return tuple(sums / np.outer(*covering).astype(np.float32))


def _patch_sums(windows: list[np.ndarray], matrix: np.ndarray, tops: range, block: int) -> np.ndarray:
    """Details of both images and fused ones: patches of the blocks of `block` rows that begin at `tops`, summed.

    float32 (3, h, w), of which the first row is that of the first of `tops`; no rows without any.
    """
    rows, columns = windows[0].shape[0], windows[0].shape[2]
    bottom = min(tops[-1] + block, rows) if tops else 0
    # Summed over the rows of the patches only, each of their columns apart: that is done in long runs.
    sums = np.zeros((3, bottom - tops[0] + SIDE - 1 if tops else 0, SIDE, columns), np.float32)
    for top in tops:
        count = min(block, rows - top)
        patches = np.empty((3, SIDE, SIDE, count, columns), np.float32)
        for window, patch in zip(windows, patches, strict=False):
            np.matmul(matrix, window[top : top + count], out=patch.reshape(SIDE * SIDE, count, columns).transpose(1, 0, 2))
        norms = [nuclear_norms(patch.reshape(SIDE, SIDE, -1)).reshape(count, columns) for patch in patches[:2]]
        total = norms[0] + norms[1]
        weight = np.where(total > 0, norms[0] / np.where(total > 0, total, 1), 0.5).astype(np.float32)
        np.subtract(patches[0], patches[1], out=patches[2])
        patches[2] *= weight
        patches[2] += patches[1]
        for row in range(SIDE):
            start = top - tops[0] + row
            sums[:, start : start + count] += patches[:, row].transpose(0, 2, 1, 3)
    layers = np.zeros((3, sums.shape[1], columns + SIDE - 1), np.float32)
    for column in range(SIDE):
        layers[:, :, column : column + columns] += sums[:, :, column]
    return layers


def fuse(infrared: Image, visible: Image, levels: int = 2, details: str = "once") -> Image:
    """Mean of what is left after some levels plus the fused details.

    Each level takes from both images L times every 16x16 patch, averaged where patches overlap; the details of a patch are weighted by
    their nuclear norms.

    Parameters
    ----------
    infrared, visible : arrays (h, w)
        Levels 0..255, of one size of at least 2x2.
    levels : int
        The paper reports 1 to 4.
    details : str
        "once" adds each level's as the paper says; "accumulated" adds those of level i `levels` - i + 1 times, since the public script
        never clears the sum it adds patches to: so were the published images made.

    Returns
    -------
    array (h, w), float64
        Levels 0..255, not rounded; computed in float32.

    Raises
    ------
    ImageError
        For images that are not grey, not in range or not of one size.
    ValueError
        For fewer than one level or unknown details.

    Notes
    -----
    Departures: L is learned anew (`training.mdlatlrr.latent_low_rank`), images above 512 pixels are not cut into four blocks as by the
    public script, nuclear norms are known to 2e-3, images below 16 pixels are mirrored up to it, and levels outside 0..255 are clipped.

    References
    ----------
    Li, Wu and Kittler 2020, doi 10.1109/TIP.2020.2975984

    Examples
    --------
    >>> fuse(np.zeros((16, 16)), np.zeros((16, 16))).max().item()
    0.0
    """
    infrared, visible = check_pair(infrared, visible)
    if levels < 1:
        raise ValueError(f"levels: found {levels}, expected at least 1")
    if details not in DETAILS:
        raise ValueError(f"details: found {details!r}, expected one of {DETAILS}")
    height, width = infrared.shape
    missing = [(0, max(0, SIDE - side)) for side in infrared.shape]
    pair = [np.pad(image, missing, mode="symmetric").astype(np.float32) for image in (infrared, visible)]
    fused = np.zeros_like(pair[0])
    for level in range(levels):
        *layers, fused_layer = _level(pair[0], pair[1], projection())
        pair = [image - layer for image, layer in zip(pair, layers, strict=True)]
        fused += fused_layer * (levels - level if details == "accumulated" else 1)
    fused += (pair[0] + pair[1]) / 2
    return np.clip(fused[:height, :width].astype(np.float64), 0, 255)


register(
    Competitor(
        "MDLatLRR",
        fuse,
        "Li, Wu and Kittler, MDLatLRR: A novel decomposition method for infrared and visible image fusion, "
        "IEEE Transactions on Image Processing 29:4733-4746, 2020",
        "10.1109/TIP.2020.2975984",
        row=12,
        variants=(
            Variant("", {"levels": 2, "details": "once"}, "level 2, each detail once"),
            *(Variant(f"level {levels}", {"levels": levels, "details": "once"}) for levels in (1, 3, 4)),
            Variant("accumulated", {"levels": 2, "details": "accumulated"}, published=("tno21",)),
        ),
        published={"tno21": Published("level 2, details accumulated, a third party's run")},
        cost="slow",
        weights="mdlatlrr.npz",
    )
)

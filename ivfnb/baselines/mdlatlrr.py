"""MDLatLRR: detail taken out level by level with a projection learned by latent low-rank representation."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
from threadpoolctl import threadpool_limits

from ivfnb import paths
from ivfnb.baselines.common.pair import check_pair
from ivfnb.baselines.registry import Competitor, Published, Variant, register
from ivfnb.images import Image

SIDE = 16  # of a patch, pixels; patches lie at every pixel
DETAILS = ("once", "accumulated")
CHUNK = 2048  # patches worked on at once: they and their products stay in the processor's cache
# Nodes of the trapezoid rule in log t for the integral in `nuclear_norms`; t is in units of the patch's Frobenius norm.
STEP = 1.0
NODES = np.exp(np.arange(-6.5, 5.6, STEP))


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
    gram = np.empty_like(patches)
    for row in range(side):
        gram[row, row:] = np.einsum("kn,jkn->jn", patches[row], patches[row:])
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
        for row in range(len(vector)):
            rest[row] -= vector[row] * product
            rest[row] -= product[row] * vector
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
        Relative error under 1e-3.

    Notes
    -----
    Since a singular value is (2/pi) times the integral over t of s^2 / (s^2 + t^2), it suffices to know the trace of (P P^T + t^2)^-1 at a
    few t, which a tridiagonal matrix gives by a recursion: no patch needs a decomposition of its own.

    Examples
    --------
    >>> nuclear_norms(np.eye(4)[..., None]).round(2)
    array([4.])
    """
    diagonal, squares = _tridiagonal(patches)
    trace = diagonal.sum(axis=0, dtype=np.float64)
    scale = np.where(trace > 0, trace, 1)
    diagonal, squares = diagonal / scale, squares / scale**2
    integral = np.zeros_like(trace)
    for node in NODES:
        pivot = diagonal[0] + node**2
        slope = np.ones_like(pivot)  # of the pivot over t^2
        inverse = 1 / pivot  # summed to the trace of the inverse
        for entry, square in zip(diagonal[1:], squares, strict=True):
            ratio = square / pivot
            slope = 1 + ratio / pivot * slope
            pivot = entry + node**2 - ratio
            inverse = inverse + slope / pivot
        values = len(diagonal) - node**2 * inverse
        if node == NODES[0]:
            integral += node * np.exp(-STEP / 2) * values  # below the nodes the integrand hardly changes
        integral += STEP * node * values
    integral += np.exp(-STEP / 2) / NODES[-1] * (trace > 0)  # above them it is the trace, 1, over t^2
    return np.sqrt(trace) * integral * 2 / np.pi


def _overlap_add(total: np.ndarray, patches: np.ndarray) -> None:
    """Adds patches (side, side, rows, columns), one at every pixel, where they lie in `total` (rows + side - 1, columns + side - 1)."""
    _, _, rows, columns = patches.shape
    for row in range(SIDE):
        for column in range(SIDE):
            total[row : row + rows, column : column + columns] += patches[row, column]


def _level(infrared: Image, visible: Image, matrix: np.ndarray) -> tuple[Image, Image, Image]:
    """Detail layers of both float32 images and the fused one, patches averaged where they overlap."""
    height, width = infrared.shape
    rows, columns = height - SIDE + 1, width - SIDE + 1
    windows = [np.lib.stride_tricks.sliding_window_view(image, (SIDE, SIDE)).transpose(2, 3, 0, 1) for image in (infrared, visible)]
    block = max(1, CHUNK // columns)
    tops = range(0, rows, block)
    parts = [tops[: len(tops) // 2], tops[len(tops) // 2 :]]
    # Two threads of products that are too small to be shared among threads themselves; always two, so that sums round alike everywhere.
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(2) as pool:
        sums = sum(pool.map(lambda part: _patch_sums(windows, matrix, part, block), parts))
    covering = [np.convolve(np.ones(count), np.ones(SIDE)) for count in (rows, columns)]  # patches over each row, over each column
    return tuple(sums / np.outer(*covering).astype(np.float32))


def _patch_sums(windows: list[np.ndarray], matrix: np.ndarray, tops: range, block: int) -> np.ndarray:
    """Details of both images and fused ones, float32 (3, h, w): patches of the blocks of `block` rows that begin at `tops`, summed."""
    rows, columns = windows[0].shape[2:]
    sums = np.zeros((3, rows + SIDE - 1, columns + SIDE - 1), np.float32)
    for top in tops:
        details = []
        for window in windows:
            part = window[:, :, top : top + block]
            details.append((matrix @ part.reshape(SIDE * SIDE, -1)).reshape(part.shape))
        norms = [nuclear_norms(detail.reshape(SIDE, SIDE, -1)).reshape(detail.shape[2:]) for detail in details]
        total = norms[0] + norms[1]
        weight = np.where(total > 0, norms[0] / np.where(total > 0, total, 1), 0.5).astype(np.float32)
        here = sums[:, top : top + details[0].shape[2] + SIDE - 1]
        _overlap_add(here[0], details[0])
        _overlap_add(here[1], details[1])
        details[0] -= details[1]
        details[0] *= weight
        details[0] += details[1]
        _overlap_add(here[2], details[0])
    return sums


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
    public script, nuclear norms are known to 1e-3, images below 16 pixels are mirrored up to it, and levels outside 0..255 are clipped.

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

"""HybridMSD: hybrid multi-scale decomposition with Gaussian and bilateral filters, the infrared's own edges put into the visible image."""

import cv2
import numpy as np
from scipy import ndimage

from ivfnb.baselines.common.pair import check_pair
from ivfnb.baselines.registry import Competitor, Published, Variant, register
from ivfnb.images import Image

LEVELS = 4
SIGMA_SPATIAL = 2.0  # pixels at the finest level, doubled from level to level
SIGMA_RANGE = 0.05 * 255  # grey levels at the finest level, halved from level to level
LAMBDA = 30.0  # how fast the infrared's weight saturates with its lead in edge strength
SIGMA_WEIGHT = 1.0  # smooths the weights of the levels, pixels
SIGMA_BASE = SIGMA_SPATIAL * 2 ** (LEVELS + 1)  # smooths the weight of the base: twice the sigma after the last doubling
NOISE = 1e-9  # edge strength, grey levels, below which there is nothing but rounding
PADDING = 2  # empty cells on each side of the bilateral grid


def gaussian(image: Image, sigma: float) -> Image:
    """Gaussian mean, window radius floor(3 sigma), border mirrored with the edge repeated.

    Parameters
    ----------
    image : array (h, w), float64
    sigma : float
        Pixels.

    Returns
    -------
    array (h, w), float64

    Examples
    --------
    >>> gaussian(np.array([[0.0, 0.0, 9.0, 0.0, 0.0]]), 0.4).round(2)
    array([[0.  , 0.36, 8.27, 0.36, 0.  ]])
    """
    kernel = cv2.getGaussianKernel(2 * int(3 * sigma) + 1, sigma)
    return cv2.sepFilter2D(image, -1, kernel, kernel, borderType=cv2.BORDER_REFLECT)


def bilateral(image: Image, sigma_spatial: float, sigma_range: float) -> Image:
    """Bilateral filter in a coarse grid of position and level.

    Parameters
    ----------
    image : array (h, w), float64
        Levels 0..255.
    sigma_spatial : float
        Pixels.
    sigma_range : float
        Grey levels.

    Returns
    -------
    array (h, w), float64
        Levels 0..255.

    Notes
    -----
    Cells are a sigma wide each way; pixels go to the nearest cell, the grid is smoothed twice with (1, 2, 1)/4 along each axis, and read
    out trilinearly.

    References
    ----------
    The truncated kernel of Paris and Durand 2009, doi 10.1007/s11263-007-0110-8

    Examples
    --------
    >>> bilateral(np.full((8, 8), 7.0), 2.0, 12.0)[0, 0].round(9).item()
    7.0
    """
    rows, columns = np.indices(image.shape, dtype=np.float64) / sigma_spatial
    place = np.stack([rows, columns, (image - image.min()) / sigma_range]) + PADDING
    shape = tuple(int(axis.max() - PADDING) + 1 + 2 * PADDING for axis in place)
    cell = np.ravel_multi_index(tuple((place + 0.5).astype(np.intp).reshape(3, -1)), shape)
    grids = []
    for weights in (None, image.ravel()):
        grid = np.bincount(cell, weights, minlength=np.prod(shape)).reshape(shape).astype(np.float64)
        for _ in range(2):
            for axis in range(3):
                inner = np.moveaxis(grid, axis, 0)
                inner[1:-1] = (inner[:-2] + 2 * inner[1:-1] + inner[2:]) / 4  # the outermost cells stay empty
        grids.append(ndimage.map_coordinates(grid, place, order=1, prefilter=False))
    return grids[1] / grids[0]


def decompose(image: Image) -> tuple[Image, list[tuple[Image, Image]]]:
    """Coarsest Gaussian image, and the texture and edge layers of every level.

    Parameters
    ----------
    image : array (h, w), float64
        Levels 0..255.

    Returns
    -------
    base : array (h, w), float64
    layers : list of (texture, edge)
        The finest first. Texture: what the bilateral filter takes out of the previous level's Gaussian image. Edge: what the Gaussian
        filter takes out beyond that. With the base they sum to the image.

    Examples
    --------
    >>> base, layers = decompose(np.eye(16))
    >>> bool(np.allclose(base + sum(texture + edge for texture, edge in layers), np.eye(16)))
    True
    """
    smooth = kept = image
    layers = []
    for level in range(LEVELS):
        sigma = SIGMA_SPATIAL * 2**level
        kept = bilateral(kept, sigma, SIGMA_RANGE / 2**level)
        smoother = gaussian(smooth, sigma)
        layers.append((smooth - kept, kept - smoother))
        smooth = smoother
    return smooth, layers


def _lead(edge_infrared: Image, edge_visible: Image) -> Image:
    """Weight of the infrared where its edges are the stronger: float64 (h, w), 0..1, 0 where they are not."""
    lead = np.maximum(np.abs(edge_infrared) - np.abs(edge_visible), 0)
    top = lead.max()
    return np.arctan(LAMBDA * lead / top) / np.arctan(LAMBDA) if top > NOISE else np.zeros_like(lead)


def fuse(infrared: Image, visible: Image, exchanged: bool = False) -> Image:
    """Visible image with the infrared's stronger edges and their textures.

    Coarse layers and the base are weighted by the infrared's lead in edge strength, of the finest layers the larger magnitude is taken.

    Parameters
    ----------
    infrared, visible : arrays (h, w)
        Levels 0..255, of one size of at least 2x2.
    exchanged : bool
        Gives each source the other's part: so were the published TNO images made, whose public script reads the infrared file as visible;
        with it, and truncated instead of rounded, they come out exactly. VIFB's images have the roles as here.

    Returns
    -------
    array (h, w), float64
        Levels 0..255, not rounded.

    Raises
    ------
    ImageError
        For images that are not grey, not in range or not of one size.

    Notes
    -----
    With the public script's parameters and its grid for the bilateral filter. The script smooths the choice at the finest level with a
    Gaussian of sigma 0.2 in a window of one pixel, which does nothing. No departures known.

    References
    ----------
    Zhou, Wang, Li and Dong 2016, doi 10.1016/j.inffus.2015.11.003

    Examples
    --------
    >>> fuse(np.full((8, 8), 10), np.full((8, 8), 30))[0, 0].round(9).item()
    30.0
    """
    infrared, visible = check_pair(infrared, visible)
    if exchanged:
        infrared, visible = visible, infrared
    base_infrared, of_infrared = decompose(infrared)
    base_visible, of_visible = decompose(visible)
    weight = gaussian(_lead(of_infrared[-1][1], of_visible[-1][1]), SIGMA_BASE)
    fused = weight * base_infrared + (1 - weight) * base_visible
    for (texture_infrared, edge_infrared), (texture_visible, edge_visible) in zip(of_infrared[1:], of_visible[1:], strict=True):
        weight = gaussian(_lead(edge_infrared, edge_visible), SIGMA_WEIGHT)
        fused += weight * (texture_infrared + edge_infrared) + (1 - weight) * (texture_visible + edge_visible)
    for layer_infrared, layer_visible in zip(of_infrared[0], of_visible[0], strict=True):
        fused += np.where(np.abs(layer_infrared) > np.abs(layer_visible), layer_infrared, layer_visible)
    return np.clip(fused, 0, 255)


register(
    Competitor(
        "HybridMSD",
        fuse,
        "Zhou, Wang, Li and Dong, Perceptual fusion of infrared and visible images through a hybrid multi-scale decomposition with "
        "Gaussian and bilateral filters, Information Fusion 30:15-26, 2016",
        "10.1016/j.inffus.2015.11.003",
        row=5,
        variants=(
            Variant("", {"exchanged": False}, "sources as in its paper", ("vifb21",)),
            Variant("exchanged", {"exchanged": True}, published=("tno21",)),
        ),
        published={"tno21": Published("sources exchanged, a third party's run"), "vifb21": Published("VIFB's run", "Hybrid_MSD")},
    )
)

"""What MDLatLRR learns from photographs: its projection. `scripts/learn_baselines.py` runs this."""

from collections.abc import Sequence

import numpy as np

from ivfnb.images import Image

DETAIL = 0.5  # Euclidean norm of a patch of 0..1 levels about its mean, above which it counts as detail


def sample_patches(photographs: Sequence[Image], detailed: int, smooth: int, seed: int, side: int = 16) -> np.ndarray:
    """Patches of photographs, cut without overlap and drawn at random.

    Parameters
    ----------
    photographs : sequence of arrays (h, w)
        Levels 0..255.
    detailed, smooth : int
        How many of either.
    seed : int
        Of the draw.
    side : int
        Of a patch, pixels.

    Returns
    -------
    array (side**2, detailed + smooth), float64
        A patch a column, levels 0..1, the detailed ones first.

    Raises
    ------
    ValueError
        Where the photographs hold fewer of either.

    Notes
    -----
    Patches that are 0 throughout are left out, as in the public script.

    Examples
    --------
    >>> stripes = np.tile([0.0, 255.0], (16, 16))
    >>> sample_patches([stripes, np.full((16, 16), 9.0)], detailed=2, smooth=1, seed=0).shape
    (256, 3)
    """
    cut = []
    for photograph in photographs:
        rows, columns = (size // side for size in photograph.shape)
        tiles = photograph[: rows * side, : columns * side].reshape(rows, side, columns, side)
        cut.append(tiles.swapaxes(1, 2).reshape(-1, side * side) / 255)
    patches = np.concatenate(cut)
    is_detail = np.linalg.norm(patches - patches.mean(axis=1, keepdims=True), axis=1) > DETAIL
    kinds = {"detailed": patches[is_detail], "smooth": patches[~is_detail & patches.any(axis=1)]}
    generator, drawn = np.random.default_rng(seed), []
    for (kind, found), wanted in zip(kinds.items(), (detailed, smooth), strict=True):
        if len(found) < wanted:
            raise ValueError(f"photographs: found {len(found)} {kind} patches, expected at least {wanted}")
        drawn.append(generator.choice(found, wanted, replace=False))
    return np.concatenate(drawn).T


def _shrink_singular_values(matrix: np.ndarray, threshold: float) -> np.ndarray:
    """Matrix (d, n), n at least d, with `threshold` taken off its singular values, by way of the eigenvectors of its d x d Gram matrix."""
    values, vectors = np.linalg.eigh(matrix @ matrix.T)
    singular = np.sqrt(np.maximum(values, 0))
    kept = singular > threshold
    vectors, singular = vectors[:, kept], singular[kept]
    return (vectors * (1 - threshold / singular)) @ (vectors.T @ matrix)


def latent_low_rank(data: np.ndarray, weight: float = 0.4, tolerance: float = 1e-6, growth: float = 1.1) -> tuple[np.ndarray, np.ndarray]:
    """Projection and error of latent low-rank representation of the columns of a matrix.

    Parameters
    ----------
    data : array (d, n)
        n at least d.
    weight : float
        Of the error's l1 norm.
    tolerance : float
        To which all constraints hold at the end.
    growth : float
        Factor of the penalty an iteration.

    Returns
    -------
    projection : array (d, d)
    error : array (d, n)

    Raises
    ------
    RuntimeError
        Without convergence in 1000 iterations.

    Notes
    -----
    Minimises the nuclear norms of Z and L plus `weight` times the l1 norm of E, subject to data = data Z + L data + E, by inexact augmented
    Lagrange multipliers (penalty from 1e-6, times `growth` an iteration). Z is sought in the row space of the data, where the optimum lies.
    Where E is 0, L is not unique: the one returned is where this iteration ends.

    References
    ----------
    Liu and Yan 2011, doi 10.1109/ICCV.2011.6126422

    Examples
    --------
    >>> projection, error = latent_low_rank(np.random.default_rng(0).normal(size=(4, 12)))
    >>> projection.shape, error.shape
    ((4, 4), (4, 12))
    """
    left, singular, _ = np.linalg.svd(data, full_matrices=False)
    basis = (left * singular)[:, singular > 1e-10 * singular[0]]  # data times an orthonormal basis of its row space
    shapes = {"error": data.shape, "z": (basis.shape[1], data.shape[1]), "projection": (len(data), len(data))}
    error, z, projection = (np.zeros(shape) for shape in shapes.values())
    for_constraint, for_z, for_projection = (np.zeros(shape) for shape in shapes.values())
    solve_z = np.linalg.inv(np.eye(basis.shape[1]) + basis.T @ basis)
    solve_projection = np.linalg.inv(np.eye(len(data)) + data @ data.T)
    penalty = 1e-6
    for _ in range(1000):
        low_rank_z = _shrink_singular_values(z + for_z / penalty, 1 / penalty)
        low_rank_projection = _shrink_singular_values(projection + for_projection / penalty, 1 / penalty)
        residual = data - projection @ data - error
        z = solve_z @ (basis.T @ residual + low_rank_z + (basis.T @ for_constraint - for_z) / penalty)
        explained = data - basis @ z
        right = (explained - error) @ data.T + low_rank_projection + (for_constraint @ data.T - for_projection) / penalty
        projection = right @ solve_projection
        explained -= projection @ data
        shifted = explained + for_constraint / penalty
        error = np.sign(shifted) * np.maximum(np.abs(shifted) - weight / penalty, 0)
        misses = explained - error, z - low_rank_z, projection - low_rank_projection
        if max(np.abs(miss).max() for miss in misses) < tolerance:
            return projection, error
        for multiplier, miss in zip((for_constraint, for_z, for_projection), misses, strict=True):
            multiplier += penalty * miss
        penalty = min(growth * penalty, 1e6)
    raise RuntimeError(f"data: found no convergence to {tolerance} in 1000 iterations, expected it within about 200")

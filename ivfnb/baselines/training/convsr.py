"""What ConvSR learns from photographs: its filters. `scripts/learn_baselines.py` runs this."""

from collections.abc import Iterator, Sequence

import numpy as np

from ivfnb.baselines.common.convolution import Convolution
from ivfnb.baselines.common.sparse import sparse_code
from ivfnb.baselines.convsr import base_layer
from ivfnb.images import Image

STEP, STEP_HALVED = 3.0, 100  # of the stochastic gradient at the start, and the number of steps that halve it


def _crops(photographs: Sequence[Image], side: int, generator: np.random.Generator) -> Iterator[np.ndarray]:
    """Detail layers (side, side) of random crops of 0..1 levels, without end."""
    while True:
        photograph = photographs[int(generator.integers(len(photographs)))]
        top, left = (generator.integers(size - side + 1) for size in photograph.shape)
        crop = photograph[top : top + side, left : left + side] / 255
        yield crop - base_layer(crop)


def learn_filters(
    photographs: Sequence[Image], seed: int, steps: int = 300, count: int = 32, side: int = 8, crop: int = 128, sparsity: float = 0.1
) -> np.ndarray:
    """Filters in which the details of photographs are sparse.

    Parameters
    ----------
    photographs : sequence of arrays (h, w)
        Levels 0..255, at least `crop` pixels a side.
    seed : int
        Of the first filters and of the crops.
    steps : int
        Of the stochastic gradient.
    count, side : int
        Number of filters, and their side in pixels.
    crop : int
        Side of a crop, pixels.
    sparsity : float
        Of the code of details of 0..1 levels.

    Returns
    -------
    array (count, side, side), float32
        Of unit norm.

    Raises
    ------
    ValueError
        Where a photograph is smaller than a crop, or there is none.

    Notes
    -----
    Online convolutional dictionary learning by stochastic gradient: a random crop is coded with the filters at hand, the filters step down
    the gradient of the squared error, the step shrinking as 1 over the number of steps, and back to unit norm.

    References
    ----------
    Liu, Garcia-Cardona and Wohlberg 2018, doi 10.1137/17M1145689

    Examples
    --------
    >>> filters = learn_filters([np.eye(32) * 255], seed=0, steps=1, count=2, side=4, crop=24)
    >>> np.linalg.norm(filters, axis=(1, 2)).round(4)
    array([1., 1.], dtype=float32)
    """
    small = [photograph.shape for photograph in photographs if min(photograph.shape) < crop]
    if small or not photographs:
        raise ValueError(f"photographs: found {small or 'none'}, expected at least one and all at least {crop}x{crop}")
    generator = np.random.default_rng(seed)
    filters = generator.standard_normal((count, side, side))
    filters /= np.linalg.norm(filters, axis=(1, 2), keepdims=True)
    for step, detail in zip(range(steps), _crops(photographs, crop, generator), strict=False):
        code = sparse_code(detail, filters, sparsity, tolerance=1e-2, iterations=100)
        operator = Convolution(filters, detail.shape)
        misfit = operator.synthesise(code) - detail.astype(np.float32)
        seen = operator.windows(misfit).transpose(0, 2, 1)
        gradient = (code.transpose(1, 0, 2) @ seen).sum(axis=0).reshape(filters.shape)
        filters = filters - STEP / (1 + step / STEP_HALVED) * gradient
        filters /= np.linalg.norm(filters, axis=(1, 2), keepdims=True)
    return filters.astype(np.float32)

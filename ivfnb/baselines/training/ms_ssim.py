"""Multi-scale structural similarity as a loss, in the form that NestFuse and RFN-Nest were trained with."""

from functools import lru_cache

import torch
from torch.nn import functional

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of the five levels, finest first
SIDE, SIGMA = 11, 1.5  # of the Gaussian window, pixels
RANGE = 255.0
CONSTANTS = (0.01 * RANGE) ** 2, (0.03 * RANGE) ** 2


@lru_cache(maxsize=64)
def _window(size: int, device: str) -> torch.Tensor:
    """Matrix (size - window + 1, size) that takes Gaussian means along an axis, without padding."""
    side = min(SIDE, size)
    taps = torch.exp(-((torch.arange(side, dtype=torch.float64) - side // 2) ** 2) / (2 * SIGMA**2))
    matrix = torch.zeros(size - side + 1, size, dtype=torch.float64)
    for row in range(len(matrix)):
        matrix[row, row : row + side] = taps / taps.sum()
    return matrix.to(device, torch.float32)


def _means(images: torch.Tensor) -> torch.Tensor:
    """Gaussian means of images (n, 1, h, w). Products of matrices, since convolutions may be rounded to fewer bits than variances need."""
    rows, columns = (_window(size, str(images.device)) for size in images.shape[-2:])
    return rows @ images @ columns.T


def _similarity(first: torch.Tensor, second: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean structural similarity of images (n, 1, h, w) and its factor of contrast and structure."""
    shifted = first - RANGE / 2, second - RANGE / 2  # small squares lose fewer bits
    means = _means(torch.cat([*shifted, shifted[0] ** 2, shifted[1] ** 2, shifted[0] * shifted[1]]))
    one, two, one_squared, two_squared, product = means.chunk(5)
    variances = one_squared - one**2 + two_squared - two**2
    contrast = (2 * (product - one * two) + CONSTANTS[1]) / (variances + CONSTANTS[1])
    one, two = one + RANGE / 2, two + RANGE / 2
    luminance = (2 * one * two + CONSTANTS[0]) / (one**2 + two**2 + CONSTANTS[0])
    return (luminance * contrast).mean(), contrast.mean()


def ms_ssim(first: torch.Tensor, second: torch.Tensor, coarsest: int = 4) -> torch.Tensor:
    """Multi-scale structural similarity of images (n, 1, h, w), levels 0..255: a scalar in 0..1, 1 for equal images; float32.

    Each level's similarity x enters as (x + 1) / 2, and its mean is taken over all images before the product over levels. `coarsest`: power
    of the coarsest level's factor. 1 is the definition (Wang, Simoncelli and Bovik 2003, doi 10.1109/ACSSC.2003.1292216); 4 is what the
    library does that both methods were trained with, since it multiplies that factor into each of the four others before their product.
    """
    first, second = first.float(), second.float()
    result = torch.ones((), device=first.device)
    for level, weight in enumerate(WEIGHTS):
        if level:
            first, second = functional.avg_pool2d(first, 2), functional.avg_pool2d(second, 2)
        similarity, contrast = _similarity(first, second)
        last = level == len(WEIGHTS) - 1
        result = result * ((similarity if last else contrast) / 2 + 0.5) ** (weight * (coarsest if last else 1))
    return result

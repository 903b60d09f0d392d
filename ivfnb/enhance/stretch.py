"""Linear stretch to the full range, and what a flat image is."""

import numpy as np

from ivfnb.images import Image, levels


def is_flat(values: np.ndarray) -> bool:
    """Whether all values are equal but for rounding, which must not be stretched to black and white noise.

    Parameters
    ----------
    values : array of any shape

    Returns
    -------
    bool

    Examples
    --------
    >>> is_flat(np.array([89.0, 89.0 + 1e-12]))
    True
    """
    return bool(np.ptp(values) <= 1e-9)


def full_range(values: np.ndarray) -> np.ndarray | None:
    """Values mapped linearly to 0..255, in place.

    Parameters
    ----------
    values : array of any shape, floating point
        Changed.

    Returns
    -------
    array or None
        `values`; None where all are equal, and nothing was changed.

    Notes
    -----
    Multiplying before dividing gives the released script's last bits.

    Examples
    --------
    >>> full_range(np.array([2.0, 3.0, 4.0]))
    array([  0. , 127.5, 255. ])
    """
    if is_flat(values):
        return None
    low, high = values.min(), values.max()
    values -= low
    values *= 255
    values /= high - low
    return values


def stretch(image: Image) -> Image:
    """Linear stretch to the full range, (I - min) / (max - min) * 255: the paper's enhancement of the infrared image.

    Parameters
    ----------
    image : array (h, w)
        uint8, uint16 or levels 0..255.

    Returns
    -------
    array (h, w), float64
        Levels 0..255, not rounded. A constant image keeps its levels.

    Raises
    ------
    ImageError
        If `image` is no grey image.

    Notes
    -----
    Rounding can leave the maximum a hair below 255, so a later truncation to uint8 may give 254, as in the released script.

    References
    ----------
    Qi, Abera, Fanose, Wang and Cheng 2024, doi 10.1016/j.neucom.2024.127353

    Examples
    --------
    >>> stretch(np.array([[10, 20, 30]]))
    array([[  0. , 127.5, 255. ]])
    """
    image = levels(image)
    return image.round(9) if full_range(image) is None else image  # rounded, so that a flat 89.999... is not truncated to 89 later


def percentile_stretch(image: Image, low: float = 0.1, high: float = 99.9) -> Image:
    """Linear stretch of the levels between two percentiles, cut beyond them: one dead or hot pixel does not take the range.

    Parameters
    ----------
    image : array (h, w)
        uint8, uint16 or levels 0..255.
    low, high : float
        Percentiles that become 0 and 255, 0 <= low < high <= 100.

    Returns
    -------
    array (h, w), float64
        Levels 0..255, not rounded. Where the two percentiles are equal, that of `stretch`.

    Raises
    ------
    ImageError
        If `image` is no grey image.
    ValueError
        For percentiles that are not in order.

    Examples
    --------
    >>> scene = np.linspace(100, 120, 10_000).reshape(100, 100)
    >>> scene[0, 0], scene[9, 9] = 0, 255
    >>> stretch(scene)[50, :2].round(), percentile_stretch(scene)[50, :2].round()
    (array([110., 110.]), array([128., 128.]))
    """
    if not 0 <= low < high <= 100:
        raise ValueError(f"low, high: found {low} and {high}, expected percentiles in order, 0 to 100")
    image = levels(image)
    limits = np.percentile(image, (low, high))
    full = full_range(image if is_flat(limits) else np.clip(image, *limits, out=image))
    return image.round(9) if full is None else full

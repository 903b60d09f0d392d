"""Window scores to weights: the votes that windows cast, and the weight of the visible image at each pixel."""

import numpy as np

from ivfnb.classifier.grid import WINDOW, grid_shape
from ivfnb.images import bands

TIES = ("visible", "infrared", "score")
KINDS = ("soft", "votes")


def _check_scores(scores: np.ndarray) -> np.ndarray:
    scores = np.asarray(scores)
    if scores.ndim != 4 or scores.shape[0] != 2 or scores.shape[3] != 2 or scores.dtype.kind != "f":
        raise ValueError(f"scores: found {scores.dtype} of shape {scores.shape}, expected logits (2, rows, columns, 2) of window_scores")
    return scores


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{name}: found {value!r}, expected one of {choices}")


def visible_probabilities(scores: np.ndarray) -> np.ndarray:
    """Probability that the visible window is the sharper one, in each of the two stacking orders.

    Parameters
    ----------
    scores : array (2, rows, columns, 2)
        Logits of `classifier.windows.window_scores`.

    Returns
    -------
    array (2, rows, columns), float64
        0..1; first with the visible window above, then below.

    Raises
    ------
    ValueError
        For an array of another shape or of whole numbers.

    Examples
    --------
    >>> visible_probabilities(np.array([[[[2.0, 2.0]]], [[[0.0, 50.0]]]])).ravel()
    array([0.5, 1. ])
    """
    scores = _check_scores(scores).astype(np.float64)
    margins = np.stack([scores[0, ..., 1] - scores[0, ..., 0], scores[1, ..., 0] - scores[1, ..., 1]])
    return 0.5 - 0.5 * np.tanh(margins / 2)  # the softmax of two logits, without overflow


def _visible_probability(scores: np.ndarray) -> np.ndarray:
    """Mean of the probabilities of both orders: float64 (rows, columns)."""
    return visible_probabilities(scores).mean(axis=0)


def decide(scores: np.ndarray, ties: str = "visible") -> np.ndarray:
    """Vote of every window.

    Parameters
    ----------
    scores : array (2, rows, columns, 2)
        Logits of `classifier.windows.window_scores`.
    ties : str
        Who gets a window whose two orders contradict each other: "visible" (the released script: infrared only if the visible above is
        class 1 and the infrared above is class 0), "infrared", or "score", the larger summed probability.

    Returns
    -------
    array (rows, columns), int8
        +1 where the visible window is the sharper one, -1 where the infrared is.

    Raises
    ------
    ValueError
        For scores of another shape, or an unknown way to settle ties.

    Examples
    --------
    >>> contradiction = np.array([[[[3.0, 0.0]]], [[[1.0, 0.0]]]])
    >>> [int(decide(contradiction, ties)[0, 0]) for ties in TIES]
    [1, -1, 1]
    """
    scores = _check_scores(scores)
    _check_choice("ties", ties, TIES)
    classes = scores.argmax(axis=3)
    says_visible, says_infrared = (classes[0] == 0) & (classes[1] == 1), (classes[0] == 1) & (classes[1] == 0)
    if ties == "visible":
        visible = ~says_infrared
    elif ties == "infrared":
        visible = says_visible
    else:
        visible = says_visible | (~says_infrared & (_visible_probability(scores) >= 0.5))
    return np.where(visible, 1, -1).astype(np.int8)


def _coverage(shape: tuple[int, int], stride: int, grid: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Which rows (h, rows) and which columns (w, columns) the windows cover, as 0.0 and 1.0; sums over windows are two matrix products.

    ValueError when the windows are not those of `shape` and `stride`, or leave pixels uncovered.
    """
    expected = grid_shape(shape, stride)
    if tuple(grid) != expected:
        raise ValueError(f"shape, stride: found {tuple(grid)} windows, expected {expected} for {tuple(shape)} at stride {stride}")
    if any(size != WINDOW + (count - 1) * stride for size, count in zip(shape, grid, strict=True)) or stride > WINDOW:
        raise ValueError(
            f"shape, stride: found {tuple(shape)} at stride {stride}, where no window covers some pixels, "
            f"expected {WINDOW} and a multiple of a stride of at most {WINDOW} each way (see pad_to_grid)"
        )
    offsets = (np.arange(size)[:, None] - stride * np.arange(count) for size, count in zip(shape, grid, strict=True))
    rows, columns = (((offset >= 0) & (offset < WINDOW)).astype(np.float64) for offset in offsets)
    return rows, columns


def vote_map(decisions: np.ndarray, shape: tuple[int, int], stride: int = 8) -> np.ndarray:
    """Sum of the votes of the windows that cover a pixel.

    Parameters
    ----------
    decisions : array (rows, columns)
        Votes of the windows, see `decide`.
    shape : (h, w)
        Of the image, pixels.
    stride : int
        Step of the windows in pixels.

    Returns
    -------
    array (h, w), int16
        Positive where most say visible.

    Raises
    ------
    ValueError
        Where the windows are not those of `shape` and `stride`, or leave pixels that none covers.

    Examples
    --------
    >>> vote_map(np.array([[1, -1]]), (32, 48), 16)[0, [0, 20, 40]]
    array([ 1,  0, -1], dtype=int16)
    """
    rows, columns = _coverage(shape, stride, np.shape(decisions))
    return (rows @ np.asarray(decisions, np.float64) @ columns.T).astype(np.int16)


def weight_map(scores: np.ndarray, shape: tuple[int, int], stride: int = 8, kind: str = "soft", ties: str = "visible") -> np.ndarray:
    """Weight of the visible image; 1 minus it is the weight of the infrared.

    Parameters
    ----------
    scores : array (2, rows, columns, 2)
        Logits of `classifier.windows.window_scores`.
    shape : (h, w)
        Of the image, pixels.
    stride : int
        Step of the windows in pixels.
    kind : str
        "soft": mean, over the windows that cover a pixel, of the probability that the visible window is the sharper one (the paper's text;
        both orders averaged). "votes": share of those windows that vote visible.
    ties : str
        As in `decide`, for "votes".

    Returns
    -------
    array (h, w), float64
        0..1.

    Raises
    ------
    ValueError
        For an unknown kind, scores of another shape, or where pixels are uncovered.

    Examples
    --------
    >>> undecided = np.zeros((2, 1, 1, 2))
    >>> float(weight_map(undecided, (32, 32))[0, 0]), float(weight_map(undecided, (32, 32), kind="votes")[0, 0])
    (0.5, 1.0)
    """
    _check_choice("kind", kind, KINDS)
    window = _visible_probability(_check_scores(scores)) if kind == "soft" else (decide(scores, ties) > 0).astype(np.float64)
    rows, columns = _coverage(shape, stride, window.shape)
    weight = rows @ window @ columns.T
    for band in bands(weight.shape):
        weight[band] /= np.outer(rows[band].sum(axis=1), columns.sum(axis=1))
    return np.clip(weight, 0, 1, out=weight)

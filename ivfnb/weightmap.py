"""The classifier over an image pair: scores of every window, the votes they cast and the weight of the visible image.

A window of each image at the same place is stacked on its twin in both orders and classified, as in the released fusion script of Qi et al.
2024 (doi 10.1016/j.neucom.2024.127353). Windows lie on a grid of `stride` pixels that begins in the image's first row and column; a window
that would leave the image is not used (`pad_to_grid` makes the windows cover every pixel).
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from ivfnb import dense
from ivfnb.network import WINDOW, EResNet
from ivfnb.patches import planes

TIES = ("visible", "infrared", "score")
KINDS = ("soft", "votes")


def grid_shape(shape: tuple[int, int], stride: int = 8) -> tuple[int, int]:
    """Rows and columns of the windows that lie fully inside an image of `shape`. ValueError for a bad stride or a shape below 32x32."""
    if isinstance(stride, bool) or int(stride) != stride or stride < 1:
        raise ValueError(f"stride: found {stride!r}, expected a whole number of pixels, at least 1")
    if len(shape) != 2 or min(shape) < WINDOW:
        raise ValueError(f"shape: found {tuple(shape)}, expected (height, width) of at least {WINDOW}x{WINDOW}")
    return (shape[0] - WINDOW) // stride + 1, (shape[1] - WINDOW) // stride + 1


def _check_image(name: str, image: np.ndarray) -> np.ndarray:
    image = np.asarray(image)
    if image.ndim != 2 or min(image.shape) < WINDOW:
        raise ValueError(f"{name}: found an array of shape {image.shape}, expected a grey image (h, w) of at least {WINDOW}x{WINDOW}")
    if image.dtype.kind not in "uif" or not np.isfinite(image).all():
        raise ValueError(f"{name}: found {image.dtype} with non-finite or non-numeric values, expected grey levels 0..255")
    return image


@contextmanager
def _exactly(net: EResNet) -> Iterator[None]:
    """Inference in eval mode with all bits of float32 (CUDA's convolutions round to TF32 by default); net and settings are put back."""
    was_training, kinds = net.training, (torch.backends.cuda.matmul, torch.backends.cudnn.conv)
    precisions = [kind.fp32_precision for kind in kinds] if net.normalisation.is_cuda else []
    try:
        net.eval()
        for kind, _ in zip(kinds, precisions, strict=False):
            kind.fp32_precision = "ieee"
        with torch.inference_mode():
            yield
    finally:
        net.train(was_training)
        for kind, precision in zip(kinds, precisions, strict=False):
            kind.fp32_precision = precision


def _planes(net: EResNet, visible: np.ndarray, infrared: np.ndarray, stride: int) -> torch.Tensor:
    """Planes (2, 3, h, w) of both images on the network's device; ValueError names the argument that does not fit."""
    visible, infrared = _check_image("visible", visible), _check_image("infrared", infrared)
    if visible.shape != infrared.shape:
        raise ValueError(f"visible, infrared: found shapes {visible.shape} and {infrared.shape}, expected one shape")
    grid_shape(visible.shape, stride)
    return torch.from_numpy(np.stack([planes(visible), planes(infrared)])).to(net.normalisation.device)


def _windows(net: EResNet, visible: np.ndarray, infrared: np.ndarray, stride: int) -> tuple[torch.Tensor, ...]:
    """Views (rows, columns, 3, 32, 32) of all windows of the visible and of the infrared image."""
    windows = _planes(net, visible, infrared, stride).unfold(2, WINDOW, stride).unfold(3, WINDOW, stride)
    return windows.permute(0, 2, 3, 1, 4, 5).unbind()


def window_scores_reference(net: EResNet, visible: np.ndarray, infrared: np.ndarray, stride: int = 8) -> np.ndarray:
    """Same result as `window_scores`, by the plain loop of the released script: two passes of one sample per window."""
    upper, lower = _windows(net, visible, infrared, stride)
    rows, columns = upper.shape[:2]
    scores = np.empty((2, rows, columns, 2), np.float32)
    with _exactly(net):
        for row in range(rows):
            for column in range(columns):
                pair = upper[row, column], lower[row, column]
                scores[0, row, column] = net(torch.cat(pair, dim=1)[None])[0].cpu()
                scores[1, row, column] = net(torch.cat(pair[::-1], dim=1)[None])[0].cpu()
    return scores


def window_scores_batched(net: EResNet, visible: np.ndarray, infrared: np.ndarray, stride: int = 8, batch: int = 16) -> np.ndarray:
    """Same result as `window_scores`, `batch` samples per pass of the network; any stride."""
    views = _windows(net, visible, infrared, stride)
    rows, columns = views[0].shape[:2]
    scores = np.empty((2, rows * columns, 2), np.float32)
    with _exactly(net):
        for start in range(0, rows * columns, batch):
            chosen = np.unravel_index(np.arange(start, min(start + batch, rows * columns)), (rows, columns))
            pair = [view[chosen] for view in views]
            for order, upper_and_lower in enumerate((pair, pair[::-1])):
                samples = torch.cat(upper_and_lower, dim=2).contiguous(memory_format=torch.channels_last)  # three times faster than planes
                scores[order, start : start + batch] = net(samples).cpu()
    return scores.reshape(2, rows, columns, 2)


def window_scores(net: EResNet, visible: np.ndarray, infrared: np.ndarray, stride: int = 8, tile: int = dense.TILE_PIXELS) -> np.ndarray:
    """Logits of every window fully inside the images in both orders: float32 (2, rows, columns, 2).

    `visible` and `infrared`: grey levels (h, w), one shape of at least 32x32. Order 0 stacks the visible window above the infrared one,
    order 1 the infrared above the visible; class 0: the upper is the sharper one. Strides that are multiples of 8 take the dense method
    (see `dense`) in passes of about `tile` pixels of each image; others take batches of windows, many times slower, and warn of it.
    """
    both = _planes(net, visible, infrared, stride)
    if stride % dense.CELL:
        warnings.warn(f"stride {stride} is no multiple of {dense.CELL}: windows are classified in batches, slowly", stacklevel=2)
        return window_scores_batched(net, visible, infrared, stride)
    with _exactly(net):
        return dense.scores(net, net.normalise(both), stride, tile).cpu().numpy()


def _check_scores(scores: np.ndarray) -> np.ndarray:
    scores = np.asarray(scores)
    if scores.ndim != 4 or scores.shape[0] != 2 or scores.shape[3] != 2 or scores.dtype.kind != "f":
        raise ValueError(f"scores: found {scores.dtype} of shape {scores.shape}, expected logits (2, rows, columns, 2) of window_scores")
    return scores


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{name}: found {value!r}, expected one of {choices}")


def _visible_probability(scores: np.ndarray) -> np.ndarray:
    """Probability that the visible window is the sharper one, mean of both orders: float64 (rows, columns), 0..1."""
    scores = scores.astype(np.float64)
    margins = np.stack([scores[0, ..., 1] - scores[0, ..., 0], scores[1, ..., 0] - scores[1, ..., 1]])
    return (0.5 - 0.5 * np.tanh(margins / 2)).mean(axis=0)  # the softmax of two logits, without overflow


def decide(scores: np.ndarray, ties: str = "visible") -> np.ndarray:
    """Vote of every window: int8 (rows, columns), +1 where the visible window is the sharper one, -1 where the infrared is.

    A window whose two orders contradict each other is a tie: "visible" gives it to the visible image (the released script: infrared only if
    the visible above is class 1 and the infrared above is class 0), "infrared" to the infrared, "score" to the larger summed probability.
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
    """Sum of the votes of the windows that cover a pixel: int16 (h, w), positive where most say visible.

    ValueError where `shape` and `stride` leave pixels that no window covers.
    """
    rows, columns = _coverage(shape, stride, np.shape(decisions))
    return (rows @ np.asarray(decisions, np.float64) @ columns.T).astype(np.int16)


def weight_map(scores: np.ndarray, shape: tuple[int, int], stride: int = 8, kind: str = "soft", ties: str = "visible") -> np.ndarray:
    """Weight of the visible image: float64 (h, w), 0..1; 1 minus it is the weight of the infrared.

    "soft": mean, over the windows that cover a pixel, of the probability that the visible window is the sharper one (the paper's text; both
    orders averaged). "votes": share of those windows that vote visible, ties as in `decide`. ValueError where pixels are uncovered.
    """
    _check_choice("kind", kind, KINDS)
    window = _visible_probability(_check_scores(scores)) if kind == "soft" else (decide(scores, ties) > 0).astype(np.float64)
    rows, columns = _coverage(shape, stride, window.shape)
    return np.clip(rows @ window @ columns.T / np.outer(rows.sum(axis=1), columns.sum(axis=1)), 0, 1)


def pad_to_grid(image: np.ndarray, stride: int = 8) -> tuple[np.ndarray, tuple[slice, slice]]:
    """Image padded below and on the right to the next size whose windows cover every pixel, and the slices that crop it back.

    Mirrored without repeating the edge; the first window stays where it is, as on the released grid. ValueError for images below 32x32 and
    for strides above 32, whose windows leave gaps whatever the size.
    """
    image = _check_image("image", image)
    counts = grid_shape(image.shape, stride)
    if stride > WINDOW:
        raise ValueError(f"stride: found {stride}, expected at most {WINDOW}, since wider grids leave gaps between windows")
    missing = [(WINDOW + (count - 1) * stride - size) % stride for size, count in zip(image.shape, counts, strict=True)]
    padded = np.pad(image, [(0, missing[0]), (0, missing[1])], mode="reflect")
    return padded, (slice(0, image.shape[0]), slice(0, image.shape[1]))

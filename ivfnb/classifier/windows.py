"""The classifier over an image pair: scores of every window, the votes they cast and the weight of the visible image.

A window of each image at the same place is stacked on its twin in both orders and classified, as in the released fusion script of Qi et al.
2024 (doi 10.1016/j.neucom.2024.127353). Windows lie on a grid of `stride` pixels that begins in the image's first row and column; a window
that would leave the image is not used (`pad_to_grid` makes the windows cover every pixel).
"""

import warnings

import numpy as np
import torch

from ivfnb.classifier import dense
from ivfnb.classifier.exactness import exactly
from ivfnb.classifier.grid import WINDOW, check_image, grid_shape
from ivfnb.classifier.network import EResNet, planes, planes_of


def _checked(visible: np.ndarray, infrared: np.ndarray, stride: int) -> tuple[np.ndarray, np.ndarray]:
    """Both images; ValueError names the argument that does not fit."""
    visible, infrared = check_image("visible", visible), check_image("infrared", infrared)
    if visible.shape != infrared.shape:
        raise ValueError(f"visible, infrared: found shapes {visible.shape} and {infrared.shape}, expected one shape")
    grid_shape(visible.shape, stride)
    return visible, infrared


def _planes(net: EResNet, images: tuple[np.ndarray, np.ndarray], columns: slice = slice(None)) -> torch.Tensor:
    """Planes (2, 3, h, w) of some columns of both images, on the network's device; an accelerator computes the gradients."""
    first, last, _ = columns.indices(images[0].shape[1])
    before = min(first, 1)  # gradients see one column more
    parts, inside = [image[:, first - before : last + 1] for image in images], slice(before, before + last - first)
    device = net.normalisation.device
    if device.type == "cpu":
        return torch.from_numpy(np.stack([planes(part)[..., inside] for part in parts]))
    return planes_of(torch.from_numpy(np.stack(parts).astype(np.float32, copy=False)).to(device))[..., inside]


def _windows(net: EResNet, visible: np.ndarray, infrared: np.ndarray, stride: int) -> tuple[torch.Tensor, ...]:
    """Views (rows, columns, 3, 32, 32) of all windows of the visible and of the infrared image."""
    windows = _planes(net, _checked(visible, infrared, stride)).unfold(2, WINDOW, stride).unfold(3, WINDOW, stride)
    return windows.permute(0, 2, 3, 1, 4, 5).unbind()


def window_scores_reference(net: EResNet, visible: np.ndarray, infrared: np.ndarray, stride: int = 8) -> np.ndarray:
    """Scores of every window by the plain loop of the released script: two passes of one sample per window.

    Parameters
    ----------
    net : EResNet
    visible, infrared : arrays (h, w)
        Grey levels, of one size of at least 32x32.
    stride : int
        Step of the windows in pixels.

    Returns
    -------
    array (2, rows, columns, 2), float32
        What `window_scores` gives, but for rounding.

    Raises
    ------
    ValueError
        For images that do not fit, or a stride below 1.

    Examples
    --------
    >>> window_scores_reference(EResNet(), np.zeros((32, 48)), np.eye(32, 48), 16).shape
    (2, 1, 2, 2)
    """
    upper, lower = _windows(net, visible, infrared, stride)
    rows, columns = upper.shape[:2]
    scores = np.empty((2, rows, columns, 2), np.float32)
    with exactly(net):
        for row in range(rows):
            for column in range(columns):
                pair = upper[row, column], lower[row, column]
                scores[0, row, column] = net(torch.cat(pair, dim=1)[None])[0].cpu()
                scores[1, row, column] = net(torch.cat(pair[::-1], dim=1)[None])[0].cpu()
    return scores


def window_scores_batched(net: EResNet, visible: np.ndarray, infrared: np.ndarray, stride: int = 8, batch: int = 16) -> np.ndarray:
    """Scores of every window by batches; any stride.

    Parameters
    ----------
    net : EResNet
    visible, infrared : arrays (h, w)
        Grey levels, of one size of at least 32x32.
    stride : int
        Step of the windows in pixels.
    batch : int
        Samples per pass of the network.

    Returns
    -------
    array (2, rows, columns, 2), float32
        What `window_scores` gives, but for rounding.

    Raises
    ------
    ValueError
        For images that do not fit, or a stride below 1.

    Examples
    --------
    >>> window_scores_batched(EResNet(), np.zeros((32, 48)), np.eye(32, 48), 5).shape
    (2, 1, 4, 2)
    """
    views = _windows(net, visible, infrared, stride)
    rows, columns = views[0].shape[:2]
    scores = np.empty((2, rows * columns, 2), np.float32)
    with exactly(net):
        for start in range(0, rows * columns, batch):
            chosen = np.unravel_index(np.arange(start, min(start + batch, rows * columns)), (rows, columns))
            pair = [view[chosen] for view in views]
            for order, upper_and_lower in enumerate((pair, pair[::-1])):
                samples = torch.cat(upper_and_lower, dim=2).contiguous(memory_format=torch.channels_last)  # three times faster than planes
                scores[order, start : start + batch] = net(samples).cpu()
    return scores.reshape(2, rows, columns, 2)


def window_scores(
    net: EResNet, visible: np.ndarray, infrared: np.ndarray, stride: int = 8, tile: int | None = None, precision: str = "float32"
) -> np.ndarray:
    """Logits of every window fully inside the images, in both stacking orders.

    Parameters
    ----------
    net : EResNet
        Judges in eval mode and is left as it was.
    visible, infrared : arrays (h, w)
        Grey levels, of one size of at least 32x32.
    stride : int
        Step of the windows in pixels. Multiples of 8 take the dense method (see `dense`).
    tile : int, optional
        Pixels of each image in one pass of the dense method, about; None: what the network's device does best.
    precision : str
        Of the dense method's products: "float32", with all bits; "tf32", on CUDA, which rounds the factors to 10 bits behind the point;
        "bfloat16", which keeps 7, on a processor with AMX or AVX-512 BF16 and on CUDA faster than float32, elsewhere slower.

    Returns
    -------
    array (2, rows, columns, 2), float32
        Order 0 stacks the visible window above the infrared one, order 1 the infrared above the visible; class 0: the upper is the sharper
        one.

    Raises
    ------
    ValueError
        For images that do not fit, a stride below 1, or a precision that is unknown or not for the network's device.

    Warns
    -----
    UserWarning
        For other strides, which take batches of windows, many times slower.

    References
    ----------
    Qi, Abera, Fanose, Wang and Cheng 2024, doi 10.1016/j.neucom.2024.127353

    Examples
    --------
    >>> window_scores(EResNet(), np.zeros((40, 56)), np.eye(40, 56)).shape
    (2, 2, 4, 2)
    """
    both = _checked(visible, infrared, stride)
    if stride % dense.CELL:
        warnings.warn(f"stride {stride} is no multiple of {dense.CELL}: windows are classified in batches, slowly", stacklevel=2)
        return window_scores_batched(net, visible, infrared, stride)
    with exactly(net, precision):
        pixels, together = dense.in_one_pass(net.normalisation.device)
        found = dense.scores_by_bands(
            net, both[0].shape, lambda part: net.normalise(_planes(net, both, part)), stride, tile or pixels, together, precision
        )
        return found.cpu().numpy()

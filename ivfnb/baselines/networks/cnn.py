"""CNN: a siamese network weighs the sources, which are fused band by band in Laplacian pyramids."""

from functools import cache
from typing import NamedTuple

import numpy as np
import scipy.io
import torch
from torch.nn import functional

from ivfnb.baselines.common import layers
from ivfnb.baselines.common.networks import check_weights, strips, weight_file
from ivfnb.baselines.common.pair import check_pair
from ivfnb.baselines.common.pyramids import blend
from ivfnb.datasets import DatasetError
from ivfnb.images import Image, ImageError, to_gray

WINDOW = 8  # side of the last convolution, cells; a cell is 2 pixels wide
SMALLEST = 2 * WINDOW - 1  # side of an image that has one window
HALO = 4  # rows that a cell depends on above and below: two convolutions, and two rows of the convolution of cells
SHAPES = {
    "weights_b1_1": (9, 64),
    "weights_b1_2": (64, 9, 128),
    "weights_b1_3": (128, 9, 256),
    "weights_output": (512, 64, 2),
    "biases_b1_1": (64, 1),
    "biases_b1_2": (128, 1),
    "biases_b1_3": (256, 1),
    "biases_output": (2, 1),
}


class Network(NamedTuple):
    """Kernels (out, in, 3, 3) and biases of the three convolutions both sources pass, and the last one's as (2 * 64, 256, 1, 1).

    The last convolution is split: row 64 * source + 8 * row + column holds what a cell at that place of the window says for the infrared.
    """

    kernels: tuple[torch.Tensor, ...]
    biases: tuple[torch.Tensor, ...]
    last: torch.Tensor


@cache
def _network(device: torch.device) -> Network:
    """The network, float32. Places of a kernel are stored column by column."""
    path = weight_file("CNN", "cnnmodel.mat")
    try:
        stored = {name: value for name, value in scipy.io.loadmat(path).items() if not name.startswith("__")}
    except Exception as error:
        raise DatasetError(f"{path}: found no readable MATLAB file ({error}), expected the weights of CNN") from error
    check_weights(stored, SHAPES, path)
    kernels = [stored[f"weights_b1_{number}"].reshape(-1, 3, 3, out).transpose(3, 0, 2, 1) for number, out in ((1, 64), (2, 128), (3, 256))]
    # The softmax of two maps asks for their difference only; the stored biases, which are nearly equal, are left out.
    lead = stored["weights_output"][..., 1] - stored["weights_output"][..., 0]
    lead = lead.reshape(2, 256, WINDOW, WINDOW).transpose(0, 3, 2, 1).reshape(2 * WINDOW**2, 256)

    def placed(array: np.ndarray) -> torch.Tensor:
        tensor = torch.from_numpy(np.ascontiguousarray(array, np.float32)).to(device)
        return tensor.contiguous(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor

    biases = tuple(placed(stored[f"biases_b1_{number}"][:, 0]) for number in (1, 2, 3))
    return Network(tuple(map(placed, kernels)), biases, placed(lead[:, :, None, None]))


def _lead(planes: torch.Tensor, net: Network) -> torch.Tensor:
    """What every cell says at every place of a window for the infrared: (64, ceil(h / 2), ceil(w / 2)) of planes (2, 1, h, w)."""
    features = functional.conv2d(planes, net.kernels[0], net.biases[0], padding=1).relu_()
    features = functional.conv2d(features, net.kernels[1], net.biases[1], padding=1).relu_()
    features = functional.max_pool2d(features, 2, ceil_mode=True)  # of values that are at least 0: as if padded with zeros
    features = functional.conv2d(features, net.kernels[2], net.biases[2], padding=1).relu_()
    first, second = net.last.split(WINDOW**2)
    return (functional.conv2d(features[:1], first) + functional.conv2d(features[1:], second))[0]


def _scores(infrared: Image, visible: Image, device: torch.device) -> np.ndarray:
    """Probability that the infrared is the sharper one in the 16x16 window at (2 i, 2 j): float64 (ceil(h / 2) - 7, ceil(w / 2) - 7)."""
    net, (height, width) = _network(device), infrared.shape
    planes = torch.from_numpy((np.stack([infrared, visible])[:, None] / 255).astype(np.float32)).to(device)
    cells = (height + 1) // 2 - WINDOW + 1, (width + 1) // 2 - WINDOW + 1
    total = torch.zeros(cells, device=device)
    with layers.inference():
        for rows, read in strips(infrared.shape, HALO, 2):
            start, stop = rows.start // 2, (rows.stop + 1) // 2
            lead = _lead(planes[:, :, read].contiguous(memory_format=torch.channels_last), net)
            lead = lead[:, start - read.start // 2 :]
            for row in range(WINDOW):
                there = slice(max(start - row, 0), min(stop - row, cells[0]))
                if there.start >= there.stop:
                    continue
                here = slice(there.start + row - start, there.stop + row - start)
                for column in range(WINDOW):
                    total[there] += lead[row * WINDOW + column, here, column : column + cells[1]]
        return torch.sigmoid(total.double()).cpu().numpy()


def _spread(cells: np.ndarray, shape: tuple[int, int]) -> Image:
    """Mean over the 16x16 windows that hold a pixel: float64 (h, w)."""
    for axis in range(2):
        padding = [(0, 0), (0, 0)]
        padding[axis] = (WINDOW - 1,) * 2
        counts = np.convolve(np.ones(cells.shape[axis]), np.ones(WINDOW))
        sums = np.lib.stride_tricks.sliding_window_view(np.pad(cells, padding), WINDOW, axis).sum(-1)
        cells = sums / (counts[:, None] if axis == 0 else counts)
    return cells.repeat(2, 0).repeat(2, 1)[: shape[0], : shape[1]]


def weight_map(infrared: Image, visible: Image, device: str = "auto") -> Image:
    """Weight of the infrared image at every pixel, from the network.

    Parameters
    ----------
    infrared, visible : array (h, w), grey levels 0..255
        Registered sources of one size, at least 2x2 pixels.
    device : str
        "auto", "cpu" or "cuda".

    Returns
    -------
    array (h, w), float64
        0..1; the mean over the windows of 16x16 pixels, two pixels apart, that hold the pixel.

    Raises
    ------
    ImageError, DatasetError, ValueError
        As in `fuse`.

    Notes
    -----
    Sides under 15 pixels, which hold no window, are brought to 15 by repeating the last row or column.

    References
    ----------
    Liu, Chen, Cheng, Peng and Wang 2018, doi 10.1142/S0219691318500182
    """
    infrared, visible = check_pair(infrared, visible)
    missing = [(0, max(SMALLEST - size, 0)) for size in infrared.shape]
    padded = [np.pad(image, missing, mode="edge") for image in (infrared, visible)]
    return _spread(_scores(padded[0], padded[1], layers.choose_device(device)), padded[0].shape)[: infrared.shape[0], : infrared.shape[1]]


def fuse(infrared: Image, visible: Image, device: str = "auto") -> Image:
    """Fuse two grey images with weights from a siamese network.

    Parameters
    ----------
    infrared, visible : array (h, w), grey levels 0..255
        Registered sources of one size, at least 2x2 pixels.
    device : str
        "auto", "cpu" or "cuda".

    Returns
    -------
    array (h, w), float64
        Grey levels 0..255; the published images are rounded.

    Raises
    ------
    ImageError
        If the sources are unfit; the message names what was found.
    DatasetError
        If the weights are not at hand or not those of this network.
    ValueError
        For an unknown `device`.

    Notes
    -----
    The network is used as the public demonstration uses it, without the bias of its last layer. Where neither band matches the other and
    their energies are equal, the visible one is taken; exchanged sources give nearly, not exactly the same, since the network was not
    trained to be symmetric. Identical sources come back. Departure: images with a side under 15 pixels, which the network cannot take,
    are accepted (see `weight_map`).

    References
    ----------
    Liu, Chen, Cheng, Peng and Wang 2018, doi 10.1142/S0219691318500182; the network is that of Liu, Chen, Peng and Wang 2017,
    doi 10.1016/j.inffus.2016.12.001
    """
    infrared, visible = check_pair(infrared, visible)
    return blend(infrared, visible, weight_map(infrared, visible, device))


def fuse_color(infrared: Image, visible: Image, device: str = "auto") -> Image:
    """Fuse an infrared and a coloured visible image: weights from the grey images, bands of each channel apart.

    Parameters
    ----------
    infrared : array (h, w), grey levels 0..255
        Fused with every channel.
    visible : array (h, w, 3) RGB, levels 0..255
        Registered with the infrared image.
    device : str
        "auto", "cpu" or "cuda".

    Returns
    -------
    array (h, w, 3) RGB, float64
        Levels 0..255.

    Raises
    ------
    ImageError, DatasetError, ValueError
        As in `fuse`.

    References
    ----------
    Liu, Chen, Cheng, Peng and Wang 2018, doi 10.1142/S0219691318500182
    """
    visible = np.asarray(visible)
    if visible.ndim != 3 or visible.shape[2] != 3:
        raise ImageError(f"visible: found an array of shape {visible.shape}, expected (h, w, 3)")
    channels = [check_pair(infrared, visible[..., channel]) for channel in range(3)]
    weight = weight_map(infrared, to_gray(visible), device)
    return np.stack([blend(*pair, weight) for pair in channels], axis=2)

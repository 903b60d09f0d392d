"""IFCNN: features of both sources, fused element by element and decoded by a small convolutional network."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch.nn import functional

from ivfnb.baselines.common import layers
from ivfnb.baselines.common.networks import check_weights, load_state, strips, weight_file
from ivfnb.baselines.common.pair import check_pair
from ivfnb.images import Image, ImageError

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, by channel, levels 0..1
NORMALISATIONS = ("imagenet", "none")
RULES: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "max": torch.maximum,
    "mean": lambda one, other: (one + other) / 2,
    "sum": torch.add,
}
HALO = 5  # rows that a result depends on above and below: 3, 1 and 1 of the convolutions
EPSILON = 1e-5  # added to the variances of the batch normalisation
SHAPES = {
    "conv1.weight": (64, 3, 7, 7),
    "conv4.weight": (3, 64, 1, 1),
    "conv4.bias": (3,),
    **{f"{layer}.conv.weight": (64, 64, 3, 3) for layer in ("conv2", "conv3")},
    **{f"{layer}.bn.{name}": (64,) for layer in ("conv2", "conv3") for name in ("weight", "bias", "running_mean", "running_var")},
}


class Layer(NamedTuple):
    """Kernel (out, in, rows, columns) and bias (out) of a convolution."""

    kernel: torch.Tensor
    bias: torch.Tensor


@cache
def _layers(rule: str, normalisation: str, channels: int, device: torch.device) -> list[Layer]:
    """The four convolutions, float32, from levels 0..1 to levels 0..1: normalisations of the image and of the batch are folded in.

    With one channel the image stands for three equal ones. Every padding repeats the edge, so that the folded form is the same network.
    """
    path = weight_file("IFCNN", f"IFCNN-{rule.upper()}.pth")
    state = load_state(path)
    state.pop("conv2.bn.num_batches_tracked", None), state.pop("conv3.bn.num_batches_tracked", None)
    check_weights(state, SHAPES, path)
    state = {name: value.double() for name, value in state.items()}
    identity = normalisation == "none"
    mean, deviation = (torch.tensor(values, dtype=torch.float64) for values in (((0,) * 3, (1,) * 3) if identity else (MEAN, DEVIATION)))
    kernel = state["conv1.weight"] / deviation[:, None, None]
    bias = -(kernel.sum((2, 3)) @ mean)
    layers = [Layer(kernel if channels == 3 else kernel.sum(1, keepdim=True), bias)]
    for name in ("conv2", "conv3"):
        scale = state[f"{name}.bn.weight"] / torch.sqrt(state[f"{name}.bn.running_var"] + EPSILON)
        offset = state[f"{name}.bn.bias"] - state[f"{name}.bn.running_mean"] * scale
        layers.append(Layer(state[f"{name}.conv.weight"] * scale[:, None, None, None], offset))
    layers.append(Layer(state["conv4.weight"] * deviation[:, None, None, None], state["conv4.bias"] * deviation + mean))
    return [
        Layer(layer.kernel.to(device, torch.float32, memory_format=torch.channels_last), layer.bias.to(device, torch.float32))
        for layer in layers
    ]


def _convolve(planes: torch.Tensor, layer: Layer) -> torch.Tensor:
    """Convolution of planes (n, channels, h, w) whose edges are repeated; the size is kept."""
    border = layer.kernel.shape[-1] // 2
    padded = functional.pad(planes, (border,) * 4, mode="replicate").contiguous(memory_format=torch.channels_last)
    return functional.conv2d(padded, layer.kernel, layer.bias)


def _fused_rgb(sources: Image, rule: str, normalisation: str, device: str) -> Image:
    """Fused uint8 (h, w, 3) of two sources (2, channels, h, w) of levels 0..255; values are truncated, as the published images were."""
    if rule not in RULES:
        raise ValueError(f"rule: found {rule!r}, expected one of {tuple(RULES)}")
    if normalisation not in NORMALISATIONS:
        raise ValueError(f"normalisation: found {normalisation!r}, expected one of {NORMALISATIONS}")
    where = layers.choose_device(device)
    first, second, third, last = _layers(rule, normalisation, sources.shape[1], where)
    planes = torch.from_numpy((sources / 255).astype(np.float32)).to(where)
    fused = np.empty((*sources.shape[2:], 3), np.uint8)
    with layers.inference():
        for rows, read in strips(sources.shape[2:], HALO):
            features = _convolve(_convolve(planes[:, :, read], first), second).relu_()
            features = RULES[rule](features[:1], features[1:])
            levels = _convolve(_convolve(features, third).relu_(), last)[0, :, rows.start - read.start : rows.stop - read.start]
            fused[rows] = levels.clamp_(0, 1).mul_(255).to(torch.uint8).permute(1, 2, 0).cpu().numpy()
    return fused


def fuse(infrared: Image, visible: Image, rule: str = "max", normalisation: str = "imagenet", device: str = "auto") -> Image:
    """Fuse the features of two grey images.

    Parameters
    ----------
    infrared, visible : array (h, w), grey levels 0..255
        Registered sources of one size, at least 2x2 pixels.
    rule : {"max", "mean", "sum"}
        How the features of the two are fused; each has weights of its own. The paper's for infrared and visible images is "max".
    normalisation : {"imagenet", "none"}
        Whether the sources are normalised with the mean and deviation of ImageNet, as in the published images, or not, as in the authors'
        later demonstration script.
    device : str
        "auto", "cpu" or "cuda".

    Returns
    -------
    array (h, w), float64
        Whole grey levels 0..255: the three channels of the network's output are truncated, then their luma is rounded.

    Raises
    ------
    ImageError
        If the sources are unfit; the message names what was found.
    DatasetError
        If the weights are not at hand or not those of this network.
    ValueError
        For an unknown `rule`, `normalisation` or `device`.

    Notes
    -----
    A grey source stands for three equal channels. Departure: the normalisations are folded into the convolutions, which changes the
    rounding in the seventh digit alone. Exchanged sources give the same; a source fused with itself comes back changed by a few levels,
    since the network is no exact decoder.

    References
    ----------
    Zhang, Liu, Sun, Yan, Zhao and Zhang 2020, doi 10.1016/j.inffus.2019.07.011
    """
    infrared, visible = check_pair(infrared, visible)
    rgb = _fused_rgb(np.stack([infrared, visible])[:, None], rule, normalisation, device)
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float64)


def fuse_color(infrared: Image, visible: Image, rule: str = "max", normalisation: str = "imagenet", device: str = "auto") -> Image:
    """Fuse an infrared and a coloured visible image; the network's three channels are the result.

    Parameters
    ----------
    infrared : array (h, w), grey levels 0..255
        It stands for three equal channels.
    visible : array (h, w, 3) RGB, levels 0..255
        Registered with the infrared image.
    rule, normalisation, device
        As in `fuse`.

    Returns
    -------
    array (h, w, 3) RGB, float64
        Whole levels 0..255.

    Raises
    ------
    ImageError, DatasetError, ValueError
        As in `fuse`.

    References
    ----------
    Zhang, Liu, Sun, Yan, Zhao and Zhang 2020, doi 10.1016/j.inffus.2019.07.011
    """
    visible = np.asarray(visible)
    if visible.ndim != 3 or visible.shape[2] != 3:
        raise ImageError(f"visible: found an array of shape {visible.shape}, expected (h, w, 3)")
    channels = [check_pair(infrared, visible[..., channel]) for channel in range(3)]
    sources = np.stack([np.stack([pair[role] for pair in channels]) for role in range(2)])
    return _fused_rgb(sources, rule, normalisation, device).astype(np.float64)

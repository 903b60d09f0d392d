"""NestFuse: a nested auto-encoder whose features are fused by spatial and channel attention."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeVar, cast

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from ivfnb.baselines.common import own_weights, weights
from ivfnb.baselines.common.layers import mirrored
from ivfnb.baselines.common.pair import check_pair
from ivfnb.images import Image

WIDTHS = (64, 112, 160, 208)  # channels of the four scales, finest first
WHOLE_UP_TO = 512  # pixels a side; larger images are fused as four blocks
STRIP = 30_000  # pixels that a block joins at once, so that what it works on stays small
SMALLEST = 16  # pixels a side the four scales need, so that each can be padded by reflection; smaller images are extended
AUTHORS_FILE = "nestfuse_1e2.model"
WEIGHTS = ("own", "authors")
EPSILON = 1e-5

Features = list[torch.Tensor]
Net = TypeVar("Net", bound=nn.Module)


class Convolution(nn.Module):
    """Convolution with reflected borders and ReLU: (n, in, h, w) -> (n, out, h, w)."""

    def __init__(self, channels_in: int, channels_out: int, side: int):
        super().__init__()
        self.conv2d = nn.Conv2d(channels_in, channels_out, side)
        self.border = side // 2

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Features of the same height and width, none below zero."""
        if self.border:
            features = functional.pad(features, (self.border,) * 4, mode="reflect")
        return functional.relu(self.conv2d(features), inplace=True)


class Block(nn.Module):
    """3x3 convolution to half the channels, then 1x1 to `channels_out`."""

    def __init__(self, channels_in: int, channels_out: int):
        super().__init__()
        half = channels_in // 2
        self.denseblock = nn.Sequential(Convolution(channels_in, half, 3), Convolution(half, channels_out, 1))

    def forward(self, *maps: torch.Tensor) -> torch.Tensor:
        """Features of the same height and width, of maps side by side. Where no graph is kept they are joined a strip of rows at a time."""
        height, width = maps[0].shape[-2:]
        count = height // max(STRIP // width, 3)
        if torch.is_grad_enabled() or count < 2:
            return self.denseblock(torch.cat(maps, 1) if len(maps) > 1 else maps[0])
        chunks = zip(*(each.tensor_split(count, dim=2) for each in maps), strict=True)
        strips = mirrored((chunk, number == count) for number, chunk in enumerate(chunks, 1))
        across, along = cast("tuple[Convolution, Convolution]", tuple(self.denseblock))
        return torch.cat([along(functional.relu(across.conv2d(padded), inplace=True)) for padded, _ in strips], 2)


def _doubled(coarse: torch.Tensor, fine: torch.Tensor) -> torch.Tensor:
    """Coarse features at the size of the fine ones: nearest, x2, and reflected at the borders where a side is odd."""
    larger = functional.interpolate(coarse, scale_factor=2.0, mode="nearest")
    rows, columns = fine.shape[-2] - larger.shape[-2], fine.shape[-1] - larger.shape[-1]
    if rows == columns == 0:
        return larger
    return functional.pad(larger, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2), mode="reflect")


class AutoEncoder(nn.Module):
    """Grey image (n, 1, h, w), levels 0..255, to features at four scales (h, h/2, h/4, h/8) and back; 2,732,761 parameters.

    Modules are named as in the authors' state dict: DB`scale`_`step`, step 0 being the encoder.
    """

    def __init__(self):
        super().__init__()
        one, two, three, four = WIDTHS
        self.conv0 = Convolution(1, 16, 1)
        self.DB1_0, self.DB2_0, self.DB3_0, self.DB4_0 = Block(16, one), Block(one, two), Block(two, three), Block(three, four)
        self.DB1_1, self.DB2_1, self.DB3_1 = Block(one + two, one), Block(two + three, two), Block(three + four, three)
        self.DB1_2, self.DB2_2 = Block(2 * one + two, one), Block(2 * two + three, two)
        self.DB1_3 = Block(3 * one + two, one)
        self.conv_out = Convolution(one, 1, 1)

    def encode(self, image: torch.Tensor) -> Features:
        """Features of an image (n, 1, h, w): (n, 64, h, w), (n, 112, h/2, w/2), (n, 160, h/4, w/4), (n, 208, h/8, w/8), rounded down."""
        features = [self.DB1_0(self.conv0(image))]
        for block in (self.DB2_0, self.DB3_0, self.DB4_0):
            features.append(block(functional.max_pool2d(features[-1], 2)))
        return features

    def decode(self, features: Features) -> torch.Tensor:
        """Image (n, 1, h, w) of features at four scales; levels are not bounded above."""
        one, two, three, four = features
        one_1 = self.DB1_1(one, _doubled(two, one))
        two_1 = self.DB2_1(two, _doubled(three, two))
        three_1 = self.DB3_1(three, _doubled(four, three))
        one_2 = self.DB1_2(one, one_1, _doubled(two_1, one))
        two_2 = self.DB2_2(two, two_1, _doubled(three_1, two))
        one_3 = self.DB1_3(one, one_1, one_2, _doubled(two_2, one))
        return self.conv_out(one_3)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """The image reconstructed from its own features."""
        return self.decode(self.encode(image))


def attention(infrared: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
    """Features of two sources (n, c, h, w) fused: mean of a weighting by channel means and one by the softmax of mean activations."""
    by_channel = [features.mean((2, 3), keepdim=True) for features in (infrared, visible)]
    total = by_channel[0] + by_channel[1] + EPSILON
    by_place = torch.softmax(torch.stack([features.mean(1, keepdim=True) for features in (infrared, visible)]), 0)
    shares = [(channel / total + place) / 2 for channel, place in zip(by_channel, by_place, strict=True)]
    return shares[0] * infrared + shares[1] * visible


def blocks(height: int, width: int) -> list[tuple[slice, slice]]:
    """Where an image is fused at once: the whole of it, or four overlapping blocks where a side is above 512 pixels."""
    if max(height, width) <= WHOLE_UP_TO:
        return [(slice(0, height), slice(0, width))]
    rows, columns = [(slice(0, min(side // 2 + 3, side)), slice(max(side // 2 - 2, 0), side)) for side in (height, width)]
    return [(row, column) for row in rows for column in columns]


def in_blocks(infrared: Image, visible: Image, fused: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], device: str) -> Image:
    """Fused image (h, w) as the network gives it, float64: block by block, the mean where blocks overlap; small blocks are mirrored."""
    total, count = np.zeros(infrared.shape), np.zeros(infrared.shape)
    for place in blocks(*infrared.shape):
        height, width = infrared[place].shape
        border = ((0, max(0, SMALLEST - height)), (0, max(0, SMALLEST - width)))
        pair = [np.pad(source[place], border, mode="symmetric") if np.any(border) else source[place] for source in (infrared, visible)]
        with torch.inference_mode():
            tensors = [torch.from_numpy(source.astype(np.float32))[None, None].to(device) for source in pair]
            result = fused(*(tensor.to(memory_format=torch.channels_last) for tensor in tensors))
        total[place] += result[0, 0, :height, :width].double().cpu().numpy()
        count[place] += 1
    return total / count


def stretched(result: Image, infrared: Image, visible: Image) -> Image:
    """Fused levels mapped from their minimum..maximum to 0..255 and truncated; without contrast, the truncated mean of the sources."""
    low, high = result.min(), result.max()
    if not high - low > 1e-4 * max(1.0, abs(high)):  # rounding alone; NaN would end here too
        return np.floor((infrared + visible) / 2)
    return np.floor((result - low) / (high - low) * 255)


def load(kind: str = "own", file: str | Path | None = None) -> AutoEncoder:
    """The auto-encoder in eval mode, float32, with this project's weights ("own") or the authors' ("authors"), or those of a `file`.

    ValueError where `kind` is unknown or the file's tensors are not the network's, DatasetError where the authors' file is not at hand.
    """
    if kind not in WEIGHTS:
        raise ValueError(f"weights: found {kind!r}, expected one of {WEIGHTS}")
    if kind == "own":
        return fast(own_weights.load(AutoEncoder(), file or own_weights.path("nestfuse")))
    file = Path(file) if file else authors_file("NestFuse", AUTHORS_FILE)
    return fast(own_weights.fill(AutoEncoder(), torch_state(file), file))


def fast(net: Net) -> Net:
    """The network with weights in the order of memory that is faster on a CPU."""
    return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # absent from torch's stubs


def authors_file(method: str, *names: str) -> Path:
    """First file at hand of these names among the published weights of a method; DatasetError where none is, of the first of them."""
    chosen = next((name for name in names if weights.is_at_hand(method, name)), names[0])
    return weights.files(method, chosen)[chosen]


def torch_state(file: str | Path, source=None) -> dict[str, torch.Tensor]:
    """State dict of a PyTorch file (or of the open `source` that stands for it), read without running code of it; ValueError names it."""
    try:
        state = torch.load(source or file, map_location="cpu", weights_only=True)
    except Exception as error:  # the reader's own errors have no common class
        raise ValueError(f"{file}: found no readable PyTorch file ({error}), expected a state dict") from error
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise ValueError(f"{file}: found {type(state).__name__}, expected a state dict of tensors")
    return {name.removeprefix("module."): tensor for name, tensor in state.items()}


_loaded = cache(load)


def fuse_with(net: AutoEncoder, infrared: Image, visible: Image, device: str = "cpu") -> Image:
    """Fused image of a given network, on the device the network is on; see `fuse`."""
    infrared, visible = check_pair(infrared, visible)

    def fused(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        return net.decode([attention(*scale) for scale in zip(net.encode(first), net.encode(second), strict=True)])

    return stretched(in_blocks(infrared, visible, fused, device), infrared, visible)


def fuse(infrared: Image, visible: Image, weights: str = "own") -> Image:
    """Fuse a pair with NestFuse.

    Parameters
    ----------
    infrared, visible : array (h, w), grey levels 0..255
        Of one size, at least 2x2 pixels.
    weights : {"own", "authors"}
        "own": trained by this project (`scripts/train_baselines.py`); "authors": the authors' file, where it was fetched.

    Returns
    -------
    array (h, w), float64
        Whole grey levels 0..255: stretched from the output's minimum..maximum and truncated, as the authors save them.

    Raises
    ------
    ImageError
        If an image is no grey image, or the two differ in size.
    DatasetError
        If the authors' weights are asked for and are not at hand.

    Notes
    -----
    Images with a side above 512 pixels are fused as four overlapping blocks, as in the authors' script, each with its own channel weights.
    Departures: the softmax of the spatial weights is computed in its stable form; images below 16 pixels a side are extended by mirroring,
    which the network cannot take otherwise; where the output has no contrast the mean of the sources is returned.

    References
    ----------
    Li, Wu and Durrani 2020, doi 10.1109/TIM.2020.3005230
    """
    return fuse_with(_loaded(weights), infrared, visible)

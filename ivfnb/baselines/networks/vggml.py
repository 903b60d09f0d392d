"""VggML: details weighed by what several layers of VGG-19 make of them, the largest of the weighted details taken."""

from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch.nn import functional

from ivfnb.baselines.common import layers, weights
from ivfnb.baselines.common.networks import check_weights, strips, weight_file
from ivfnb.baselines.common.pair import check_pair
from ivfnb.baselines.convsr import base_layer
from ivfnb.datasets import DatasetError
from ivfnb.images import Image, ImageError

TAPS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1")  # layers asked, each at half the resolution of the one before
# The layers of VGG-19 up to the last tap in order: number of the file, channels in and out.
CHANNELS = {
    "conv1_1": (3, 64),
    "conv1_2": (64, 64),
    "conv2_1": (64, 128),
    "conv2_2": (128, 128),
    "conv3_1": (128, 256),
    "conv3_2": (256, 256),
    "conv3_3": (256, 256),
    "conv3_4": (256, 256),
    "conv4_1": (256, 512),
}
# Rows of the image that a tap depends on above and below, up to the next multiple of the taps' steps.
HALOS = {"conv1_1": 1, "conv2_1": 4, "conv3_1": 12, "conv4_1": 32}


class Layer(NamedTuple):
    """Kernel (out, in, 3, 3) and bias (out) of a convolution."""

    kernel: torch.Tensor
    bias: torch.Tensor


def _file_names(layer: str) -> tuple[str, ...]:
    """Names of the files that hold a layer: kernel (rows, columns, in, out), then bias, cut into shards of 4 MiB."""
    number = list(CHANNELS).index(layer) + 1
    shards = 2 if layer == "conv4_1" else 1
    return tuple(f"group{number}-shard{shard}of{shards}" for shard in range(1, shards + 1))


def taps_at_hand() -> tuple[str, ...]:
    """Layers whose files, and those of all layers before, are at hand, first to last.

    Returns
    -------
    tuple of str
        The first of `TAPS`; the fourth needs both shards of its layer.

    Raises
    ------
    DatasetError
        If no weights are at hand; the message names the command that gets them.
    """
    weights.files("VggML")
    at_hand = []
    for layer in CHANNELS:
        if not weights.is_at_hand("VggML", *_file_names(layer)):
            break
        at_hand.append(layer)
    return tuple(tap for tap in TAPS if tap in at_hand)


@cache
def _layer(name: str, device: torch.device) -> Layer:
    """One layer of VGG-19, float32. The first takes one channel, which stands for three equal ones."""
    files = [weight_file("VggML", file) for file in _file_names(name)]
    into, out = CHANNELS[name]
    values = np.concatenate([np.fromfile(file, "<f4") for file in files])
    if values.size != out * (9 * into + 1):
        raise DatasetError(f"{files[0]}: found {values.size} numbers of {name}, expected {out * (9 * into + 1)}")
    check_weights({name: values}, {name: values.shape}, files[0])
    kernel = torch.from_numpy(values[:-out].reshape(3, 3, into, out).transpose(3, 2, 0, 1).copy())
    if name == "conv1_1":
        kernel = kernel.sum(1, keepdim=True)
    return Layer(kernel.to(device, memory_format=torch.channels_last), torch.from_numpy(values[-out:].copy()).to(device))


def _activities(planes: torch.Tensor, last: str) -> list[torch.Tensor]:
    """Sums over the channels of the taps' absolute values before rectification, up to the tap `last`: (n, h // 2**k, w // 2**k) each."""
    sums, features = [], planes.contiguous(memory_format=torch.channels_last)
    for name in CHANNELS:
        if name in TAPS[1:]:
            features = functional.max_pool2d(features, 2)
        layer = _layer(name, planes.device)
        features = functional.conv2d(features, layer.kernel, layer.bias, padding=1)
        if name in TAPS:
            sums.append(torch.linalg.vector_norm(features, 1, 1))
        if name == last:
            break
        features = features.relu_()
    return sums


def _all_activities(details: np.ndarray, last: str, device: torch.device) -> list[np.ndarray]:
    """`_activities` of two details (2, h, w) of levels -1..1, computed strip by strip: float64."""
    planes = torch.from_numpy(details[:, None].astype(np.float32)).to(device)
    shape, count = details.shape[1:], TAPS.index(last) + 1
    found = [np.zeros((2, *(size >> scale for size in shape))) for scale in range(count)]
    # A layer whose features would have no rows or columns left is not reached.
    depth = min(count, int(min(shape)).bit_length())
    step = 1 << (count - 1)
    with layers.inference():
        for rows, read in strips(shape, HALOS[last], step):
            strip = planes[:, :, read]
            reached = min(depth, strip.shape[2].bit_length())
            for scale, sums in enumerate(_activities(strip, TAPS[reached - 1])):
                start, stop = rows.start >> scale, min(rows.stop, shape[0]) >> scale
                skipped = start - (read.start >> scale)
                found[scale][:, start:stop] = sums[:, skipped : skipped + stop - start].cpu().numpy()
    return found


def _candidate(details: np.ndarray, sums: np.ndarray, side: int) -> Image:
    """Details weighed by 3x3 means of a tap's sums, one for each square of `side` pixels, the last repeated to the border: (h, w)."""
    means = [cv2.boxFilter(plane, -1, (3, 3), borderType=cv2.BORDER_CONSTANT) for plane in sums]
    total = means[0] + means[1]
    weight = np.divide(means[0], total, out=np.full_like(total, 0.5), where=total > 0)
    rows, columns = (
        np.minimum(np.arange(size) // side, squares - 1) for size, squares in zip(details.shape[1:], weight.shape, strict=True)
    )
    weight = weight[rows[:, None], columns]
    return weight * details[0] + (1 - weight) * details[1]


def fuse(infrared: Image, visible: Image, taps: tuple[str, ...] | None = None, device: str = "auto") -> Image:
    """Mean of the base layers plus the largest of the details as weighed by each layer asked.

    Parameters
    ----------
    infrared, visible : array (h, w), grey levels 0..255
        Registered sources of one size, at least 2x2 pixels.
    taps : tuple of str, optional
        Layers of VGG-19 that are asked, of `TAPS`; all that are at hand (`taps_at_hand`) where none are named. The paper asks all four.
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
        If weights of a layer are not at hand or not those of this network.
    ValueError
        For unknown `taps` or `device`.

    Notes
    -----
    As in the published images, the layers are asked before rectification, the mean of VGG's photographs is not subtracted, and where a
    side is no multiple of a layer's step the last weights are repeated to the border. The details, of levels -1..1, are so small beside
    the network's biases, which belong to levels 0..255, that the result is nearly the plain mean of the sources. Exchanged sources give the
    same, and a source fused with itself comes back. An image too small for a layer is fused without it.

    References
    ----------
    Li, Wu and Kittler 2018, doi 10.1109/ICPR.2018.8546006
    """
    infrared, visible = check_pair(infrared, visible)
    if taps is not None and (not taps or set(taps) - set(TAPS)):
        raise ValueError(f"taps: found {taps!r}, expected some of {TAPS}")
    where = layers.choose_device(device)
    asked = taps_at_hand() if taps is None else tuple(tap for tap in TAPS if tap in taps)
    sources = np.stack([infrared, visible]) / 255
    bases = np.stack([base_layer(source) for source in sources])
    details = sources - bases
    sums = _all_activities(details, asked[-1], where)
    scales = [scale for scale, tap in enumerate(TAPS) if tap in asked and sums[scale].size]
    if not scales:
        raise ImageError(f"infrared: found shape {infrared.shape}, expected sides of at least {1 << TAPS.index(asked[0])} for {asked}")
    candidates = [_candidate(details, sums[scale], 1 << scale) for scale in scales]
    return 255 * np.clip(bases.mean(axis=0) + np.maximum.reduce(candidates), 0, 1)

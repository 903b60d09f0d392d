"""U2Fusion: one densely connected network for several kinds of fusion, trained without a ground truth."""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ivfnb.baselines.common import layers, tensor_bundle, weights
from ivfnb.baselines.common.layers import Convolution, Stream, convolved
from ivfnb.baselines.common.pair import check_pair
from ivfnb.images import Image, ImageError, from_ycbcr, to_ycbcr

METHOD = "U2Fusion"
SCOPES = {
    "Generator/encoder": ("conv1_1", *(f"dense_block_conv{number}" for number in range(1, 6))),
    "Generator_1/decoder": ("conv2_1", "conv2_2", "conv2_3", "conv2_4"),
}
ORDERS = ("infrared first", "visible first")
SLOPE = 0.2  # of negative values in the leaky ReLU
DEPTH, PIXELS = 10, 25_000  # 3x3 convolutions; pixels computed at a time


@lru_cache(maxsize=2)
def _network(device: torch.device) -> tuple[list[Convolution], list[Convolution]]:
    names = [[f"{scope}/{layer}" for layer in parts] for scope, parts in SCOPES.items()]
    wanted = [f"{name}/{kind}" for part in names for name in part for kind in ("kernel", "bias")]
    stored = tensor_bundle.read(weights.files(METHOD)["model.ckpt.index"], wanted)
    encoder, decoder = ([layers.of_tensorflow(stored[f"{name}/kernel"], stored[f"{name}/bias"], device) for name in part] for part in names)
    return encoder, decoder


def generated(pair: Stream, encoder: list[Convolution], decoder: list[Convolution]) -> Stream:
    """Fused image, 0..1, of the two channels of a pair, 0..1; each dense layer sees all outputs before it, the newest first."""
    first, *dense = encoder
    *inner, last = decoder
    code = convolved(pair, first, _leaky)
    for layer in dense:
        code = convolved(code, layer, _leaky, dense="newest first")
    for layer in inner:
        code = convolved(code, layer, _leaky)
    return convolved(code, last, lambda image: image.tanh_().div_(2).add_(0.5))


def _leaky(features: Tensor) -> Tensor:
    return functional.leaky_relu_(features, SLOPE)


def fuse(infrared: Image, visible: Image, order: str = "infrared first", stretch: str = "range", device: str = "auto") -> Image:
    """What the network makes of both sources: float64 (h, w), levels 0..255; the published images are rounded.

    Parameters
    ----------
    infrared, visible : arrays (h, w), grey levels 0..255
        Any one size of at least 2x2 pixels.
    order : str
        Which source is the network's first channel. "infrared first" is how the published TNO images were made, "visible first" what the
        authors' script does.
    stretch : str
        "range" stretches the output to 0..255, as the published TNO images were saved; "maximum", what the authors' script does, maps
        0..maximum to it; "none" takes the output as it is.
    device : str
        "auto" (CUDA where there is one), "cpu" or "cuda".

    Returns
    -------
    array (h, w) of float64
        Two sources without contrast leave nothing to stretch and are treated as by "none".

    Raises
    ------
    ImageError
        For unfit images.
    WeightsError
        Where the weights are not at hand; it names the command that fetches them.
    ValueError
        For unknown parameters.

    Notes
    -----
    The weights are the authors'. Computed in float32.

    References
    ----------
    Xu, Ma, Jiang, Guo and Ling 2022, doi 10.1109/TPAMI.2020.3012548
    """
    infrared, visible = check_pair(infrared, visible)
    layers.check_stretch(stretch, layers.STRETCHES)
    if order not in ORDERS:
        raise ValueError(f"order: found {order!r}, expected one of {ORDERS}")
    chosen = layers.choose_device(device)
    network = _network(chosen)
    pair = (infrared / 255, visible / 255) if order == ORDERS[0] else (visible / 255, infrared / 255)
    with layers.inference():
        output = layers.gathered(generated(layers.streamed(layers.stack(*pair, device=chosen), DEPTH, PIXELS), *network))
    return layers.saved(output, 255.0, stretch=stretch)


def fuse_color(infrared: Image, visible: Image, order: str = "visible first", stretch: str = "range", device: str = "auto") -> Image:
    """Fuse an infrared and a coloured visible image as VIFB's run did: the fused image becomes the luma of the visible one.

    Parameters
    ----------
    infrared : array (h, w), grey levels 0..255
    visible : array (h, w, 3) RGB, levels 0..255
        Its luma (ITU-R BT.601, full range) is fused.
    order, stretch, device
        As in `fuse`.

    Returns
    -------
    array (h, w, 3) RGB, float64
        Levels 0..255.

    Raises
    ------
    ImageError, WeightsError, ValueError
        As in `fuse`.

    Notes
    -----
    As in VIFB's run the fused levels, 0..255, stand for the luma of a limited range (16..235), so that the colours come out brighter and
    darker than a full-range conversion would give them.

    References
    ----------
    Zhang, Ye and Xiao 2020, doi 10.1109/CVPRW50498.2020.00060
    """
    visible = np.asarray(visible)
    if visible.ndim != 3 or visible.shape[2] != 3:
        raise ImageError(f"visible: found an array of shape {visible.shape}, expected (h, w, 3)")
    luma, chroma = to_ycbcr(visible)[..., 0], to_ycbcr(visible)[..., 1:]
    fused = fuse(infrared, luma, order, stretch, device)
    return from_ycbcr(np.dstack([(fused - 16) * 255 / 219, chroma]))

"""MEF-GAN: a local branch and one of self-attention, merged; trained to fuse exposures, here given infrared and visible images."""

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ivfnb.baselines.common import layers, tensor_bundle, weights
from ivfnb.baselines.common.layers import Convolution, Stream, convolved
from ivfnb.baselines.common.pair import check_pair
from ivfnb.images import Image, ImageError

METHOD = "MEF-GAN"
ORDERS = ("visible first", "infrared first")
BORDERS = ("cropped", "mirrored")
LUMA = (0.299, 0.587, 0.114)
MULTIPLE = 8  # of which the sides must be multiples
SLOPE, EPSILON = 0.2, 1e-3  # of the leaky ReLU, of the batch norms
PIXELS, QUERIES = 25_000, 1 << 24  # computed at a time: pixels, and pairs of positions of the attention


class Names(NamedTuple):
    """Scopes of a layer's variables in the checkpoint: kernel and bias, batch norm, the vector u of the spectral norm; or ""."""

    kernel: str
    norm: str
    spectral: str


def _names(number: int, layer: str, spectral: bool) -> Names:
    shared = f"Generator/{layer}/b"
    return Names(f"Generator{f'_{number}' if number else ''}/{layer}", f"{shared}/batch_normalization", shared if spectral else "")


LOCAL = [_names(number, f"Local_net/conv{number + 1}", number > 0) for number in range(5)]
ENCODER = [_names(5, "Sa_net/encoder/conv1", False), _names(6, "Sa_net/encoder/conv2", True)]
ATTENTION = [
    Names(f"Generator_7/self_attention/{part}", "", f"Generator/self_attention/{part}/{part}") for part in ("f_conv", "g_conv", "h_conv")
]
GAMMA = "Generator_7/self_attention/gamma"
DECODER = [_names(8, "Sa_net/decoder/conv1", True), _names(9, "Sa_net/decoder/conv2", True)]
MERGE = [_names(10, "Merge_net/conv1", True), _names(11, "Merge_net/conv3", True), _names(12, "Merge_net/conv4", False)]
MOMENTS = ("gamma", "beta", "moving_mean", "moving_variance")


class Network(NamedTuple):
    """The layers of both branches and of the merging part, spectral and batch norms folded in, and the attention's share gamma."""

    local: list[Convolution]
    encoder: list[Convolution]
    attention: list[Convolution]
    decoder: list[Convolution]
    merge: list[Convolution]
    gamma: float


def variables() -> list[str]:
    """Names of the variables of the checkpoint that the generator needs."""
    found = [GAMMA]
    for names in (*LOCAL, *ENCODER, *ATTENTION, *DECODER, *MERGE):
        found += [f"{names.kernel}/kernel", f"{names.kernel}/bias"]
        found += [f"{names.norm}/{moment}" for moment in MOMENTS if names.norm]
        found += [f"{names.spectral}/u"] if names.spectral else []
    return found


def spectrally_normalised(kernel: np.ndarray, u: np.ndarray) -> np.ndarray:
    """A kernel (height, width, in, out) over its largest singular value, as one power iteration from `u` (1, out) estimates it."""
    matrix = kernel.reshape(-1, kernel.shape[-1])
    left = u @ matrix.T
    left /= np.linalg.norm(left) + 1e-12
    right = left @ matrix
    right /= np.linalg.norm(right) + 1e-12
    return kernel / (left @ matrix @ right.T).item()


def of_checkpoint(index: Path, device: torch.device) -> Network:
    """Network with the values of a TensorFlow checkpoint. ValueError where variables are absent."""
    stored = {name: value.astype(np.float64) for name, value in tensor_bundle.read(index, variables()).items()}

    def folded(names: Names) -> Convolution:
        kernel, bias = stored[f"{names.kernel}/kernel"], stored[f"{names.kernel}/bias"]
        if names.spectral:
            kernel = spectrally_normalised(kernel, stored[f"{names.spectral}/u"])
        if names.norm:
            gamma, beta, average, variance = (stored[f"{names.norm}/{moment}"] for moment in MOMENTS)
            scale = gamma / np.sqrt(variance + EPSILON)
            kernel, bias = kernel * scale, (bias - average) * scale + beta
        return layers.of_tensorflow(kernel, bias, device)

    local, encoder, attention, decoder, merge = ([folded(names) for names in part] for part in (LOCAL, ENCODER, ATTENTION, DECODER, MERGE))
    return Network(local, encoder, attention, decoder, merge, stored[GAMMA].item())


@lru_cache(maxsize=2)
def _network(device: torch.device) -> Network:
    return of_checkpoint(weights.files(METHOD)["model.ckpt.index"], device)


def _leaky(features: Tensor) -> Tensor:
    return functional.leaky_relu_(features, SLOPE)


def _strided(features: Tensor, layer: Convolution, stride: int = 1) -> Tensor:
    padded = functional.pad(features, (1, 1, 1, 1), mode="reflect")
    return _leaky(functional.conv2d(padded, layer.weight, layer.bias, stride)[:, : layer.channels])


def _doubled(features: Tensor) -> Tensor:
    return functional.interpolate(features, scale_factor=2, mode="nearest")


def attended(features: Tensor, attention: list[Convolution], gamma: float) -> Tensor:
    """Features plus `gamma` times what every position finds at all others: (1, c, h, w). The scores are computed some rows at a time."""
    keys, queries, values = (functional.conv2d(features, layer.weight, layer.bias)[0, : layer.channels].flatten(1) for layer in attention)
    rows = max(QUERIES // keys.shape[1], 1)
    found = torch.empty_like(values)  # in one piece: small results between the large scores would leave the memory in pieces
    for part, place in zip(queries.split(rows, dim=1), found.split(rows, dim=1), strict=True):
        place.copy_(values @ torch.softmax(part.T @ keys, dim=1).T)
    return features + gamma * found.reshape(features.shape)


def context(pair: Tensor, network: Network) -> Tensor:
    """The branch of self-attention: 16 maps of the whole size from an eighth of it."""
    features = functional.max_pool2d(_strided(pair, network.encoder[0], 2), 2)
    features = attended(_strided(features, network.encoder[1], 2), network.attention, network.gamma)
    for layer in network.decoder:
        features = _strided(_doubled(features), layer)
    return _doubled(features)


def generate(pair: Tensor, network: Network) -> Tensor:
    """Fused colour image (1, 3, h, w), 0..1, of two colour images (1, 6, h, w), 0..1, whose sides are multiples of 8."""
    around = context(pair, network)
    local = convolved(layers.streamed(pair, len(network.local) + len(network.merge), PIXELS), network.local[0], _leaky)
    for layer in network.local[1:]:
        local = convolved(local, layer, _leaky, dense="newest last")
    merged = _beside(local, around)
    for layer in network.merge[:-1]:
        merged = convolved(merged, layer, _leaky)
    return layers.gathered(convolved(merged, network.merge[-1], lambda image: image.tanh_().div_(2).add_(0.5)))


def _beside(stream: Stream, features: Tensor) -> Stream:
    """A stream with the same rows of `features` behind its maps."""
    top = 0
    for maps, last in stream:
        bottom = top + maps[0].shape[2]
        yield (*maps, features[:, :, top:bottom]), last
        top = bottom


def fuse(
    infrared: Image, visible: Image, order: str = "visible first", border: str = "cropped", stretch: str = "range", device: str = "auto"
) -> Image:
    """What the generator makes of both sources: float64 levels 0..255, grey.

    Parameters
    ----------
    infrared, visible : arrays (h, w), grey levels 0..255
        Of one size, each given to the network as three equal channels.
    order : str
        Which source takes the place of the over-exposed image, the network's first three channels: "visible first" or "infrared first".
        How the published images were made is not known.
    border : str
        "cropped" cuts both sources to multiples of 8 at the top left, as the authors' script does and the published images show;
        "mirrored" mirrors them up to the next multiple and cuts the result back, which keeps the size.
    stretch : str
        "range" stretches the luma to 0..255, which all published images, grey ones, fill; "none" takes it as it is.
    device : str
        "auto" (CUDA where there is one), "cpu" or "cuda".

    Returns
    -------
    array of float64
        (h, w), cut down to multiples of 8 where `border` is "cropped"; the luma of the network's colour image.

    Raises
    ------
    ImageError
        For unfit images, or where cropping leaves nothing of them.
    WeightsError
        Where the weights are not at hand; it names the command that fetches them.
    ValueError
        For unknown parameters, or a checkpoint that is not the generator's.

    Notes
    -----
    The recipe is that of the authors' code; with their weights it has not been compared with the published images. Computed in float32.

    References
    ----------
    Xu, Ma and Zhang 2020, doi 10.1109/TIP.2020.2999855
    """
    infrared, visible = check_pair(infrared, visible)
    layers.check_stretch(stretch)
    for name, value, known in (("order", order, ORDERS), ("border", border, BORDERS)):
        if value not in known:
            raise ValueError(f"{name}: found {value!r}, expected one of {known}")
    height, width = infrared.shape
    if border == "cropped":
        height, width = height // MULTIPLE * MULTIPLE, width // MULTIPLE * MULTIPLE
        if not height * width:
            raise ImageError(f"infrared: found shape {infrared.shape}, expected at least 8x8 pixels to crop to multiples of 8")
        infrared, visible = infrared[:height, :width], visible[:height, :width]
    chosen = layers.choose_device(device)
    network = _network(chosen)
    missing = (0, -height % MULTIPLE), (0, -width % MULTIPLE)
    pair = [
        np.pad(image / 255, missing, mode="symmetric") for image in ((visible, infrared) if order == ORDERS[0] else (infrared, visible))
    ]
    with layers.inference():
        output = generate(layers.stack(*(plane for plane in pair for _ in range(3)), device=chosen), network)
        luma = (output * torch.tensor(LUMA, device=chosen).view(1, 3, 1, 1)).sum(1, keepdim=True)
    return layers.saved(luma[:, :, :height, :width], 255.0, stretch=stretch)

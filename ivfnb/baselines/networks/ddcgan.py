"""DDcGAN: a generator trained against two discriminators, one for each source."""

from functools import lru_cache
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ivfnb import paths
from ivfnb.baselines.common import layers, tensor_bundle, weights
from ivfnb.baselines.common.layers import Convolution
from ivfnb.baselines.common.pair import check_pair
from ivfnb.images import Image

METHOD = "DDcGAN"
OWN = "ddcgan.safetensors"  # in data/weights/: what was trained here, in half precision
TRAINED = ("by the authors", "here")
WIDTH, DENSE = 48, 4  # maps of each encoder layer, densely connected layers
DECODER = (240, 128, 64, 32)  # maps after each inner layer of the decoder
EPSILON = 1e-3  # of the batch norms
PIXELS = 25_000  # computed at a time


class Generator(nn.Module):
    """The network: a pair (n, 2, h, w) of visible and infrared, 0..1, to a fused image (n, 1, h, w), 0..1.

    Parameters
    ----------
    width : int
        Maps of each layer of the encoder.
    dense : int
        Densely connected layers behind the encoder's first.
    decoder : tuple of int
        Maps after each inner layer of the decoder. The first layer keeps the number of maps of the code, width * (dense + 1), since it
        is applied twice, first without and then with batch norm, as in the authors' code.

    Notes
    -----
    All convolutions are 3x3, their border mirrored; ReLU; in training and in use alike the batch norms take the moments of the batch at
    hand. Each dense layer sees the outputs of all before it, the newest first.
    """

    def __init__(self, width: int = WIDTH, dense: int = DENSE, decoder: tuple[int, ...] = DECODER):
        super().__init__()
        sizes = [2, *(width * number for number in range(1, dense + 2))]
        if decoder[0] != sizes[-1]:
            raise ValueError(f"decoder: found {decoder[0]} maps after the first layer, expected the code's {sizes[-1]}")
        outs = [*decoder, 1]
        self.encoder = nn.ModuleList(_convolution(size, width) for size in sizes[:-1])
        self.encoder_norms = nn.ModuleList(_norm(width) for _ in self.encoder)
        self.decoder = nn.ModuleList(map(_convolution, [sizes[-1], *outs], outs))
        self.decoder_norms = nn.ModuleList(_norm(size) for size in decoder)

    def forward(self, pair: Tensor) -> Tensor:
        """Fused images (n, 1, h, w) of pairs (n, 2, h, w)."""
        code = pair
        for number, (layer, norm) in enumerate(zip(self.encoder, self.encoder_norms, strict=True)):
            new = functional.relu(norm(layer(code)))
            code = torch.cat((new, code), dim=1) if number else new
        code = functional.relu(self.decoder[0](code))
        for layer, norm in zip(self.decoder, self.decoder_norms, strict=False):
            code = functional.relu(norm(layer(code)))
        return torch.tanh(self.decoder[-1](code)) / 2 + 0.5


def _convolution(maps_in: int, maps_out: int) -> nn.Conv2d:
    return nn.Conv2d(maps_in, maps_out, 3, padding=1, padding_mode="reflect")


def _norm(maps: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(maps, eps=EPSILON, track_running_stats=False)


def tensorflow_names() -> dict[str, str]:
    """Parameter of `Generator()` -> variable of the authors' checkpoint."""
    encoder = ["conv1_1", *(f"dense_block_conv{number}" for number in range(1, DENSE + 1))]
    decoder = ["conv2_1", "conv2_1_1", "conv2_2", "conv2_3", "conv2_4"]
    scopes = {f"encoder.{number}": f"Generator/encoder/{name}" for number, name in enumerate(encoder)}
    scopes |= {f"decoder.{number}": f"Generator_1/decoder/{name}" for number, name in enumerate(decoder)}
    norms = {
        f"{part}_norms.{number}": f"Generator/{part}/b{number}"
        for part, count in (("encoder", 5), ("decoder", 4))
        for number in range(count)
    }
    names = {
        f"{own}.{kind}": f"{scope}/{theirs}" for own, scope in scopes.items() for kind, theirs in (("weight", "kernel"), ("bias", "bias"))
    }
    return names | {
        f"{own}.{kind}": f"{scope}/batch_normalization/{theirs}"
        for own, scope in norms.items()
        for kind, theirs in (("weight", "gamma"), ("bias", "beta"))
    }


def of_checkpoint(index: Path) -> Generator:
    """Generator with the values of a TensorFlow checkpoint. ValueError where a variable is absent or of another shape."""
    names = tensorflow_names()
    stored = tensor_bundle.read(index, names.values())
    generator = Generator()
    own = generator.state_dict()
    state = {}
    for name, theirs in names.items():
        value = stored[theirs].transpose(3, 2, 0, 1) if stored[theirs].ndim == 4 else stored[theirs]
        if value.shape != tuple(own[name].shape):
            raise ValueError(f"{index}: found {theirs} of shape {stored[theirs].shape}, expected it to fit {tuple(own[name].shape)}")
        state[name] = torch.from_numpy(np.ascontiguousarray(value, np.float32))
    generator.load_state_dict(state)
    return generator


def own_weights() -> Path:
    """The file of weights trained here, whether it is there or not."""
    return paths.root() / "data" / "weights" / OWN


@lru_cache(maxsize=2)
def _network(trained: str, device: torch.device) -> Generator:
    if trained == TRAINED[0]:
        generator = of_checkpoint(weights.files(METHOD)["model.ckpt.index"])
    else:
        from safetensors.torch import load_file

        if not own_weights().is_file():
            raise weights.WeightsError(f"{METHOD}: found no {own_weights()}, expected weights trained here; or take trained={TRAINED[0]!r}")
        generator = Generator()
        generator.load_state_dict({name: value.float() for name, value in load_file(own_weights()).items()})
    return generator.eval().requires_grad_(False).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # absent from torch's stubs


def generate(pair: Tensor, generator: Generator) -> Tensor:
    """What `generator(pair)` gives for one pair (1, 2, h, w), in far less memory: every layer writes over what it no longer needs."""
    height, width = pair.shape[2:]
    encoder, decoder = cast(list[nn.Conv2d], list(generator.encoder)), cast(list[nn.Conv2d], list(generator.decoder))
    encoder_norms = cast(list[nn.BatchNorm2d], list(generator.encoder_norms))
    decoder_norms = cast(list[nn.BatchNorm2d], list(generator.decoder_norms))
    size = decoder[0].in_channels
    code = torch.empty((1, size, height, width), device=pair.device, memory_format=torch.channels_last)
    source, start = pair, size
    for layer, norm in zip(encoder, encoder_norms, strict=True):
        start -= layer.out_channels
        _layer(source, layer, norm, code[:, start : start + layer.out_channels])
        source = code[:, start:]
    source = _layer(source, decoder[0], None, code)
    for layer, norm in zip(decoder, decoder_norms, strict=False):
        source = _layer(source, layer, norm, code[:, : layer.out_channels])
    last = decoder[-1]
    return layers.gathered(
        layers.convolved(
            layers.streamed(source, 1, PIXELS), Convolution(last.weight, last.bias, 1), lambda image: image.tanh_().div_(2).add_(0.5)
        )
    )


def _layer(source: Tensor, layer: nn.Conv2d, norm: nn.BatchNorm2d | None, target: Tensor) -> Tensor:
    """Convolution, batch norm and ReLU of `source` into `target`, which may be the same memory: rows are written when they were read."""
    top, convolution = 0, Convolution(layer.weight, layer.bias, layer.out_channels)
    for (rows,), _ in layers.convolved(layers.streamed(source, 1, PIXELS), convolution, lambda new: new if norm else new.relu_()):
        target[:, :, top : top + rows.shape[2]] = rows
        top += rows.shape[2]
    return target if norm is None else layers.own_batch_norm_(target, norm.weight, norm.bias, norm.eps).relu_()


def fuse(infrared: Image, visible: Image, trained: str = "by the authors", stretch: str = "range", device: str = "auto") -> Image:
    """What the generator makes of both sources: float64 (h, w), levels 0..255.

    Parameters
    ----------
    infrared, visible : arrays (h, w), grey levels 0..255
        Any one size of at least 2x2 pixels.
    trained : str
        "by the authors" takes their checkpoint, "here" the weights in data/weights/ddcgan.safetensors.
    stretch : str
        "range" stretches the output to 0..255, as the authors' script saves it; "none" takes the output as it is.
    device : str
        "auto" (CUDA where there is one), "cpu" or "cuda".

    Returns
    -------
    array (h, w) of float64
        The published images are crops, at the top left, to multiples of 4; this one is not cropped.

    Raises
    ------
    ImageError
        For unfit images.
    WeightsError
        Where the weights are not at hand; it names the command that fetches them.
    ValueError
        For unknown parameters, or a checkpoint that is not the generator's.

    Notes
    -----
    The recipe is that of the authors' code for sources of one size; with their weights it has not been compared with the published images.
    Computed in float32. The batch norms take the moments of the image at hand, so that a part of an image is fused otherwise than the
    same part inside it.

    References
    ----------
    Ma, Xu, Jiang, Mei and Zhang 2020, doi 10.1109/TIP.2020.2977573
    """
    infrared, visible = check_pair(infrared, visible)
    layers.check_stretch(stretch)
    if trained not in TRAINED:
        raise ValueError(f"trained: found {trained!r}, expected one of {TRAINED}")
    chosen = layers.choose_device(device)
    generator = _network(trained, chosen)
    with layers.inference():
        output = generate(layers.stack(visible / 255, infrared / 255, device=chosen), generator)
    return layers.saved(output, 255.0, stretch=stretch)

"""DenseFuse: both sources encoded by one densely connected network, the codes added, and the sum decoded."""

import zipfile
import zlib
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from ivfnb.baselines.common import layers, tensor_bundle, weights
from ivfnb.baselines.common.layers import Convolution, Stream, convolved
from ivfnb.baselines.common.pair import check_pair
from ivfnb.images import Image

METHOD = "DenseFuse"
LAYERS = {
    "encoder": ("conv1_1", "dense_block_conv1", "dense_block_conv2", "dense_block_conv3"),
    "decoder": ("conv2_1", "conv2_2", "conv2_3", "conv2_4"),
}
LAMBDAS = {1: "1e0", 10: "1e1", 100: "1e2", 1000: "1e3"}  # weight of SSIM in training -> mark in the names of the authors' checkpoints
CHECKPOINT = "DeseFuse.ckpt"  # lambda 100, as it is re-distributed; the same values as in the authors' archive
ARCHIVE, MEMBER_LIMIT = "densefuse_gray.zip", 1 << 24  # all four; bytes one of them may unpack to
DEPTH, PIXELS = 8, 50_000  # 3x3 convolutions; pixels computed at a time


def _names() -> list[str]:
    return [f"{part}/{layer}/{kind}" for part, parts in LAYERS.items() for layer in parts for kind in ("kernel", "bias")]


def checkpoint(ssim_weight: int = 100) -> dict[str, np.ndarray]:
    """Kernels (3, 3, in, out) and biases of the network by TensorFlow's names. WeightsError, ValueError as in `fuse`."""
    if ssim_weight not in LAMBDAS:
        raise ValueError(f"ssim_weight: found {ssim_weight}, expected one of {tuple(LAMBDAS)}")
    if ssim_weight == 100 and (weights.is_at_hand(METHOD) or not weights.is_at_hand(METHOD, ARCHIVE)):
        return tensor_bundle.read(weights.files(METHOD)[f"{CHECKPOINT}.index"], _names())
    return of_archive(weights.files(METHOD, ARCHIVE)[ARCHIVE], ssim_weight)


def of_archive(archive: Path, ssim_weight: int) -> dict[str, np.ndarray]:
    """What `checkpoint` gives, from the authors' archive. ValueError where it does not hold the checkpoint, or a much larger file."""
    stem = f"densefuse_gray/densefuse_model_bs2_epoch4_all_weight_{LAMBDAS[ssim_weight]}.ckpt"
    parts: list[bytes] = []
    try:
        with zipfile.ZipFile(archive) as content:
            for name in (f"{stem}.index", f"{stem}.data-00000-of-00001"):
                if name not in content.namelist():
                    raise ValueError(f"{archive}: found no {name}, expected the checkpoint")
                if (size := content.getinfo(name).file_size) > MEMBER_LIMIT:
                    raise ValueError(f"{archive}: found {name} of {size} bytes, expected at most {MEMBER_LIMIT}")
                parts.append(content.read(name))
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"{archive}: found no whole zip archive ({error}), expected the authors' checkpoints") from error
    index, data = parts
    return tensor_bundle.decode(index, data, _names(), f"{archive}!{stem}.index", f"{archive}!{stem}.data-00000-of-00001")


@lru_cache(maxsize=4)
def _network(ssim_weight: int, device: torch.device) -> dict[str, list[Convolution]]:
    stored = checkpoint(ssim_weight)
    return {
        part: [layers.of_tensorflow(stored[f"{part}/{layer}/kernel"], stored[f"{part}/{layer}/bias"], device) for layer in parts]
        for part, parts in LAYERS.items()
    }


def encoded(image: Stream, encoder: list[Convolution]) -> Stream:
    """Code of an image of levels 0..255, 64 channels; each layer sees the outputs of all before it, the newest first."""
    first, *dense = encoder
    code = convolved(image, first)
    for layer in dense:
        code = convolved(code, layer, dense="newest first")
    return code


def decoded(code: Stream, decoder: list[Convolution]) -> Stream:
    """Image of a code; no activation after the last layer."""
    *inner, last = decoder
    for layer in inner:
        code = convolved(code, layer)
    return convolved(code, last, activation=lambda image: image)


def fuse(infrared: Image, visible: Image, ssim_weight: int = 100, stretch: str = "range", device: str = "auto") -> Image:
    """Image decoded from the sum of the sources' codes ("addition"): float64 (h, w), levels 0..255; the published images are rounded.

    Parameters
    ----------
    infrared, visible : arrays (h, w), grey levels 0..255
        Any one size of at least 2x2 pixels; exchanging them changes nothing but rounding.
    ssim_weight : int
        The weight lambda that structural similarity had in training: 1, 10, 100 or 1000, of which each has its own checkpoint.
    stretch : str
        "range" stretches the output to 0..255, as the published images were saved; "none" halves the output, which is about
        twice as bright as the sources since their codes are added, and clips it.
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
    The weights are the authors'. Computed in float32; the published images come from the checkpoint of lambda 100.

    References
    ----------
    Li and Wu 2019, doi 10.1109/TIP.2018.2887342
    """
    infrared, visible = check_pair(infrared, visible)
    layers.check_stretch(stretch)
    chosen = layers.choose_device(device)
    network = _network(ssim_weight, chosen)

    with layers.inference():
        codes = (
            encoded(layers.streamed(layers.stack(image, device=chosen), DEPTH, PIXELS), network["encoder"]) for image in (infrared, visible)
        )
        code = (
            (tuple(map(torch.add, *maps)), last) for (*maps,), (last, _) in (zip(*both, strict=True) for both in zip(*codes, strict=True))
        )
        output = layers.gathered(decoded(code, network["decoder"]))
    return layers.saved(output, 0.5, stretch=stretch)

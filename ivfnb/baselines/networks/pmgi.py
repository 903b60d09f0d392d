"""PMGI: two paths, of gradients and of intensities, that exchange features twice and are merged at the end."""

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from ivfnb.baselines.common import layers, tensor_bundle, weights
from ivfnb.baselines.common.layers import Convolution, own_batch_norm_, zero_padded
from ivfnb.baselines.common.pair import check_pair
from ivfnb.images import Image

METHOD = "PMGI"
INDEX = "CGAN.model-1.index"
PATHS = ("", "_vi")  # what the names of a path's layers end in: the path of the infrared image, that of the visible one
STAGES = ("1", "2", "2_3", "3", "3_4", "4")
EPSILON = 1.001e-5  # of the batch norm: the least that TensorFlow's fused one takes
SLOPE = 0.2  # of negative values in the leaky ReLU
PIXELS = 50_000  # convolved at a time

Layers = dict[str, Convolution]


@lru_cache(maxsize=2)
def _network(device: torch.device) -> Layers:
    names = [stage + path for stage in STAGES for path in PATHS] + ["5"]
    keys = {name: [f"fusion_model/layer{name}/{kind}{name}" for kind in "wb"] for name in names}
    stored = tensor_bundle.read(weights.files(METHOD)[INDEX], [key for pair in keys.values() for key in pair])
    return {name: layers.of_tensorflow(stored[kernel], stored[bias], device) for name, (kernel, bias) in keys.items()}


def generate(infrared: Tensor, visible: Tensor, network: Layers) -> Tensor:
    """Fused image (1, 1, h, w), -1..1, of two images (1, 1, h, w), -1..1.

    The last layer, which sees the features of all stages of both paths, is summed up as they come.
    """
    seen = [[infrared, infrared, visible], [visible, visible, infrared]]
    merging = network["5"].weight.split(16, dim=1)  # of path and path, stage by stage
    bias = network["5"].bias
    assert bias is not None, "every layer of the network has one"
    output = bias.view(1, 1, 1, 1).expand_as(infrared).clone()
    for stage in range(1, 5):
        told: list[list[Tensor]] = [[], []]
        if stage > 2:  # what the paths learn from each other
            both = [maps[-1] for maps in seen]
            told = [[_normalised(both, network[f"{stage - 1}_{stage}{path}"])] for path in PATHS]
        new = [_normalised(seen[number] + told[number], network[f"{stage}{path}"]) for number, path in enumerate(PATHS)]
        for features, weight in zip(new, merging[2 * (stage - 1) :], strict=False):
            output += functional.conv2d(features, weight)
        seen = [[features] if stage == 1 else [*maps, features] for maps, features in zip(seen, new, strict=True)]
    return output.tanh_()


def _normalised(maps: list[Tensor], layer: Convolution) -> Tensor:
    return functional.leaky_relu_(own_batch_norm_(zero_padded(maps, layer, PIXELS), epsilon=EPSILON), SLOPE)


def fuse(infrared: Image, visible: Image, stretch: str = "range", device: str = "auto") -> Image:
    """What the two paths make of both sources: float64 (h, w), levels 0..255; the published images are rounded.

    Parameters
    ----------
    infrared, visible : arrays (h, w), grey levels 0..255
        Any one size of at least 2x2 pixels.
    stretch : str
        "range" stretches the output to 0..255, as the published images were saved; "none" takes the output as it is.
    device : str
        "auto" (CUDA where there is one), "cpu" or "cuda".

    Returns
    -------
    array (h, w) of float64
        The border is padded with zeros, which are a mid grey, so that a pair without contrast shows its border.

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
    The weights are the authors'. Computed in float32. As in the authors' run, each batch norm takes the mean and variance of the image
    itself, with gamma 1 and beta 0, so that a part of an image is fused otherwise than the same part inside it.

    References
    ----------
    Zhang, Xu, Xiao, Guo and Ma 2020, doi 10.1609/aaai.v34i07.6975
    """
    infrared, visible = check_pair(infrared, visible)
    layers.check_stretch(stretch)
    chosen = layers.choose_device(device)
    network = _network(chosen)
    with layers.inference():
        first, second = (layers.stack((image - 127.5) / 127.5, device=chosen) for image in (infrared, visible))
        output = generate(first, second, network)
    return layers.saved(output, 127.5, 127.5, stretch)

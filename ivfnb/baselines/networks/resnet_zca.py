"""ResNet-ZCA: the sources weighed by whitened features of ResNet-50, whose weights the user provides."""

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn
from torch.nn import functional

from ivfnb.baselines.common import layers
from ivfnb.baselines.common.networks import check_weights, load_state, weight_file
from ivfnb.baselines.common.pair import check_pair
from ivfnb.datasets import DatasetError
from ivfnb.images import Image, matlab_imresize

WEIGHTS = "resnet50-0676ba61.pth"  # ResNet-50 trained on ImageNet, as torchvision publishes it
STAGES = {"conv4": 3, "conv5": 4}  # and the number of groups of blocks up to it
GROUPS = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))  # width, blocks, stride of the first
GUARD = 1e-5  # added to the eigenvalues before their root is divided by
WINDOW = 5  # side of the window in which the norms are averaged, of the features' pixels
WHITENED_AT_ONCE = 128  # channels


class Bottleneck(nn.Module):
    """Three convolutions, 1x1, 3x3 and 1x1, added to what came in; `width` channels inside, four times as many out."""

    def __init__(self, channels: int, width: int, stride: int):
        super().__init__()
        out = 4 * width
        self.conv1, self.bn1 = nn.Conv2d(channels, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, out, 1, bias=False), nn.BatchNorm2d(out)
        self.downsample = None
        if stride > 1 or channels != out:
            self.downsample = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Features (n, channels, h, w) to (n, 4 width, h / stride, w / stride), rounded up."""
        inner = functional.relu(self.bn1(self.conv1(features)))
        inner = functional.relu(self.bn2(self.conv2(inner)))
        carried = features if self.downsample is None else self.downsample(features)
        return functional.relu(self.bn3(self.conv3(inner)) + carried)


class ResNet50(nn.Module):
    """ResNet-50 without its classification, names as torchvision has them. He, Zhang, Ren and Sun 2016, doi 10.1109/CVPR.2016.90."""

    def __init__(self, groups: int = len(GROUPS)):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64)
        channels, self.groups = 64, groups
        for number, (width, blocks, stride) in enumerate(GROUPS[:groups], 1):
            made = [Bottleneck(channels if block == 0 else 4 * width, width, stride if block == 0 else 1) for block in range(blocks)]
            setattr(self, f"layer{number}", nn.Sequential(*made))
            channels = 4 * width

    def forward(self, planes: torch.Tensor) -> torch.Tensor:
        """Image (n, 3, h, w) to the features of the last group: a sixteenth of the size after three groups, half of that after four."""
        features = functional.max_pool2d(functional.relu(self.bn1(self.conv1(planes))), 3, 2, 1)
        for number in range(1, self.groups + 1):
            features = getattr(self, f"layer{number}")(features)
        return features


def shapes() -> dict[str, tuple[int, ...]]:
    """Names and shapes of the weights of a ResNet-50 that classifies into 1000 kinds, without the counters of its batches."""
    with torch.device("meta"):
        state = ResNet50().state_dict()
    found = {name: tuple(value.shape) for name, value in state.items() if not name.endswith("num_batches_tracked")}
    return {**found, "fc.weight": (1000, 2048), "fc.bias": (1000,)}


@cache
def _network(path: Path, groups: int, device: torch.device) -> ResNet50:
    """ResNet-50 up to a group, float32, for inference."""
    state = {name: value for name, value in load_state(path).items() if not name.endswith("num_batches_tracked")}
    check_weights(state, shapes(), path)
    with torch.device("meta"):
        net = ResNet50(groups)
    names = set(net.state_dict())
    counters = {name: torch.tensor(0) for name in names if name.endswith("num_batches_tracked")}
    net.load_state_dict({name: value.float() for name, value in state.items() if name in names} | counters, assign=True)
    return net.eval().requires_grad_(False).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # absent from torch's stubs


def whitened(features: torch.Tensor) -> torch.Tensor:
    """Zero-phase component analysis of every channel.

    Parameters
    ----------
    features : tensor (channels, h, w)
        Each channel is a matrix whose rows are whitened, once its mean is taken off.

    Returns
    -------
    tensor (channels, h, w)
        U (S + 1e-5)^(-1/2) U' X of each matrix X whose X X' is U S U'.

    References
    ----------
    Li, Wu and Durrani 2019, doi 10.1016/j.infrared.2019.103039
    """
    centred = features - features.mean((1, 2), keepdim=True)
    values, vectors = torch.linalg.eigh(centred @ centred.mT)
    return (vectors * torch.rsqrt(values.clamp_min(0) + GUARD)[:, None]) @ (vectors.mT @ centred)


def activity(image: Image, net: ResNet50, white: float) -> Image:
    """Mean absolute whitened feature over the channels and a 5x5 window, zeros beyond the border: float64 of the features' size."""
    device = net.conv1.weight.device
    plane = torch.from_numpy((image * (white / 255)).astype(np.float32)).to(device)
    with layers.inference():
        features = net(plane.expand(1, 3, -1, -1).contiguous(memory_format=torch.channels_last))[0].double()
        norms = torch.as_tensor(sum(whitened(some).abs().sum(0) for some in features.split(WHITENED_AT_ONCE))) / len(features)
    return cv2.boxFilter(norms.cpu().numpy(), -1, (WINDOW, WINDOW), borderType=cv2.BORDER_CONSTANT)


def fuse(
    infrared: Image, visible: Image, stage: str = "conv4", white: float = 1.0, weights: str | Path | None = None, device: str = "auto"
) -> Image:
    """Mean of the sources, weighted by the whitened features of ResNet-50.

    Parameters
    ----------
    infrared, visible : array (h, w), grey levels 0..255
        Registered sources of one size, at least 2x2 pixels.
    stage : {"conv4", "conv5"}
        Group of blocks whose features weigh; the paper has both, the published TNO image is of "conv4", VIFB's images are of "conv5".
    white : float
        What the network is given for a level of 255: 1 in the authors' script, 255 in VIFB's.
    weights : path, optional
        PyTorch state dict of a ResNet-50 with torchvision's names and shapes; `WEIGHTS` among the weights at hand where none is named.
    device : str
        "auto", "cpu" or "cuda".

    Returns
    -------
    array (h, w), float64
        Grey levels 0..255.

    Raises
    ------
    ImageError
        If the sources are unfit; the message names what was found.
    DatasetError
        If the weights are not at hand or not those of a ResNet-50.
    ValueError
        For an unknown `stage` or `device`, or a `white` that is not positive.

    Notes
    -----
    A grey source stands for three equal channels, and nothing is subtracted from it, as in the authors' script. Where neither source has
    any feature both weigh the same. Departures: the network has torchvision's weights and hence strides (in the 3x3 convolutions) in place
    of MatConvNet's. Whitening brings all features to one size, so that the result is nearly the plain mean whatever the network. Exchanged
    sources give the same, and a source fused with itself comes back.

    References
    ----------
    Li, Wu and Durrani 2019, doi 10.1016/j.infrared.2019.103039
    """
    infrared, visible = check_pair(infrared, visible)
    if stage not in STAGES:
        raise ValueError(f"stage: found {stage!r}, expected one of {tuple(STAGES)}")
    if not white > 0:
        raise ValueError(f"white: found {white}, expected a positive number")
    path = weight_file("ResNet-ZCA", WEIGHTS) if weights is None else Path(weights).resolve()
    if not path.is_file():
        raise DatasetError(f"{path}: found no such file, expected a state dict, or get one with: ivfnb fetch weights/ResNet-ZCA")
    net = _network(path, STAGES[stage], layers.choose_device(device))
    of_infrared, of_visible = (matlab_imresize(activity(image, net, white), infrared.shape) for image in (infrared, visible))
    total = of_infrared + of_visible
    weight = np.divide(of_infrared, total, out=np.full_like(total, 0.5), where=total > 0)
    return np.clip(weight * infrared + (1 - weight) * visible, 0, 255)

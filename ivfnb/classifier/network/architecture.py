"""EResNet: its branches, residual blocks and head, and the planes that it sees."""

import cv2
import numpy as np
import torch
from torch import nn

from ivfnb.classifier.grid import WINDOW

# Mean and standard deviation of each branch, in units of 255 grey levels. Ours: measured on COCO photographs and rounded (Gx and Gy are
# signed Sobel sums). Released: the constants of the authors' fusion script, which feeds the grey window to all three branches.
NORMALISATION = {
    "gradients": ((0.45, 0.25), (0.0, 0.35), (0.0, 0.35)),
    "gray": ((0.45, 0.25), (0.45, 0.25), (0.45, 0.25)),
    "released": ((0.45, 0.1), (0.05, 0.09), (0.06, 0.09)),
}
BRANCHES = ("gradients", "gray")
GRADIENTS = ("signed", "clipped")


def _unit(channels_in: int, channels_out: int, *, activation: bool = True) -> list[nn.Module]:
    """1x1 convolution and batch norm, then 2x2 maximum pooling and leaky ReLU 0.1 where the branch ends.

    Released: leaky ReLU, then pooling. The two commute since leaky ReLU rises, and this order needs a quarter of its work.
    """
    layers = [nn.Conv2d(channels_in, channels_out, 1), nn.BatchNorm2d(channels_out)]
    return [*layers, nn.MaxPool2d(2), nn.LeakyReLU(0.1)] if activation else layers


class ResBlock(nn.Module):
    """Residual block without spatial filters: (n, in, h, w) -> (n, out, h/2, w/2).

    Parameters
    ----------
    channels_in, channels_out : int
    """

    def __init__(self, channels_in: int, channels_out: int):
        super().__init__()
        self.residual = nn.Sequential(*_unit(channels_in, channels_out, activation=False), *_unit(channels_out, channels_out))
        self.shortcut = nn.Sequential(*_unit(channels_in, channels_out))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Sum of the pooled residual and the pooled shortcut.

        Parameters
        ----------
        features : tensor (n, in, h, w)

        Returns
        -------
        tensor (n, out, h/2, w/2)
        """
        return self.residual(features) + self.shortcut(features)


class EResNet(nn.Module):
    """Sharp-or-blurred classifier of stacked windows.

    Parameters
    ----------
    branches : str
        "gradients" gives the branches grey, Gx and Gy (the paper's text); "gray" gives the grey plane to all three (what the released
        training and fusion scripts do).

    Attributes
    ----------
    normalisation : tensor (3, 2)
        A buffer: mean and deviation per branch, in units of 255 levels.

    Raises
    ------
    ValueError
        For unknown branches.

    References
    ----------
    Qi, Abera, Fanose, Wang and Cheng 2024, doi 10.1016/j.neucom.2024.127353

    Examples
    --------
    >>> sum(parameter.numel() for parameter in EResNet().parameters())
    4782850
    """

    normalisation: torch.Tensor

    def __init__(self, branches: str = "gradients"):
        super().__init__()
        if branches not in BRANCHES:
            raise ValueError(f"branches: found {branches!r}, expected one of {BRANCHES}")
        self.branches = branches
        self.register_buffer("normalisation", torch.tensor(NORMALISATION[branches]))
        self.stems = nn.ModuleList(nn.Sequential(nn.Conv2d(1, 64, 3, padding=1), nn.BatchNorm2d(64), nn.LeakyReLU(0.1)) for _ in range(3))
        self.gray_blocks = nn.Sequential(ResBlock(64, 128), ResBlock(128, 128), ResBlock(128, 256))
        self.gx_blocks = nn.Sequential(ResBlock(64, 128), ResBlock(128, 128))
        self.gy_blocks = nn.Sequential(ResBlock(64, 128), ResBlock(128, 128))
        self.gradient_block = ResBlock(256, 256)
        self.head = nn.Sequential(nn.Linear(2 * 256 * 8 * 4, 256), nn.BatchNorm1d(256), nn.LeakyReLU(0.1), nn.Linear(256, 2))
        self._initialise()

    @property
    def first_of_head(self) -> nn.Linear:
        """First layer of the head: linear, so its sum over a window's cells can be split."""
        first = self.head[0]
        assert isinstance(first, nn.Linear)
        return first

    def _initialise(self) -> None:
        """Xavier uniform weights, gain sqrt(2) in residual branches and 1 elsewhere, zero biases (as released)."""
        for name, module in self.named_modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.xavier_uniform_(module.weight, gain=2**0.5 if ".residual." in name else 1.0)
                assert module.bias is not None  # as `_unit` and the head make them
                nn.init.zeros_(module.bias)

    def normalise(self, planes: torch.Tensor) -> torch.Tensor:
        """What the three stems see of planes.

        Parameters
        ----------
        planes : tensor (..., 3, h, w)
            In grey levels.

        Returns
        -------
        tensor of the same shape, float32
        """
        if self.branches == "gray":
            planes = planes[..., :1, :, :].expand(*planes.shape[:-3], 3, *planes.shape[-2:])
        mean, deviation = self.normalisation[:, 0, None, None], self.normalisation[:, 1, None, None]
        return (planes.to(self.normalisation.dtype) / 255 - mean) / deviation

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        """Logits of samples.

        Parameters
        ----------
        samples : tensor (n, 3, 64, 32)
            Planes in grey levels, one block above the other.

        Returns
        -------
        tensor (n, 2)
            Class 0: the upper window is the sharper one.

        Raises
        ------
        ValueError
            For samples of another shape.
        """
        if samples.ndim != 4 or tuple(samples.shape[1:]) != (3, 2 * WINDOW, WINDOW):
            raise ValueError(f"samples: found shape {tuple(samples.shape)}, expected (n, 3, {2 * WINDOW}, {WINDOW})")
        planes = self.normalise(samples)
        gray, gx, gy = (stem(planes[:, i : i + 1]) for i, stem in enumerate(self.stems))
        gradients = self.gradient_block(torch.cat([self.gx_blocks(gx), self.gy_blocks(gy)], dim=1))
        return self.head(torch.cat([self.gray_blocks(gray).flatten(1), gradients.flatten(1)], dim=1))


def planes(gray: np.ndarray, gradients: str = "signed") -> np.ndarray:
    """Grey, Gx and Gy planes of a grey image.

    Parameters
    ----------
    gray : array (h, w)
        Levels 0..255.
    gradients : str
        "signed", or "clipped" to 0..255 as the released script's uint8 cast does it.

    Returns
    -------
    array (3, h, w), float32
        Grey levels; Gx and Gy are 3x3 Sobel sums and lie in -1020..1020.

    Raises
    ------
    ValueError
        For unknown gradients.

    Notes
    -----
    Borders are replicated.

    Examples
    --------
    >>> planes(np.array([[0, 10, 20]]))[1]
    array([[40., 80., 40.]], dtype=float32)
    """
    if gradients not in GRADIENTS:
        raise ValueError(f"gradients: found {gradients!r}, expected one of {GRADIENTS}")
    gray = gray.astype(np.float32)
    result = np.empty((3, *gray.shape), np.float32)
    result[0] = gray
    for plane, (dx, dy) in zip(result[1:], ((1, 0), (0, 1)), strict=True):
        plane[...] = cv2.Sobel(gray, cv2.CV_32F, dx, dy, ksize=3, borderType=cv2.BORDER_REPLICATE)
    if gradients == "clipped":
        result[1:] = np.clip(np.trunc(result[1:]), 0, 255)
    return result


def planes_of(gray: torch.Tensor, gradients: str = "signed") -> torch.Tensor:
    """Grey, Gx and Gy planes of grey images, by torch on their device.

    Parameters
    ----------
    gray : tensor (..., h, w), float32
        Levels 0..255.
    gradients : str
        As in `planes`.

    Returns
    -------
    tensor (..., 3, h, w), float32
        Those of `planes`: equal where the levels are whole numbers, else to within a rounding of float32.

    Raises
    ------
    ValueError
        For unknown gradients.

    Examples
    --------
    >>> planes_of(torch.tensor([[0.0, 10.0, 20.0]]))[1]
    tensor([[40., 80., 40.]])
    """
    if gradients not in GRADIENTS:
        raise ValueError(f"gradients: found {gradients!r}, expected one of {GRADIENTS}")
    wide = torch.cat([gray[..., :1], gray, gray[..., -1:]], dim=-1)
    wide = torch.cat([wide[..., :1, :], wide, wide[..., -1:, :]], dim=-2)
    across = wide[..., 2:] - wide[..., :-2]
    smooth = wide[..., :-2] + wide[..., 2:] + 2 * wide[..., 1:-1]
    found = [across[..., :-2, :] + across[..., 2:, :] + 2 * across[..., 1:-1, :], smooth[..., 2:, :] - smooth[..., :-2, :]]
    if gradients == "clipped":
        found = [plane.trunc().clamp(0, 255) for plane in found]
    return torch.stack([gray, *found], dim=-3)

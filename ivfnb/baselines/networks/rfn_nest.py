"""RFN-Nest: NestFuse's auto-encoder with a learned residual fusion network (RFN) at each of its four scales."""

import io
import zipfile
from functools import cache
from pathlib import Path

import torch
from torch import nn

from ivfnb.baselines.common import own_weights
from ivfnb.baselines.common.pair import check_pair
from ivfnb.baselines.networks import nestfuse
from ivfnb.baselines.networks.nestfuse import WIDTHS, AutoEncoder, Convolution, Features
from ivfnb.images import Image

# The authors' fusion network: as others hand it on, or the authors' own archive and the file in it that made their published images.
AUTHORS_FILES = ("RFN_Nest.model", "rfn_twostage.zip")
AUTHORS_MEMBER = "Final_epoch_2_alpha_700_wir_6.0_wvi_3.0_ssim_vi.model"


class FusionBlock(nn.Module):
    """Residual fusion of two sources' features (n, c, h, w) each: a convolution of both together, plus one made of each alone."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv_fusion = Convolution(2 * channels, channels, 3)
        self.conv_ir = Convolution(channels, channels, 3)
        self.conv_vi = Convolution(channels, channels, 3)
        self.bottelblock = nn.Sequential(  # the authors' spelling, which their state dict has
            Convolution(2 * channels, channels, 1), Convolution(channels, channels, 3), Convolution(channels, channels, 3)
        )

    def forward(self, infrared: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
        """Fused features of the same shape."""
        alone = torch.cat([self.conv_ir(infrared), self.conv_vi(visible)], 1)
        return self.conv_fusion(torch.cat([infrared, visible], 1)) + self.bottelblock(alone)


class FusionNetwork(nn.Module):
    """The residual fusion blocks of all four scales, named as in the authors' state dict; 4,791,488 parameters."""

    def __init__(self):
        super().__init__()
        self.fusion_block1, self.fusion_block2, self.fusion_block3, self.fusion_block4 = map(FusionBlock, WIDTHS)

    def forward(self, infrared: Features, visible: Features) -> Features:
        """Fused features at four scales."""
        scales = (self.fusion_block1, self.fusion_block2, self.fusion_block3, self.fusion_block4)
        return [block(*pair) for block, pair in zip(scales, zip(infrared, visible, strict=True), strict=True)]


def _authors_state(file: Path) -> dict[str, torch.Tensor]:
    """State dict of the authors' fusion network, in a file of its own or inside their archive."""
    if file.suffix != ".zip":
        return nestfuse.torch_state(file)
    with zipfile.ZipFile(file) as archive:
        members = [name for name in archive.namelist() if name.endswith("/" + AUTHORS_MEMBER) or name == AUTHORS_MEMBER]
        if not members:
            raise ValueError(f"{file}: found {', '.join(archive.namelist()[:5])}, expected a member {AUTHORS_MEMBER}")
        return nestfuse.torch_state(f"{file}/{members[0]}", io.BytesIO(archive.read(members[0])))


def load(kind: str = "own", file: str | Path | None = None, auto_encoder: AutoEncoder | None = None) -> tuple[AutoEncoder, FusionNetwork]:
    """Auto-encoder and fusion network in eval mode, float32, with this project's weights ("own") or the authors' ("authors").

    The auto-encoder's weights are NestFuse's of the same kind, unless one is given. ValueError where `kind` is unknown or a file's tensors
    are not the network's, DatasetError where the authors' files are not at hand.
    """
    auto_encoder = auto_encoder or nestfuse.load(kind)
    if kind == "own":
        return auto_encoder, nestfuse.fast(own_weights.load(FusionNetwork(), file or own_weights.path("rfn_nest")))
    file = Path(file) if file else nestfuse.authors_file("RFN-Nest", *AUTHORS_FILES)
    return auto_encoder, nestfuse.fast(own_weights.fill(FusionNetwork(), _authors_state(file), file))


_loaded = cache(load)


def fuse_with(nets: tuple[AutoEncoder, FusionNetwork], infrared: Image, visible: Image, device: str = "cpu") -> Image:
    """Fused image of given networks, on the device they are on; see `fuse`."""
    infrared, visible = check_pair(infrared, visible)
    auto_encoder, fusion = nets

    def fused(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        return auto_encoder.decode(fusion(auto_encoder.encode(first), auto_encoder.encode(second)))

    return nestfuse.stretched(nestfuse.in_blocks(infrared, visible, fused, device), infrared, visible)


def fuse(infrared: Image, visible: Image, weights: str = "own") -> Image:
    """Fuse a pair with RFN-Nest.

    Parameters
    ----------
    infrared, visible : array (h, w), grey levels 0..255
        Of one size, at least 2x2 pixels.
    weights : {"own", "authors"}
        "own": trained by this project (`scripts/train_baselines.py`); "authors": the authors' files, where they were fetched.

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
    Blocks and departures as in `ivfnb.baselines.nestfuse.fuse`. The project's own weights saw other pairs than the authors' (KAIST): they
    are another variant, which the record in the weights file describes.

    References
    ----------
    Li, Wu and Kittler 2021, doi 10.1016/j.inffus.2021.02.023
    """
    return fuse_with(_loaded(weights), infrared, visible)

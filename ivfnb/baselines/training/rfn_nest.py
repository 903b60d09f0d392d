"""Training of RFN-Nest's fusion blocks (stage 2): the auto-encoder stays as it is, and pairs need no ground truth."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from ivfnb.baselines.networks.nestfuse import AutoEncoder
from ivfnb.baselines.networks.rfn_nest import FusionNetwork
from ivfnb.baselines.training import loop
from ivfnb.baselines.training.ms_ssim import ms_ssim
from ivfnb.images import Image

EPSILON = 1e-5


@dataclass(frozen=True)
class Config:
    """What a run depends on besides its pairs and the auto-encoder.

    The authors trained two epochs over 80,000 pairs of KAIST, whole images at 256x256, batches of four, at a constant rate of 1e-4.
    """

    steps: int | None = None  # at most; None: as many as `minutes` allow
    minutes: float | None = 5.0  # at most; None: as long as `steps` take
    batch: int = 4  # the output is normalised by the batch's own minimum and maximum
    side: int = 256  # of a training image, pixels
    rate: float = 5e-4  # Adam's peak, falling on a straight line
    last_rate: float = 1e-5
    ssim_weight: float = 700.0
    infrared_weight: float = 6.0  # of the infrared features in the target
    visible_weight: float = 3.0
    scale_weights: tuple[float, ...] = (1.0, 10.0, 100.0, 1000.0)  # finest first
    whole: float = 0.5  # share of samples that are whole images; the others are crops of at least half of each side
    tones: bool = True  # curves of gamma and contrast, so that the few scenes' own brightness does not rule
    photographs: float = 0.0  # share of pairs made of photographs, where these are given
    coarsest: int = 4  # power of the coarsest level in MS-SSIM; see `ms_ssim`
    seed: int = 0
    precision: str = "float32"
    device: str = "auto"
    checkpoint_seconds: float = 60.0


def _toned(image: torch.Tensor, random: np.random.Generator, reach: float) -> torch.Tensor:
    """Image, levels 0..1, under a random gamma (its logarithm within `reach`) and a random contrast and offset that stay in 0..1."""
    low, high = np.sort(random.random(2) * [0.35, 0.35] + [0.0, 0.65]) if random.random() < 0.5 else (0.0, 1.0)
    return low + (high - low) * image ** float(np.exp(random.uniform(-reach, reach)))


def _remapped(image: torch.Tensor, random: np.random.Generator) -> torch.Tensor:
    """Image, levels 0..1, through a random curve of five straight pieces: a stand-in for another spectrum's view of the same scene."""
    knots = torch.from_numpy(random.random(6)).to(image)
    place = (image * 5).clamp(0, 4.999)
    first = place.floor().long()
    return knots[first] + (place - first) * (knots[first + 1] - knots[first])


def _cropped(sources: list[torch.Tensor], config: Config, random: np.random.Generator) -> torch.Tensor:
    """Sources (h, w) of one size, the same part of each, mirrored alike, at the training size: (sources, side, side), levels 0..1."""
    stack = torch.stack(sources)[None].float() / 255
    if random.random() >= config.whole:
        height, width = stack.shape[-2:]
        rows, columns = (max(1, round(side * random.uniform(0.5, 1.0))) for side in (height, width))
        top, left = random.integers(height - rows + 1), random.integers(width - columns + 1)
        stack = stack[..., top : top + rows, left : left + columns]
    stack = torch.flip(stack, [axis for axis in (3, 2) if random.random() < (0.5 if axis == 3 else 0.25)])
    return functional.interpolate(stack, (config.side, config.side), mode="bilinear", antialias=True, align_corners=False)[0].clamp(0, 1)


class Samples:
    """Batches of training pairs, drawn anew for each step from the seed and the step's number alone."""

    def __init__(self, pairs: list[tuple[Image, Image]], photographs: list[Image], config: Config, device: torch.device):
        self.pairs = [tuple(torch.from_numpy(np.ascontiguousarray(image)).to(device) for image in pair) for pair in pairs]
        self.photographs = [torch.from_numpy(np.ascontiguousarray(image)).to(device) for image in photographs]
        self.config = config

    def _pair(self, random: np.random.Generator) -> torch.Tensor:
        config = self.config
        if self.photographs and random.random() < config.photographs:
            visible = self.photographs[random.integers(len(self.photographs))]
            other = self.photographs[random.integers(len(self.photographs))] if random.random() < 0.3 else visible
            infrared, visible = _cropped([other, visible], config, random)
            infrared = _remapped(infrared, random)
        else:
            infrared, visible = _cropped(list(self.pairs[random.integers(len(self.pairs))]), config, random)
        if config.tones:
            infrared, visible = _toned(infrared, random, 0.4), _toned(visible, random, 0.6)
        return torch.stack([infrared, visible])

    def batch(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Infrared and visible images of a step, each (batch, 1, side, side), levels 0..255."""
        random = np.random.default_rng([self.config.seed, step])
        pairs = 255 * torch.stack([self._pair(random) for _ in range(self.config.batch)])
        return pairs[:, :1], pairs[:, 1:]


def losses(
    nets: tuple[AutoEncoder, FusionNetwork], infrared: torch.Tensor, visible: torch.Tensor, config: Config
) -> tuple[torch.Tensor, torch.Tensor]:
    """The two terms of the loss: distance of the fused features from the weighted sum of the sources', and unlikeness to the visible."""
    auto_encoder, fusion = nets
    with loop.autocast(config.precision, infrared.device):
        with torch.no_grad():
            sources = auto_encoder.encode(infrared), auto_encoder.encode(visible)
        fused = fusion(*sources)
        output = auto_encoder.decode(fused).float()
    features = torch.zeros((), device=output.device)
    for weight, result, first, second in zip(config.scale_weights, fused, *sources, strict=True):
        target = config.infrared_weight * first.float() + config.visible_weight * second.float()
        features = features + weight * functional.mse_loss(result.float(), target)
    output = (output - output.min()) / (output.max() - output.min() + EPSILON) * 255
    return features, config.ssim_weight * (1 - ms_ssim(output, visible, config.coarsest))


def train(
    config: Config,
    auto_encoder: AutoEncoder,
    pairs: list[tuple[Image, Image]],
    photographs: list[Image] | None = None,
    folder: str | Path | None = None,
) -> tuple[FusionNetwork, dict[str, Any]]:
    """Fusion network trained on pairs (infrared, visible) of grey images, levels 0..255, and the record of its training.

    The auto-encoder is moved to the training's device and not changed. Pairs may differ in size. In float32 on a processor, with `steps`
    instead of `minutes`, a run that was killed and started again with the same `folder` ends in the same bits as one that was left alone.
    """
    if not pairs:
        raise ValueError("pairs: found none, expected at least one")
    device = loop.on_device(config.device)
    torch.backends.cudnn.benchmark = True
    samples = Samples(pairs, photographs or [], config, device)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        fusion = FusionNetwork()
    nets = auto_encoder.to(device).eval().requires_grad_(False), fusion.to(device)
    optimiser = torch.optim.Adam(fusion.parameters(), config.rate)
    read = pairs, photographs or [], [tensor.cpu().numpy() for tensor in auto_encoder.state_dict().values()]
    run = loop.Run("rfn_nest", config, {"net": fusion, "optimiser": optimiser}, folder, read)
    for step, progress in run:
        loop.set_rate(optimiser, loop.falling(progress, config.rate, config.last_rate))
        features, unlikeness = losses(nets, *samples.batch(step), config)
        loss = features + unlikeness
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        run.record(loss=loss, features=features, unlikeness=unlikeness)
    return fusion.eval(), loop.summary(run, method="RFN-Nest", pairs=len(pairs), made_of_photographs=len(photographs or []))

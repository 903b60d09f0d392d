"""Training of NestFuse's auto-encoder: photographs in, the same photographs out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from ivfnb.baselines.networks.nestfuse import AutoEncoder
from ivfnb.baselines.training import loop
from ivfnb.baselines.training.ms_ssim import ms_ssim
from ivfnb.images import Image


@dataclass(frozen=True)
class Config:
    """What a run depends on besides its photographs.

    The authors trained two epochs over 80,000 photographs, batches of four, at a constant rate of 1e-4.
    """

    steps: int | None = None  # at most; None: as many as `minutes` allow
    minutes: float | None = 2.0  # at most; None: as long as `steps` take
    batch: int = 16
    rate: float = 5e-4  # Adam's peak, falling on a straight line
    last_rate: float = 1e-5
    ssim_weight: float = 100.0  # against the squared error in grey levels
    seed: int = 0
    precision: str = "float32"
    coarsest: int = 4  # power of the coarsest level in MS-SSIM; see `ms_ssim`
    device: str = "auto"
    checkpoint_seconds: float = 60.0


def _start(photographs: torch.Tensor, seed: int, device: torch.device) -> AutoEncoder:
    """Network with PyTorch's initial weights, whose last layer points upwards.

    Half of all draws give an image that is negative everywhere, so that the last ReLU leaves nothing to learn from; of a last layer and its
    mirror image, equally likely draws, the brighter one is taken.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = AutoEncoder()
    net, last = net.to(device), net.conv_out.conv2d
    assert last.bias is not None, "every convolution of the network has one"
    with torch.no_grad():
        brightness = []
        for _ in range(2):
            brightness.append(float(net(photographs).mean()))
            last.weight.neg_()
            last.bias.neg_()
        if brightness[1] > brightness[0]:
            last.weight.neg_()
            last.bias.neg_()
    return net


def train(config: Config, photographs: list[Image], folder: str | Path | None = None) -> tuple[AutoEncoder, dict[str, Any]]:
    """Auto-encoder trained on grey photographs of one size (h, w), levels 0..255, and the record of its training.

    Photographs are drawn at random and mirrored at random. In float32 on a processor, with `steps` instead of `minutes`, a run that was
    killed and started again with the same `folder` ends in the same bits as one that was left alone. ValueError where photographs differ in
    size, or where all outputs became zero, from which the last ReLU cannot recover: another seed is needed.
    """
    shapes = {photograph.shape for photograph in photographs}
    if len(shapes) != 1:
        raise ValueError(f"photographs: found {len(photographs)} of sizes {sorted(shapes)[:3]}, expected at least one, all of one size")
    device = loop.on_device(config.device)
    torch.backends.cudnn.benchmark = True  # one size throughout: the fastest kernels are worth looking for
    stack = torch.from_numpy(np.stack(photographs))[:, None].to(device)
    net = _start(stack[:2].float(), config.seed, device)
    optimiser = torch.optim.Adam(net.parameters(), config.rate)
    run = loop.Run("nestfuse", config, {"net": net, "optimiser": optimiser}, folder, photographs)
    for step, progress in run:
        random = np.random.default_rng([config.seed, step])
        images = stack[torch.from_numpy(random.integers(len(stack), size=config.batch)).to(device)].float()
        images = torch.flip(images, [axis for axis in (2, 3) if random.random() < 0.5])
        loop.set_rate(optimiser, loop.falling(progress, config.rate, config.last_rate))
        with loop.autocast(config.precision, device):
            output = net(images)
        squares = functional.mse_loss(output.float(), images)
        similarity = ms_ssim(output, images, config.coarsest)
        loss = squares + config.ssim_weight * (1 - similarity)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        if step % 50 == 49 and not output.max() > 0:
            raise ValueError(f"seed: found {config.seed}, from which the network fell silent after {step + 1} steps, expected another")
        run.record(loss=loss, squares=squares, ms_ssim=similarity)
    return net.eval(), loop.summary(run, method="NestFuse", photographs=len(photographs), size=list(photographs[0].shape))

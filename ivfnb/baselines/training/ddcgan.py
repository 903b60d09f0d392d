"""Training of DDcGAN: a generator against two discriminators, one of visible and one of infrared patches."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from ivfnb.baselines.networks.ddcgan import EPSILON, Generator
from ivfnb.baselines.training import loop
from ivfnb.images import Image

EPOCH = 1136  # batches of the released script's epoch
LOG_EPSILON = 1e-8
CLIP = 8.0  # all weights stay within -8..8
DEVIATION = 0.05  # of the generator's kernels at the start


@dataclass(frozen=True)
class Config:
    """What a run depends on besides its pairs; the values are those of the released script.

    It trained one epoch over 27,264 patches of TNO (a number recalled from the paper), 1,136 batches of 24; here patches are cut at random.
    """

    steps: int | None = EPOCH  # batches, turn about for the discriminators and the generator
    minutes: float | None = None  # at most; None: as long as `steps` take
    batch: int = 24
    side: int = 84  # of a patch, pixels
    rate: float = 2e-4
    decay: float = 0.9  # of the rate, over as many updates of any network as an epoch has batches
    content_weight: float = 0.6
    infrared_share: float = 1 / 16
    gradient_weight: float = 1.2
    repeats: int = 20  # of one network's turn, at most
    discriminator_above: float = 1.7  # a discriminator's turn goes on above this loss
    discriminator_below: float = 1.4  # the generator's turn goes on while a discriminator's loss is below this
    generator_above: float = 200.0  # and while its own is above this
    seed: int = 0
    precision: str = "float32"
    device: str = "auto"
    checkpoint_seconds: float = 60.0


class Layer(nn.Module):
    """3x3 convolution with reflected borders, then batch norm by the batch's own statistics (where asked for) and ReLU."""

    def __init__(self, channels_in: int, channels_out: int, deviation: float, stride: int = 1, norm: bool = True):
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, 3, stride)
        self.norm = nn.BatchNorm2d(channels_out, EPSILON, track_running_stats=False) if norm else None
        nn.init.trunc_normal_(self.conv.weight, std=deviation, a=-2 * deviation, b=2 * deviation)
        assert self.conv.bias is not None, "convolutions have one unless told otherwise"
        nn.init.zeros_(self.conv.bias)

    def convolve(self, features: torch.Tensor) -> torch.Tensor:
        """The convolution alone."""
        return self.conv(functional.pad(features, (1, 1, 1, 1), mode="reflect"))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Convolution, norm, ReLU."""
        result = self.convolve(features)
        return functional.relu(result if self.norm is None else self.norm(result))


def new_generator() -> Generator:
    """A generator with the released script's starting values: kernels from a normal distribution cut at two deviations, biases 0."""
    generator = Generator()
    for module in generator.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.trunc_normal_(module.weight, std=DEVIATION, a=-2 * DEVIATION, b=2 * DEVIATION)
            assert module.bias is not None, "every convolution of the generator has one"
            nn.init.zeros_(module.bias)
    return generator


class Discriminator(nn.Module):
    """Patches (n, 1, side, side) to how real they look, 0..1: (n, 1)."""

    def __init__(self, side: int):
        super().__init__()
        self.layers = nn.Sequential(Layer(1, 16, 0.1, 2, norm=False), Layer(16, 32, 0.1, 2), Layer(32, 64, 0.1, 2))
        left = (side + 7) // 8  # halved three times, rounded up
        self.dense = nn.Linear(64 * left * left, 1)
        nn.init.xavier_uniform_(self.dense.weight)
        nn.init.zeros_(self.dense.bias)

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        """Likelihood of being a source's patch."""
        return torch.tanh(self.dense(self.layers(patches).flatten(1)).float()) / 2 + 0.5


def _rms(parameters: list[nn.Parameter], rate: float) -> torch.optim.RMSprop:
    """RMSProp as TensorFlow 1 starts it: mean squares of one, not of zero, so that the first steps are no larger than the rate."""
    optimiser = torch.optim.RMSprop(parameters, rate, alpha=0.9, eps=1e-10)
    for parameter in parameters:
        optimiser.state[parameter] = {"step": torch.zeros(()), "square_avg": torch.ones_like(parameter)}
    return optimiser


def _gradient(images: torch.Tensor) -> torch.Tensor:
    """Mean of the eight neighbours less the pixel itself, zeros beyond the border."""
    kernel = torch.full((1, 1, 3, 3), 1 / 8, device=images.device)
    kernel[..., 1, 1] = -1
    return functional.conv2d(images, kernel, padding=1)


class Game:
    """The three networks, their optimisers and one batch at a time."""

    def __init__(self, config: Config, device: torch.device):
        self.config, self.device, self.updates = config, device, 0
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            generator, discriminators = new_generator(), [Discriminator(config.side), Discriminator(config.side)]
        self.generator, self.discriminators = generator.to(device), [net.to(device) for net in discriminators]
        parameters = list(self.generator.parameters())
        # the released script has two optimisers of the generator: of the whole loss, and of its adversarial part
        self.of_all, self.of_game = (_rms(parameters, config.rate) for _ in range(2))
        self.of_each = [torch.optim.SGD(net.parameters(), config.rate) for net in self.discriminators]

    def parts(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        nets = {"generator": self.generator, "visible": self.discriminators[0], "infrared": self.discriminators[1]}
        optimisers = {"of_all": self.of_all, "of_game": self.of_game, "of_visible": self.of_each[0], "of_infrared": self.of_each[1]}
        return {**nets, **optimisers}

    def _update(self, optimiser: torch.optim.Optimizer, loss: torch.Tensor, net: nn.Module) -> None:
        epoch = self.config.steps or EPOCH
        loop.set_rate(optimiser, self.config.rate * self.config.decay ** (self.updates / epoch))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        with torch.no_grad():
            for parameter in net.parameters():
                parameter.clamp_(-CLIP, CLIP)
        self.updates += 1

    def fused(self, visible: torch.Tensor, infrared: torch.Tensor) -> torch.Tensor:
        """The generator's image of a batch."""
        with loop.autocast(self.config.precision, self.device):
            return self.generator(torch.cat([visible, infrared], 1)).float()

    def discriminator_loss(self, which: int, real: torch.Tensor, fused: torch.Tensor) -> torch.Tensor:
        """Loss of the discriminator of visible (0) or infrared (1) patches."""
        net = self.discriminators[which]
        return -torch.log(net(real) + LOG_EPSILON).mean() - torch.log(1 - net(fused) + LOG_EPSILON).mean()

    def generator_losses(self, visible: torch.Tensor, infrared: torch.Tensor, fused: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Adversarial and whole loss of the generator."""
        game = torch.as_tensor(sum(-torch.log(net(fused) + LOG_EPSILON).mean() for net in self.discriminators))
        config = self.config
        squares = ((fused - infrared) ** 2).sum((1, 2, 3)).mean()
        slopes = (_gradient(fused) - _gradient(visible)).abs().sum((1, 2, 3)).mean()
        return game, game + config.content_weight * (config.infrared_share * squares + config.gradient_weight * slopes)

    def discriminators_turn(self, visible: torch.Tensor, infrared: torch.Tensor) -> dict[str, float]:
        """One update of each discriminator, and more while its loss is high; the generator's image stays."""
        with torch.no_grad():
            fused = self.fused(visible, infrared)
        last = []
        for which, (real, optimiser) in enumerate(zip((visible, infrared), self.of_each, strict=True)):
            for _ in range(self.config.repeats):
                loss = self.discriminator_loss(which, real, fused)
                self._update(optimiser, loss, self.discriminators[which])
                with torch.no_grad():
                    last_loss = self.discriminator_loss(which, real, fused).item()
                if not last_loss > self.config.discriminator_above:
                    break
            last.append(last_loss)
        return {"visible": last[0], "infrared": last[1]}

    def generators_turn(self, visible: torch.Tensor, infrared: torch.Tensor) -> dict[str, float]:
        """One update of the generator by its whole loss; more by the adversarial part while a discriminator wins; more by the whole."""
        config, count = self.config, 1
        self._update(self.of_all, self.generator_losses(visible, infrared, self.fused(visible, infrared))[1], self.generator)

        def measure() -> tuple[torch.Tensor, torch.Tensor, list[float]]:
            fused = self.fused(visible, infrared)
            with torch.no_grad():
                each = [self.discriminator_loss(which, real, fused).item() for which, real in enumerate((visible, infrared))]
            return *self.generator_losses(visible, infrared, fused), each

        game, whole, each = measure()
        while min(each) < config.discriminator_below and count < config.repeats:
            self._update(self.of_game, game, self.generator)
            game, whole, each = measure()
            count += 1
        while whole.item() > config.generator_above and count < config.repeats:
            self._update(self.of_all, whole, self.generator)
            _, whole, each = measure()
            count += 1
        return {"generator": whole.item(), "visible": each[0], "infrared": each[1], "repeats": count}


class Patches:
    """Batches of registered patches, drawn anew for each step from the seed and the step's number alone."""

    def __init__(self, pairs: list[tuple[Image, Image]], config: Config, device: torch.device):
        self.config, self.device = config, device
        self.pairs = [np.stack([visible, infrared]) for infrared, visible in pairs]
        rooms = np.array([max(0, pair.shape[1] - config.side + 1) * max(0, pair.shape[2] - config.side + 1) for pair in self.pairs])
        if not rooms.any():
            raise ValueError(f"pairs: found none of at least {config.side}x{config.side} pixels, expected at least one")
        self.shares = rooms / rooms.sum()

    def batch(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Visible and infrared patches of a step, each (batch, 1, side, side), levels 0..1."""
        random, side = np.random.default_rng([self.config.seed, step]), self.config.side
        patches = []
        for which in random.choice(len(self.pairs), size=self.config.batch, p=self.shares):
            pair = self.pairs[which]
            top, left = random.integers(pair.shape[1] - side + 1), random.integers(pair.shape[2] - side + 1)
            patches.append(pair[:, top : top + side, left : left + side])
        stack = torch.from_numpy(np.stack(patches)).to(self.device).float() / 255
        return stack[:, :1], stack[:, 1:]


def train(config: Config, pairs: list[tuple[Image, Image]], folder: str | Path | None = None) -> tuple[Generator, dict[str, Any]]:
    """Generator trained on pairs (infrared, visible) of grey images, levels 0..255, and the record of its training.

    Discriminators and generator take turns batch by batch. In float32 on a processor, with `steps` instead of `minutes`, a run that was
    killed and started again with the same `folder` ends in the same bits as one that was left alone.
    """
    device = loop.on_device(config.device)
    torch.backends.cudnn.benchmark = True
    patches, game = Patches(pairs, config, device), Game(config, device)
    run = loop.Run("ddcgan", config, game.parts(), folder, pairs)
    game.updates = run.notes.setdefault("updates", 0)
    for step, _ in run:
        turn = game.generators_turn if step % 2 else game.discriminators_turn
        found = turn(*patches.batch(step))
        run.record(**found)
        run.notes["updates"] = game.updates
    return game.generator, loop.summary(run, method="DDcGAN", pairs=len(pairs))

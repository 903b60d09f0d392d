"""Networks with random weights and random batch-norm statistics, for tests in which folding must be exact for any network."""

import numpy as np
import torch
from torch import nn

from ivfnb.classifier.network import EResNet


def random_network(seed: int, branches: str = "gradients") -> EResNet:
    """EResNet in eval mode: Xavier weights, random biases, and statistics of batch norm that differ from channel to channel."""
    random = torch.Generator().manual_seed(seed)
    net = EResNet(branches)
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.xavier_uniform_(module.weight, generator=random)
                module.bias.normal_(0, 0.2, generator=random)
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.5, generator=random)
                module.running_var.uniform_(0.3, 2, generator=random)
                module.weight.normal_(1, 0.5, generator=random)  # some are negative
                module.bias.normal_(0, 0.3, generator=random)
    return net.eval()


def random_pair(seed, shape):
    random = np.random.default_rng(seed)
    return random.integers(0, 256, shape).astype(np.uint8), random.uniform(0, 255, shape)

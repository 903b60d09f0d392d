"""EResNet at inference as the fewest affine maps: batch norm and everything else that is linear multiplied out.

A convolution or linear layer and its batch norm are one affine map; so is a residual branch up to its activation: its two convolutions
have nothing nonlinear between them. Beside it stands the block's shortcut, so that a block needs one matrix product.
"""

from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from ivfnb.classifier.network import EResNet, ResBlock, has_fast_bfloat16

CELLS = 4  # per side of a window, after three poolings
SLOPE = 0.1  # of the leaky ReLUs below zero
PRECISIONS = ("float32", "tf32", "bfloat16")  # all bits; on CUDA the factors rounded to 10 bits behind the point; everywhere to 7
KEPT = 4  # folded networks: those of both protocols, in two precisions


class Affine(NamedTuple):
    """An affine map that every pixel (row of a matrix) passes.

    Attributes
    ----------
    weight : tensor (out, in)
    bias : tensor (out,) or None
    """

    weight: torch.Tensor
    bias: torch.Tensor | None

    def to(self, dtype: torch.dtype) -> "Affine":
        """The same map in another type."""
        return Affine(self.weight.to(dtype), None if self.bias is None else self.bias.to(dtype))


class Folded(NamedTuple):
    """The network at inference: affine maps alone.

    Attributes
    ----------
    stems : list of Affine
        Of the 3x3 neighbourhood, one a branch.
    branches : list of lists of Affine
        Of the blocks of grey, Gx and Gy.
    gradient_block : Affine
        Of the block that joins Gx and Gy.
    cells : list of tensors
        Weight of the head's first layer, for each of the 4 rows of cells: (2 blocks, 256, 4 columns of 512).
    """

    stems: list[Affine]  # of the 3x3 neighbourhood, per branch
    branches: list[list[Affine]]  # of the blocks of gray, Gx and Gy
    gradient_block: Affine
    cells: list[torch.Tensor]  # weight of the head's first layer, for each of the 4 rows of cells (2 blocks, 256, 4 columns of 512)


def _matrix(layers: nn.Module, first: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """The convolution at place `first` of some layers and the batch norm behind it as one float64 matrix (out, in) and bias."""
    assert isinstance(layers, nn.Sequential)
    linear, norm = layers[first], layers[first + 1]
    assert isinstance(linear, nn.Conv2d)
    assert isinstance(norm, nn.BatchNorm2d)
    assert linear.bias is not None  # as `network` makes its layers, and it keeps the running statistics
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
    bias = (linear.bias.double() - norm.running_mean.double()) * scale + norm.bias.double()
    return linear.weight.double().flatten(1) * scale[:, None], bias


def _fold_block(block: nn.Module) -> Affine:
    """Residual branch (two convolutions, nothing nonlinear between) and shortcut of a block, stacked: (2 * out, in)."""
    assert isinstance(block, ResBlock)
    first, second, shortcut = _matrix(block.residual), _matrix(block.residual, 2), _matrix(block.shortcut)
    weight = torch.cat([second[0] @ first[0], shortcut[0]])
    return Affine(weight.float(), torch.cat([second[0] @ first[1] + second[1], shortcut[1]]).float())


def fold(net: EResNet) -> Folded:
    """The network's affine maps for inference, multiplied in float64 and rounded to float32 once.

    Parameters
    ----------
    net : EResNet

    Returns
    -------
    Folded

    Examples
    --------
    >>> fold(EResNet().eval()).gradient_block.weight.shape
    torch.Size([512, 256])
    """
    # the head flattens (branch, channel, 2 blocks x 4 rows, 4 columns); here: row -> block, output, (column, branch, channel)
    weight = net.first_of_head.weight.view(-1, 2, 256, 2, CELLS, CELLS).permute(4, 3, 0, 5, 1, 2).flatten(3)
    return Folded(
        stems=[Affine(*(part.float() for part in _matrix(stem))) for stem in net.stems],
        branches=[[_fold_block(block) for block in blocks] for blocks in (net.gray_blocks, net.gx_blocks, net.gy_blocks)],
        gradient_block=_fold_block(net.gradient_block),
        cells=list(weight),
    )


_LAST: list[tuple[object, list[torch.Tensor], torch.Tensor, Folded]] = []  # what `folded` made last, and of what


@torch.inference_mode()
def folded(net: EResNet, precision: str = "float32") -> Folded:
    """The affine maps of `fold`, kept for the next call with the same weights.

    Parameters
    ----------
    net : EResNet
    precision : str
        One of `PRECISIONS`. With "bfloat16" the maps behind the stems are rounded to it.

    Returns
    -------
    Folded

    Raises
    ------
    ValueError
        For an unknown precision.

    Notes
    -----
    Weights count as the same where they are the same tensors at the same places, unchanged by torch's count of changes and of the same
    norms: the norms also tell of a change that went by `tensor.data`, which torch does not count.

    Examples
    --------
    >>> net = EResNet().eval()
    >>> folded(net) is folded(net)
    True
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision: found {precision!r}, expected one of {PRECISIONS}")
    tensors = [tensor for tensor in (*net.parameters(), *net.buffers()) if tensor.is_floating_point() and tensor is not net.normalisation]
    norms = torch.stack(torch._foreach_norm(tensors))
    key = precision, [(tensor.data_ptr(), None if tensor.is_inference() else tensor._version) for tensor in tensors]
    for known, of, known_norms, maps in _LAST:
        if known == key and all(a is b for a, b in zip(of, tensors, strict=True)) and torch.equal(known_norms, norms):
            return maps
    maps = fold(net)
    if precision == "bfloat16":
        maps = maps._replace(
            branches=[[block.to(torch.bfloat16) for block in blocks] for blocks in maps.branches],
            gradient_block=maps.gradient_block.to(torch.bfloat16),
            cells=[cell.bfloat16() for cell in maps.cells],
        )
    _LAST[:] = [(key, tensors, norms, maps), *_LAST[: KEPT - 1]]
    return maps


def activates(features: torch.Tensor) -> bool:
    """Whether `product` applies the activation on the way, at no cost: by oneDNN on a processor.

    Examples
    --------
    >>> activates(torch.ones(1, 2, device="meta"))
    False
    """
    return features.is_cpu and torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def activate(features: torch.Tensor) -> torch.Tensor:
    """The leaky ReLU, in place.

    Examples
    --------
    >>> activate(torch.tensor([-1.0, 2.0]))
    tensor([-0.1000,  2.0000])
    """
    return functional.leaky_relu_(features, SLOPE)


def product(features: torch.Tensor, affine: Affine, *, activation: bool = False) -> torch.Tensor:
    """The affine map of every row, and the leaky ReLU where asked for.

    Parameters
    ----------
    features : tensor (n, in), float32 or bfloat16
    affine : Affine
        Of the same type.
    activation : bool

    Returns
    -------
    tensor (n, out), of the same type

    Notes
    -----
    On the CPU by oneDNN's matrix product: `functional.linear` would take MKL's, which leaves AVX-512 unused on AMD processors. Where a
    processor does not multiply bfloat16 it is multiplied as float32 and the sum rounded: the same rounding, without the speed.

    Examples
    --------
    >>> product(torch.ones(1, 2), Affine(torch.tensor([[-1.0, -1.0]]), None), activation=True)
    tensor([[-0.2000]])
    """
    if features.dtype == torch.bfloat16 and features.is_cpu and not has_fast_bfloat16(features.device):
        return product(features.float(), affine.to(torch.float32), activation=activation).bfloat16()
    if activates(features):
        fused = ("leaky_relu", [SLOPE], "") if activation else ("none", [], "")
        return torch.ops.mkldnn._linear_pointwise(features, affine.weight, affine.bias, *fused)
    result = functional.linear(features, affine.weight, affine.bias)
    return activate(result) if activation else result

"""What the trained networks share: device, convolutions of TensorFlow's kernels, batch norm, work in rows, and how results were saved.

Tensors are (1, channels, h, w), float32, with the channels last in memory, which is the faster order for convolutions on a CPU.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ivfnb.images import Image

STRETCHES = ("range", "maximum", "none")
MOMENTS_OF = 1 << 21  # values turned into float64 at a time
FLAT = 1e-4  # of the largest level: a result that varies by less holds nothing but rounding


class Convolution(NamedTuple):
    """Weight (out, in, height, width) and bias (out,) of a convolution, of whose maps the first `channels` are meant.

    The others are zeros that round their number up to a multiple of 8, which is faster on a CPU.
    """

    weight: Tensor
    bias: Tensor | None
    channels: int


def of_tensorflow(kernel: np.ndarray, bias: np.ndarray | None, device: torch.device) -> Convolution:
    """Convolution of a TensorFlow kernel (height, width, in, out) and its bias, in float32 on `device`."""
    channels = kernel.shape[-1]
    more = -channels % 8 if channels > 8 else 0
    weight = torch.from_numpy(np.ascontiguousarray(np.pad(kernel.transpose(3, 2, 0, 1), ((0, more), *[(0, 0)] * 3)), np.float32))
    offset = None if bias is None else torch.from_numpy(np.pad(bias, (0, more)).astype(np.float32)).to(device)
    return Convolution(weight.to(device, memory_format=torch.channels_last), offset, channels)


def choose_device(name: str = "auto") -> torch.device:
    """Device on which a network runs.

    Parameters
    ----------
    name : str
        "auto" is the first CUDA device where there is one, else the processor; any other name is PyTorch's ("cpu", "cuda", "cuda:1").

    Returns
    -------
    torch.device

    Raises
    ------
    ValueError
        If there is no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"device: found {name!r}, expected 'auto', 'cpu' or 'cuda'") from error
    if chosen.type not in ("cpu", "cuda") or (chosen.type == "cuda" and not torch.cuda.is_available()):
        raise ValueError(f"device: found {name!r}, expected 'auto', 'cpu' or, where there is one, 'cuda'")
    return chosen if chosen.type == "cpu" or chosen.index is not None else torch.device("cuda", torch.cuda.current_device())


@contextlib.contextmanager
def inference() -> Iterator[None]:
    """No graph is kept, and a GPU computes in float32 proper: TensorFloat-32 would round the factors to 10 bits."""
    flags = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
    with torch.inference_mode(), flags:
        before = torch.backends.cuda.matmul.allow_tf32
        torch.backends.cuda.matmul.allow_tf32 = False
        try:
            yield
        finally:
            torch.backends.cuda.matmul.allow_tf32 = before


def stack(*planes: np.ndarray, device: torch.device) -> Tensor:
    """Planes (h, w) as the channels of one tensor (1, n, h, w), channels last in memory."""
    together = np.stack([np.asarray(plane, np.float32) for plane in planes], axis=-1)
    return torch.from_numpy(together).to(device).permute(2, 0, 1).unsqueeze(0)


# A stream is an image on its way through the layers: chunks of whole rows in order, each the maps that are its channels, and whether it is
# the last. So features of a few rows are all that is kept, no row is computed twice, and the memory they lie in stays warm.
Stream = Iterator[tuple[tuple[Tensor, ...], bool]]


def streamed(features: Tensor, depth: int, pixels: int) -> Stream:
    """Features (1, c, h, w) as a stream for `depth` 3x3 convolutions in chunks of about `pixels` pixels (on a GPU sixteen times that)."""
    height, width = features.shape[2:]
    rows = max(
        pixels * (1 if features.device.type == "cpu" else 16) // width, depth + 2
    )  # each layer holds one row of the first chunk back
    chunks = features.tensor_split(max(height // rows, 1), dim=2)
    return (((chunk,), number == len(chunks)) for number, chunk in enumerate(chunks, 1))


def gathered(stream: Stream) -> Tensor:
    """The whole of a stream of one map: (1, c, h, w)."""
    return torch.cat([chunk for (chunk,), _ in stream], dim=2)


def mirrored(stream: Stream) -> Iterator[tuple[Tensor, bool]]:
    """Chunks with their maps side by side and one pixel of border, the image's own border mirrored without repeating the edge pixel.

    What lies inside the border is what a 3x3 convolution gives values for: all rows but the last, which comes with the next chunk.
    """
    kept = None
    for maps, last in stream:
        images, _, rows, width = maps[0].shape
        above = 1 if kept is None else 2
        shape = images, sum(part.shape[1] for part in maps), above + rows + last, width + 2
        padded = torch.empty(shape, device=maps[0].device, memory_format=torch.channels_last)
        inner = padded[:, :, above : above + rows, 1:-1]
        for part, place in zip(maps, inner.split([part.shape[1] for part in maps], dim=1), strict=True):
            place.copy_(part)
        if kept is None:
            padded[:, :, 0] = padded[:, :, 2]
        else:
            padded[:, :, :2] = kept
        if last:
            padded[:, :, -1] = padded[:, :, -3]
        padded[..., 0], padded[..., -1] = padded[..., 2], padded[..., -3]
        kept = padded[:, :, -2:].clone(memory_format=torch.channels_last)
        yield padded, last


def convolved(stream: Stream, layer: Convolution, activation: Callable[[Tensor], Tensor] = torch.relu_, dense: str = "") -> Stream:
    """A stream after a 3x3 convolution with mirrored border.

    With `dense`, what went in stays, as densely connected layers have it: behind the new maps ("newest first") or before ("newest last").
    """
    for padded, last in mirrored(stream):
        new = activation(functional.conv2d(padded, layer.weight, layer.bias))[:, : layer.channels]
        old = padded[:, :, 1:-1, 1:-1]
        yield {"": (new,), "newest first": (new, old), "newest last": (old, new)}[dense], last


def zero_padded(maps: Sequence[Tensor], layer: Convolution, pixels: int) -> Tensor:
    """Convolution of maps side by side with as many zeros around as keep the size (TensorFlow's "SAME" for odd kernels): (1, n, h, w).

    The maps are joined in strips of about `pixels` pixels only.
    """
    height, width = maps[0].shape[2:]
    radius, rows = layer.weight.shape[-1] // 2, max(pixels // width, 16)
    shape = 1, layer.channels, height, width
    result = torch.empty(shape, device=maps[0].device, memory_format=torch.channels_last)
    for top in range(0, height, rows):
        above, bottom = max(top - radius, 0), min(top + rows, height)
        parts = [part[:, :, above : bottom + radius] for part in maps]
        part = functional.conv2d(torch.cat(parts, dim=1) if len(parts) > 1 else parts[0], layer.weight, layer.bias, padding=radius)
        result[:, :, top:bottom] = part[:, : layer.channels, top - above : bottom - above]
    return result


def own_batch_norm_(features: Tensor, gamma: Tensor | None = None, beta: Tensor | None = None, epsilon: float = 1e-3) -> Tensor:
    """Channels less their mean over this image, over the root of their biased variance plus `epsilon`, times gamma (1), plus beta (0).

    In place. The moments are summed up in float64.
    """
    height, width = features.shape[2:]
    total, squares = torch.zeros(2, features.shape[1], dtype=torch.float64, device=features.device)
    for rows in features.split(max(MOMENTS_OF // (width * features.shape[1]), 1), dim=2):
        wide = rows.double()
        total += wide.sum((0, 2, 3))
        squares += wide.square_().sum((0, 2, 3))
    average = total / (height * width)
    scale = (squares / (height * width) - average.square()).clamp_(min=0).add_(epsilon).rsqrt_()
    if gamma is not None:
        scale *= gamma
    shift = -average * scale if beta is None else beta - average * scale
    return features.mul_(scale.float().view(1, -1, 1, 1)).add_(shift.float().view(1, -1, 1, 1))


def saved(output: Tensor, scale: float = 1.0, offset: float = 0.0, stretch: str = "range") -> Image:
    """A network's output (1, 1, h, w) as an image: float64 (h, w), levels 0..255.

    `stretch` "range" maps the output's own minimum..maximum to 0..255, as the old `scipy.misc.imsave` did with whatever it was given;
    "maximum" maps 0..maximum; "none" takes `scale` times the output plus `offset` for levels and clips them to 0..255. An output that
    varies by rounding alone has nothing to stretch and is treated as by "none". ValueError for another `stretch`.
    """
    check_stretch(stretch, STRETCHES)
    levels = output[0, 0].cpu().numpy().astype(np.float64)
    low, high = float(levels.min()), float(levels.max())
    if stretch != "none" and high - low > FLAT * max(abs(low), abs(high)):
        low = low if stretch == "range" else 0.0
        levels = (levels - low) * 255 / (high - low)
    else:
        levels = levels * scale + offset
    return np.clip(levels, 0, 255)


def check_stretch(stretch: str, known: tuple[str, ...] = ("range", "none")) -> None:
    """ValueError unless `stretch` is one of those that a method knows."""
    if stretch not in known:
        raise ValueError(f"stretch: found {stretch!r}, expected one of {known}")

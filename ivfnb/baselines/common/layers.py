"""What the trained networks share: device, convolutions of TensorFlow's kernels, batch norm, work in strips, and how results were saved.

Tensors are (1, channels, h, w), float32, with the channels last in memory, which is the faster order for convolutions on a CPU.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ivfnb.images import Image

STRETCHES = ("range", "maximum", "none")
FLAT = 1e-4  # of the largest level: a result that varies by less holds nothing but rounding


class Convolution(NamedTuple):
    """Weight (out, in, height, width) and bias (out,) of a convolution."""

    weight: Tensor
    bias: Tensor | None


def of_tensorflow(kernel: np.ndarray, bias: np.ndarray | None, device: torch.device) -> Convolution:
    """Convolution of a TensorFlow kernel (height, width, in, out) and its bias, in float32 on `device`."""
    weight = torch.from_numpy(np.ascontiguousarray(kernel.transpose(3, 2, 0, 1), np.float32))
    offset = None if bias is None else torch.from_numpy(np.ascontiguousarray(bias, np.float32)).to(device)
    return Convolution(weight.to(device, memory_format=torch.channels_last), offset)


def choose_device(name: str = "auto") -> torch.device:
    """Device of that name; "auto" is CUDA where there is one, else the CPU. ValueError for a name torch does not know or has not at hand."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"device: found {name!r}, expected auto, cpu or cuda") from error
    if chosen.type not in ("cpu", "cuda") or (chosen.type == "cuda" and not torch.cuda.is_available()):
        raise ValueError(f"device: found {name!r}, expected auto, cpu or, where there is one, cuda")
    return chosen if chosen.type == "cpu" or chosen.index is not None else torch.device("cuda", torch.cuda.current_device())


@contextlib.contextmanager
def inference() -> Iterator[None]:
    """No graph is kept, and convolutions on a GPU are computed in full float32, not in TF32."""
    with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
        yield


def stack(*planes: np.ndarray, device: torch.device) -> Tensor:
    """Planes (h, w) as the channels of one tensor (1, n, h, w), channels last in memory."""
    together = np.stack([np.asarray(plane, np.float32) for plane in planes], axis=-1)
    return torch.from_numpy(together).to(device).permute(2, 0, 1).unsqueeze(0)


def reflected(features: Tensor, layer: Convolution, stride: int = 1) -> Tensor:
    """3x3 convolution, the border mirrored without repeating the edge pixel; the size is kept (divided by `stride`, rounded up)."""
    return functional.conv2d(functional.pad(features, (1, 1, 1, 1), mode="reflect"), layer.weight, layer.bias, stride)


def zero_padded(features: Tensor, layer: Convolution) -> Tensor:
    """Convolution with as many zeros around as keep the size (TensorFlow's "SAME" for odd kernels)."""
    return functional.conv2d(features, layer.weight, layer.bias, padding=layer.weight.shape[-1] // 2)


def own_batch_norm(features: Tensor, gamma: Tensor | None = None, beta: Tensor | None = None, epsilon: float = 1e-3) -> Tensor:
    """Channels less their own mean over this image, over the root of their own biased variance plus `epsilon`; gamma 1, beta 0 unless given."""
    return functional.batch_norm(features, None, None, gamma, beta, training=True, eps=epsilon)


def in_strips(network: Callable[[Tensor], Tensor], stacked: Tensor, halo: int, pixels: int) -> Tensor:
    """A network's result (1, n, h, w), computed in strips of whole rows so that its features need bounded memory.

    Each strip is given `halo` further rows above and below, as far as the image has them, which are cut off the result. The result is
    that of the whole image where no pixel depends on rows further away than `halo` and the network pads rows as it pads columns.

    Parameters
    ----------
    network : function (1, c, h, w) -> (1, n, h, w)
    stacked : tensor (1, c, h, w)
    halo : int
        Rows, at least as many as the network has 3x3 convolutions.
    pixels : int
        How many pixels a strip may have, with its halo; at least one row beside the halo is taken.
    """
    height, width = stacked.shape[2:]
    if height * width <= pixels:
        return network(stacked)
    rows = max(pixels // width - 2 * halo, halo, 1)
    rows = -(-height // -(-height // rows))  # strips of nearly one height
    strips = []
    for top in range(0, height, rows):
        above, bottom = max(top - halo, 0), min(top + rows, height)
        part = network(stacked[:, :, above : bottom + halo])
        strips.append(part[:, :, top - above : bottom - above])
    return torch.cat(strips, dim=2)


def saved(output: Tensor, scale: float = 1.0, offset: float = 0.0, stretch: str = "range") -> Image:
    """A network's single-channel output as an image: float64 (h, w), levels 0..255.

    `stretch` "range" maps the output's own minimum..maximum to 0..255, as the old `scipy.misc.imsave` did with whatever it was given;
    "maximum" maps 0..maximum; "none" takes `scale` times the output plus `offset` for levels and clips them to 0..255. An output that
    varies by rounding alone has nothing to stretch and is treated as by "none". ValueError for another `stretch`.
    """
    check_stretch(stretch, STRETCHES)
    plane = output.squeeze().reshape(output.shape[-2:]).cpu().numpy().astype(np.float64)
    low, high = float(plane.min()), float(plane.max())
    if stretch != "none" and high - low > FLAT * max(abs(low), abs(high)):
        low = low if stretch == "range" else 0.0
        plane = (plane - low) * 255 / (high - low)
    else:
        plane = plane * scale + offset
    return np.clip(plane, 0, 255)


def check_stretch(stretch: str, known: tuple[str, ...] = ("range", "none")) -> None:
    """ValueError unless `stretch` is one of those that a method knows."""
    if stretch not in known:
        raise ValueError(f"stretch: found {stretch!r}, expected one of {known}")

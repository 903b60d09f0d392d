"""The four stages on a pair: enhance, judge sharpness, average by the weight map, Retinex; every intermediate image is kept.

After Qi et al. 2024, doi 10.1016/j.neucom.2024.127353, and their released fusion script; `Protocol` says which of the two at each step.
"""

import copy
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from scipy import ndimage

from ivfnb import enhance, images
from ivfnb.images import Image, ImageError
from ivfnb.protocol import AS_PAPER, AS_RELEASED, Protocol, ablations, switches

__all__ = ["AS_PAPER", "AS_RELEASED", "FusionResult", "Protocol", "ablations", "blend_by_distance", "fuse", "switches"]


class UndefinedDistanceWarning(UserWarning):
    """A distance transform was asked for in an image without a zero pixel, where it is not defined."""


@dataclass(frozen=True)
class FusionResult:
    """Everything `fuse` made of one pair. Grey images (h, w) of the protocol's size; levels 0..255.

    `weight_map` is the weight of the visible image, 0..1: blended = weight * enhanced visible + (1 - weight) * enhanced infrared.
    """

    fused: Image  # uint8 (h, w), or (h, w, 3) RGB of a colour visible image
    weight_map: np.ndarray  # float64, 0..1
    enhanced_infrared: Image  # as blended: float64, or uint8 with Protocol.eight_bit
    enhanced_visible: Image
    blended: Image  # float64
    stretched: Image  # the blend as SSR saw it: stretched (uint8 with Protocol.eight_bit) or `blended` itself
    votes: np.ndarray | None  # int16 sum of the windows' votes, positive for visible; None without a classifier
    scores: np.ndarray | None  # (2 orders, rows, columns, 2) logits of the windows; None without a classifier
    protocol: Protocol


def distance_to_zero(image: np.ndarray) -> np.ndarray:
    """Euclidean distance of each pixel to the nearest zero-valued one; float64 (h, w), pixels.

    Without a zero pixel that is undefined; SciPy, and so the released script, then returns the distance to a point above the top-left
    corner. That ramp is reproduced here by its formula, with an UndefinedDistanceWarning (Python shows it once).
    """
    if (image == 0).any():
        return ndimage.distance_transform_edt(image)
    warnings.warn(
        "distance transform of an image without a zero pixel is undefined: a ramp from the top-left corner stands in, as released",
        UndefinedDistanceWarning,
        stacklevel=1,
    )
    rows, columns = np.indices(image.shape)
    return np.hypot(rows + 1, columns)


def _distance_terms(enhanced_infrared: Image, enhanced_visible: Image, visible_mask: np.ndarray) -> tuple[np.ndarray, ...]:
    """The released script's three distances: to a black pixel of the hard composite, to the infrared region, to the visible region."""
    composite = np.where(visible_mask, enhanced_visible, enhanced_infrared).astype(np.uint8)
    mask = np.asarray(visible_mask, dtype=np.uint8)
    return distance_to_zero(composite), distance_to_zero(mask), distance_to_zero(1 - mask)


def blend_by_distance(enhanced_infrared: Image, enhanced_visible: Image, visible_mask: np.ndarray) -> tuple[Image, np.ndarray]:
    """The released script's blend of two grey images by a mask (h, w) of where the visible one is sharper: (blended, weight of visible).

    With d the distance to zero-valued pixels of the hard composite (cast to uint8), v that to the infrared region and i that to the
    visible one: ((d + v) visible + (d + i) infrared) / (2 d + v + i). Far from black pixels this nears the plain mean.
    """
    shapes = {np.shape(each) for each in (enhanced_infrared, enhanced_visible, visible_mask)}
    if len(shapes) != 1:
        raise ValueError(f"enhanced_infrared, enhanced_visible, visible_mask: found shapes {sorted(shapes)}, expected one shape")
    common, inside_visible, inside_infrared = _distance_terms(enhanced_infrared, enhanced_visible, visible_mask)
    total = 2 * common + inside_infrared + inside_visible  # above 0: each pixel is outside one of the two regions
    # The order of the sum is the released one: a later truncation to 8 bits sees its last bit.
    blended = (
        common * enhanced_infrared + common * enhanced_visible + inside_infrared * enhanced_infrared + inside_visible * enhanced_visible
    )
    return blended / total, (common + inside_visible) / total


def gradient_energy_scores(visible: Image, infrared: Image, stride: int = 8) -> np.ndarray:
    """Scores in the form of `weightmap.window_scores` without a network: the logarithm of each window's sum of squared Sobel gradients.

    The softmax of two such logits is each window's share of the energy (Tenengrad; Krotkov 1988, doi 10.1007/BF00127822).
    """
    from ivfnb.weightmap import grid_shape

    rows, columns = (stride * np.arange(count) for count in grid_shape(visible.shape, stride))
    energies = []
    for image in (visible, infrared):
        gradients = (cv2.Sobel(np.asarray(image, np.float64), cv2.CV_64F, dx, 1 - dx, borderType=cv2.BORDER_REPLICATE) for dx in (0, 1))
        total = cv2.integral(sum(gradient**2 for gradient in gradients))
        top, bottom = total[rows], total[rows + 32]
        energy = bottom[:, columns + 32] - bottom[:, columns] - top[:, columns + 32] + top[:, columns]
        energies.append(np.log(np.maximum(energy, 0) + 1e-3))  # flat windows of both images tie
    upper_visible = np.stack(energies, axis=2)
    return np.stack([upper_visible, upper_visible[..., ::-1]])


def _network(net, protocol: Protocol):
    """The network as the protocol wants it; ValueError where there is none or it was trained on something else."""
    if net is None:
        raise ValueError(f"net: found None, expected a network trained on {protocol.trained_on} (network.load({protocol.weights!r}))")
    if net.branches != protocol.trained_on:
        raise ValueError(
            f"net: found a network with {net.branches} branches, expected {protocol.trained_on} as the protocol says (Protocol.trained_on)"
        )
    if protocol.normalisation == "network" and protocol.branches == net.branches:
        return net
    import torch

    from ivfnb.network import NORMALISATION

    net = copy.deepcopy(net)
    net.branches = protocol.branches
    if protocol.normalisation == "released":
        net.normalisation.copy_(torch.tensor(NORMALISATION["released"]))
    return net


def _judge(
    infrared: Image, visible: Image, net, protocol: Protocol, window_scores: Callable | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(weight of visible, votes, scores) of the images the classifier sees; the weight of "mask" and "distance" is the hard mask."""
    from ivfnb import weightmap

    (visible, inside), (infrared, _) = (weightmap.pad_to_grid(image, protocol.stride) for image in (visible, infrared))
    if protocol.classifier == "cnn":
        scores = (window_scores or weightmap.window_scores)(_network(net, protocol), visible, infrared, protocol.stride)
    else:
        scores = gradient_energy_scores(visible, infrared, protocol.stride)
    where = (visible.shape, protocol.stride)
    votes = weightmap.vote_map(weightmap.decide(scores, protocol.ties), *where)[inside]
    if protocol.weighting in ("soft", "votes"):
        return weightmap.weight_map(scores, *where, protocol.weighting, protocol.ties)[inside], votes, scores
    undecided = {"visible": True, "infrared": False}.get(protocol.ties)
    if undecided is None:
        undecided = weightmap.weight_map(scores, *where, "soft")[inside] >= 0.5
    return ((votes > 0) | ((votes == 0) & undecided)).astype(np.float64), votes, scores


def _retinex(image: Image, protocol: Protocol) -> Image:
    """The retinex the protocol names, and uint8: truncated after the retinex, as released, else rounded."""
    if protocol.ssr == "none":
        return images.to_uint8(image)
    sigma = protocol.ssr_sigma * (max(image.shape) if protocol.ssr_unit == "image" else 1)
    sigmas = sigma if protocol.ssr == "single" else tuple(sigma * share for share in enhance.MULTI_SHARES)
    return enhance.ssr(image, sigmas, protocol.clip).astype(np.uint8)


def _split(visible: Image) -> tuple[Image, np.ndarray | None]:
    """Luma (h, w) and chroma (h, w, 2), the latter None for a grey image. The luma of 8 bits is rounded: it is that of the grey image."""
    visible = np.asarray(visible)
    if visible.ndim == 2:
        return enhance.levels(visible, "visible"), None
    if visible.ndim != 3 or visible.shape[2] != 3:
        raise ImageError(f"visible: found an array of shape {visible.shape}, expected (h, w) or (h, w, 3)")
    channels = [enhance.levels(visible[..., channel], "visible") for channel in range(3)]
    planes = images.to_ycbcr(np.stack(channels, axis=2))
    return images.to_gray(visible).astype(np.float64) if visible.dtype == np.uint8 else planes[..., 0], planes[..., 1:]


def fuse(infrared: Image, visible: Image, net=None, protocol: Protocol = AS_PAPER, window_scores: Callable | None = None) -> FusionResult:
    """Fuse a registered pair: infrared (h, w), visible (h, w) or (h, w, 3) RGB of one size, uint8, uint16 or floating point levels 0..255.

    Of a colour visible image the luma (ITU-R BT.601) is fused and the chroma carried over. `net` is an EResNet that was trained on what
    the protocol says; None will do where `protocol.classifier` is not "cnn". `window_scores` stands in for `weightmap.window_scores`, one
    that remembers, say. Raises ValueError for images of different sizes or (with a classifier) below 32x32, for a missing or unfitting
    network, and ImageError for arrays that are no images. Deterministic.
    """
    infrared = enhance.levels(infrared, "infrared")
    luma, chroma = _split(visible)
    if infrared.shape != luma.shape:
        raise ValueError(f"infrared, visible: found sizes {infrared.shape} and {luma.shape}, expected one size")

    def prepared(image: Image) -> Image:
        image = images.to_uint8(image) if protocol.eight_bit else image
        image = images.through_jpeg(image, protocol.jpeg_quality) if protocol.jpeg_quality else image
        return images.resize(image, protocol.size) if protocol.size else image

    enhanced_infrared = prepared(enhance.INFRARED[protocol.enhance_infrared](infrared))
    enhanced_visible = prepared(enhance.VISIBLE[protocol.enhance_visible](luma))
    weight, votes, scores = np.full(enhanced_visible.shape, 0.5), None, None
    if protocol.classifier != "none":
        judged = enhanced_infrared if protocol.classifier_infrared == "enhanced" else prepared(infrared)
        weight, votes, scores = _judge(judged, enhanced_visible, net, protocol, window_scores)
    if protocol.weighting == "distance" and votes is not None:
        blended, weight = blend_by_distance(enhanced_infrared, enhanced_visible, weight > 0.5)
    else:
        blended = weight * enhanced_visible + (1 - weight) * enhanced_infrared
    stretched = enhance.stretch(blended) if protocol.stretch else blended
    stretched = stretched.astype(np.uint8) if protocol.stretch and protocol.eight_bit else stretched
    fused = _retinex(stretched, protocol)
    if chroma is not None:
        chroma = images.resize(chroma, fused.shape)
        fused = images.to_uint8(images.from_ycbcr(np.dstack([fused, chroma])))
    return FusionResult(fused, weight, enhanced_infrared, enhanced_visible, blended, stretched, votes, scores, protocol)

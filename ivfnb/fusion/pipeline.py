"""The four stages on a pair: enhance, judge sharpness, average by the weight map, Retinex; every intermediate image is kept.

After Qi et al. 2024, doi 10.1016/j.neucom.2024.127353, and their released fusion script; `Protocol` says which of the two at each step.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ivfnb import enhance, images
from ivfnb.fusion.blend import blend_by_distance
from ivfnb.fusion.judge import judge
from ivfnb.fusion.protocol import AS_PAPER, Protocol
from ivfnb.images import Image, ImageError


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
        return images.levels(visible, "visible"), None
    if visible.ndim != 3 or visible.shape[2] != 3:
        raise ImageError(f"visible: found an array of shape {visible.shape}, expected (h, w) or (h, w, 3)")
    channels = [images.levels(visible[..., channel], "visible") for channel in range(3)]
    planes = images.to_ycbcr(np.stack(channels, axis=2))
    return images.to_gray(visible).astype(np.float64) if visible.dtype == np.uint8 else planes[..., 0], planes[..., 1:]


def fuse(infrared: Image, visible: Image, net=None, protocol: Protocol = AS_PAPER, window_scores: Callable | None = None) -> FusionResult:
    """Fuse a registered pair: infrared (h, w), visible (h, w) or (h, w, 3) RGB of one size, uint8, uint16 or floating point levels 0..255.

    Of a colour visible image the luma (ITU-R BT.601) is fused and the chroma carried over. `net` is an EResNet that was trained on what
    the protocol says; None will do where `protocol.classifier` is not "cnn". `window_scores` stands in for `weightmap.window_scores`, one
    that remembers, say. Raises ValueError for images of different sizes or (with a classifier) below 32x32, for a missing or unfitting
    network, and ImageError for arrays that are no images. Deterministic.
    """
    infrared = images.levels(infrared, "infrared")
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
        weight, votes, scores = judge(judged, enhanced_visible, net, protocol, window_scores)
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

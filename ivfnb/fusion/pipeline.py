"""The four stages on a pair: enhance, judge sharpness, average by the weight map, Retinex; every intermediate image is kept.

After Qi et al. 2024, doi 10.1016/j.neucom.2024.127353, and their released fusion script; `Protocol` says which of the two at each step.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ivfnb import enhance, images
from ivfnb.fusion.blend import blend_by_distance
from ivfnb.fusion.judge import judge
from ivfnb.fusion.protocol import AS_PAPER, Protocol
from ivfnb.images import Image, ImageError, Levels

if TYPE_CHECKING:
    from ivfnb.classifier.network import EResNet


@dataclass(frozen=True)
class FusionResult:
    """Everything `fuse` made of one pair: grey images (h, w) of the protocol's size, levels 0..255.

    `weight_map` is the weight of the visible image, 0..1: blended = weight * enhanced visible + (1 - weight) * enhanced infrared.
    """

    fused: Image  # uint8 (h, w), or (h, w, 3) RGB of a colour visible image
    weight_map: np.ndarray  # float64, 0..1
    enhanced_infrared: Image  # as blended: float64, or uint8 with Protocol.eight_bit
    enhanced_visible: Image
    blended: Image  # float64
    stretched: Image  # the blend as SSR saw it: stretched (uint8 with Protocol.eight_bit) or `blended` itself
    votes: np.ndarray | None  # int16 sum of the windows' votes, positive for visible; None where no windows were judged
    scores: np.ndarray | None  # (2 orders, rows, columns, 2) logits of the windows; None where no windows were judged
    protocol: Protocol


def _retinex(image: Image, protocol: Protocol) -> Image:
    """The retinex the protocol names, and uint8: truncated after the retinex, as released, else rounded."""
    if protocol.ssr == "none":
        return images.to_uint8(image)
    sigma = protocol.ssr_sigma * (max(image.shape) if protocol.ssr_unit == "image" else 1)
    sigmas = sigma if protocol.ssr == "single" else tuple(sigma * share for share in enhance.MULTI_SHARES)
    return enhance.ssr(image, sigmas, protocol.clip).astype(np.uint8)


def _luma(visible: Image, meant: Levels | None) -> tuple[Image, Image | None]:
    """Luma (h, w), and the colours it is of (None for a grey image). The luma of 8 bits is rounded: it is that of the grey image."""
    visible = images.plain(visible, "visible")
    if visible.ndim == 2:
        return images.levels(visible, "visible", meant), None
    if visible.ndim != 3 or visible.shape[2] != 3:
        raise ImageError(f"visible: found an array of shape {visible.shape}, expected (h, w) or (h, w, 3)")
    colours = images.as_levels(visible, "visible", meant)
    if colours.dtype == np.uint8:
        return images.to_gray(colours).astype(np.float64), colours
    luma = np.empty(colours.shape[:2])
    for rows in images.bands(colours.shape):
        luma[rows] = images.to_ycbcr(colours[rows])[..., 0]
    return luma, colours


def _coloured(fused: Image, colours: Image) -> Image:
    """Fused grey image with the chroma of the visible one, uint8 RGB."""
    result = np.empty((*fused.shape, 3), np.uint8)
    if fused.shape == colours.shape[:2]:
        for rows in images.bands(fused.shape):
            chroma = images.to_ycbcr(colours[rows])[..., 1:]
            result[rows] = images.to_uint8(images.from_ycbcr(np.dstack([fused[rows], chroma])))
        return result
    chroma = np.empty((*colours.shape[:2], 2))
    for rows in images.bands(colours.shape):
        chroma[rows] = images.to_ycbcr(colours[rows])[..., 1:]
    chroma = images.resize(chroma, fused.shape)
    for rows in images.bands(fused.shape):
        result[rows] = images.to_uint8(images.from_ycbcr(np.dstack([fused[rows], chroma[rows]])))
    return result


def _blended(weight: np.ndarray, infrared: Image, visible: Image) -> Image:
    """Weighted mean, in bands of rows: its terms would take twice the image."""
    result = np.empty(weight.shape)
    for rows in images.bands(weight.shape):
        result[rows] = weight[rows] * visible[rows] + (1 - weight[rows]) * infrared[rows]
    return result


def _stored(image: Image, protocol: Protocol) -> Image:
    """An image as it passes to the next stage: in 8 bits, through JPEG and resized where the protocol says so."""
    image = images.to_uint8(image) if protocol.eight_bit else image
    image = images.through_jpeg(image, protocol.jpeg_quality) if protocol.jpeg_quality else image
    return images.resize(image, protocol.size) if protocol.size else image


def fuse(
    infrared: Image,
    visible: Image,
    net: "EResNet | None" = None,
    protocol: Protocol = AS_PAPER,
    window_scores: Callable[..., np.ndarray] | None = None,
    levels: Levels | str | tuple[float, float] | None = None,
    levels_infrared: Levels | str | tuple[float, float] | None = None,
    levels_visible: Levels | str | tuple[float, float] | None = None,
) -> FusionResult:
    """Fuse a registered infrared and visible image.

    Parameters
    ----------
    infrared : array (h, w)
        uint8, uint16 (read as level/257) or floating point levels 0..255.
    visible : array (h, w) or (h, w, 3) RGB
        Of the infrared image's size, levels alike. Of a colour image the luma (ITU-R BT.601) is fused and the chroma carried over.
    net : EResNet, optional
        Trained on what the protocol says. None loads the weights that the protocol names, once a process; nothing is loaded where
        `protocol.classifier` is not "cnn".
    protocol : Protocol
        Every switch in which the paper's text and its released code differ.
    window_scores : function, optional
        Stands in for `classifier.windows.window_scores`: one that remembers, say.
    levels : Levels, str, (low, high) or None
        What the numbers of images of more than 8 bits mean: "full", "minmax" or "LOW:HIGH" (`ivfnb.images.Levels`).
    levels_infrared, levels_visible : Levels, str, (low, high) or None
        The same of one image, whatever its depth.

    Returns
    -------
    FusionResult
        The fused image (uint8), the weight map and every image between the stages.

    Raises
    ------
    ImageError
        For arrays that are no images, or levels outside 0..255.
    ValueError
        For images of different sizes or (where windows are judged) below 32x32 pixels, and for a network that does not fit the protocol.

    Warns
    -----
    LevelsWarning
        Where the numbers of an image may not be levels 0..255, see `ivfnb.images.levels`.

    Notes
    -----
    Deterministic: the same images, weights and protocol give the same bits.

    References
    ----------
    Qi, Abera, Fanose, Wang and Cheng 2024, doi 10.1016/j.neucom.2024.127353

    Examples
    --------
    >>> import numpy as np
    >>> ramp = np.tile(np.arange(64.0), (64, 1))
    >>> fuse(ramp, ramp.T, protocol=Protocol(classifier="none", ssr="none")).fused.shape
    (64, 64)
    """
    meant = images.by_role(levels, levels_infrared, levels_visible)
    infrared = images.levels(infrared, "infrared", meant["infrared"])
    luma, colours = _luma(visible, meant["visible"])
    if infrared.shape != luma.shape:
        raise ValueError(f"infrared, visible: found sizes {infrared.shape} and {luma.shape}, expected one size")
    with images.without_doubt():
        sources = [infrared, luma]
        del infrared, luma, visible  # `_fused` drops each as soon as it is enhanced: of large images every copy counts
        return _fused(sources, colours, net, protocol, window_scores)


def _fused(
    sources: list[Image],
    colours: Image | None,
    net: "EResNet | None",
    protocol: Protocol,
    window_scores: Callable[..., np.ndarray] | None,
) -> FusionResult:
    """The four stages on levels that are known; `sources`, the infrared and the visible luma, is emptied."""
    enhanced_visible = _stored(enhance.VISIBLE[protocol.enhance_visible](sources.pop()), protocol)
    original = _stored(sources[0], protocol) if protocol.classifier_infrared == "original" else None
    enhanced_infrared = _stored(enhance.INFRARED[protocol.enhance_infrared](sources.pop()), protocol)
    weight, votes, scores = judge(enhanced_infrared if original is None else original, enhanced_visible, net, protocol, window_scores)
    del original
    if protocol.weighting == "distance" and protocol.classifier != "none":
        blended, weight = blend_by_distance(enhanced_infrared, enhanced_visible, weight > 0.5)
    else:
        blended = _blended(weight, enhanced_infrared, enhanced_visible)
    stretched = enhance.stretch(blended) if protocol.stretch else blended
    stretched = stretched.astype(np.uint8) if protocol.stretch and protocol.eight_bit else stretched
    fused = _retinex(stretched, protocol)
    fused = fused if colours is None else _coloured(fused, colours)
    return FusionResult(fused, weight, enhanced_infrared, enhanced_visible, blended, stretched, votes, scores, protocol)

"""Protocols beside each other: their switches in words, and what turning one does to the likeness to the authors' images."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pandas as pd

from ivfnb import images
from ivfnb.datasets import Dataset
from ivfnb.evaluation.likeness import likeness
from ivfnb.fusion import WindowMemory, fuse
from ivfnb.fusion.protocol import AS_RELEASED, Protocol
from ivfnb.images import Image

# What each switch decides, in the order of the stages.
SWITCHES: Mapping[str, str] = MappingProxyType(
    {
        "size": "size to which everything is resized",
        "enhance_infrared": "enhancement of the infrared image",
        "enhance_visible": "enhancement of the visible image",
        "jpeg_quality": "quality of the JPEG files between the stages",
        "eight_bit": "whether 8-bit images pass between the stages",
        "classifier": "what judges which image is sharper",
        "classifier_infrared": "infrared image that the classifier sees",
        "branches": "what the network's three branches see",
        "trained_on": "what they saw in training",
        "normalisation": "normalisation of the branches",
        "stride": "step of the windows, pixels",
        "ties": "who gets a window on which the two orders disagree",
        "weighting": "how judged windows become weights",
        "stretch": "whether the average is stretched before SSR",
        "ssr": "Retinex: number of scales",
        "ssr_sigma": "deviation of the Retinex' surround",
        "ssr_unit": "its unit",
        "clip": "where the Retinex cuts its extremes",
    }
)
TURNED: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "as released": {},
        "enhanced images not stored as JPEG": {"jpeg_quality": None},
        "network trained on grey": {"trained_on": "gray"},
        "network's own normalisation": {"normalisation": "network"},
        "no judge: visible everywhere": {"classifier": "visible"},
    }
)
STORED = "as released, result stored as JPEG"


def _in_words(field: str, value: Any) -> str:
    """A value of a protocol's field as a reader says it."""
    if field == "size":
        return "the pair's own" if value is None else f"{value[1]}x{value[0]}"
    if field == "jpeg_quality":
        return "not stored" if value is None else str(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value).replace("_", " ")


def protocol_table(protocols: Mapping[str, Protocol]) -> pd.DataFrame:
    """Switches of several protocols side by side, those in which they differ marked and first.

    Parameters
    ----------
    protocols : mapping of str to Protocol
        By a name.

    Returns
    -------
    DataFrame
        Indexed by the fields of `Protocol`; columns "decides", one for each protocol, and "differs" ("≠" or nothing).

    Examples
    --------
    >>> protocol_table({"text": Protocol(), "mask": Protocol(weighting="mask")}).loc["weighting"].tolist()
    ['how judged windows become weights', 'soft', 'mask', '≠']
    """
    rows = {}
    for field in SWITCHES:
        words = [_in_words(field, getattr(protocol, field)) for protocol in protocols.values()]
        rows[field] = [SWITCHES[field], *words, "≠" if len(set(words)) > 1 else ""]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["decides", *protocols, "differs"])
    return table.sort_values("differs", ascending=False, kind="stable").rename_axis("switch")


def likeness_when_turned(pairs: Dataset, theirs: Mapping[str, Image], turned: Mapping[str, Mapping[str, Any]] = TURNED) -> pd.DataFrame:
    """Similarity to the authors' images when one thing of the released protocol is turned that nobody can be sure of.

    Parameters
    ----------
    pairs : Dataset
    theirs : mapping of str to array (h, w)
        The authors' fused images by pair; pairs without one are left out.
    turned : mapping
        Changes to `AS_RELEASED` by a name. The one without a change gets a second column, `STORED`: its result went through JPEG.

    Returns
    -------
    DataFrame
        A row a pair, a column a protocol: SSIM.
    """
    from ivfnb.classifier import network  # torch, only where a network judges

    nets = {kind: network.load(f"eresnet-{kind}") for kind in ("gradients", "gray")}
    memories = {kind: WindowMemory(net) for kind, net in nets.items()}
    rows: dict[str, dict[str, float]] = {}
    for each in (pair for pair in pairs if pair.id in theirs):
        visible = images.to_gray(each.visible)
        for name, change in turned.items():
            protocol = replace(AS_RELEASED, **change)
            seen = nets[protocol.trained_on], protocol, memories[protocol.trained_on]
            image = fuse(each.infrared, visible, *seen).fused
            rows.setdefault(name, {})[each.id] = likeness(image, theirs[each.id])
            if not change:
                rows.setdefault(STORED, {})[each.id] = likeness(images.through_jpeg(image, 75), theirs[each.id])
    return pd.DataFrame(rows)

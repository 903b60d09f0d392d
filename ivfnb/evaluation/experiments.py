"""Protocols beside each other: one difference turned at a time, and the ablation of the paper's claim."""

from dataclasses import replace
from itertools import product
from typing import Any

from ivfnb.datasets import ImagePair
from ivfnb.evaluation.wanted import Extra
from ivfnb.fusion.protocol import AS_PAPER, AS_RELEASED, Protocol
from ivfnb.images import Image
from ivfnb.metrics import targets


def switches(base: Protocol = AS_RELEASED) -> dict[str, Protocol]:
    """Protocols that differ from one in a single field each.

    Parameters
    ----------
    base : Protocol
        Written for AS_RELEASED: with another base a switch that is already set as named is left out.

    Returns
    -------
    dict
        By a name in words; first `base` itself, last `AS_PAPER`, which differs in many fields.

    Examples
    --------
    >>> switches()["stride 16"] == replace(AS_RELEASED, stride=16)
    True
    """
    changes: dict[str, dict[str, Any]] = {
        "native size": {"size": None},
        "stride 16": {"stride": 16},
        "gradient branches": {"branches": "gradients"},
        "trained on grey": {"trained_on": "gray"},
        "classifier sees enhanced infrared": {"classifier_infrared": "enhanced"},
        "network's own normalisation": {"normalisation": "network"},
        "ties to infrared": {"ties": "infrared"},
        "ties by score": {"ties": "score"},
        "soft scores": {"weighting": "soft"},
        "share of votes": {"weighting": "votes"},
        "hard mask": {"weighting": "mask"},
        "gradient energy for the CNN": {"classifier": "gradient_energy"},
        "no classifier": {"classifier": "none"},
        "infrared not enhanced": {"enhance_infrared": "none"},
        "visible not enhanced": {"enhance_visible": "none"},
        "CLAHE for HDRC": {"enhance_visible": "clahe"},
        "gamma for HDRC": {"enhance_visible": "gamma"},
        "no JPEG between stages": {"jpeg_quality": None},
        "blend not truncated to 8 bits": {"eight_bit": False},
        "blend not stretched": {"stretch": False},
        "no SSR": {"ssr": "none"},
        "multi-scale Retinex": {"ssr": "multi"},
        "SSR sigma 0.1 of the image": {"ssr_sigma": 0.1, "ssr_unit": "image"},
        "SSR clipped at 1 % and 99 %": {"clip": "percentile"},
        "SSR not clipped": {"clip": "none"},
    }
    changed = {name: replace(base, **change) for name, change in changes.items()}
    return {"base": base, **{name: protocol for name, protocol in changed.items() if protocol != base}, "as paper": AS_PAPER}


def ablations(base: Protocol = AS_RELEASED) -> dict[str, Protocol]:
    """The 24 protocols of the paper's claim.

    {no classifier, gradient energy, CNN} x {no enhancement, infrared only, HDRC only, both} x {no SSR, SSR}.

    Parameters
    ----------
    base : Protocol
        Everything else is as in it, the stretch of the blend too: with AS_RELEASED even "no classifier / no enhancement / no SSR" is a
        stretched mean.

    Returns
    -------
    dict
        By name, "classifier / enhancement / retinex".

    Examples
    --------
    >>> len(ablations()), ablations()["CNN / both / SSR"] == AS_RELEASED
    (24, True)
    """
    classifiers = {"no classifier": "none", "gradient energy": "gradient_energy", "CNN": "cnn"}
    enhancements = {
        "no enhancement": ("none", "none"),
        "infrared only": ("stretch", "none"),
        "HDRC only": ("none", "hdrc"),
        "both": ("stretch", "hdrc"),
    }
    retinex = {"no SSR": "none", "SSR": "single"}
    return {
        " / ".join(names): replace(
            base,
            classifier=classifiers[names[0]],
            enhance_infrared=enhancements[names[1]][0],
            enhance_visible=enhancements[names[1]][1],
            ssr=retinex[names[2]],
        )
        for names in product(classifiers, enhancements, retinex)
    }


def target_retention() -> dict[str, Extra]:
    """What no metric sees: the contrast that hot targets keep.

    Returns
    -------
    dict
        For `extra` of `evaluate`, one in each unit, by the name of a column.

    Examples
    --------
    >>> all(name.startswith("target retention, ") for name in target_retention())
    True
    """

    def retention(unit: str) -> Extra:
        def of_pair(fused: Image, pair: ImagePair) -> float:
            return targets.target_retention(fused, pair.infrared, unit)

        return Extra(of_pair, ("target retention", unit), ("ivfnb.metrics.targets",))

    return {f"target retention, {unit}": retention(unit) for unit in targets.UNITS}

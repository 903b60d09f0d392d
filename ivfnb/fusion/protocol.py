"""The switches in which the paper's text and its released code differ, one field each, and the two settings that follow one or the other.

Qi et al. 2024, doi 10.1016/j.neucom.2024.127353. "Difference N" counts the differences that the README lists. Those of the
training data and the training script (1 to 3, and 6) are properties of a weights file, those of the evaluator (13 to 16) of a metric's
convention; 11 is a script that saves nothing.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

CHOICES = {
    "classifier": ("cnn", "gradient_energy", "none", "visible", "infrared"),
    "branches": ("gradients", "gray"),
    "trained_on": ("gradients", "gray"),
    "classifier_infrared": ("enhanced", "original"),
    "normalisation": ("network", "released"),
    "ties": ("visible", "infrared", "score"),
    "weighting": ("soft", "votes", "mask", "distance"),
    "enhance_infrared": ("stretch", "percentile", "none"),
    "enhance_visible": ("hdrc", "clahe", "gamma", "none"),
    "eight_bit": (False, True),
    "stretch": (False, True),
    "ssr": ("single", "multi", "none"),
    "ssr_unit": ("pixels", "image"),
    "clip": ("released", "percentile", "none"),
}


@dataclass(frozen=True)
class Protocol:
    """How a pair is fused. The defaults are the paper's text.

    Parameters
    ----------
    size : (height, width) or None
        Difference 9. What everything is resized to, pixels (bilinear, as OpenCV does it; the released script: 456x456 whatever the aspect
        ratio); None: the pair's own size.
    stride : int
        Step of the 32x32 windows, pixels, 1..32 (the released script: 8).
    classifier : str
        What judges sharpness. "cnn": the network. For ablations, without a network: "gradient_energy" (share of squared Sobel gradients in
        the window), "none" (weight 0.5 everywhere, so that ties and weighting have no effect), and "visible" or "infrared" (that image
        everywhere, as if every window had been given to it).
    branches : str
        Difference 4. What the network's three branches see, grey and "gradients" (text) or three times "gray" (script).
    trained_on : str
        Difference 6. What they saw when the network was trained; the network must fit. The released training script trains a network of
        another size on grey, so it did not make the weights of the fusion script; the authors' images are nearer to those of a network that
        was trained on gradients and is fed grey (the switch "trained on grey" in notebook 5).
    classifier_infrared : str
        Difference 7. The infrared image shown to the classifier, "enhanced" (text) or "original" (script); the enhanced one is fused.
    normalisation : str
        Difference 5. Normalisation of the branches: the "network"'s own, or the constants of the "released" fusion script.
    ties : str
        Difference 10. Who gets a window whose two stacking orders contradict each other, and in "mask" and "distance" a pixel with equally
        many votes for both: "visible" (script), "infrared", or "score", the larger mean probability.
    weighting : str
        Difference 8. Weight of the visible image: "soft" (mean probability of the windows over a pixel; the text's "score map as weight
        map"), "votes" (share of windows), "mask" (0 or 1 by the majority), "distance" (the script's ratio of distance transforms).
    enhance_infrared, enhance_visible : str
        Enhancement before the fusion: "stretch" and "hdrc" in text and script; "percentile" stretches between the percentiles 0.1 and 99.9
        (for dead and hot pixels); the others for ablation and comparison.
    eight_bit : bool
        Whether images pass between the stages as 8-bit files do in the script: enhanced ones rounded, the stretched blend truncated.
    jpeg_quality : int or None
        Difference 17. Quality of the JPEG files in which the classifier's and the enhanced images are stored before they are fused (the
        released archive: 75, MATLAB's default); None: not stored.
    stretch : bool
        Whether the blend is stretched to 0..255 before SSR (script; the text does not mention it).
    ssr : str
        Retinex on the fused image: "single" scale (text and script), "multi" (three surrounds: sigma and 0.32 and 0.06 of it), "none".
    ssr_sigma : float
        Difference 12. Deviation of the (widest) surround: 300 pixels in the script.
    ssr_unit : str
        Unit of `ssr_sigma`: "pixels", or "image", a share of the longer side.
    clip : str
        Where the Retinex cuts its extremes, see `enhance.ssr`.

    Raises
    ------
    ValueError
        Naming a field with an unknown value; the message lists the known ones, which `CHOICES` holds.

    Examples
    --------
    >>> Protocol(weighting="votes").weights
    'eresnet-gradients'
    >>> Protocol(ties="nobody")
    Traceback (most recent call last):
    ...
    ValueError: ties: found 'nobody', expected one of ('visible', 'infrared', 'score')
    """

    size: tuple[int, int] | None = None
    stride: int = 8
    classifier: str = "cnn"
    branches: str = "gradients"
    trained_on: str = "gradients"
    classifier_infrared: str = "enhanced"
    normalisation: str = "network"
    ties: str = "visible"
    weighting: str = "soft"
    enhance_infrared: str = "stretch"
    enhance_visible: str = "hdrc"
    eight_bit: bool = False
    jpeg_quality: int | None = None
    stretch: bool = False
    ssr: str = "single"
    ssr_sigma: float = 300.0
    ssr_unit: str = "pixels"
    clip: str = "released"

    def __post_init__(self):
        for field, known in CHOICES.items():
            value = getattr(self, field)
            if value not in known or type(value) is not type(known[0]):
                raise ValueError(f"{field}: found {value!r}, expected one of {known}")
        if type(self.stride) is not int or not 1 <= self.stride <= 32:
            raise ValueError(f"stride: found {self.stride!r}, expected whole pixels, 1 to 32")
        size = (32, 32) if self.size is None else self.size
        if not (isinstance(size, tuple) and len(size) == 2 and all(type(side) is int and side >= 32 for side in size)):
            raise ValueError(f"size: found {self.size!r}, expected None or (height, width) in whole pixels, at least 32 each")
        if self.jpeg_quality is not None and not (type(self.jpeg_quality) is int and 1 <= self.jpeg_quality <= 100):
            raise ValueError(f"jpeg_quality: found {self.jpeg_quality!r}, expected None or a whole number, 1 to 100")
        if not (type(self.ssr_sigma) in (int, float) and 0 < self.ssr_sigma < math.inf):
            raise ValueError(f"ssr_sigma: found {self.ssr_sigma!r}, expected a number above 0")

    @property
    def weights(self) -> str | None:
        """Name of the shipped weights that fit this protocol; None where it needs no network."""
        return f"eresnet-{self.trained_on}" if self.classifier == "cnn" else None


AS_PAPER = Protocol()
AS_RELEASED = Protocol(
    size=(456, 456),
    branches="gray",
    classifier_infrared="original",
    normalisation="released",
    weighting="distance",
    eight_bit=True,
    jpeg_quality=75,
    stretch=True,
)


def _value(field: str, text: str) -> Any:
    """Value of a field from its text; what is none stays text, for `Protocol` to refuse."""
    if field in ("size", "jpeg_quality") and text.lower() == "none":
        return None
    if bool in map(type, CHOICES.get(field, ())):
        return {"true": True, "yes": True, "false": False, "no": False}.get(text.lower(), text)
    try:
        if field == "size":
            return tuple(int(side) for side in text.split(","))
        return {"stride": int, "jpeg_quality": int, "ssr_sigma": float}.get(field, str)(text)
    except ValueError:
        return text


def changed(protocol: Protocol, texts: Mapping[str, str]) -> Protocol:
    """A protocol with other values in some fields, given as text.

    Parameters
    ----------
    protocol : Protocol
    texts : mapping of str to str
        Value by field: words and numbers as they are, `size` as "height,width", true and false, none.

    Returns
    -------
    Protocol

    Raises
    ------
    ValueError
        For an unknown field, which lists the known ones, or a value that the field does not take.

    Examples
    --------
    >>> changed(AS_PAPER, {"size": "456,456", "eight_bit": "true", "ties": "score"}).size
    (456, 456)
    >>> changed(AS_PAPER, {"stride": "half"})
    Traceback (most recent call last):
    ...
    ValueError: stride: found 'half', expected whole pixels, 1 to 32
    """
    known = [field.name for field in fields(Protocol)]
    if unknown := [name for name in texts if name not in known]:
        raise ValueError(f"field: found {unknown[0]!r}, expected one of {', '.join(known)}")
    return replace(protocol, **{name: _value(name, text) for name, text in texts.items()})


def documented() -> dict[str, str]:
    """What is said of each field of `Protocol`, by its name.

    Returns
    -------
    dict of str to str

    Examples
    --------
    >>> documented()["ssr_sigma"]
    'Difference 12. Deviation of the (widest) surround: 300 pixels in the script.'
    """
    section = re.split(r"\n +(?:Raises|Examples)\n", (Protocol.__doc__ or "").partition("Parameters\n")[2])[0]
    found = {}
    for names, text in re.findall(r"^ {4}([a-z_, ]+) : .*\n((?: {8}.*\n?)+)", section, re.MULTILINE):
        found |= dict.fromkeys(names.split(", "), " ".join(text.split()))
    return {field.name: found[field.name] for field in fields(Protocol)}

"""How pairs of one's own are fused: by a protocol of the paper's method, or by a comparison method; and what the result depends on."""

import ast
import inspect
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple

from ivfnb import cache, files
from ivfnb.baselines import BASELINES, Baseline, Late
from ivfnb.evaluation.making import judge_on
from ivfnb.fusion.pipeline import FusionResult, fuse
from ivfnb.fusion.protocol import AS_PAPER, AS_RELEASED, Protocol, changed
from ivfnb.images import Image

PROTOCOLS = {"paper": AS_PAPER, "released": AS_RELEASED}


class Cooked(NamedTuple):
    """A fused pair.

    Attributes
    ----------
    fused : array (h, w), or (h, w, 3) RGB, uint8
        In colour where the visible image is.
    weight_map : array (h, w) or None
        Weight of the visible image, 0..1; comparison methods give none.
    stages : FusionResult or None
        Every image between the stages; comparison methods have none.
    """

    fused: Image
    weight_map: Image | None = None
    stages: FusionResult | None = None


@dataclass(frozen=True)
class Recipe:
    """How pairs are fused. It can be sent to another process.

    Parameters
    ----------
    method : str
        Name of a comparison method, such as "CBF" or "ConvSR (multi-focus)"; "" is the paper's method.
    protocol : Protocol
        Of the paper's method.
    parameters : mapping
        Of a comparison method, in place of its own.
    weights : str
        Weights of the paper's network, a name in data/weights/ or a file; "" takes those that fit the protocol.
    device : str
        "auto" (a CUDA device where there is one), "cpu", "cuda", "cuda:1".
    precision : str
        Of the paper's network, see `classifier.windows.window_scores`.

    Raises
    ------
    ValueError
        For an unknown method or parameter, and for weights beside a comparison method.

    Examples
    --------
    >>> import numpy as np
    >>> Recipe("Mean").fuse(np.zeros((4, 4)), np.full((4, 4), 90.0)).fused[0, 0]
    np.uint8(45)
    >>> Recipe(protocol=changed(AS_PAPER, {"classifier": "none"})).name
    'as paper, classifier=none'
    """

    method: str = ""
    protocol: Protocol = AS_PAPER
    parameters: Mapping[str, Any] = field(default_factory=dict)
    weights: str = ""
    device: str = "auto"
    precision: str = "float32"

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if not self.method:
            if self.parameters:
                raise ValueError("parameters: found some without a method, expected a protocol with its fields changed")
            return
        if self.method not in BASELINES:
            raise ValueError(f"method: found {self.method!r}, expected one of {', '.join(BASELINES)}")
        for name, given in (("weights", self.weights), ("precision", self.precision.removeprefix("float32"))):
            if given:
                raise ValueError(
                    f"{name}: found {given!r} beside the method {self.method}, expected none: it belongs to the paper's method"
                )
        takes = self._takes()
        if unknown := [name for name in self.parameters if name not in takes]:
            raise ValueError(
                f"{self.method}: found the parameter {unknown[0]!r}, expected one of {', '.join(takes) or 'none: it has none'}"
            )
        if self.device not in ("auto", "cpu") and "device" not in takes:
            raise ValueError(f"device: found {self.device!r}, expected 'auto' or 'cpu': {self.method} runs on the processor")

    def _takes(self) -> tuple[str, ...]:
        """Parameters of the method's function beside the images."""
        function = BASELINES[self.method].competitor.function
        plain = function.function() if isinstance(function, Late) else function
        assert plain is not None  # BASELINES holds none without
        return tuple(inspect.signature(plain).parameters)[2:]

    @property
    def _baseline(self) -> Baseline:
        baseline = BASELINES[self.method]
        parameters = {**baseline.parameters, **self.parameters}
        if "device" in self._takes():
            parameters.setdefault("device", self.device)
        return replace(baseline, variant=replace(baseline.variant, parameters=parameters))

    @property
    def name(self) -> str:
        """What it is called in a message or a table."""
        if self.method:
            return ", ".join([self.method, *(f"{name}={value}" for name, value in self.parameters.items())])
        base = "released" if self.protocol.size == AS_RELEASED.size else "paper"
        differs = (f"{name}={value}" for name, value in asdict(self.protocol).items() if value != getattr(PROTOCOLS[base], name))
        return ", ".join([f"as {base}", *differs])

    @property
    def network(self) -> str:
        """Name or file of the weights of the paper's network; "" where none takes part."""
        return "" if self.method or not self.protocol.weights else self.weights or self.protocol.weights

    def ready(self) -> "Recipe":
        """The recipe itself, once all it needs is found and loaded.

        Returns
        -------
        Recipe

        Raises
        ------
        ValueError
            Where weights are absent or do not fit, or there is no such device; the message says how to get them.
        ModuleNotFoundError
            Where torch is needed and not installed.
        """
        if self.method and (lacking := BASELINES[self.method].lacks()):
            raise ValueError(f"{self.method}: found that it cannot run here, expected {lacking}")
        if self.network:
            from ivfnb.fusion.judge import fitting_network

            fitting_network(judge_on(self.network, self.device, self.precision)[0], self.protocol)
        return self

    def key(self) -> dict[str, Any]:
        """What a fused image depends on beside the pair, as JSON can hold it: names, fields, and hashes of weights and of the code."""
        if self.method:
            baseline = BASELINES[self.method]
            parameters = {name: repr(value) for name, value in {**baseline.parameters, **self.parameters}.items()}
            code = cache.code_hash("ivfnb.images", baseline.competitor.module)
            return {"method": self.method, "parameters": parameters, "weights": baseline.fingerprint(), "code": code}
        weights = {}
        if self.network:
            from ivfnb.classifier.network.weights import weights_path

            path = weights_path(self.network)
            weights[path.name] = files.digest(path)
        protocol = {name: repr(value) for name, value in asdict(self.protocol).items()}
        precision = {} if self.precision == "float32" else {"precision": self.precision}
        return {
            "method": "",
            "protocol": protocol,
            "weights": weights,
            **precision,
            "code": cache.code_hash("ivfnb.images", "ivfnb.fusion.pipeline"),
        }

    def fuse(self, infrared: Image, visible: Image) -> Cooked:
        """Fuse a registered pair.

        Parameters
        ----------
        infrared : array (h, w)
            Grey levels 0..255.
        visible : array (h, w) or (h, w, 3) RGB
            Of the infrared image's size.

        Returns
        -------
        Cooked

        Raises
        ------
        ValueError
            As `fusion.fuse` and the methods do.
        """
        if self.method:
            return Cooked(self._baseline.image(infrared, visible))
        net, scores = judge_on(self.network, self.device, self.precision) if self.network else (None, None)
        result = fuse(infrared, visible, net, self.protocol, scores)
        return Cooked(result.fused, result.weight_map, result)


def recipe(
    method: str = "",
    protocol: str = "paper",
    settings: Mapping[str, str] | None = None,
    weights: str = "",
    device: str = "auto",
    precision: str = "float32",
) -> Recipe:
    """A recipe from words, as a command line or a page has them.

    Parameters
    ----------
    method : str
        Name of a comparison method; "" is the paper's.
    protocol : str
        "paper" or "released", for the paper's method.
    settings : mapping of str to str, optional
        Fields of the protocol, or parameters of the method, as text.
    weights, device, precision : str
        As `Recipe` takes them.

    Returns
    -------
    Recipe

    Raises
    ------
    ValueError
        For words that are not known.

    Examples
    --------
    >>> recipe(protocol="released", settings={"weighting": "soft"}).name, recipe("MDLatLRR", settings={"levels": "1"}).parameters
    ('as released, weighting=soft', {'levels': 1})
    """
    settings = settings or {}
    if method:
        parameters = {name: _literal(text) for name, text in settings.items()}
        return Recipe(method, AS_PAPER, parameters, weights, device, precision)
    if protocol not in PROTOCOLS:
        raise ValueError(f"protocol: found {protocol!r}, expected one of {', '.join(PROTOCOLS)}")
    return Recipe(protocol=changed(PROTOCOLS[protocol], settings), weights=weights, device=device, precision=precision)


def _literal(text: str) -> Any:
    """Number, truth value, tuple or text that a text stands for."""
    try:
        return ast.literal_eval({"true": "True", "false": "False", "none": "None"}.get(text.lower(), text))
    except (ValueError, SyntaxError):
        return text

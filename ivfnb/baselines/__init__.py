"""Comparison methods that need no trained network: every one is `fuse(infrared, visible) -> fused`, found by name in `BASELINES`.

Grey images (h, w) of levels 0..255 in, of one size, at least 2x2; float64 levels 0..255 out, not rounded. A method's module is imported when
it is first run.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import MappingProxyType
from typing import Any

from ivfnb.images import Image


@dataclass(frozen=True)
class Baseline:
    """A comparison method under the paper's name.

    `parameters` are the keyword arguments `fuse` is run with (the module's constants hold the rest); `published` is the name that published
    fused images of the method bear in this variant, where there are any, by set of pairs: "tno21" or "vifb21".
    """

    name: str
    module: str
    function: str
    citation: str
    doi: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    published: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Copies of the mappings, so that no entry can be changed through the dict it was made from."""
        object.__setattr__(self, "parameters", dict(self.parameters))
        object.__setattr__(self, "published", dict(self.published))

    def function_object(self) -> Callable[..., Image]:
        """The method itself, its module imported."""
        return getattr(import_module(f"{__name__}.{self.module}"), self.function)

    def fuse(self, infrared: Image, visible: Image, **changed: Any) -> Image:
        """Fused image: float64 (h, w), levels 0..255; `changed` overrides `parameters`. ImageError for unfit images, ValueError for parameters."""
        return self.function_object()(infrared, visible, **{**self.parameters, **changed})


_CONVSR = (
    "Liu, Chen, Ward and Wang, Image fusion with convolutional sparse representation, IEEE Signal Processing Letters 23(12):1882-1886, 2016"
)
_MDLATLRR = (
    "Li, Wu and Kittler, MDLatLRR: A novel decomposition method for infrared and visible image fusion, "
    "IEEE Transactions on Image Processing 29:4733-4746, 2020"
)
_ALL = (
    Baseline("Mean", "references", "mean", "Plain mean of the sources", ""),
    Baseline("Maximum", "references", "maximum", "Pixelwise maximum of the sources", ""),
    Baseline(
        "Laplacian pyramid",
        "references",
        "laplacian_pyramid",
        "Burt and Adelson, The Laplacian pyramid as a compact image code, IEEE Transactions on Communications 31(4):532-540, 1983",
        "10.1109/TCOM.1983.1095851",
        {"levels": 4},
    ),
    Baseline(
        "CBF",
        "cbf",
        "fuse",
        "Shreyamsha Kumar, Image fusion based on pixel significance using cross bilateral filter, "
        "Signal, Image and Video Processing 9(5):1193-1204, 2015",
        "10.1007/s11760-013-0556-9",
        published={"tno21": "CBF", "vifb21": "CBF"},
    ),
    Baseline("ConvSR", "convsr", "fuse", _CONVSR, "10.1109/LSP.2016.2618776", {"mode": "multimodal"}),
    Baseline(
        "ConvSR (multi-focus)",
        "convsr",
        "fuse",
        _CONVSR,
        "10.1109/LSP.2016.2618776",
        {"mode": "multi-focus"},
        published={"tno21": "ConvSR"},
    ),
    Baseline(
        "Structaware",
        "structaware",
        "fuse",
        "Li, Xie, Zhou, Han and Zhan, Structure-aware image fusion, Optik 172:1-11, 2018",
        "10.1016/j.ijleo.2018.06.123",
        published={"tno21": "Structaware"},
    ),
    Baseline(
        "DCHWT",
        "dchwt",
        "fuse",
        "Shreyamsha Kumar, Multifocus and multispectral image fusion based on pixel significance using discrete cosine harmonic wavelet "
        "transform, Signal, Image and Video Processing 7(6):1125-1143, 2013",
        "10.1007/s11760-012-0361-x",
    ),
    Baseline(
        "HybridMSD",
        "hybridmsd",
        "fuse",
        "Zhou, Wang, Li and Dong, Perceptual fusion of infrared and visible images through a hybrid multi-scale decomposition with Gaussian "
        "and bilateral filters, Information Fusion 30:15-26, 2016",
        "10.1016/j.inffus.2015.11.003",
        published={"tno21": "HybridMSD", "vifb21": "Hybrid_MSD"},
    ),
    Baseline("MDLatLRR", "mdlatlrr", "fuse", _MDLATLRR, "10.1109/TIP.2020.2975984", {"levels": 2}, published={"tno21": "MDLatLRR"}),
    *(
        Baseline(f"MDLatLRR (level {levels})", "mdlatlrr", "fuse", _MDLATLRR, "10.1109/TIP.2020.2975984", {"levels": levels})
        for levels in (1, 3, 4)
    ),
)
# The methods by name: the paper's name is the variant the paper's comparison means, other variants say theirs in brackets.
BASELINES: Mapping[str, Baseline] = MappingProxyType({baseline.name: baseline for baseline in _ALL})
# The six of the paper's 17 competitors that need no trained network.
PAPER = ("CBF", "ConvSR", "Structaware", "DCHWT", "HybridMSD", "MDLatLRR")

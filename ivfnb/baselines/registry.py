"""Comparison methods that need no trained network: every one is `fuse(infrared, visible) -> fused`, found by name in `BASELINES`.

Grey images (h, w) of levels 0..255 in, of one size, at least 2x2; float64 levels 0..255 out, not rounded. A method's module is imported
when it is first run.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import MappingProxyType
from typing import Any

from ivfnb.images import Image


@dataclass(frozen=True)
class Baseline:
    """A comparison method under the paper's name, or a variant of it, which says so in brackets.

    `parameters` are the keyword arguments of `fuse`; `published` gives the name of published fused images that were made in this very
    variant, by set of pairs ("tno21", "vifb21"); `weights` is the file in data/weights/ that the method learned from photographs.
    """

    name: str
    module: str
    citation: str
    doi: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    published: Mapping[str, str] = field(default_factory=dict)
    weights: str = ""
    function: str = "fuse"

    def method(self) -> Callable[..., Image]:
        """The method's function, its module imported."""
        return getattr(import_module(f"ivfnb.baselines.{self.module}"), self.function)

    def fuse(self, infrared: Image, visible: Image, **changed: Any) -> Image:
        """Fused image: float64 (h, w), levels 0..255; `changed` overrides `parameters`. ImageError for unfit images, ValueError else."""
        return self.method()(infrared, visible, **{**self.parameters, **changed})


_CONVSR = (
    "convsr",
    "Liu, Chen, Ward and Wang, Image fusion with convolutional sparse representation, "
    "IEEE Signal Processing Letters 23(12):1882-1886, 2016",
    "10.1109/LSP.2016.2618776",
)
_HYBRIDMSD = (
    "hybridmsd",
    "Zhou, Wang, Li and Dong, Perceptual fusion of infrared and visible images through a hybrid multi-scale decomposition with "
    "Gaussian and bilateral filters, Information Fusion 30:15-26, 2016",
    "10.1016/j.inffus.2015.11.003",
)
_MDLATLRR = (
    "mdlatlrr",
    "Li, Wu and Kittler, MDLatLRR: A novel decomposition method for infrared and visible image fusion, "
    "IEEE Transactions on Image Processing 29:4733-4746, 2020",
    "10.1109/TIP.2020.2975984",
)
_ALL = (
    Baseline("Mean", "references", "Plain mean of the sources", "", function="mean"),
    Baseline("Maximum", "references", "Pixelwise maximum of the sources", "", function="maximum"),
    Baseline(
        "Laplacian pyramid",
        "references",
        "Burt and Adelson, The Laplacian pyramid as a compact image code, IEEE Transactions on Communications 31(4):532-540, 1983",
        "10.1109/TCOM.1983.1095851",
        {"levels": 4},
        function="laplacian_pyramid",
    ),
    Baseline(
        "CBF",
        "cbf",
        "Shreyamsha Kumar, Image fusion based on pixel significance using cross bilateral filter, "
        "Signal, Image and Video Processing 9(5):1193-1204, 2015",
        "10.1007/s11760-013-0556-9",
        published={"tno21": "CBF", "vifb21": "CBF"},
    ),
    Baseline("ConvSR", *_CONVSR, {"mode": "multimodal"}, weights="convsr.npz"),
    Baseline("ConvSR (multi-focus)", *_CONVSR, {"mode": "multi-focus"}, {"tno21": "ConvSR"}, "convsr.npz"),
    Baseline(
        "Structaware",
        "structaware",
        "Li, Xie, Zhou, Han and Zhan, Structure-aware image fusion, Optik 172:1-11, 2018",
        "10.1016/j.ijleo.2018.06.123",
        published={"tno21": "Structaware"},
    ),
    Baseline(
        "DCHWT",
        "dchwt",
        "Shreyamsha Kumar, Multifocus and multispectral image fusion based on pixel significance using discrete cosine harmonic wavelet "
        "transform, Signal, Image and Video Processing 7(6):1125-1143, 2013",
        "10.1007/s11760-012-0361-x",
    ),
    Baseline("HybridMSD", *_HYBRIDMSD, {"exchanged": False}, {"vifb21": "Hybrid_MSD"}),
    Baseline("HybridMSD (exchanged)", *_HYBRIDMSD, {"exchanged": True}, {"tno21": "HybridMSD"}),
    Baseline("MDLatLRR", *_MDLATLRR, {"levels": 2, "details": "once"}, weights="mdlatlrr.npz"),
    *(
        Baseline(f"MDLatLRR (level {levels})", *_MDLATLRR, {"levels": levels, "details": "once"}, weights="mdlatlrr.npz")
        for levels in (1, 3, 4)
    ),
    Baseline("MDLatLRR (accumulated)", *_MDLATLRR, {"levels": 2, "details": "accumulated"}, {"tno21": "MDLatLRR"}, "mdlatlrr.npz"),
)
# The methods by name: the plain name is the method as its paper describes it, a variant says in brackets what differs.
BASELINES: Mapping[str, Baseline] = MappingProxyType({baseline.name: baseline for baseline in _ALL})
# The six of the paper's 17 competitors that need no trained network.
PAPER = ("CBF", "ConvSR", "Structaware", "DCHWT", "HybridMSD", "MDLatLRR")

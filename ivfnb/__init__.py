"""ivfnb: reproduction of Qi et al. 2024 (doi 10.1016/j.neucom.2024.127353), infrared and visible image fusion.

The names below are imported when they are first used, so that `import ivfnb` costs next to nothing and never loads torch.

Examples
--------
>>> import ivfnb
>>> pair = ivfnb.dataset("sample")["sentinel2"]
>>> fused = ivfnb.BASELINES["CBF"].fuse(pair.infrared, pair.visible)
>>> list(ivfnb.score(fused, pair.infrared, pair.visible))
['EI', 'CE', 'SF', 'EN', 'Qabf', 'SCD', 'Nabf', 'MI', 'SD', 'DF', 'VIFF']
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ivfnb import baselines, classifier, datasets, enhance, evaluation, fusion, images, metrics, paths, provenance, report
    from ivfnb.baselines import BASELINES
    from ivfnb.classifier import network
    from ivfnb.datasets import dataset
    from ivfnb.evaluation import evaluate, method
    from ivfnb.fusion import AS_PAPER, AS_RELEASED, Protocol, fuse
    from ivfnb.metrics import METRICS, score

__version__ = "0.2.0"
# Where each name lives: a module and the name in it, or "" for the module itself.
_HOMES = {
    "AS_PAPER": ("ivfnb.fusion.protocol", "AS_PAPER"),
    "AS_RELEASED": ("ivfnb.fusion.protocol", "AS_RELEASED"),
    "BASELINES": ("ivfnb.baselines", "BASELINES"),
    "METRICS": ("ivfnb.metrics", "METRICS"),
    "Protocol": ("ivfnb.fusion.protocol", "Protocol"),
    "dataset": ("ivfnb.datasets", "dataset"),
    "evaluate": ("ivfnb.evaluation", "evaluate"),
    "fuse": ("ivfnb.fusion", "fuse"),
    "method": ("ivfnb.evaluation", "method"),
    "score": ("ivfnb.metrics", "score"),
    "network": ("ivfnb.classifier.network", ""),
    **{
        room: (f"ivfnb.{room}", "")
        for room in (
            "baselines",
            "classifier",
            "datasets",
            "enhance",
            "evaluation",
            "fusion",
            "images",
            "metrics",
            "paths",
            "provenance",
            "report",
        )
    },
}

__all__ = [
    "AS_PAPER",
    "AS_RELEASED",
    "BASELINES",
    "METRICS",
    "Protocol",
    "baselines",
    "classifier",
    "dataset",
    "datasets",
    "enhance",
    "evaluate",
    "evaluation",
    "fuse",
    "fusion",
    "images",
    "method",
    "metrics",
    "network",
    "paths",
    "provenance",
    "report",
    "score",
]


def __getattr__(name: str) -> Any:
    """A public name, imported now (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'ivfnb' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    from ivfnb.paths import extra

    with extra():
        home = import_module(module)
    return getattr(home, attribute) if attribute else home


def __dir__() -> list[str]:
    """Public names, for completion."""
    return sorted([*globals(), *__all__])

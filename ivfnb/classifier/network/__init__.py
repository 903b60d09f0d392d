"""The classifier: EResNet says which half of a stacked window, upper or lower, is the sharper one.

Architecture after the released `Model_Test.py` (Qi et al. 2024, doi 10.1016/j.neucom.2024.127353): three branches (grey, Gx, Gy), all
residual convolutions 1x1, so that the only spatial filters are the three 3x3 stems. 4,782,850 parameters.
"""

from ivfnb.classifier.network.architecture import BRANCHES, GRADIENTS, NORMALISATION, EResNet, ResBlock, planes, planes_of
from ivfnb.classifier.network.devices import has_fast_bfloat16, resolve_device
from ivfnb.classifier.network.weights import load, loaded, read_metadata, save, weights_path

__all__ = [
    "BRANCHES",
    "GRADIENTS",
    "NORMALISATION",
    "EResNet",
    "ResBlock",
    "has_fast_bfloat16",
    "load",
    "loaded",
    "planes",
    "planes_of",
    "read_metadata",
    "resolve_device",
    "save",
    "weights_path",
]

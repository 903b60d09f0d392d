"""Notebook 4: enhance, judge sharpness, weigh, blend, Retinex; `Protocol` holds every switch in which text and released code differ."""

from ivfnb.fusion.blend import UndefinedDistanceWarning, blend_by_distance, distance_to_zero
from ivfnb.fusion.judge import gradient_energy_scores
from ivfnb.fusion.memory import WindowMemory
from ivfnb.fusion.overlap import fuse_each
from ivfnb.fusion.pipeline import FusionResult, fuse
from ivfnb.fusion.protocol import AS_PAPER, AS_RELEASED, CHOICES, Protocol

__all__ = [
    "AS_PAPER",
    "AS_RELEASED",
    "CHOICES",
    "FusionResult",
    "Protocol",
    "UndefinedDistanceWarning",
    "WindowMemory",
    "blend_by_distance",
    "distance_to_zero",
    "fuse",
    "fuse_each",
    "gradient_energy_scores",
]

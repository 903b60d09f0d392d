"""Notebook 5: ways to get fused images, scored on sets of pairs, and what the scores say of the paper's claims."""

from ivfnb.evaluation.experiments import ablations, switches, target_retention
from ivfnb.evaluation.external import EvaluationWarning
from ivfnb.evaluation.fitting import fit, fit_sources
from ivfnb.evaluation.fused import fused_image, side_by_side
from ivfnb.evaluation.likeness import likeness_to, likenesses, published_likeness
from ivfnb.evaluation.methods import Method, by_baseline, by_images, by_protocol, method, published
from ivfnb.evaluation.scores import COLUMNS, Extra, evaluate

__all__ = [
    "COLUMNS",
    "EvaluationWarning",
    "Extra",
    "Method",
    "ablations",
    "by_baseline",
    "by_images",
    "by_protocol",
    "evaluate",
    "fit",
    "fit_sources",
    "fused_image",
    "likeness_to",
    "likenesses",
    "method",
    "published",
    "published_likeness",
    "side_by_side",
    "switches",
    "target_retention",
]

"""Notebook 5: ways to get fused images, scored on sets of pairs, and what the scores say of the paper's claims."""

from ivfnb.evaluation.ablation import FACTORS, STEPS, ablate, by_protocols, evaluate_sets, in_all_conventions
from ivfnb.evaluation.experiments import ablations, switches, target_retention
from ivfnb.evaluation.external import EvaluationWarning
from ivfnb.evaluation.fitting import fit, fit_sources
from ivfnb.evaluation.fused import fused_image, side_by_side
from ivfnb.evaluation.fusions import (
    Fusions,
    authors_images,
    authors_table,
    fuse_sets,
    lost_target,
    map_table,
    pair_of,
    target_table,
)
from ivfnb.evaluation.likeness import likeness_to, likenesses, published_likeness
from ivfnb.evaluation.methods import Method, by_baseline, by_images, by_protocol, method, published
from ivfnb.evaluation.protocols import likeness_when_turned, protocol_table
from ivfnb.evaluation.scores import COLUMNS, evaluate
from ivfnb.evaluation.wanted import Extra

__all__ = [
    "COLUMNS",
    "FACTORS",
    "STEPS",
    "EvaluationWarning",
    "Extra",
    "Fusions",
    "Method",
    "ablate",
    "ablations",
    "authors_images",
    "authors_table",
    "by_baseline",
    "by_images",
    "by_protocol",
    "by_protocols",
    "evaluate",
    "evaluate_sets",
    "fit",
    "fit_sources",
    "fuse_sets",
    "fused_image",
    "in_all_conventions",
    "likeness_to",
    "likeness_when_turned",
    "likenesses",
    "lost_target",
    "map_table",
    "method",
    "pair_of",
    "protocol_table",
    "published",
    "published_likeness",
    "side_by_side",
    "switches",
    "target_retention",
    "target_table",
]

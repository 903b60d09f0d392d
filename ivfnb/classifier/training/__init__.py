"""Training and testing the sharp-or-blurred classifier; a run that was killed goes on bit for bit.

Two recipes: "sgd" as published (lr 2e-4, momentum 0.9, batch 64, constant), and "adamw" with a one-cycle schedule.
"""

from ivfnb.classifier.appraisal import evaluate_classifier
from ivfnb.classifier.network import has_fast_bfloat16, resolve_device
from ivfnb.classifier.training.checkpoints import CheckpointWarning
from ivfnb.classifier.training.config import OPTIMISERS, PRECISIONS, SCALES, TrainConfig, at_scale
from ivfnb.classifier.training.loading import batches
from ivfnb.classifier.training.run import History, keep_freed_memory, train

__all__ = [
    "OPTIMISERS",
    "PRECISIONS",
    "SCALES",
    "CheckpointWarning",
    "History",
    "TrainConfig",
    "at_scale",
    "batches",
    "evaluate_classifier",
    "has_fast_bfloat16",
    "keep_freed_memory",
    "resolve_device",
    "train",
]

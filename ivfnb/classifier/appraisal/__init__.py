"""What a trained classifier makes of samples: its answer to each, with branches silenced at will, and what the answers say.

An outcome is a DataFrame with a row a sample: photograph, blur_size, order (the class), probability (of class 1), right, loss, texture.
"""

from ivfnb.classifier.appraisal.answers import PLANES, evaluate_classifier, infrared_blocks, outcome, outcomes, without_branches
from ivfnb.classifier.appraisal.confidence import CLASSES, CONFIDENCE_EDGES, calibration, calibration_error, confusion, hardest
from ivfnb.classifier.appraisal.tables import TEXTURE_EDGES, TEXTURED, accuracy, by_blur, by_texture, right_answers, with_textured

__all__ = [
    "CLASSES",
    "CONFIDENCE_EDGES",
    "PLANES",
    "TEXTURED",
    "TEXTURE_EDGES",
    "accuracy",
    "by_blur",
    "by_texture",
    "calibration",
    "calibration_error",
    "confusion",
    "evaluate_classifier",
    "hardest",
    "infrared_blocks",
    "outcome",
    "outcomes",
    "right_answers",
    "with_textured",
    "without_branches",
]

"""Metrics of fused images: the paper's eleven and more, each by its published definition, in the conventions in use.

`METRICS` says what each metric is; `score` computes any of them for one fused image and its sources. `METRICS["SF"](fused)` computes one.
"""

from ivfnb.metrics.registry import CONVENTIONS, METRICS, PAPER, Metric
from ivfnb.metrics.scoring import score

__all__ = ["CONVENTIONS", "METRICS", "PAPER", "Metric", "score"]

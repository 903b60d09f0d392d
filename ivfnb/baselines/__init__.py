"""Comparison methods: every one is `fuse(infrared, visible) -> fused`, one file a method, found by name in `BASELINES`.

Grey images (h, w) of levels 0..255 in, of one size, at least 2x2; float64 levels 0..255 out, not rounded.
"""

from ivfnb.baselines.description import Competitor, Late, Published, Variant
from ivfnb.baselines.registry import BASELINES, COMPETITORS, Baseline, register, rows_of_paper

__all__ = ["BASELINES", "COMPETITORS", "Baseline", "Competitor", "Late", "Published", "Variant", "register", "rows_of_paper"]

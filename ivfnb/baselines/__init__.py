"""Comparison methods: every one is `fuse(infrared, visible) -> fused`, one file a method, found by name in `BASELINES`."""

from ivfnb.baselines.registry import BASELINES, PAPER, Baseline

__all__ = ["BASELINES", "PAPER", "Baseline"]

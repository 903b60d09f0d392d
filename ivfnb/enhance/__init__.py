"""Notebook 3: grey-level work before and after fusion: linear stretch, High-Dynamic-Range Compression (HDRC), Single Scale Retinex (SSR).

All functions take a grey image (h, w): uint8, uint16 (0..65535, read as level/257) or floating point levels 0..255, and return float64
levels 0..255 without rounding. An image without contrast (one level) comes back with its levels unchanged: there is nothing to stretch or
compress. Temporaries are reused in place, since touching fresh memory costs more here than the arithmetic.
"""

from collections.abc import Callable

from ivfnb.enhance.filters import fast_guided_filter, local_contrast, surround
from ivfnb.enhance.hdrc import clahe, gamma, hdrc, layers
from ivfnb.enhance.retinex import CLIPS, MULTI_SHARES, explained_by_level, ssr
from ivfnb.enhance.stretch import percentile_stretch, stretch
from ivfnb.images import Image, levels

# The enhancements by the names a Protocol gives them.
INFRARED: dict[str, Callable[[Image], Image]] = {"stretch": stretch, "percentile": percentile_stretch, "none": levels}
VISIBLE: dict[str, Callable[[Image], Image]] = {"hdrc": hdrc, "clahe": clahe, "gamma": gamma, "none": levels}

__all__ = [
    "CLIPS",
    "INFRARED",
    "MULTI_SHARES",
    "VISIBLE",
    "clahe",
    "explained_by_level",
    "fast_guided_filter",
    "gamma",
    "hdrc",
    "layers",
    "local_contrast",
    "percentile_stretch",
    "ssr",
    "stretch",
    "surround",
]

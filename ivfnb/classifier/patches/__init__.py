"""Photographs to training samples: a sharp 32x32 block stacked on its blurred twin, cut on the fly from an index.

After Qi et al. 2024 and their training script: COCO photographs to grey, Gaussian blurs of sigma 9 cut to 9, 11, 13 and 15 taps,
Sobel gradients of all five images, non-overlapping blocks, both stacking orders.
"""

from ivfnb.classifier.patches.batched import DeviceSamples, on_device
from ivfnb.classifier.patches.index import BLUR_SIZES, RELEASED_TRAIN_ORDER, PatchIndex, make_index, split
from ivfnb.classifier.patches.samples import BLUR_SIGMA, HALO, PatchDataset, blur_stack, samples_of

__all__ = [
    "BLUR_SIGMA",
    "BLUR_SIZES",
    "HALO",
    "RELEASED_TRAIN_ORDER",
    "DeviceSamples",
    "PatchDataset",
    "PatchIndex",
    "blur_stack",
    "make_index",
    "on_device",
    "samples_of",
    "split",
]

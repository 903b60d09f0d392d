"""Scores of windows, remembered by content: protocols share them."""

import time
from typing import TYPE_CHECKING

import joblib
import numpy as np

from ivfnb import cache, files
from ivfnb.images import Image

if TYPE_CHECKING:
    from ivfnb.classifier.network import EResNet


class WindowMemory:
    """`window_scores` that looks the scores up where the same network judged the same images: protocols share them.

    `fuse(..., window_scores=WindowMemory(net))`; `saved` is how many seconds of judging that has saved so far.
    """

    def __init__(self, net: "EResNet") -> None:
        """Memory of one network's scores."""
        self.weights = joblib.hash({name: tensor.cpu().numpy() for name, tensor in net.state_dict().items()})
        self.saved = 0.0

    def __call__(self, net: "EResNet", visible: Image, infrared: Image, stride: int) -> np.ndarray:
        """Scores of all windows; `net` is the network itself or a copy of it with another normalisation."""
        from ivfnb.classifier import windows

        seen = net.branches, net.normalisation.cpu().numpy(), visible, infrared, stride
        path = cache.place("windows", (self.weights, *seen, cache.code_hash("ivfnb.classifier.windows")), ".npz")
        if path.is_file():
            with np.load(path, allow_pickle=False) as stored:
                self.saved += float(stored["seconds"])
                return stored["scores"]
        begun = time.perf_counter()
        scores = windows.window_scores(net, visible, infrared, stride)
        with files.replacing(path) as beside:
            np.savez(beside, scores=scores, seconds=time.perf_counter() - begun)
        return scores

"""Scores of windows, remembered by content: protocols share them."""

import os
import time
from typing import Any

import joblib
import numpy as np

from ivfnb import cache
from ivfnb.images import Image


class WindowMemory:
    """`windows.window_scores` that looks the scores up where the same network judged the same images: protocols share them.

    `fusion.fuse(..., window_scores=WindowMemory(net))`; `saved` is how many seconds of judging that has saved so far.
    """

    def __init__(self, net: Any) -> None:
        """Memory of one network's scores."""
        self.weights = joblib.hash({name: tensor.cpu().numpy() for name, tensor in net.state_dict().items()})
        self.saved = 0.0

    def __call__(self, net: Any, visible: Image, infrared: Image, stride: int) -> np.ndarray:
        """Scores of all windows; `net` is the network itself or a copy of it with another normalisation."""
        from ivfnb.classifier import windows

        seen = net.branches, net.normalisation.cpu().numpy(), visible, infrared, stride
        path = cache.place("windows", (self.weights, *seen, cache.code_hash("ivfnb.classifier.windows")), ".npz")
        if path.is_file():
            with np.load(path) as stored:
                self.saved += float(stored["seconds"])
                return stored["scores"]
        begun = time.perf_counter()
        scores = windows.window_scores(net, visible, infrared, stride)
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{os.getpid()}.{path.name}")
        np.savez(beside, scores=scores, seconds=time.perf_counter() - begun)
        beside.replace(path)
        return scores

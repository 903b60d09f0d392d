"""Scores of windows, remembered by content: protocols share them."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import joblib
import numpy as np

from ivfnb import cache, files
from ivfnb.images import Image

if TYPE_CHECKING:
    from ivfnb.classifier.network import EResNet


class WindowMemory:
    """Scores of windows that are looked up where the same network judged the same images before: protocols share them.

    Parameters
    ----------
    net : EResNet
        Whose scores are remembered.

    Attributes
    ----------
    weights : str
        Hash of the network's weights.
    saved : float
        Seconds of judging that looking up has saved so far.

    Notes
    -----
    Given to `fuse(..., window_scores=WindowMemory(net))`. The scores lie below `.cache/windows/` (IVFNB_CACHE), by network, images, stride
    and code.
    """

    def __init__(self, net: "EResNet") -> None:
        """Memory of one network's scores."""
        self.weights = joblib.hash({name: tensor.cpu().numpy() for name, tensor in net.state_dict().items()})
        self.saved = 0.0

    def __call__(self, net: "EResNet", visible: Image, infrared: Image, stride: int) -> np.ndarray:
        """Scores of all windows, as `classifier.windows.window_scores` gives them.

        Parameters
        ----------
        net : EResNet
            The network itself, or a copy of it with other branches or another normalisation.
        visible, infrared : arrays (h, w)
            Grey levels, of one size of at least 32x32.
        stride : int
            Step of the windows in pixels.

        Returns
        -------
        array (2, rows, columns, 2), float32
        """
        from ivfnb.classifier import windows

        seen = net.branches, net.normalisation.cpu().numpy(), visible, infrared, stride
        path = cache.place("windows", (self.weights, *seen, cache.code_hash("ivfnb.classifier.windows")), ".npz")
        if (known := cache.recall(path, _stored)) is not None:
            self.saved += known[1]
            return known[0]
        begun = time.perf_counter()
        scores = windows.window_scores(net, visible, infrared, stride)
        with cache.remembering(), files.replacing(path) as beside:
            np.savez(beside, scores=scores, seconds=time.perf_counter() - begun)
        return scores


def _stored(path: Path) -> tuple[np.ndarray, float]:
    """Scores and the seconds they took; ValueError or KeyError for a file that holds none."""
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        scores, seconds = stored["scores"], float(stored["seconds"])
    if scores.dtype != np.float32 or scores.ndim != 4 or not np.isfinite(scores).all():
        raise ValueError(f"{path}: found {scores.dtype} of shape {scores.shape}, expected finite scores (2, rows, columns, 2)")
    return scores, seconds

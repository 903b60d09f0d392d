"""Who judges sharpness: the network, or the gradient energy in its place; and what becomes of the scores."""

import copy
from collections.abc import Callable

import cv2
import numpy as np

from ivfnb.classifier.grid import grid_shape, pad_to_grid
from ivfnb.fusion import weightmap
from ivfnb.fusion.protocol import Protocol
from ivfnb.images import Image


def gradient_energy_scores(visible: Image, infrared: Image, stride: int = 8) -> np.ndarray:
    """Scores in the form of `windows.window_scores` without a network: the logarithm of each window's sum of squared Sobel gradients.

    The softmax of two such logits is each window's share of the energy (Tenengrad; Krotkov 1988, doi 10.1007/BF00127822).
    """
    rows, columns = (stride * np.arange(count) for count in grid_shape(visible.shape, stride))
    energies = []
    for image in (visible, infrared):
        gradients = (cv2.Sobel(np.asarray(image, np.float64), cv2.CV_64F, dx, 1 - dx, borderType=cv2.BORDER_REPLICATE) for dx in (0, 1))
        total = cv2.integral(sum(gradient**2 for gradient in gradients))
        top, bottom = total[rows], total[rows + 32]
        energy = bottom[:, columns + 32] - bottom[:, columns] - top[:, columns + 32] + top[:, columns]
        energies.append(np.log(np.maximum(energy, 0) + 1e-3))  # flat windows of both images tie
    upper_visible = np.stack(energies, axis=2)
    return np.stack([upper_visible, upper_visible[..., ::-1]])


def _network(net, protocol: Protocol):
    """The network as the protocol wants it; ValueError where there is none or it was trained on something else."""
    if net is None:
        raise ValueError(f"net: found None, expected a network trained on {protocol.trained_on} (network.load({protocol.weights!r}))")
    if net.branches != protocol.trained_on:
        raise ValueError(
            f"net: found a network with {net.branches} branches, expected {protocol.trained_on} as the protocol says (Protocol.trained_on)"
        )
    if protocol.normalisation == "network" and protocol.branches == net.branches:
        return net
    import torch

    from ivfnb.classifier.network import NORMALISATION

    net = copy.deepcopy(net)
    net.branches = protocol.branches
    if protocol.normalisation == "released":
        net.normalisation.copy_(torch.tensor(NORMALISATION["released"]))
    return net


def judge(
    infrared: Image, visible: Image, net, protocol: Protocol, window_scores: Callable | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(weight of visible, votes, scores) of the images the classifier sees; the weight of "mask" and "distance" is the hard mask."""
    (visible, inside), (infrared, _) = (pad_to_grid(image, protocol.stride) for image in (visible, infrared))
    if protocol.classifier == "cnn":
        if window_scores is None:
            from ivfnb.classifier.windows import window_scores
        scores = window_scores(_network(net, protocol), visible, infrared, protocol.stride)
    else:
        scores = gradient_energy_scores(visible, infrared, protocol.stride)
    where = (visible.shape, protocol.stride)
    votes = weightmap.vote_map(weightmap.decide(scores, protocol.ties), *where)[inside]
    if protocol.weighting in ("soft", "votes"):
        return weightmap.weight_map(scores, *where, protocol.weighting, protocol.ties)[inside], votes, scores
    undecided = {"visible": True, "infrared": False}.get(protocol.ties)
    if undecided is None:
        undecided = weightmap.weight_map(scores, *where, "soft")[inside] >= 0.5
    return ((votes > 0) | ((votes == 0) & undecided)).astype(np.float64), votes, scores

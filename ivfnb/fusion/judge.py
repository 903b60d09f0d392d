"""Who judges sharpness: the network, the gradient energy in its place, or nobody; and what becomes of the scores."""

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ivfnb import paths
from ivfnb.classifier.grid import WINDOW, grid_shape, pad_to_grid
from ivfnb.fusion import weightmap
from ivfnb.fusion.protocol import Protocol
from ivfnb.images import Image

if TYPE_CHECKING:
    from ivfnb.classifier.network import EResNet

CONSTANT = {"none": 0.5, "visible": 1.0, "infrared": 0.0}  # weight of the visible image where nobody judges


def gradient_energy_scores(visible: Image, infrared: Image, stride: int = 8) -> np.ndarray:
    """Scores of windows without a network: the logarithm of each window's sum of squared Sobel gradients.

    Parameters
    ----------
    visible, infrared : arrays (h, w)
        Grey levels, of one size of at least 32x32.
    stride : int
        Step of the windows in pixels.

    Returns
    -------
    array (2, rows, columns, 2), float64
        In the form of `classifier.windows.window_scores`; the softmax of two such logits is each window's share of the energy.

    Raises
    ------
    ValueError
        For images below 32x32 pixels or a stride below 1.

    References
    ----------
    The measure is the Tenengrad: Krotkov 1988, doi 10.1007/BF00127822

    Examples
    --------
    >>> edge, flat = np.repeat([[0.0, 90.0]], 16, axis=1).repeat(32, axis=0), np.zeros((32, 32))
    >>> above, below = gradient_energy_scores(edge, flat)[:, 0, 0]
    >>> bool(above[0] > above[1]), bool(below[1] > below[0])
    (True, True)
    """
    rows, columns = (stride * np.arange(count) for count in grid_shape(visible.shape, stride))
    energies = []
    for image in (visible, infrared):
        levels = np.asarray(image, np.float64)
        down, across = (cv2.Sobel(levels, cv2.CV_64F, dx, 1 - dx, borderType=cv2.BORDER_REPLICATE) for dx in (0, 1))
        total = cv2.integral(down**2 + across**2)
        top, bottom = total[rows], total[rows + WINDOW]
        energy = bottom[:, columns + WINDOW] - bottom[:, columns] - top[:, columns + WINDOW] + top[:, columns]
        energies.append(np.log(np.maximum(energy, 0) + 1e-3))  # flat windows of both images tie
    upper_visible = np.stack(energies, axis=2)
    return np.stack([upper_visible, upper_visible[..., ::-1]])


def fitting_network(net: "EResNet | None", protocol: Protocol) -> "EResNet":
    """The network as a protocol wants it.

    Parameters
    ----------
    net : EResNet or None
        None takes the shipped weights that fit, loaded once a process.
    protocol : Protocol
        Says which branches the network was trained on, what they see, and how they are normalised.

    Returns
    -------
    EResNet
        `net` itself, or one of the same weights where its branches or their normalisation differ.

    Raises
    ------
    ValueError
        For a network that was trained on something else than the protocol says.

    Examples
    --------
    >>> fitting_network(None, Protocol(branches="gray")).branches
    'gray'
    """
    with paths.extra():
        import torch

        from ivfnb.classifier import network

    net = network.loaded(protocol.weights) if net is None else net
    if net.branches != protocol.trained_on:
        raise ValueError(
            f"net: found a network with {net.branches} branches, expected {protocol.trained_on} as the protocol says (Protocol.trained_on)"
        )
    if protocol.normalisation == "network" and protocol.branches == net.branches:
        return net
    other = copy.copy(net)  # the layers are shared
    other.branches, other._buffers = protocol.branches, dict(net._buffers)
    if protocol.normalisation == "released":
        other.normalisation = torch.tensor(network.NORMALISATION["released"], device=net.normalisation.device)
    return other


def judge(
    infrared: Image, visible: Image, net: "EResNet | None", protocol: Protocol, window_scores: Callable[..., np.ndarray] | None = None
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """Weight of the visible image, of the images that the classifier sees.

    Parameters
    ----------
    infrared, visible : arrays (h, w)
        Levels 0..255, of one size.
    net : EResNet or None
        See `fitting_network`; looked at only where the protocol asks for a network.
    protocol : Protocol
        Says who judges, how ties are settled and how votes become weights.
    window_scores : function or None
        Stands in for `classifier.windows.window_scores`.

    Returns
    -------
    weight : array (h, w), float64
        0..1. For the weightings "mask" and "distance" it is the hard mask; where nobody judges it is constant.
    votes : array (h, w), int16, or None
        Sum of the windows' votes; None where nobody judges.
    scores : array (2, rows, columns, 2) or None
        Of the windows; None where nobody judges.

    Raises
    ------
    ValueError
        For images below 32x32 pixels, or a network that does not fit the protocol.

    Examples
    --------
    >>> weight, votes, scores = judge(np.zeros((32, 32)), np.eye(32), None, Protocol(classifier="gradient_energy", weighting="mask"))
    >>> float(weight.min()), int(votes[0, 0])
    (1.0, 1)
    """
    if protocol.classifier in CONSTANT:
        return np.full(visible.shape, CONSTANT[protocol.classifier]), None, None
    (visible, inside), (infrared, _) = (pad_to_grid(image, protocol.stride) for image in (visible, infrared))
    if protocol.classifier == "cnn":
        if window_scores is None:
            with paths.extra():
                from ivfnb.classifier import windows

            window_scores = windows.window_scores
        scores = window_scores(fitting_network(net, protocol), visible, infrared, protocol.stride)
    else:
        scores = gradient_energy_scores(visible, infrared, protocol.stride)
    where = (visible.shape, protocol.stride)
    votes = weightmap.vote_map(weightmap.decide(scores, protocol.ties), *where)[inside]
    if protocol.weighting in ("soft", "votes"):
        return weightmap.weight_map(scores, *where, protocol.weighting, protocol.ties)[inside], votes, scores
    by_score = protocol.ties == "score"
    undecided = weightmap.weight_map(scores, *where, "soft")[inside] >= 0.5 if by_score else protocol.ties == "visible"
    return ((votes > 0) | ((votes == 0) & undecided)).astype(np.float64), votes, scores

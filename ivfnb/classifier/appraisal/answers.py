"""The network's answer to each sample, with branches silenced at will."""

from collections.abc import Sequence
from copy import deepcopy

import numpy as np
import pandas as pd
import torch
from torch.nn import functional
from tqdm import tqdm

from ivfnb import images
from ivfnb.classifier.appraisal.tables import TEXTURED
from ivfnb.classifier.folding import Affine, Folded, fold, product
from ivfnb.classifier.network import EResNet
from ivfnb.classifier.patches import PatchDataset, PatchIndex, make_index, on_device

PLANES = ("grey", "Gx", "Gy")  # of the network, in its order


def _block(features: torch.Tensor, block: Affine) -> torch.Tensor:
    """A residual block at inference: (n, h, w, in) -> (n, h/2, w/2, out)."""
    n, height, width, channels = features.shape
    wide = product(features.reshape(-1, channels), block, activation=True).view(n, height // 2, 2, width // 2, 2, -1)
    rows = torch.maximum(wide[:, :, 0], wide[:, :, 1])
    narrow = torch.maximum(rows[:, :, :, 0], rows[:, :, :, 1])
    residual, shortcut = narrow.chunk(2, dim=-1)
    return residual + shortcut


def _branch(folded: Folded, which: int, plane: torch.Tensor) -> torch.Tensor:
    """Features (n, h, w, channels) of one branch from its normalised planes (n, 64, 32)."""
    around = functional.pad(plane, (1, 1, 1, 1)).unfold(1, 3, 1).unfold(2, 3, 1)
    features = product(around.reshape(-1, 9), folded.stems[which], activation=True).view(*plane.shape, -1)
    for block in folded.branches[which]:
        features = _block(features, block)
    return features


@torch.inference_mode()
def outcomes(
    net: EResNet, samples: PatchDataset, silenced: Sequence[Sequence[str]] = ((),), batch_size: int | None = None
) -> list[pd.DataFrame]:
    """Outcome of each sample (see the package), one DataFrame for each set of silenced branches.

    Parameters
    ----------
    net : EResNet
    samples : PatchDataset
    silenced : sequence of sets of branches
        Named as in `PLANES`; the default silences none.
    batch_size : int, optional
        Samples per pass; 16 unless given, whose features a processor's cache holds (64 took 1.2 to 1.5 times as long), on a GPU 64.

    Returns
    -------
    list of DataFrames
        `texture` is the standard deviation of the sharp block's grey levels, `loss` the cross entropy in nats.

    Raises
    ------
    ValueError
        For an unknown branch.

    Notes
    -----
    A silenced branch gets 0 for its normalised input: flat blocks of the mean level of its training samples, the same above and below,
    which is what an image without information looks like to it. Every branch passes once whatever is silenced, in float32, by the folded
    network of `folding`.

    Examples
    --------
    >>> from ivfnb.classifier.patches import samples_of
    >>> deaf, hearing = outcomes(EResNet(), samples_of([np.eye(64)], 4, seed=0), [PLANES, ()])
    >>> deaf["probability"].nunique(), len(hearing)
    (1, 4)
    """
    if unknown := sorted({name for names in silenced for name in names} - set(PLANES)):
        raise ValueError(f"silenced: found {unknown}, expected some of {PLANES}")
    device, head, folded = next(net.parameters()).device, deepcopy(net.head).eval(), fold(net)
    there, batch_size = on_device(samples, device), batch_size or (64 if device.type == "cuda" else 16)
    flat = [_branch(folded, which, torch.zeros(1, 64, 32, device=device)) for which in range(3)]
    logits: list[list[torch.Tensor]] = [[] for _ in silenced]
    for start in tqdm(range(0, len(samples), batch_size), desc="testing", unit="batch", mininterval=1.0, leave=False):
        planes = net.normalise(there.__getitems__(range(start, min(start + batch_size, len(samples))))[0].to(device))
        heard = [_branch(folded, which, planes[:, which]) for which in range(3)]
        for names, found in zip(silenced, logits, strict=True):
            kept = zip(PLANES, heard, flat, strict=True)
            gray, gx, gy = (silence.expand_as(features) if name in names else features for name, features, silence in kept)
            gradients = _block(torch.cat([gx, gy], dim=-1), folded.gradient_block)
            found.append(head(torch.cat([part.permute(0, 3, 1, 2).flatten(1) for part in (gray, gradients)], dim=1)).float().cpu())
    texture = samples.texture()
    return [outcome(torch.cat(found), samples.index, texture) for found in logits]


def outcome(logits: torch.Tensor, index: PatchIndex, texture: np.ndarray) -> pd.DataFrame:
    """Outcome (see the package) of samples from their logits.

    Parameters
    ----------
    logits : tensor (n, 2)
    index : PatchIndex
        Of the n samples.
    texture : array (n,)
        Standard deviations of the sharp blocks, grey levels.

    Returns
    -------
    DataFrame
        A row a sample.

    Examples
    --------
    >>> index = make_index([np.zeros((32, 32))], 2, seed=0)
    >>> outcome(torch.tensor([[2.0, 0.0], [2.0, 0.0]]), index, np.zeros(2))["right"].tolist()
    [True, False]
    """
    classes = torch.from_numpy(index.order.astype(np.int64))
    return pd.DataFrame(
        {
            **{name: getattr(index, name) for name in ("photograph", "blur_size", "order")},
            "probability": logits.softmax(1)[:, 1].numpy(),
            "right": (logits.argmax(1) == classes).numpy(),
            "loss": functional.cross_entropy(logits, classes, reduction="none").numpy(),
            "texture": texture,
        }
    )


def evaluate_classifier(net: EResNet, samples: PatchDataset, batch_size: int | None = None) -> pd.DataFrame:
    """Outcome of each sample (see the package), with all branches.

    Parameters
    ----------
    net : EResNet
    samples : PatchDataset
    batch_size : int, optional
        See `outcomes`.

    Returns
    -------
    DataFrame
        One row each: photograph, blur_size, order (the class), probability (of class 1), right, loss (cross entropy in nats), texture
        (standard deviation of the sharp block's grey levels).

    Examples
    --------
    >>> from ivfnb.classifier.patches import samples_of
    >>> len(evaluate_classifier(EResNet(), samples_of([np.eye(64)], 4, seed=0)))
    4
    """
    return outcomes(net, samples, batch_size=batch_size)[0]


def without_branches(net: EResNet, samples: PatchDataset) -> dict[str, pd.DataFrame]:
    """Outcomes with all three branches, without each, with each alone, and with none, which leaves nothing to tell the classes by.

    Parameters
    ----------
    net : EResNet
    samples : PatchDataset

    Returns
    -------
    dict
        Outcomes by name.

    Examples
    --------
    >>> from ivfnb.classifier.patches import samples_of
    >>> list(without_branches(EResNet(), samples_of([np.eye(64)], 2, seed=0)))[::4]
    ['all three', 'grey alone']
    """
    sets = {"all three": (), **{f"without {name}": (name,) for name in PLANES}}
    sets |= {f"{name} alone": tuple(other for other in PLANES if other != name) for name in PLANES} | {"none": PLANES}
    return dict(zip(sets, outcomes(net, samples, tuple(sets.values())), strict=True))


def infrared_blocks(photographs: Sequence[np.ndarray], net, n: int = 400, seed: int = 0) -> tuple[float, int]:
    """How many textured 32x32 blocks of infrared images a classifier tells from their blurred selves, in both orders.

    These are images of a kind that the classifier was not trained on.

    Parameters
    ----------
    photographs : sequence of arrays (h, w)
        Infrared images, levels 0..255.
    net : EResNet
    n : int
        Samples to draw, those without texture among them.
    seed : int
        Of the draw.

    Returns
    -------
    share : float
        Judged rightly, 0..1; NaN where none has texture.
    number : int
        Of the samples judged: blocks whose grey levels deviate by at most 4 are left out.

    Examples
    --------
    >>> infrared_blocks([np.zeros((64, 64))], EResNet(), n=2)
    (nan, 0)
    """
    gray = [images.to_uint8(photograph) for photograph in photographs]
    if not gray:
        return float("nan"), 0
    outcome = evaluate_classifier(net, PatchDataset(make_index(gray, n, seed)))
    textured = outcome[outcome["texture"] > TEXTURED]
    return float(textured["right"].mean()) if len(textured) else float("nan"), len(textured)

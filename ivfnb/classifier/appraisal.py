"""What a trained classifier makes of samples: its answer to each, with branches silenced at will, and what the answers say.

An outcome is a DataFrame with a row a sample: photograph, blur_size, order (the class), probability (of class 1), right, loss, texture.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from itertools import pairwise

import numpy as np
import pandas as pd
import torch
from scipy.stats import binomtest
from torch.nn import functional
from tqdm import tqdm

from ivfnb.classifier import appraisal
from ivfnb.classifier.folding import Affine, Folded, fold, product
from ivfnb.classifier.network import EResNet
from ivfnb.classifier.patches import PatchDataset, PatchIndex

PLANES = ("grey", "Gx", "Gy")  # of the network, in its order
TEXTURED = 4.0  # standard deviation of a block's grey levels above which it counts as textured
TEXTURE_EDGES = (0, 1, 2, 4, 8, 16, 32, np.inf)  # of the texture levels: above the one, at most the other
# Of the bins of confidence: narrower towards 1, where nearly all answers lie.
CONFIDENCE_EDGES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999, 1.0)
CLASSES = ("sharp above", "sharp below")


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
def outcomes(net: EResNet, samples: PatchDataset, silenced: Sequence[Sequence[str]] = ((),), batch_size: int = 64) -> list[pd.DataFrame]:
    """Outcome of each sample (see the module), one DataFrame for each set of silenced branches, named as in `PLANES`.

    A silenced branch gets 0 for its normalised input: flat blocks of the mean level of its training samples, the same above and below,
    which is what an image without information looks like to it. `texture` is the standard deviation of the sharp block's grey levels,
    `loss` the cross entropy in nats. Every branch passes once whatever is silenced, in float32, by the folded network of `folding`.
    """
    if unknown := sorted({name for names in silenced for name in names} - set(PLANES)):
        raise ValueError(f"silenced: found {unknown}, expected some of {PLANES}")
    device, head, folded = next(net.parameters()).device, deepcopy(net.head).eval(), fold(net)
    flat = [_branch(folded, which, torch.zeros(1, 64, 32, device=device)) for which in range(3)]
    logits: list[list[torch.Tensor]] = [[] for _ in silenced]
    for start in tqdm(range(0, len(samples), batch_size), desc="testing", unit="batch", mininterval=1.0, leave=False):
        planes = net.normalise(samples.__getitems__(range(start, min(start + batch_size, len(samples))))[0].to(device))
        heard = [_branch(folded, which, planes[:, which]) for which in range(3)]
        for names, found in zip(silenced, logits, strict=True):
            kept = zip(PLANES, heard, flat, strict=True)
            gray, gx, gy = (silence.expand_as(features) if name in names else features for name, features, silence in kept)
            gradients = _block(torch.cat([gx, gy], dim=-1), folded.gradient_block)
            found.append(head(torch.cat([part.permute(0, 3, 1, 2).flatten(1) for part in (gray, gradients)], dim=1)).float().cpu())
    texture = samples.texture()
    return [outcome(torch.cat(found), samples.index, texture) for found in logits]


def outcome(logits: torch.Tensor, index: PatchIndex, texture: np.ndarray) -> pd.DataFrame:
    """Outcome (see the module) of samples from their logits (n, 2)."""
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


def right_answers(groups: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Samples, wrong ones, and right ones in percent with their 95 % Wilson interval: a row a group of an outcome, none for empty ones.

    The interval takes samples as independent (Wilson 1927, doi 10.1080/01621459.1927.10502953); both orders and all blurs of a block, and
    blocks of one photograph, are less than that, so the truth may lie a little further out.
    """
    rows = {}
    for name, group in groups.items():
        n, right = len(group), int(group["right"].sum())
        if n:
            interval = binomtest(right, n).proportion_ci(method="wilson")
            rows[name] = (n, n - right, 100 * right / n, 100 * interval.low, 100 * interval.high)
    return pd.DataFrame.from_dict(rows, orient="index", columns=["samples", "wrong", "right, %", "from", "to"])


def by_blur(outcome: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """All samples of an outcome, the textured ones, those without texture, and those of each blur size."""
    textured = outcome["texture"] > TEXTURED
    groups = {"all": outcome, "textured": outcome[textured], "without texture": outcome[~textured]}
    return groups | {f"{size} taps": group for size, group in outcome.groupby("blur_size")}


def by_texture(outcome: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Samples of an outcome by texture level, "0 to 1", ..., "above 32" (grey levels); a level includes its upper end, the first also 0."""
    levels = pd.cut(outcome["texture"], TEXTURE_EDGES, include_lowest=True, labels=False)
    names = [f"{low} to {high}" if np.isfinite(high) else f"above {low}" for low, high in pairwise(TEXTURE_EDGES)]
    return {name: outcome[levels == level] for level, name in enumerate(names)}


def accuracy(
    found: Mapping[str, pd.DataFrame], groups: Callable[[pd.DataFrame], Mapping[str, pd.DataFrame]] = by_blur, kind: str = "blocks"
) -> pd.DataFrame:
    """`right_answers` of the groups of several networks' outcomes, indexed by network and `kind` of group."""
    return pd.concat({name: right_answers(groups(outcome)) for name, outcome in found.items()}, names=["network", kind])


def with_textured(found: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Outcomes by name, and of each the textured samples alone under "name, textured"."""
    return {**found, **{f"{name}, textured": outcome[outcome["texture"] > TEXTURED] for name, outcome in found.items()}}


def _answers(outcome: pd.DataFrame) -> np.ndarray:
    return np.where(outcome["right"], outcome["order"], 1 - outcome["order"])


def confusion(outcome: pd.DataFrame) -> pd.DataFrame:
    """Counts of samples by what they are (rows) and what the network says (columns)."""
    counts = np.zeros((2, 2), dtype=int)
    np.add.at(counts, (outcome["order"].to_numpy(), _answers(outcome)), 1)
    return pd.DataFrame(counts, index=pd.Index(CLASSES, name="sample"), columns=[f"says {name}" for name in CLASSES])


def calibration(outcome: pd.DataFrame) -> pd.DataFrame:
    """`right_answers` by confidence, the probability the network gives its own answer, with each bin's mean confidence in percent.

    Bins after `CONFIDENCE_EDGES`, empty ones left out. A calibrated network is right as often as it is confident.
    """
    confidence = np.where(_answers(outcome) == 1, outcome["probability"], 1 - outcome["probability"])
    bins = np.clip(np.searchsorted(CONFIDENCE_EDGES, confidence, side="left") - 1, 0, len(CONFIDENCE_EDGES) - 2)
    names = {f"{100 * low:g} to {100 * high:g}": bins == which for which, (low, high) in enumerate(pairwise(CONFIDENCE_EDGES))}
    table = right_answers({name: outcome[chosen] for name, chosen in names.items()}).rename_axis("confidence, %")
    table.insert(0, "mean confidence, %", [100 * confidence[names[name]].mean() for name in table.index])
    return table


def calibration_error(outcome: pd.DataFrame) -> float:
    """Expected calibration error, percent: mean distance of a bin's share of right answers from its mean confidence, weighted by samples.

    Guo, Pleiss, Sun and Weinberger 2017 (proceedings.mlr.press/v70/guo17a.html), over the uneven bins of `calibration`.
    """
    table = calibration(outcome)
    return float(((table["right, %"] - table["mean confidence, %"]).abs() * table["samples"]).sum() / table["samples"].sum())


def hardest(outcome: pd.DataFrame, index: PatchIndex, n: int) -> np.ndarray:
    """Positions of the `n` samples with the largest loss, the worst first, one of a block: the most confident mistakes, if so many."""
    order = np.argsort(-outcome["loss"].to_numpy(), kind="stable")
    blocks = np.stack([index.photograph, index.row, index.column], axis=1)[order]
    _, first = np.unique(blocks, axis=0, return_index=True)
    return order[np.sort(first)[:n]]


def without_branches(net: EResNet, samples: PatchDataset) -> dict[str, pd.DataFrame]:
    """Outcomes with all three branches, without each, with each alone, and with none, which leaves nothing to tell the classes by."""
    sets = {"all three": (), **{f"without {name}": (name,) for name in PLANES}}
    sets |= {f"{name} alone": tuple(other for other in PLANES if other != name) for name in PLANES} | {"none": PLANES}
    return dict(zip(sets, outcomes(net, samples, tuple(sets.values())), strict=True))


def infrared_blocks(photographs: Sequence[np.ndarray], net, n: int = 400, seed: int = 0) -> tuple[float, int]:
    """(share judged rightly, number) of textured 32x32 blocks of infrared images, each against its blurred self, in both orders.

    These are images of a kind the classifier was not trained on. Blocks whose grey levels deviate by at most 4 are left out.
    """
    from ivfnb import images
    from ivfnb.classifier.appraisal import TEXTURED, evaluate_classifier
    from ivfnb.classifier.patches import PatchDataset, make_index

    gray = [images.to_uint8(photograph) for photograph in photographs]
    if not gray:
        return float("nan"), 0
    outcome = evaluate_classifier(net, PatchDataset(make_index(gray, n, seed)))
    textured = outcome[outcome["texture"] > TEXTURED]
    return float(textured["right"].mean()) if len(textured) else float("nan"), len(textured)


def evaluate_classifier(net: EResNet, samples: PatchDataset, batch_size: int = 64) -> pd.DataFrame:
    """Outcome of each sample, one row each: photograph, blur_size, order (the class), probability (of class 1), right, loss, texture.

    `texture` is the standard deviation of the sharp block's grey levels; `loss` the cross entropy in nats. See `appraisal.outcomes`.
    """
    return appraisal.outcomes(net, samples, batch_size=batch_size)[0]

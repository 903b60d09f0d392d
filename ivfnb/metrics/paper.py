"""The paper's eleven metrics but VIFF, in float64, as the released evaluator computes them where its choices are sound.

Every function takes a `Triple`. A, B, F in comments are the infrared, visible and fused image; g and a are edge strength and angle.
"""

import numpy as np

from ivfnb.images import Image
from ivfnb.metrics.triple import Edges, Plane, Triple


def edge_intensity(triple: Triple) -> float:
    """Edge intensity (EI), grey levels: mean strength of the 3x3 Sobel gradient, border repeated. Grows with contrast and noise alike."""
    return float(triple.fused.edges("edge").strength.mean())


def cross_entropy_of(source: Plane, fused: Plane) -> float:
    """Kullback-Leibler divergence in bits of a source's histogram from the fused image's; bins empty in either are skipped.

    0 where no bin is filled in both: the definition has no value there.
    """
    both = (source.probabilities > 0) & (fused.probabilities > 0)
    p, q = source.probabilities[both], fused.probabilities[both]
    return float(np.sum(p * np.log2(p / q)))


def cross_entropy(triple: Triple) -> float:
    """Cross entropy (CE), bits, lower is better: mean over the two sources of `cross_entropy_of`. Skipped bins can make it negative."""
    return sum(cross_entropy_of(source, triple.fused) for source in triple.sources) / 2


def spatial_frequency(triple: Triple) -> float:
    """Spatial frequency (SF), grey levels: root of the summed mean squares of horizontal and vertical first differences.

    Both are divided by h*w as in the released evaluator; some implementations divide by h*(w-1).
    """
    levels = triple.fused.levels
    return float(np.sqrt((np.sum(np.diff(levels, axis=1) ** 2) + np.sum(np.diff(levels, axis=0) ** 2)) / levels.size))


def entropy(triple: Triple) -> float:
    """Entropy (EN) of the fused image's 256-bin histogram, bits: 0 (constant) to 8. Levels are rounded to the nearest bin."""
    return triple.fused.entropy


def standard_deviation(triple: Triple) -> float:
    """Standard deviation (SD) of the fused image with divisor N-1, grey levels; 0 for a constant image."""
    return float(triple.fused.levels.std(ddof=1))


def definition(triple: Triple) -> float:
    """Definition (DF), grey levels: mean over (h-1) x (w-1) pixels of sqrt((dx^2 + dy^2)/2), forward differences."""
    levels = triple.fused.levels
    dx, dy = np.diff(levels, axis=1)[:-1], np.diff(levels, axis=0)[:, :-1]
    return float(np.sqrt((dx**2 + dy**2) / 2).mean())


def _logistic(top: float, slope: float, middle: float, x: Image) -> Image:
    """top / (1 + exp(-slope*(x - middle)))."""
    return top / (1 + np.exp(-slope * (x - middle)))


def ratio(first: Image, second: Image) -> Image:
    """Smaller over larger of two non-negative images, 0 where either is 0."""
    low, high = np.minimum(first, second), np.maximum(first, second)
    return np.divide(low, high, out=np.zeros_like(low), where=low > 0)


def _preservation_qabf(source: Edges, fused: Edges) -> Image:
    """Edge preservation (h, w) from a source to F of Xydeas and Petrovic, with the released code's rule where the strengths are equal."""
    strength = np.where(source.strength == fused.strength, fused.strength, ratio(source.strength, fused.strength))
    angle = 1 - np.abs(source.angle - fused.angle) / (np.pi / 2)
    return _logistic(0.9994, 15, 0.5, strength) * _logistic(0.9879, 22, 0.8, angle)


def qabf(triple: Triple) -> float:
    """Edge transfer (Qabf), below 1, higher is better: edge strength and angle kept from the sources, weighted by source strength.

    Quirk kept from the released code: where the strengths of source and fused image are exactly equal the ratio is the strength itself,
    not 1. Border filled with zeros; the angle is pi/2 where the rightward gradient vanishes, and
    opposite angles about it count as different, unlike in Nabf. 0 where no source has an edge.
    """
    fused, edges = triple.fused.edges("constant"), [source.edges("constant") for source in triple.sources]
    total = sum(float(e.strength.sum()) for e in edges)
    kept = sum(float(np.sum(_preservation_qabf(e, fused) * e.strength)) for e in edges)
    return kept / total if total > 0 else 0.0


def nabf(triple: Triple) -> float:
    """Artefacts (Nabf), 0 to 1, lower is better: edges of F, stronger than in both sources, that neither source explains.

    Kumar's modification of Petrovic's measure. Sobel sums divided by 8, border mirrored without repeating the edge; flat areas count as
    edges of angle pi/2 with the ratio of strengths 0. 0 where no artefact is.
    """
    fused, edges = triple.fused.edges("reflect"), [source.edges("reflect") for source in triple.sources]
    artefact = np.logical_and.reduce([fused.strength > e.strength for e in edges])
    unexplained = total = 0.0
    for source in edges:
        angle = np.abs(np.abs(source.angle - fused.angle) - np.pi / 2) * 2 / np.pi
        strength = ratio(source.strength, fused.strength)
        kept = np.sqrt(_logistic(0.9999, 19, 0.5, strength) * _logistic(0.9995, 22, 0.5, angle))
        strong = source.strength / 8
        weight = np.where(strong >= 2, strong**1.5, 0.001)
        unexplained += float(np.sum((1 - kept) * weight, where=artefact))
        total += float(weight.sum())
    return unexplained / total


def correlation(first: Image, second: Image) -> float:
    """Pearson correlation of two images of one shape, -1 to 1; 0 where either is constant, where it has no value."""
    first, second = first - first.mean(), second - second.mean()
    squares = float(np.sum(first**2)), float(np.sum(second**2))
    # The mean of a constant image may be off by rounding: relative to 255^2 per pixel such sums of squares are nothing.
    if min(squares) <= 1e-20 * first.size:
        return 0.0
    return float(np.sum(first * second) / np.sqrt(squares[0]) / np.sqrt(squares[1]))


def scd(triple: Triple) -> float:
    """Sum of the correlations of differences (SCD), -2 to 2: corr(F-B, A) + corr(F-A, B); a constant difference counts 0."""
    fused, infrared, visible = triple.fused.levels, triple.infrared.levels, triple.visible.levels
    return correlation(fused - visible, infrared) + correlation(fused - infrared, visible)


def scd_saturated(triple: Triple) -> float:
    """SCD as released: F-B and F-A are uint8 differences, which stop at 0, so that most of a darker fused image is lost."""
    fused, infrared, visible = triple.fused.levels, triple.infrared.levels, triple.visible.levels
    return correlation(np.maximum(fused - visible, 0), infrared) + correlation(np.maximum(fused - infrared, 0), visible)


def mutual_information(triple: Triple) -> float:
    """Mutual information (MI), bits, at least 0: that of infrared and fused plus that of visible and fused, 256x256 joint histograms."""
    return sum(triple.mutual_information)


def mutual_information_released(triple: Triple) -> float:
    """ "MI" as released: exactly twice the entropy of the fused image, whatever the sources; the evaluator mistakes rows for records."""
    return 2 * triple.fused.entropy

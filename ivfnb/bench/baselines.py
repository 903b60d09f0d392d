"""Time of the comparison methods for one 768x576 pair, and how alike own and published fused images are where these are at hand."""

import time

import numpy as np

from ivfnb import datasets, images
from ivfnb.baselines import BASELINES, PAPER, Baseline
from ivfnb.baselines.agreement import agreement
from ivfnb.bench import seconds
from ivfnb.bench.metrics import triple
from ivfnb.metrics import score

SLOW = ("ConvSR",)  # methods allowed 60 seconds; of their published images only every `EVERY`th is compared here
EVERY = 4
AT_LEAST = {"CBF": 0.999, "HybridMSD": 0.97, "Structaware": 0.97, "MDLatLRR": 0.95, "ConvSR": 0.90}  # mean SSIM with published TNO images
NABF = {"CBF": 0.31727, "DCHWT": 0.12295}  # published means over TNO-21, of 0..1 images


def _row(what: str, value: float, unit: str, bar: str = "") -> dict:
    return {"section": "baselines", "what": what, "value": value, "unit": unit, "bar": bar}


def _short(baseline: Baseline) -> str:
    """Name of the method without that of the variant."""
    return baseline.name.partition(" (")[0]


def _times() -> list[dict]:
    """Wall-clock and processor seconds of every method."""
    _, infrared, visible = triple()
    result = []
    for name, baseline in BASELINES.items():
        slow = _short(baseline) in SLOW
        wall = seconds(lambda fuse=baseline.fuse: fuse(infrared, visible), repeats=1 if slow else 3)
        start = time.process_time()
        baseline.fuse(infrared, visible)
        bar = "" if _short(baseline) not in PAPER else f"at most {60 if slow else 10}"
        result += [
            _row(f"{name}, one 768x576 pair", wall, "s", bar),
            _row(f"{name}, the same, processor time", time.process_time() - start, "s"),
        ]
    return result


def _agreements() -> list[dict]:
    """Mean and least SSIM of own and published images, method by method."""
    at_hand, result = set(datasets.available()), []
    for name, baseline in BASELINES.items():
        for pairs, published in baseline.published.items():
            if not {pairs, f"published-{pairs}/{published}"} <= at_hand:
                continue
            ids = datasets.dataset(f"published-{pairs}/{published}").ids[:: EVERY if _short(baseline) in SLOW else 1]
            table = agreement(baseline, pairs, ids=ids)
            bar = f"at least {AT_LEAST[_short(baseline)]}" if pairs == "tno21" else ""
            for key, bar_here in (("ssim", bar), ("ssim_jpeg", "")):
                values = [entry[key] for entry in table if entry[key] is not None]
                if values:
                    what = f"{name} and published images, {len(values)} pairs of {pairs}{', own through JPEG' * (key == 'ssim_jpeg')}"
                    result += [_row(f"{what}: mean SSIM", np.mean(values), "", bar_here), _row(f"{what}: least SSIM", np.min(values), "")]
    return result


def _artefacts() -> list[dict]:
    """Mean Nabf of CBF and DCHWT over TNO-21, of images divided by 255 as in the publications."""
    if "tno21" not in datasets.available():
        return []
    result = []
    for name, published in NABF.items():
        values = []
        for pair in datasets.dataset("tno21"):
            fused = images.to_uint8(BASELINES[name].fuse(pair.infrared, pair.visible))
            values.append(score(*(image / 255 for image in (fused, pair.infrared, pair.visible)), names=["Nabf"])["Nabf"])
        bar = f"within 10 % of {published}"
        result.append(_row(f"{name}, mean Nabf of 0..1 images, {len(values)} pairs of tno21", np.mean(values), "", bar))
    return result


def rows() -> list[dict]:
    """Rows of the bench: section, what, value, unit, bar."""
    return _times() + _agreements() + _artefacts()

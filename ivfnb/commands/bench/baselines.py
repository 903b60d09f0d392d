"""Time of the comparison methods for one 768x576 pair, and how alike own and published fused images are where these are at hand."""

import time
from functools import partial

import numpy as np

from ivfnb import datasets, images
from ivfnb.baselines import BASELINES
from ivfnb.commands.bench import seconds
from ivfnb.commands.bench.metrics import triple
from ivfnb.evaluation.likeness import published_likeness
from ivfnb.metrics import score

SLOW = ("ConvSR",)  # methods allowed 60 seconds; of their published images only every `EVERY`th is compared here
EVERY = 4
QUICK = 2.0  # seconds below which a time is the least of several
AT_LEAST = {"CBF": 0.999, "HybridMSD": 0.97, "Structaware": 0.97, "MDLatLRR": 0.95, "ConvSR": 0.90}  # mean SSIM with published TNO images
NABF = {"CBF": 0.31727, "DCHWT": 0.12295}  # published means over TNO-21, of 0..1 images


def _row(what: str, value: float, unit: str, bar: str = "") -> dict:
    return {"section": "baselines", "what": what, "value": value, "unit": unit, "bar": bar}


def _times() -> list[dict]:
    """Wall-clock and processor seconds of every method, not of its variants."""
    _, infrared, visible = triple()
    small = [image[:64, :64] for image in (infrared, visible)]
    result = []
    for name in (name for name, baseline in BASELINES.items() if not baseline.variant.name):
        fuse = BASELINES[name].fuse
        fuse(*small)  # loads the module and what it learned
        start, processor = time.perf_counter(), time.process_time()
        fuse(infrared, visible)
        wall, processor = time.perf_counter() - start, time.process_time() - processor
        if wall < QUICK:
            wall = min(wall, seconds(partial(fuse, infrared, visible)))
        bar = f"at most {60 if name in SLOW else 10}" if BASELINES[name].competitor.row else ""
        result += [_row(f"{name}, one 768x576 pair", wall, "s", bar), _row(f"{name}, the same, processor time", processor, "s")]
    return result


def _agreements() -> list[dict]:
    """Mean and least SSIM of own and published images, method by method."""
    at_hand, result = set(datasets.available()), []
    for name, baseline in BASELINES.items():
        for pairs, published in baseline.published.items():
            if not {pairs, f"published-{pairs}/{published}"} <= at_hand:
                continue
            ids = datasets.dataset(f"published-{pairs}/{published}").ids[:: EVERY if baseline.competitor.name in SLOW else 1]
            table = published_likeness(baseline, pairs, ids=ids)
            bar = f"at least {AT_LEAST[baseline.competitor.name]}" if pairs == "tno21" else ""
            for key, bar_here in (("ssim", bar), ("ssim_jpeg", "")):
                values = [entry[key] for entry in table if entry[key] is not None]
                if values:
                    what = f"{name} and published images, {len(values)} pairs of {pairs}{', own through JPEG' * (key == 'ssim_jpeg')}"
                    result += [
                        _row(f"{what}: mean SSIM", float(np.mean(values)), "", bar_here),
                        _row(f"{what}: least SSIM", float(np.min(values)), ""),
                    ]
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
            values.append(score(fused / 255, pair.infrared / 255, pair.visible / 255, names=["Nabf"])["Nabf"])
        bar = f"within 10 % of {published}"
        result.append(_row(f"{name}, mean Nabf of 0..1 images, {len(values)} pairs of tno21", float(np.mean(values)), "", bar))
    return result


def rows() -> list[dict]:
    """Rows of the bench: section, what, value, unit, bar."""
    return _times() + _agreements() + _artefacts()

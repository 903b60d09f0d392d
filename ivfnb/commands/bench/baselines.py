"""Time of the comparison methods for one 768x576 pair. How alike own and published images are, tests of the baselines say."""

import time
from functools import partial

from ivfnb.baselines import BASELINES, Baseline
from ivfnb.commands.bench import seconds
from ivfnb.commands.bench.metrics import triple

QUICK = 2.0  # seconds below which a time is the least of several
AT_MOST = {"DenseFuse": 1.5, "PMGI": 1, "CNN": 3, "VggML": 5, "IFCNN": 2, "U2Fusion": 5, "ConvSR": 6, "MDLatLRR": 2}  # seconds on two cores
OTHERS = 10  # seconds that the other ones of the paper's methods may take


def entrants() -> list[Baseline]:
    """One of each method: the first of its variants that can run, else the first."""
    by_method: dict[str, list[Baseline]] = {}
    for baseline in BASELINES.values():
        by_method.setdefault(baseline.competitor.name, []).append(baseline)
    return [next((each for each in variants if not each.lacks()), variants[0]) for variants in by_method.values()]


def rows() -> list[dict]:
    """Rows of the bench: section, what, value, unit, bar. Wall-clock and processor seconds of every method; NaN where it cannot run."""

    def row(what: str, value: float, bar: str = "") -> dict:
        return {"section": "baselines", "what": what, "value": value, "unit": "s", "bar": bar}

    _, infrared, visible = triple()
    small = [image[:64, :64] for image in (infrared, visible)]
    result = []
    for baseline in entrants():
        if lacking := baseline.lacks():
            result.append(row(f"{baseline.name}, not measured: needs {lacking}", float("nan")))
            continue
        baseline.fuse(*small)  # loads the module and what it learned
        start, processor = time.perf_counter(), time.process_time()
        baseline.fuse(infrared, visible)
        wall, processor = time.perf_counter() - start, time.process_time() - processor
        if wall < QUICK:
            wall = min(wall, seconds(partial(baseline.fuse, infrared, visible)))
        bar = f"at most {AT_MOST.get(baseline.competitor.name, OTHERS)}" if baseline.competitor.row else ""
        result += [
            row(f"{baseline.name}, one 768x576 pair", wall, bar),
            row(f"{baseline.name}, the same, processor time", processor),
        ]
    return result

"""The dense scores against the loop of single windows, on all TNO pairs at 456x456 and for both kinds of branches.

    IVFNB_DATA=... python scripts/check_dense.py [--loop 1] [--weights NAME ...] [--sets NAME ...] [--keep FOLDER] [--report FILE.csv]
    IVFNB_DATA=... python scripts/check_dense.py --precision bfloat16 [--device cuda] [--sets NAME ...]
    IVFNB_DATA=... python scripts/check_dense.py --device cuda [--sets NAME ...]

The first `--loop` pairs of each network are compared with the plain loop (minutes each), and that loop with batches of windows; the others
with batches of windows, which only stack the loop's samples. Asked of every pair: logits within 1e-3, the same decision wherever the
reference's margin exceeds 1e-3, and 99.99 % of all decisions the same.

With another precision the reference is the dense method in float32 on the same device, and 99.9 % of all decisions must be the same. On
another device than the processor the reference is the dense method on the processor: logits within 1e-4, and every decision the same.
Prints a row per pair; ends with 1 where a bar is missed.
"""

import argparse
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from ivfnb import datasets, files, provenance
from ivfnb.classifier import network, windows
from ivfnb.classifier.folding import PRECISIONS
from ivfnb.classifier.training import keep_freed_memory
from ivfnb.fusion import weightmap
from ivfnb.images import resize

SIDE = 456
TOLERANCE = 1e-3
# By whether the precision is another, and whether the device is: largest difference of logits, least share of equal decisions.
BARS = {(False, False): (TOLERANCE, 0.9999), (False, True): (1e-4, 1.0), (True, False): (math.inf, 0.999), (True, True): (math.inf, 0.999)}


def kept(folder: str | None, name: str, compute: Callable[[], np.ndarray]) -> np.ndarray:
    """Scores of the file `name` in `folder` if it is there; else computed, and left there where a folder is given."""
    if folder is None:
        return compute()
    path = Path(folder) / f"{name}.npy"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        scores = compute()
        beside = path.with_suffix(".part.npy")
        np.save(beside, scores)
        beside.replace(path)
    return np.load(path)


def compare(found: np.ndarray, expected: np.ndarray) -> dict:
    """Largest difference of logits, and decisions that differ: all, and those of a margin above the tolerance in both orders."""
    differ = weightmap.decide(found) != weightmap.decide(expected)
    sure = (np.abs(expected[..., 0] - expected[..., 1]) > TOLERANCE).all(axis=0)
    return {"largest": np.abs(found - expected).max(), "differ": differ.sum(), "sure_differ": (differ & sure).sum(), "windows": differ.size}


def show(rows: list[dict], report: str | None, made: dict) -> None:
    """Print the last row, and write all of them."""
    print("  ".join(f"{key} {value:.3g}" if isinstance(value, float) else f"{key} {value}" for key, value in rows[-1].items()), flush=True)
    if report:
        pd.DataFrame(rows).assign(**made).to_csv(report, index=False)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loop", type=int, default=1, help="pairs compared with the loop itself (default: %(default)s)")
    parser.add_argument("--weights", nargs="+", default=["eresnet-gradients", "eresnet-gray"], help="names or files (default: %(default)s)")
    parser.add_argument("--keep", metavar="FOLDER", help="keep the loop's and the batches' scores there and use them again")
    parser.add_argument("--report", metavar="FILE", help="CSV to write")
    parser.add_argument("--sets", nargs="+", default=["tno21"], help="data sets of pairs (default: %(default)s)")
    parser.add_argument("--precision", choices=PRECISIONS, default="float32", help="of the dense method (default: %(default)s)")
    parser.add_argument("--device", default="cpu", help="where the dense method runs (default: %(default)s)")
    parser.add_argument("--crop", type=int, default=SIDE, metavar="SIDE", help="of each pair only the middle, for a quick look")
    arguments = parser.parse_args()
    inside = slice((SIDE - arguments.crop) // 2, (SIDE + arguments.crop) // 2)
    tolerance, agreement = BARS[arguments.precision != "float32", arguments.device != "cpu"]
    keep_freed_memory()  # halves the time of the batches
    rows, stamp = [], provenance.stamp()
    made = {key: stamp[key] for key in ("commit", "dirty", "time")}
    for name in arguments.weights:
        net, mark = network.load(name, arguments.device), files.digest(network.weights_path(name))[:12]
        beside = net if arguments.precision != "float32" else network.load(name)  # judges in float32 where the loop is not asked
        for n, (given, pair) in enumerate((data.name, pair) for data in map(datasets.dataset, arguments.sets) for pair in data):
            images = [resize(image, (SIDE, SIDE))[inside, inside] for image in (pair.visible, pair.infrared)]
            start = time.perf_counter()
            found = windows.window_scores(net, *images, precision=arguments.precision)
            row = {"weights": name, "set": given, "pair": pair.id, "dense_seconds": time.perf_counter() - start, "oracle": "batches"}
            row |= {"precision": arguments.precision, "device": arguments.device}
            if tolerance != TOLERANCE:
                rows.append(row | {"oracle": "dense"} | compare(found, windows.window_scores(beside, *images)))
                show(rows, arguments.report, made)
                continue
            expected = kept(arguments.keep, f"{mark}-{given}-{pair.id}-batches", lambda: windows.window_scores_batched(net, *images))  # noqa: B023
            if n < arguments.loop:
                batches = expected
                expected = kept(arguments.keep, f"{mark}-{given}-{pair.id}-loop", lambda: windows.window_scores_reference(net, *images))  # noqa: B023
                row |= {"oracle": "loop", "batches_to_loop": np.abs(batches - expected).max()}
            rows.append(row | compare(found, expected))
            show(rows, arguments.report, made)
    table = pd.DataFrame(rows)
    print(table.groupby("weights").agg({"largest": "max", "differ": "sum", "sure_differ": "sum", "windows": "sum"}).to_markdown())
    share = 1 - table["differ"].sum() / table["windows"].sum()
    print(f"{share:.6f} of the decisions are the same")
    sure = table["sure_differ"].sum() if tolerance == TOLERANCE else 0
    return int(table["largest"].max() > tolerance or sure > 0 or share < agreement)


if __name__ == "__main__":
    sys.exit(main())

"""The dense scores against the loop of single windows, on all TNO pairs at 456x456 and for both kinds of branches.

    IVFNB_DATA=... python scripts/check_dense.py [--loop 1] [--weights eresnet-gradients eresnet-gray] [--report FILE.csv]

The first `--loop` pairs of each network are compared with the plain loop (minutes each), and that loop with batches of windows; the others
with batches of windows, which only stack the loop's samples. Asked of every pair: logits within 1e-3, the same decision wherever the
reference's margin exceeds 1e-3, and 99.99 % of all decisions the same. Prints a row per pair; ends with 1 where a pair misses a bar.
"""

import argparse
import sys
import time

import numpy as np
import pandas as pd

from ivfnb import datasets, network, weightmap
from ivfnb.images import resize

SIDE = 456
TOLERANCE = 1e-3
AGREEMENT = 0.9999


def compare(found: np.ndarray, expected: np.ndarray) -> dict:
    """Largest difference of logits, and decisions that differ: all, and those of a margin above the tolerance in both orders."""
    differ = weightmap.decide(found) != weightmap.decide(expected)
    sure = (np.abs(expected[..., 0] - expected[..., 1]) > TOLERANCE).all(axis=0)
    return {"largest": np.abs(found - expected).max(), "differ": differ.sum(), "sure_differ": (differ & sure).sum(), "windows": differ.size}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loop", type=int, default=1, help="pairs compared with the loop itself (default: %(default)s)")
    parser.add_argument("--weights", nargs="+", default=["eresnet-gradients", "eresnet-gray"], help="names or files (default: %(default)s)")
    parser.add_argument("--report", help="CSV to write")
    arguments = parser.parse_args()
    rows = []
    for name in arguments.weights:
        net = network.load(name)
        for n, pair in enumerate(datasets.dataset("tno21")):
            visible, infrared = (resize(image, (SIDE, SIDE)) for image in (pair.visible, pair.infrared))
            start = time.perf_counter()
            found = weightmap.window_scores(net, visible, infrared)
            taken = time.perf_counter() - start
            expected, oracle = weightmap.window_scores_batched(net, visible, infrared), "batches"
            row = {"weights": name, "pair": pair.id, "dense_seconds": taken}
            if n < arguments.loop:
                batched, oracle, start = expected, "loop", time.perf_counter()
                expected = weightmap.window_scores_reference(net, visible, infrared)
                row |= {"loop_seconds": time.perf_counter() - start, "batches_to_loop": np.abs(batched - expected).max()}
            rows.append({**row, "oracle": oracle, **compare(found, expected)})
            print(
                "  ".join(f"{key} {value:.3g}" if isinstance(value, float) else f"{key} {value}" for key, value in rows[-1].items()),
                flush=True,
            )
            if arguments.report:
                pd.DataFrame(rows).to_csv(arguments.report, index=False)
    table = pd.DataFrame(rows)
    print(table.groupby("weights").agg({"largest": "max", "differ": "sum", "sure_differ": "sum", "windows": "sum"}).to_markdown())
    agreement = 1 - table["differ"].sum() / table["windows"].sum()
    return int(table["largest"].max() > TOLERANCE or table["sure_differ"].sum() > 0 or agreement < AGREEMENT)


if __name__ == "__main__":
    sys.exit(main())

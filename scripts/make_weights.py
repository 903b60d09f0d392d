"""Train the committed weights on COCO (IVFNB_DATA), test them on BSDS: data/weights/NAME.safetensors and a JSON of what was measured.

    IVFNB_DATA=... python scripts/make_weights.py --branches gradients --samples 200000

Killed, it goes on from its checkpoint when called again with the same arguments.
"""

import argparse
import time
from pathlib import Path

import pandas as pd

from ivfnb import files, paths, provenance
from ivfnb.classifier.appraisal import TEXTURED, evaluate_classifier
from ivfnb.classifier.network import save
from ivfnb.classifier.patches import BLUR_SIZES, PatchDataset, make_index
from ivfnb.classifier.training import TrainConfig, train


def photographs(name: str) -> list[Path]:
    """Photographs of a data set, sorted by name."""
    found = sorted((paths.data_root() / name).rglob("*.jpg"))
    if not found:
        raise SystemExit(f"{paths.data_root() / name}: found no .jpg, expected the photographs of {name} (set IVFNB_DATA)")
    return found


def accuracy_table(outcome: pd.DataFrame) -> dict:
    """Share of right answers over all samples, the textured ones and each blur size."""
    textured = outcome[outcome["texture"] > TEXTURED]
    return {
        "samples": len(outcome),
        "accuracy": float(outcome["right"].mean()),
        "textured_samples": len(textured),
        "textured_accuracy": float(textured["right"].mean()),
        "accuracy_by_blur_size": {int(size): float(group["right"].mean()) for size, group in outcome.groupby("blur_size")},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--branches", choices=("gradients", "gray"), default="gradients")
    parser.add_argument("--samples", type=int, default=200_000)
    parser.add_argument("--test-samples", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    coco, bsds = photographs("coco"), photographs("bsds500")
    index = make_index(coco, arguments.samples, arguments.seed)
    config = TrainConfig(branches=arguments.branches, seed=arguments.seed)
    name = f"eresnet-{arguments.branches}"
    record = provenance.stamp()
    started = time.perf_counter()
    history = train(config, PatchDataset(index), folder=paths.root() / ".cache" / f"{name}-{arguments.samples}")
    record |= {
        "training_set": f"MS COCO, {len(coco)} photographs (train2017 and val2017)",
        "training_samples": arguments.samples,
        "blur_sizes": BLUR_SIZES,
        "config": vars(config),
        "samples_per_second": round(history.samples_per_second, 1),
        "hours": round((time.perf_counter() - started) / 3600, 2),
    }
    target = paths.root() / "data" / "weights" / f"{name}.safetensors"
    save(history.net, target, record)
    from ivfnb.classifier.network import load

    test = PatchDataset(make_index(bsds, arguments.test_samples, arguments.seed + 1))
    measured = {"test_set": f"BSDS500 test, {len(bsds)} photographs", **accuracy_table(evaluate_classifier(load(target), test))}
    files.write_json(target.with_suffix(".json"), {**record, "sha256": files.digest(target), "measured": measured}, indent=1)
    print(measured)


if __name__ == "__main__":
    main()

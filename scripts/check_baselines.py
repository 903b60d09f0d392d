"""Compare all published fused images at hand with own ones: results/paper/baseline_agreement.csv, one row per method, set and image.

    IVFNB_DATA=... python scripts/check_baselines.py [METHOD ...]

Rows of methods that are not named, or whose weights are not at hand, stay as they are. Takes about half an hour on two cores.
"""

import argparse

import pandas as pd

from ivfnb import datasets, files, paths
from ivfnb.baselines import BASELINES
from ivfnb.evaluation.likeness import published_likeness

TARGET = paths.root() / "results" / "paper" / "baseline_agreement.csv"
# Beside each variant's own published images: the paper's variant against images that a public script made in another one, and what was
# trained here against the images of its authors' networks.
ALSO = {
    "MDLatLRR": ("tno21", "MDLatLRR"),
    "HybridMSD": ("tno21", "HybridMSD"),
    "ConvSR": ("tno21", "ConvSR"),
    "NestFuse (retrained)": ("tno21", "NestFuse"),
    "RFN-Nest (retrained)": ("tno21", "RFN-Nest"),
    "DDcGAN (retrained)": ("tno21", "DDcGAN"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("method", nargs="*", help="names in BASELINES; default: all that have published images")
    named = parser.parse_args().method
    comparisons = [(name, pairs, images) for name, baseline in BASELINES.items() for pairs, images in baseline.published.items()]
    comparisons += [(name, *images) for name, images in ALSO.items()]
    at_hand, tables = datasets.available(), []
    for name, pairs, images in comparisons:
        if (not named or name in named) and f"published-{pairs}/{images}" in at_hand and not BASELINES[name].lacks():
            table = pd.DataFrame(published_likeness(BASELINES[name], pairs, images))
            print(
                f"{name}, {pairs}: {len(table)} images, mean SSIM {table['ssim'].mean():.4f}, least {table['ssim'].min():.4f}", flush=True
            )
            tables.append(table.assign(method=name, pairs=pairs, published=images))
    made = pd.concat(tables)
    if TARGET.is_file():
        old = pd.read_csv(TARGET, dtype={"id": str})
        made = pd.concat([old[~old["method"].isin(set(made["method"]))], made])
    columns = ["method", "pairs", "published", "id", "ssim", "ssim_jpeg", "equal", "largest", "mean_difference"]
    with files.replacing(TARGET) as beside:
        ordered = made.sort_values(["method", "pairs", "id"]).reindex(columns=columns)
        ordered.to_csv(beside, index=False, float_format="%.6g", lineterminator="\n")


if __name__ == "__main__":
    main()

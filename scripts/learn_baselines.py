"""Learn what ConvSR and MDLatLRR need from photographs: data/weights/convsr.npz and mdlatlrr.npz, each with its record.

    IVFNB_DATA=... python scripts/learn_baselines.py

Photographs: coco-train2017 where it is at hand, else those that installed packages ship (`--photographs photos`).
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from ivfnb import datasets, paths, provenance
from ivfnb.baselines.training import convsr, mdlatlrr
from ivfnb.images import Image


def gray_photographs(name: str) -> list[Image]:
    """Grey photographs of a data set that are large enough for a crop, in its order."""
    found = [photograph.gray for photograph in datasets.dataset(name)]
    return [photograph for photograph in found if min(photograph.shape) >= 128]


def write(path: Path, record: dict, **arrays: np.ndarray) -> None:
    """Arrays and record into an .npz that needs no pickle, written beside and renamed."""
    beside = path.with_name(f".{path.name}")
    with open(beside, "wb") as file:
        np.savez_compressed(file, record=json.dumps(record), **arrays)
    beside.replace(path)
    print(f"{path.name}: {path.stat().st_size} bytes, {record}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photographs", default="coco-train2017" if "coco-train2017" in datasets.available() else "photos")
    parser.add_argument("--only", choices=("convsr", "mdlatlrr"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--detailed", type=int, default=1000, help="detailed patches of the 2000 for MDLatLRR")
    parser.add_argument("--smooth", type=int, default=1000, help="smooth patches of the 2000 for MDLatLRR")
    parser.add_argument("--steps", type=int, default=300, help="steps of the dictionary learning for ConvSR")
    parser.add_argument("--folder", type=Path, default=paths.root() / "data" / "weights")
    arguments = parser.parse_args()
    photographs = gray_photographs(arguments.photographs)
    record = provenance.stamp(photographs=f"{len(photographs)} of {arguments.photographs}", seed=arguments.seed)
    if arguments.only != "mdlatlrr":
        start = time.process_time()
        filters = convsr.learn_filters(photographs, arguments.seed, arguments.steps)
        made = {"steps": arguments.steps, "processor_seconds": round(time.process_time() - start)}
        write(arguments.folder / "convsr.npz", record | made, filters=filters)
    if arguments.only != "convsr":
        start = time.process_time()
        patches = mdlatlrr.sample_patches(photographs, arguments.detailed, arguments.smooth, arguments.seed)
        projection, error = mdlatlrr.latent_low_rank(patches)
        made = {"detailed": arguments.detailed, "smooth": arguments.smooth, "weight": 0.4, "errors": int(np.count_nonzero(error))}
        made["processor_seconds"] = round(time.process_time() - start)
        write(arguments.folder / "mdlatlrr.npz", record | made, projection=projection.astype(np.float32))


if __name__ == "__main__":
    main()

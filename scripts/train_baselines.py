"""Train NestFuse, RFN-Nest or DDcGAN and write data/weights/NAME.safetensors with the record of the training.

    IVFNB_DATA=... python scripts/train_baselines.py --method nestfuse --minutes 15
    IVFNB_DATA=... python scripts/train_baselines.py --method rfn_nest --minutes 60 --auto-encoder data/weights/nestfuse.safetensors

Where the data sets are elsewhere than the GPU, `--prepare FILE.npz` writes all that the trainings read into one file (about 45 MB), and
`--data FILE.npz` reads it. A run that was killed goes on from the last minute with `--resume`. Afterwards the weights, rounded to float16
as they are stored, are compared with the published fused images of the 21 TNO pairs.
"""

import argparse
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from skimage.metrics import structural_similarity

from ivfnb import paths, provenance
from ivfnb.baselines.common import own_weights
from ivfnb.baselines.networks import nestfuse, rfn_nest
from ivfnb.baselines.training import ddcgan as ddcgan_training
from ivfnb.baselines.training import loop, material
from ivfnb.baselines.training import nestfuse as nestfuse_training
from ivfnb.baselines.training import rfn_nest as rfn_nest_training

NAMES = {"nestfuse": "NestFuse", "rfn_nest": "RFN-Nest", "ddcgan": "DDcGAN"}
CONFIGS = {"nestfuse": nestfuse_training.Config, "rfn_nest": rfn_nest_training.Config, "ddcgan": ddcgan_training.Config}
PAIRS = {"nestfuse": (), "rfn_nest": ("llvip", "vot"), "ddcgan": ("tno21",)}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prepare", type=Path, metavar="FILE.npz", help="write what the trainings read, and stop")
    parser.add_argument("--method", choices=NAMES)
    parser.add_argument("--data", type=Path, metavar="FILE.npz", help="read this instead of the data sets")
    parser.add_argument("--out", type=Path, default=paths.root() / "data" / "weights")
    parser.add_argument("--name", help="of the weights file (default: the method)")
    parser.add_argument("--minutes", type=float, help="at most")
    parser.add_argument("--steps", type=int, help="at most")
    parser.add_argument("--resume", action="store_true", help="keep checkpoints in OUT/NAME/ and go on from the last one")
    parser.add_argument("--pairs", nargs="+", choices=material.GROUPS, help="groups of pairs to learn from (default: the method's)")
    parser.add_argument("--auto-encoder", type=Path, help="NestFuse's weights, for RFN-Nest (default: OUT/nestfuse.safetensors)")
    parser.add_argument("--set", nargs="+", default=[], metavar="FIELD=VALUE", help="other fields of the method's configuration")
    parser.add_argument("--commit", help="of the code, for the record, where it runs outside a checkout")
    parser.add_argument("--pairs-compared", type=int, default=21, help="published images to compare with, at most")
    arguments = parser.parse_args()
    if (arguments.prepare is None) == (arguments.method is None):
        parser.error("expected either --prepare or --method")
    return arguments


def configuration(arguments: argparse.Namespace) -> Any:
    """The method's configuration with what the command line changes; ValueError for unknown fields."""
    kind = CONFIGS[arguments.method]
    known = {field.name for field in fields(kind)}
    changed = {name: value for name, value in (item.split("=", 1) for item in arguments.set)}
    if unknown := sorted(set(changed) - known):
        raise ValueError(f"--set: found {unknown}, expected some of {sorted(known)}")
    words = ("precision", "device")
    changed = {name: value if name in words else json.loads(value) for name, value in changed.items()}
    if arguments.minutes is not None or arguments.steps is not None:
        changed |= {"minutes": arguments.minutes, "steps": arguments.steps}
        if arguments.method == "ddcgan" and arguments.steps is None:
            changed["steps"] = kind.steps
    return kind(**changed)


def fuse_with(method: str, net: Any, extra: Any, infrared: np.ndarray, visible: np.ndarray, device: torch.device) -> np.ndarray:
    """Fused image of weights that were just trained."""
    if method == "nestfuse":
        return nestfuse.fuse_with(net, infrared, visible, str(device))
    if method == "rfn_nest":
        return rfn_nest.fuse_with((extra, net), infrared, visible, str(device))
    with torch.inference_mode():
        pair = [torch.from_numpy(image.astype(np.float32) / 255)[None, None].to(device) for image in (visible, infrared)]
        fused = net(*pair)[0, 0].double().cpu().numpy()
    return np.floor((fused - fused.min()) / (fused.max() - fused.min()) * 255 + 0.5)


def compare(method: str, net: Any, extra: Any, found: material.Material, device: torch.device, at_most: int) -> dict[str, float]:
    """SSIM to each published image of the method, by the pair's id; sources are cropped where the published image is smaller."""
    torch.backends.cudnn.benchmark = False  # every pair has another size
    torch.backends.cudnn.allow_tf32 = False  # full float32, as on a processor
    pairs = material.pairs_of(found, ["tno21"])
    result = {}
    for id, published in list(material.published_of(found, NAMES[method]).items())[:at_most]:
        rows, columns = published.shape
        infrared, visible = (source[:rows, :columns] for source in pairs[f"tno21/{id}"])
        fused = fuse_with(method, net, extra, infrared, visible, device).astype(np.uint8)
        result[id] = round(float(structural_similarity(fused, published, data_range=255)), 6)
        print(f"{NAMES[method]} {id}: SSIM {result[id]:.4f} to the published image", flush=True)
    return result


def main() -> None:
    arguments = parse()
    if arguments.prepare:
        written = material.write(arguments.prepare, material.gather())
        print(f"{written}: {written.stat().st_size / 1e6:.1f} MB")
        return
    method, name = arguments.method, arguments.name or arguments.method
    config = configuration(arguments)
    groups = arguments.pairs or PAIRS[method]
    photographs = method == "nestfuse" or (method == "rfn_nest" and config.photographs > 0)
    sets = dict.fromkeys([*groups, "tno21"])
    found = material.read(arguments.data) if arguments.data else material.gather(photographs, sets, [NAMES[method]])
    device, folder = loop.on_device(config.device), arguments.out / name if arguments.resume else None
    print(f"{NAMES[method]} on {torch.cuda.get_device_name() if device.type == 'cuda' else 'the processor'}: {config}", flush=True)
    pairs = material.pairs_of(found, groups)
    extra = None
    if method == "nestfuse":
        net, record = nestfuse_training.train(config, material.photographs_of(found), folder)
    elif method == "rfn_nest":
        extra = nestfuse.load("own", arguments.auto_encoder or arguments.out / "nestfuse.safetensors")
        made = material.photographs_of(found) if photographs else []
        net, record = rfn_nest_training.train(config, extra, list(pairs.values()), made, folder)
    else:
        net, record = ddcgan_training.train(config, list(pairs.values()), folder)
    stamp = provenance.stamp(torch_device=torch.cuda.get_device_name() if device.type == "cuda" else "cpu")
    stamp["commit"] = stamp["commit"] or arguments.commit
    record |= {"groups": list(groups), "saw_tno21": "tno21" in groups, "provenance": stamp}
    file = own_weights.save(net, arguments.out / f"{name}.safetensors", record)
    net = own_weights.load(net, file).to(device)
    ssim = compare(method, net, extra, found, device, arguments.pairs_compared)
    record["ssim_to_published"] = {"pairs": ssim, "mean": round(float(np.mean(list(ssim.values()))), 6)}
    own_weights.save(net, file, record)
    print(f"{file}: {file.stat().st_size} bytes")
    mean, least = record["ssim_to_published"]["mean"], min(ssim.values())
    print(f"RESULT {name}: SSIM {mean:.4f}, least {least:.4f}, of {len(ssim)}; {record['steps']} steps, {record['losses']}")
    print(json.dumps(record, default=str))


if __name__ == "__main__":
    main()

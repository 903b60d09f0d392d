"""Door of `python -m ivfnb fuse`: fuse a pair of files, or two folders of them, by one of the two protocols."""

import argparse
from pathlib import Path

from tqdm import tqdm

from ivfnb import images
from ivfnb.datasets import Dataset, ImagePair, dataset


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("--infrared", type=Path, required=True, help="infrared image, or a folder of them")
    parser.add_argument("--visible", type=Path, required=True, help="visible image, or a folder of images with the same names")
    parser.add_argument("--output", type=Path, required=True, help="fused image to write, or the folder for them")
    parser.add_argument("--protocol", choices=("paper", "released"), default="paper", help="the paper's text, or its released code")
    parser.add_argument("--weights", help="name in data/weights/ or a .safetensors file (default: the one that fits the protocol)")
    parser.add_argument("--weight-map", type=Path, help="also write the weight of the visible image, 0..255 (for folders: a folder)")


def _pairs(infrared: Path, visible: Path) -> tuple[Dataset | list[ImagePair], bool]:
    """Pairs named by two arguments, and whether they are folders; ValueError when one is a folder and the other a file."""
    if infrared.is_dir() != visible.is_dir():
        raise ValueError(f"--infrared {infrared}, --visible {visible}: found a folder and a file, expected two folders or two files")
    if infrared.is_dir():
        return dataset("folder", infrared=infrared, visible=visible, color=True), True
    return [ImagePair(infrared.stem, infrared, visible, color=True)], False


def run(arguments: argparse.Namespace) -> int:
    """Fuse, and print what was written."""
    from ivfnb import fusion
    from ivfnb.classifier import network

    pairs, are_folders = _pairs(arguments.infrared, arguments.visible)
    protocol = {"paper": fusion.AS_PAPER, "released": fusion.AS_RELEASED}[arguments.protocol]
    net = network.load(arguments.weights or protocol.weights)
    for pair in tqdm(pairs, desc="fusing", unit="pair", disable=not are_folders):
        result = fusion.fuse(pair.infrared, pair.visible, net, protocol)
        for target, image in ((arguments.output, result.fused), (arguments.weight_map, 255 * result.weight_map)):
            if target is not None:
                images.write_image(target / f"{pair.id}.png" if are_folders else target, image)
    print(f"{len(pairs)} fused into {arguments.output}")
    return 0

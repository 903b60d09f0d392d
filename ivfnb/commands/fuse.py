"""`ivfnb fuse`: fuse a pair of files, or two folders of them, by one of the two protocols or a comparison method."""

import argparse
from collections.abc import Callable
from pathlib import Path

from tqdm import tqdm

from ivfnb import images
from ivfnb.baselines import BASELINES
from ivfnb.datasets import Dataset, ImagePair, dataset
from ivfnb.images import Image


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("--infrared", type=Path, required=True, help="infrared image, or a folder of them")
    parser.add_argument("--visible", type=Path, required=True, help="visible image, or a folder of images with the same names")
    parser.add_argument("--output", type=Path, required=True, help="fused image to write, or the folder for them")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--protocol", choices=("paper", "released"), default="paper", help="the paper's text, or its released code")
    how.add_argument("--method", help="a comparison method in place of the paper's, such as CBF or 'ConvSR (multi-focus)'")
    parser.add_argument("--weights", help="name in data/weights/ or a .safetensors file (default: the one that fits the protocol)")
    parser.add_argument("--weight-map", type=Path, help="also write the weight of the visible image, 0..255 (for folders: a folder)")


def _pairs(infrared: Path, visible: Path) -> tuple[Dataset | list[ImagePair], bool]:
    """Pairs named by two arguments, and whether they are folders; ValueError when one is a folder and the other a file."""
    if infrared.is_dir() != visible.is_dir():
        raise ValueError(f"--infrared {infrared}, --visible {visible}: found a folder and a file, expected two folders or two files")
    if infrared.is_dir():
        return dataset("folder", infrared=infrared, visible=visible, color=True), True
    return [ImagePair(infrared.stem, infrared, visible, color=True)], False


def _by_method(name: str) -> Callable[[ImagePair], tuple[Image, None]]:
    if name not in BASELINES:
        raise ValueError(f"--method: found {name!r}, expected one of {', '.join(BASELINES)}")
    return lambda pair: (BASELINES[name].image(pair.infrared, pair.visible), None)


def _by_protocol(name: str, weights: str | None) -> Callable[[ImagePair], tuple[Image, Image]]:
    from ivfnb import fusion
    from ivfnb.classifier import network

    protocol = {"paper": fusion.AS_PAPER, "released": fusion.AS_RELEASED}[name]
    net = network.load(weights or protocol.weights)

    def fuse(pair: ImagePair) -> tuple[Image, Image]:
        result = fusion.fuse(pair.infrared, pair.visible, net, protocol)
        return result.fused, 255 * result.weight_map

    return fuse


def run(arguments: argparse.Namespace) -> int:
    """Fuse, and print what was written."""
    if arguments.method and (arguments.weight_map or arguments.weights):
        raise ValueError("--method: found --weights or --weight-map beside it, expected neither: they belong to the paper's method")
    pairs, are_folders = _pairs(arguments.infrared, arguments.visible)
    fuse = _by_method(arguments.method) if arguments.method else _by_protocol(arguments.protocol, arguments.weights)
    for pair in tqdm(pairs, desc="fusing", unit="pair", disable=not are_folders):
        for target, image in zip((arguments.output, arguments.weight_map), fuse(pair), strict=True):
            if target is not None and image is not None:
                images.write_image(target / f"{pair.id}.png" if are_folders else target, image)
    print(f"{len(pairs)} fused into {arguments.output}")
    return 0

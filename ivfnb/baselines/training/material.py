"""What the trainings learn from and are compared with: read from the data sets, or from one file that was made of them elsewhere."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ivfnb import images
from ivfnb.datasets.manifest import DatasetError
from ivfnb.images import Image

SIDE = 256  # of a photograph, pixels: whole, squeezed to a square, as the authors of NestFuse did it
LLVIP_WIDTH = 512  # of an LLVIP pair, which has 1280 columns
METHODS = ("NestFuse", "RFN-Nest", "DDcGAN")  # whose published images are compared with
# Pairs by group: set and ids (None: all). Of vot40, 01..17 are pairs of tno21, 18 and 34 show the scenes of its pairs 01 and 16, and 22 is
# absent; the others of 01..35 are TNO scenes that are not among the 21. 36..40 are frames of VOT-RGBT.
_OTHER_TNO = ("19", "20", "21", "23", "24", "25", "26", "27", "28", "29", "30", "31", "32", "33", "35")
GROUPS: dict[str, tuple[str, tuple[str, ...] | None]] = {
    "llvip": ("llvip-train", None),
    "vot": ("vot40", ("36", "37", "38", "39", "40")),
    "tno-other": ("vot40", _OTHER_TNO),
    "tno21": ("tno21", None),
}

Material = dict[str, Image]


def _squeezed(photograph: Image) -> Image:
    return images.resize(photograph, (SIDE, SIDE), "area")


def _smaller(image: Image) -> Image:
    height, width = image.shape
    return images.resize(image, (round(height * LLVIP_WIDTH / width), LLVIP_WIDTH), "area") if width > LLVIP_WIDTH else image


def gather(photographs: bool = True, groups: Iterable[str] = tuple(GROUPS), methods: Iterable[str] = METHODS) -> Material:
    """Grey uint8 images by name: photograph/ID, pair/GROUP/ID/ROLE and published/METHOD/ID; DatasetError where a set is absent."""
    from ivfnb import datasets  # imported late: who reads a prepared file needs no unpacker of archives

    found: Material = {}
    if photographs:
        found |= {f"photograph/{item.id}": _squeezed(item.gray) for item in datasets.dataset("coco")}
    for group in groups:
        name, ids = GROUPS[group]
        pairs = datasets.dataset(name)
        for pair in pairs if ids is None else (pairs[id] for id in ids):
            for role, image in (("infrared", pair.infrared), ("visible", pair.visible)):
                found[f"pair/{group}/{pair.id}/{role}"] = _smaller(image) if group == "llvip" else image
    for method in methods:
        found |= {f"published/{method}/{item.id}": item.fused for item in datasets.dataset(f"published-tno21/{method}")}
    return {name: images.to_uint8(images.to_gray(image)) for name, image in found.items()}


def write(file: str | Path, material: Material) -> Path:
    """Write images into one .npz of PNG streams, whole or not at all."""
    file = Path(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    streams: dict[str, Any] = {name: cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1] for name, image in material.items()}
    with open(beside, "wb") as opened:
        np.savez(opened, **streams)
    beside.replace(file)
    return file


def read(file: str | Path) -> Material:
    """Images that `write` wrote."""
    if not Path(file).is_file():
        raise DatasetError(f"{file}: found no such file, expected one written by scripts/train_baselines.py --prepare")
    with np.load(file) as stored:
        return {name: _decoded(stored[name], f"{file}: {name}") for name in stored.files}


def _decoded(stream: np.ndarray, where: str) -> Image:
    image = cv2.imdecode(stream, cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise DatasetError(f"{where}: found {stream.size} bytes that are no image, expected a PNG stream")
    return image


def _under(material: Material, folder: str) -> Material:
    found = {name.removeprefix(folder): image for name, image in material.items() if name.startswith(folder)}
    if not found:
        raise DatasetError(f"{folder}: found no image of it in the training material, expected at least one")
    return found


def photographs_of(material: Material) -> list[Image]:
    """The photographs, all of one size."""
    return list(_under(material, "photograph/").values())


def pairs_of(material: Material, groups: Iterable[str]) -> dict[str, tuple[Image, Image]]:
    """Pairs (infrared, visible) of the groups, by GROUP/ID."""
    pairs: dict[str, tuple[Image, Image]] = {}
    for group in groups:
        if group not in GROUPS:
            raise DatasetError(f"groups: found {group!r}, expected some of {', '.join(GROUPS)}")
        found = _under(material, f"pair/{group}/")
        ids = dict.fromkeys(name.rpartition("/")[0] for name in found)
        pairs |= {f"{group}/{id}": (found[f"{id}/infrared"], found[f"{id}/visible"]) for id in ids}
    return pairs


def published_of(material: Material, method: str) -> dict[str, Image]:
    """Published fused images of a method by the id of their pair in tno21."""
    return _under(material, f"published/{method}/")

"""Rows of published images in Table 2, computed once more from the files by other code.

Three kinds: images of full size, crops to multiples of 8, crops to multiples of 4; and a single image by the slow loops.
"""

import cv2
import numpy as np
import pytest
import skimage.io
from metric_loops import LOOPS

from ivfnb import datasets, evaluation
from ivfnb.evaluation import competitors


def by_hand(folder, sources, names):
    """Means over the files of a folder: each read by scikit-image, sources cut to a crop's size, metrics from their definitions."""
    values = {name: [] for name in names}
    for path in sorted(folder.iterdir()):
        fused = skimage.io.imread(path)
        fused = cv2.cvtColor(fused[..., :3], cv2.COLOR_RGB2GRAY) if fused.ndim == 3 and np.ptp(fused[..., :3], axis=2).any() else fused
        fused = fused[..., 0] if fused.ndim == 3 else fused
        both = [skimage.io.imread(sources / kind / f"{path.stem}.png") for kind in ("ir", "vis")]
        both = [(image[..., 0] if image.ndim == 3 else image)[: fused.shape[0], : fused.shape[1]].astype(float) for image in both]
        for name in names:
            values[name].append(SIMPLE[name](fused.astype(float), *both))
    return {name: float(np.mean(column)) for name, column in values.items()}, len(values[names[0]])


def entropy(*images):
    codes = sum(image.astype(int) * 256**i for i, image in enumerate(images))
    counts = np.bincount(codes.ravel())
    counts = counts[counts > 0]
    shares = counts / counts.sum()
    return float(-(shares * np.log2(shares)).sum())


def correlation(first, second):
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])


SIMPLE = {
    "EN": lambda fused, infrared, visible: entropy(fused),
    "SD": lambda fused, infrared, visible: float(np.sqrt(((fused - fused.mean()) ** 2).sum() / (fused.size - 1))),
    "SF": lambda fused, infrared, visible: (
        float(np.sqrt((np.diff(fused, axis=0) ** 2).sum() + (np.diff(fused, axis=1) ** 2).sum())) / fused.size**0.5
    ),
    "MI": lambda fused, infrared, visible: sum(entropy(fused) + entropy(each) - entropy(fused, each) for each in (infrared, visible)),
    "SCD": lambda fused, infrared, visible: correlation(fused - infrared, visible) + correlation(fused - visible, infrared),
}


@pytest.mark.parametrize(("name", "pairs"), [("VggML", 21), ("MEF-GAN", 8), ("DDcGAN", 14)])
def test_row_by_hand(shared_data, tmp_path, monkeypatch, name, pairs):
    folder = shared_data / "published" / "tno21" / name
    if not folder.is_dir() or len(list(folder.iterdir())) != pairs:
        pytest.skip(f"not all {pairs} published images of {name} are in IVFNB_DATA")
    monkeypatch.setenv("IVFNB_CACHE", str(tmp_path))
    data = datasets.dataset("tno21")
    rows = [row for row in competitors.rows(data, []) if row.name == name]
    scores = evaluation.evaluate(data, competitors.methods(rows), list(SIMPLE))
    found = competitors.table(rows, scores).iloc[0]
    expected, count = by_hand(folder, shared_data / "tno21", list(SIMPLE))
    assert (found["source"], found["pairs"], count) == (competitors.PUBLISHED, pairs, pairs)
    for metric, value in expected.items():
        assert found[metric] == pytest.approx(value, rel=1e-9), metric
    assert ("cropped" in set(scores["fit"])) == (name != "VggML"), "these two were cut to multiples of 8 and 4"


def test_row_of_one_image_by_the_loops(shared_data, tmp_path, monkeypatch):
    """ResNet-ZCA, of which one image is at hand: all of the loops that are quick on a whole image."""
    folder = shared_data / "published" / "tno21" / "ResNet-ZCA"
    if not folder.is_dir():
        pytest.skip("no published image of ResNet-ZCA in IVFNB_DATA")
    monkeypatch.setenv("IVFNB_CACHE", str(tmp_path))
    data = datasets.dataset("tno21")[:2]
    rows = [row for row in competitors.rows(data, []) if row.name == "ResNet-ZCA"]
    names = ["EI", "SF", "DF", "CE", "SD"]
    found = competitors.table(rows, evaluation.evaluate(data, competitors.methods(rows), names)).iloc[0]
    (path,) = folder.iterdir()
    triple = [skimage.io.imread(each) for each in (path, shared_data / "tno21/ir/01.png", shared_data / "tno21/vis/01.png")]
    triple = [(image[..., 0] if image.ndim == 3 else image).astype(float) for image in triple]
    for name in names:
        assert found[name] == pytest.approx(LOOPS[name](*triple), rel=1e-9), name

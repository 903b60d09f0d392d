"""Published values: the benchmark VIFB's thirteen metrics, and the paper's authors' own images scored as released."""

import csv

import numpy as np
import pytest

from ivfnb.datasets import archives
from ivfnb.images import read_color, read_gray
from ivfnb.metrics import CONVENTIONS, score

# Two small colour images, one with a grey infrared image, and one large one; scripts/calibrate_metrics.py does all 8 x 21.
SOME = [("ADF", "walking"), ("CBF", "manWalking"), ("Hybrid_MSD", "peopleshadow"), ("U2Fusion", "carLight")]


@pytest.mark.parametrize(("method", "image"), SOME)
def test_vifb(shared_data, method, image):
    root = shared_data / "vifb21"
    if not root.is_dir():
        pytest.skip("vifb21/ is not in IVFNB_DATA: VIFB's published values are not at hand")
    with open(root / "published_metrics.csv", newline="") as file:
        published = next(row for row in csv.DictReader(file) if (row["method"], row["image"]) == (method, image))
    images = [read_color(root / folder / f"{image}.jpg") for folder in (f"fused/{method}", "infrared", "visible")]
    found = score(*images, convention="vifb")
    assert set(found) == set(published) - {"method", "image"} == set(CONVENTIONS["vifb"].names)
    for name, value in found.items():
        assert value == pytest.approx(float(published[name]), rel=1e-4), name  # five digits are printed


# Means over the 21 TNO pairs by the released evaluator itself, with the digits kept of them.
AUTHORS = {"EI": "92.805", "CE": "1.2274", "SF": "21.210", "EN": "7.7408", "Qabf": "0.24646", "SCD": "1.3987", "Nabf": "0.32287"}
AUTHORS |= {"MI": "15.4815", "SD": "68.754", "DF": "10.7267", "VIFF": "1.22397"}
# Rounding noise on flat, saturated areas decides the fifth digit of VIFF (see its docstring); the others agree to the last digit.
TOLERANCE = {
    name: 2e-5 if name == "VIFF" else 0.5001 * 10.0 ** -len(text.partition(".")[2]) / float(text) for name, text in AUTHORS.items()
}


def test_authors_images_as_released(shared_data, tmp_path):
    """The sources are the JPEGs of the authors' archive, not the lossless TNO images; this tests `matlab_imresize` as well."""
    root = shared_data / "archives"
    if not (root / "21-TNO.rar").is_file():
        pytest.skip("archives/ is not in IVFNB_DATA: the authors' images are not at hand")
    for name in ("21-TNO.rar", "21_pairs_tno.rar"):
        archives.unpack(root / name, tmp_path / name, 100_000_000)
    files = {file.stem: file for file in tmp_path.rglob("*.jpg")}
    scores = [score(*(read_gray(files[f"{k}{i}"]) for k in ("enh_ssr", "IR", "VIS")), convention="as_released") for i in range(1, 22)]
    means = {name: float(np.mean([values[name] for values in scores])) for name in scores[0]}
    for name, text in AUTHORS.items():
        assert means[name] == pytest.approx(float(text), rel=TOLERANCE[name]), name

from dataclasses import replace

import cv2
import numpy as np
import pytest
import scripts_read

from ivfnb import fusion, images, paths
from ivfnb.classifier import network
from ivfnb.metrics import targets, truth

FOLDER = paths.root() / "data" / "sample"
SIMULATED = ("astronaut", "camera", "chelsea", "coffee")


@pytest.fixture(scope="module")
def script():
    """scripts/make_sample.py as a module."""
    return scripts_read.script("make_sample")


def read(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(infrared, visible in colour where it is, truth) of a simulated pair."""
    visible = images.read_color(FOLDER / "visible" / f"{name}.png")
    visible = visible[..., 0] if (visible == visible[..., :1]).all() else visible
    return images.read_gray(FOLDER / "infrared" / f"{name}.png"), visible, images.read_gray(FOLDER / "truth" / f"{name}.png")


def test_the_files_are_complete_and_small():
    found = {folder: sorted(path.stem for path in (FOLDER / folder).glob("*.png")) for folder in ("infrared", "visible", "truth")}
    assert found == {
        "infrared": sorted((*SIMULATED, "sentinel2")),
        "visible": sorted((*SIMULATED, "sentinel2")),
        "truth": sorted(SIMULATED),
    }
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < 2.5e6
    readme = (FOLDER / "README.md").read_text()
    assert "Copernicus Sentinel data" in readme
    assert all(name in readme for name in (*SIMULATED, "sentinel2"))


def test_the_satellite_pair_is_registered_colour_and_near_infrared():
    infrared = images.read_gray(FOLDER / "infrared" / "sentinel2.png")
    visible = images.read_color(FOLDER / "visible" / "sentinel2.png")
    assert infrared.shape == (300, 300)
    assert visible.shape == (300, 300, 3)
    assert (visible != visible[..., :1]).any()
    edges = [
        np.hypot(cv2.Sobel(image, cv2.CV_64F, 1, 0), cv2.Sobel(image, cv2.CV_64F, 0, 1)) for image in (infrared, images.to_gray(visible))
    ]
    here = np.corrcoef(edges[0][20:-20, 20:-20].ravel(), edges[1][20:-20, 20:-20].ravel())[0, 1]
    for rows, columns in ((4, 0), (-4, 0), (0, 4), (0, -4)):  # edges agree best where they lie, not shifted
        moved = np.roll(edges[1], (rows, columns), axis=(0, 1))
        assert here > np.corrcoef(edges[0][20:-20, 20:-20].ravel(), moved[20:-20, 20:-20].ravel())[0, 1] + 0.05


@pytest.mark.parametrize("name", SIMULATED)
def test_the_committed_pixels_are_those_of_the_script(script, name):
    for made, stored in zip(script.simulate(script.SCENES[name]), read(name), strict=True):
        assert np.abs(images.to_uint8(made).astype(int) - stored).max() <= 1  # releases of OpenCV may round otherwise


@pytest.mark.parametrize("name", SIMULATED)
def test_exactly_one_source_is_sharp_at_each_pixel(script, name):
    infrared, visible, mask = read(name)
    scene = script.SCENES[name]
    assert set(np.unique(mask)) == {0, 255}
    photograph = images.resize(scene.photograph(), scene.shape, "area")
    size = (scene.blur_size, scene.blur_size)
    assert scene.blur_size in (9, 11, 13, 15)
    np.testing.assert_array_equal(visible[mask == 255], photograph[mask == 255])
    blurred = cv2.GaussianBlur(photograph, size, 9)
    assert np.abs(visible.astype(int) - blurred)[mask == 0].max() <= 1
    # the infrared image is a function of the photograph's grey level where it is sharp, but for the painted target
    gray = images.to_gray(photograph)
    sharp = (mask == 0) & (infrared < 240)
    for level in np.unique(gray[sharp]):
        assert np.ptp(infrared[sharp & (gray == level)].astype(int)) <= 1
    assert infrared[sharp].max() < 200


@pytest.mark.parametrize("name", SIMULATED)
def test_a_hot_target_stands_where_each_source_is_sharp(name):
    infrared, _, mask = read(name)
    labels = targets.hot_regions(infrared, least=30)
    where = {int(mask[labels == label].mean() > 127) for label in range(1, labels.max() + 1)}
    assert where == {0, 1}


def test_gradient_energy_finds_the_sharper_source_where_levels_allow():
    # the CNN-free judge is right on most, but its energies also carry the contrast of the two sources: no 95 % is asked of it
    protocol = replace(fusion.AS_PAPER, classifier="gradient_energy")
    for name in SIMULATED:
        infrared, visible, mask = read(name)
        accuracy = truth.map_accuracy(fusion.fuse(infrared, visible, None, protocol).weight_map, infrared, visible, mask)
        assert accuracy.right > 0.85
        assert accuracy.judged > 0.4


@pytest.mark.parametrize("name", SIMULATED)
def test_the_shipped_network_finds_the_sharper_source(name):
    if not (paths.root() / "data" / "weights" / "eresnet-gradients.safetensors").is_file():
        pytest.skip("data/weights/eresnet-gradients.safetensors is absent")
    infrared, visible, mask = read(name)
    result = fusion.fuse(infrared, visible, network.load("eresnet-gradients"), fusion.AS_PAPER)
    accuracy = truth.map_accuracy(result.weight_map, infrared, visible, mask)
    assert accuracy.right >= 0.95, f"{name}: {accuracy}"

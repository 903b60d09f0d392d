"""ResNet-ZCA: run with weights drawn at random and written to a file of the published names and shapes."""

import numpy as np
import pytest
import torch
from skimage import data
from skimage.metrics import structural_similarity

from ivfnb import images
from ivfnb.baselines.common import weights
from ivfnb.baselines.networks import resnet_zca
from ivfnb.datasets import DatasetError

pytestmark = pytest.mark.usefixtures("one_thread")


def random_state(seed=0):
    """Weights as a ResNet-50 begins its training with."""
    generator, state = torch.Generator().manual_seed(seed), {}
    for name, shape in resnet_zca.shapes().items():
        if len(shape) == 4:
            state[name] = torch.randn(shape, generator=generator) * (2 / (shape[0] * shape[2] * shape[3])) ** 0.5
        elif len(shape) == 1 and name.endswith(("weight", "running_var")):  # of a batch normalisation
            state[name] = torch.ones(shape)
        else:
            state[name] = torch.zeros(shape)
    return state


@pytest.fixture(scope="module")
def state():
    return random_state()


@pytest.fixture(scope="module")
def file(state, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / resnet_zca.WEIGHTS
    torch.save(state | {"bn1.num_batches_tracked": torch.tensor(7)}, path)
    return path


@pytest.fixture(scope="module")
def photographs():
    return data.camera()[100:175, 200:291], data.coins()[50:125, 100:191]


def test_names_and_shapes_are_those_of_a_resnet_50():
    found = resnet_zca.shapes()
    assert len(found) == 267
    assert sum(int(np.prod(shape)) for name, shape in found.items() if "running" not in name) == 25_557_032
    assert found["layer3.5.conv2.weight"] == (256, 256, 3, 3)
    assert found["layer4.0.downsample.0.weight"] == (2048, 1024, 1, 1)


def test_the_network_halves_the_size_four_and_five_times(file):
    for stage, shape in [("conv4", (1, 1024, 5, 3)), ("conv5", (1, 2048, 3, 2))]:
        net = resnet_zca._network(file, resnet_zca.STAGES[stage], torch.device("cpu"))
        with torch.inference_mode():
            assert net(torch.zeros(1, 3, 75, 48)).shape == shape


def test_whitened_rows_are_uncorrelated():
    features = torch.from_numpy(np.random.default_rng(0).standard_normal((3, 4, 50)))
    white = resnet_zca.whitened(10 * features + 5)
    torch.testing.assert_close(white @ white.mT, torch.eye(4, dtype=torch.float64).expand(3, 4, 4), rtol=0, atol=1e-5)
    flat = resnet_zca.whitened(torch.ones(2, 3, 4))
    assert flat.abs().max() == 0


def test_whitening_keeps_each_matrix_as_near_as_can_be():
    """Zero-phase: the whitening matrix is symmetric and positive, here against singular values."""
    channel = torch.from_numpy(np.random.default_rng(1).standard_normal((6, 9)))
    centred = channel - channel.mean()
    left, values, right = torch.linalg.svd(centred, full_matrices=False)
    expected = left * (values / torch.sqrt(values**2 + resnet_zca.GUARD)) @ right
    torch.testing.assert_close(resnet_zca.whitened(channel[None])[0], expected)


@pytest.mark.parametrize("stage", ["conv4", "conv5"])
def test_a_weighted_mean_that_does_not_mind_the_order(file, photographs, stage):
    infrared, visible = photographs
    fused = resnet_zca.fuse(infrared, visible, stage, weights=file)
    assert fused.dtype == np.float64
    np.testing.assert_allclose(fused, resnet_zca.fuse(visible, infrared, stage, weights=file), atol=1e-2)
    assert (fused >= np.minimum(infrared, visible) - 1e-9).all()
    assert (fused <= np.maximum(infrared, visible) + 1e-9).all()
    assert np.abs(fused - (infrared / 2 + visible / 2)).max() > 0.1
    np.testing.assert_allclose(resnet_zca.fuse(visible, visible, stage, weights=file), visible, atol=1e-9)


@pytest.mark.parametrize("shape", [(2, 2), (2, 9), (17, 5), (33, 61)])
def test_any_size(file, shape):
    fused = resnet_zca.fuse(*np.random.default_rng(0).uniform(0, 255, (2, *shape)), weights=file)
    assert fused.shape == shape
    assert 0 <= fused.min() <= fused.max() <= 255


def test_constant_sources(file):
    low, high = np.full((40, 50), 10.0), np.full((40, 50), 200.0)
    np.testing.assert_allclose(resnet_zca.fuse(high, high, weights=file), high)
    fused = resnet_zca.fuse(low, high, weights=file)
    assert 100 < fused.mean() < 150
    black = resnet_zca.fuse(
        np.zeros((2, 2)), np.full((2, 2), 200.0), weights=file
    )  # one feature a channel, none after its mean is taken off
    np.testing.assert_allclose(black, 100)


def test_weights_found_by_name_are_the_same(file, photographs, monkeypatch):
    monkeypatch.setattr(weights, "files", lambda method, name: {name: file} if (method, name) == ("ResNet-ZCA", file.name) else {})
    np.testing.assert_array_equal(resnet_zca.fuse(*photographs), resnet_zca.fuse(*photographs, weights=file))


def test_without_weights_there_is_no_stand_in(tmp_path, photographs, monkeypatch):
    monkeypatch.setenv("IVFNB_DATA", str(tmp_path))
    with pytest.raises(DatasetError, match="ivfnb fetch weights/ResNet-ZCA"):
        resnet_zca.fuse(*photographs)
    with pytest.raises(DatasetError, match=r"none.pth: found no such file, .*ivfnb fetch weights/ResNet-ZCA"):
        resnet_zca.fuse(*photographs, weights=tmp_path / "none.pth")


def test_other_networks_are_refused(tmp_path, state, photographs):
    wide = {name: value for name, value in state.items() if name != "layer3.5.bn3.bias"}
    for number, (found, message) in enumerate(
        [
            (wide, "found no layer3.5.bn3.bias"),
            (state | {"layer3.6.conv1.weight": torch.zeros(1)}, "found an unknown layer3.6.conv1.weight"),
            (state | {"conv1.weight": torch.zeros(64, 3, 3, 3)}, r"found conv1.weight of shape \(64, 3, 3, 3\), expected \(64, 3, 7, 7\)"),
        ]
    ):
        path = tmp_path / f"{number}.pth"
        torch.save(found, path)
        with pytest.raises(DatasetError, match=message):
            resnet_zca.fuse(*photographs, weights=path)


def test_bad_parameters_are_named(file):
    image = np.zeros((8, 8))
    with pytest.raises(ValueError, match="stage: found 'conv3', expected one of"):
        resnet_zca.fuse(image, image, "conv3", weights=file)
    with pytest.raises(ValueError, match="white: found 0, expected a positive number"):
        resnet_zca.fuse(image, image, white=0, weights=file)


def test_the_published_image_is_nearly_the_mean_whatever_the_network(shared_data, file):
    """So the likeness of an own image to it tells nothing of the network: the mean and random weights come as near."""
    pair = [images.read_gray(shared_data / "tno21" / role / "01.png") for role in ("ir", "vis")]
    published = shared_data / "published" / "tno21" / "ResNet-ZCA" / "01.png"
    if not published.is_file():
        pytest.skip("no published image of ResNet-ZCA below IVFNB_DATA")
    published = images.read_gray(published)
    mean = images.to_uint8((pair[0].astype(float) + pair[1]) / 2)
    assert structural_similarity(mean, published, data_range=255) == pytest.approx(0.9982, abs=2e-4)
    assert np.abs(mean.astype(float) - published).mean() == pytest.approx(0.508, abs=0.01)
    for stage, above in [("conv4", 0.997), ("conv5", 0.998)]:
        random = images.to_uint8(resnet_zca.fuse(*pair, stage, weights=file))
        assert structural_similarity(random, published, data_range=255) > above

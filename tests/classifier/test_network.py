"""The classifier's shape, its files, and what loading refuses."""

import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from ivfnb import paths
from ivfnb.classifier import network
from ivfnb.classifier.network import EResNet

SHIPPED = sorted(path.stem for path in (paths.root() / "data" / "weights").glob("eresnet-*.safetensors"))


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return EResNet().eval()


@pytest.fixture
def samples():
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (4, 3, 64, 32)).astype(np.float32))


def test_published_size(net):
    assert sum(parameter.numel() for parameter in net.parameters()) == 4_782_850


def test_forward_is_the_published_graph(net, samples):
    """Activation before pooling, as released, written out for one branch: the order here (pooling first) must not matter."""
    planes = net.normalise(samples)
    features = net.stems[0](planes[:, :1])
    for block in net.gray_blocks:
        parts = []
        for branch in (block.residual, block.shortcut):
            value = features
            for layer in branch:
                value = layer(value) if not isinstance(layer, torch.nn.MaxPool2d | torch.nn.LeakyReLU) else value
            parts.append(torch.nn.functional.max_pool2d(torch.nn.functional.leaky_relu(value, 0.1), 2))
        features = parts[0] + parts[1]
    assert torch.equal(features, net.gray_blocks(net.stems[0](planes[:, :1])))


def test_gray_branches_see_grey_alone(samples):
    net = EResNet("gray").eval()
    other = samples.clone()
    other[:, 1:] = 0
    assert torch.equal(net(samples), net(other))
    gradients = EResNet("gradients").eval()
    assert not torch.equal(gradients(samples), gradients(other))


def test_wrong_shape_is_named(net):
    with pytest.raises(ValueError, match=r"samples: found shape \(2, 3, 32, 32\)"):
        net(torch.zeros(2, 3, 32, 32))
    with pytest.raises(ValueError, match="branches: found 'color'"):
        EResNet("color")


def test_save_and_load(net, samples, tmp_path):
    path = tmp_path / "net.safetensors"
    network.save(net, path, {"training_samples": 5, "seed": 0})
    loaded = network.load(path)
    assert not loaded.training
    assert network.read_metadata(path)["training_samples"] == 5
    assert torch.allclose(loaded(samples), net(samples), atol=0.05), "float16 on disk"
    assert path.stat().st_size < 10_000_000


def test_load_refuses(net, tmp_path):
    good = tmp_path / "good.safetensors"
    network.save(net, good, {})
    pickled, truncated, reshaped, foreign = (tmp_path / f"{name}.safetensors" for name in ("pickled", "truncated", "reshaped", "foreign"))
    pickled.write_bytes(pickle.dumps({"weights": [1, 2, 3]}))
    truncated.write_bytes(good.read_bytes()[:-1000])
    tensors = load_file(good)
    save_file({**tensors, "head.3.bias": torch.zeros(3)}, reshaped, metadata={"branches": '"gradients"'})
    save_file(tensors, foreign)
    for path, message in (
        (pickled, "no readable safetensors"),
        (truncated, "no readable safetensors"),
        (reshaped, r"head\.3\.bias \(3,\) for \(2,\)"),
        (foreign, "branches=None"),
        (tmp_path / "absent", "no such file"),
    ):
        with pytest.raises(ValueError, match=message) as caught:
            network.load(path)
        assert path.name.partition(".")[0] in str(caught.value)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_weights(name):
    """Loadable, small, with their record and their measured results."""
    path = network.weights_path(name)
    assert path.stat().st_size <= 10_000_000
    record = network.read_metadata(name)
    assert record["training_samples"] >= 40_000
    assert {"training_set", "config", "commit", "blur_sizes"} <= set(record)
    assert network.load(name).branches == name.removeprefix("eresnet-")


def test_there_are_shipped_weights():
    assert "eresnet-gradients" in SHIPPED

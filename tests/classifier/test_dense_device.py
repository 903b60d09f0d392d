"""What the dense method does on an accelerator, done on the processor: both images in one pass, whole or in large tiles, plain products,
gradients by torch; and the precisions."""

import threading

import numpy as np
import pytest
import torch
from random_networks import random_network, random_pair

from ivfnb.classifier import dense, folding, network, windows
from ivfnb.classifier.exactness import exactly
from ivfnb.datasets import dataset
from ivfnb.fusion import WindowMemory, weightmap
from ivfnb.fusion.judge import fitting_network
from ivfnb.fusion.protocol import AS_RELEASED

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def as_on_a_device(monkeypatch):
    """A function that scores as an accelerator does, with tiles of some pixels."""
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)

    def scores(net, visible, infrared, stride, tile, precision="float32"):
        planes = network.planes_of(torch.from_numpy(np.stack([visible, infrared]).astype(np.float32)))
        with exactly(net, precision):
            return dense.scores(net, net.normalise(planes), stride, tile, 2, precision).numpy()

    return scores


@pytest.mark.parametrize("branches", network.BRANCHES)
@pytest.mark.parametrize(
    ("shape", "stride", "tile"), [((32, 32), 8, 10**6), ((49, 58), 8, 10**6), ((49, 58), 8, 700), ((64, 49), 16, 10**6), ((97, 100), 64, 1)]
)
def test_whole_images_equal_the_loop_in_every_window(as_on_a_device, branches, shape, stride, tile):
    net, (visible, infrared) = random_network(7, branches), random_pair(8, shape)
    expected = windows.window_scores_reference(net, visible, infrared, stride)
    np.testing.assert_allclose(as_on_a_device(net, visible, infrared, stride, tile), expected, atol=1e-4, rtol=0)


def test_the_activation_behind_the_pooling_changes_no_bit(as_on_a_device, monkeypatch):
    net, (visible, infrared) = random_network(3), random_pair(4, (40, 56))
    late = as_on_a_device(net, visible, infrared, 8, 10**6)
    with monkeypatch.context() as patch:
        patch.setattr(dense, "activates", lambda features: True)
        early = as_on_a_device(net, visible, infrared, 8, 10**6)
    assert np.array_equal(late, early)


def test_a_processor_takes_one_image_and_what_its_cache_holds():
    assert dense.in_one_pass(torch.device("cpu")) == (dense.TILE_PIXELS, 1)
    pixels, together = dense.in_one_pass(torch.device("meta"))
    assert together == 2
    assert pixels >= 2**18


@pytest.mark.parametrize(
    ("free", "pixels"), [(0, dense.TILE_PIXELS), (4 * dense.DEVICE_BYTES * 10**6, 10**6), (2**50, dense.DEVICE_PIXELS)]
)
def test_cuda_takes_what_a_quarter_of_its_free_memory_holds(monkeypatch, free, pixels):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, 2**50))
    assert dense.in_one_pass(torch.device("cuda")) == (pixels, 2)


def test_a_processor_computes_gradients_as_training_did():
    random = np.random.default_rng(1)
    levels = [random.uniform(0, 255, (40, 50)) for _ in range(2)]  # on whole ones the two ways agree in every bit
    found = windows._planes(random_network(1), (levels[0], levels[1])).numpy()
    assert np.array_equal(found, np.stack([network.planes(each) for each in levels]))
    part = windows._planes(random_network(1), (levels[0], levels[1]), slice(7, 20)).numpy()
    np.testing.assert_allclose(part, found[..., 7:20], atol=2e-4, rtol=0)


def test_affine_maps_change_their_type_as_a_whole():
    weight, bias = torch.ones(3, 2), torch.ones(3)
    assert folding.Affine(weight, None).to(torch.bfloat16).bias is None
    low = folding.Affine(weight, bias).to(torch.bfloat16)
    assert (low.weight.dtype, low.bias.dtype) == (torch.bfloat16, torch.bfloat16)


@pytest.mark.parametrize("gradients", network.GRADIENTS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (7, 1), (2, 2), (37, 50)])
def test_planes_by_torch_are_those_of_opencv(gradients, shape):
    random = np.random.default_rng(1)
    whole = random.integers(0, 256, shape).astype(np.uint8)
    found = network.planes_of(torch.from_numpy(whole.astype(np.float32)), gradients).numpy()
    assert np.array_equal(found, network.planes(whole, gradients))
    levels = random.uniform(0, 255, (2, *shape))
    both = network.planes_of(torch.from_numpy(levels.astype(np.float32)), gradients).numpy()
    np.testing.assert_allclose(both, np.stack([network.planes(each, gradients) for each in levels]), atol=2e-4, rtol=0)
    with pytest.raises(ValueError, match="gradients: found 'none'"):
        network.planes_of(torch.zeros(2, 2), "none")


@pytest.fixture(scope="module")
def real():
    """The shipped network, and a piece of a pair of the sample set."""
    pair = dataset("sample")["camera"]
    net = network.load()
    return net, pair.visible[90:170, 100:196], pair.infrared[90:170, 100:196]


def test_bfloat16_changes_few_decisions_and_float32_none(real, as_on_a_device):
    net, visible, infrared = real
    expected = windows.window_scores_batched(net, visible, infrared)
    low = as_on_a_device(net, visible, infrared, 8, 10**6, "bfloat16")
    assert low.dtype == np.float32
    assert 1e-3 < np.abs(low - expected).max() < 0.05 * np.ptp(expected)
    assert (weightmap.decide(low) == weightmap.decide(expected)).mean() >= 0.98
    assert np.array_equal(weightmap.decide(as_on_a_device(net, visible, infrared, 8, 10**6)), weightmap.decide(expected))


def test_bfloat16_is_asked_for_at_the_door(real):
    net, visible, infrared = real
    small = visible[:40, :48], infrared[:40, :48]
    low, full = (windows.window_scores(net, *small, precision=precision) for precision in ("bfloat16", "float32"))
    assert 0 < np.abs(low - full).max() < 0.05 * max(1, np.ptp(full))


def test_a_product_in_bfloat16_rounds_the_factors_and_the_sum():
    random = torch.Generator().manual_seed(0)
    left, right, bias = (torch.randn(size, generator=random).bfloat16() for size in ((5, 64), (3, 64), (3,)))
    found = folding.product(left, folding.Affine(right, bias), activation=True)
    exact = left.double() @ right.double().T + bias.double()
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.double(), torch.where(exact > 0, exact, 0.1 * exact), rtol=2**-8, atol=1e-3)


@pytest.mark.parametrize("precision", ["tf32", "float16"])
def test_a_precision_that_is_not_there_is_named(real, precision):
    net, visible, infrared = real
    with pytest.raises(ValueError, match=f"precision: found '{precision}' on cpu, expected one of .*tf32 on cuda alone"):
        windows.window_scores(net, visible, infrared, precision=precision)
    with pytest.raises(ValueError, match="precision: found 'double'"):
        folding.folded(net, "double")


def test_what_torch_is_set_to_does_not_matter_and_stays(real):
    net, visible, infrared = real
    small = visible[:40, :48], infrared[:40, :48]
    expected = windows.window_scores(net, *small)
    setting = torch.backends.mkldnn.matmul
    before, setting.fp32_precision = setting.fp32_precision, "bf16"
    try:
        assert np.array_equal(windows.window_scores(net, *small), expected)
        assert setting.fp32_precision == "bf16"
    finally:
        setting.fp32_precision = before


def test_settings_are_put_back_by_the_last_thread():
    net, setting = random_network(1), torch.backends.mkldnn.matmul
    before, setting.fp32_precision = setting.fp32_precision, "bf16"
    inside, leave = threading.Event(), threading.Event()

    def work():
        with exactly(net):
            inside.set()
            assert leave.wait(60)

    other = threading.Thread(target=work)
    try:
        with exactly(net):
            other.start()
            assert inside.wait(60)
        assert setting.fp32_precision == "ieee", "the other is still at work"
        leave.set()
        other.join()
        assert setting.fp32_precision == "bf16"
    finally:
        leave.set()
        setting.fp32_precision = before


def test_folded_weights_are_kept_until_they_change():
    net, other = random_network(1), random_network(2)
    first = folding.folded(net)
    assert folding.folded(net) is first
    assert folding.folded(other) is not first
    assert folding.folded(net, "bfloat16").cells[0].dtype == torch.bfloat16
    assert folding.folded(net) is first
    changes = (
        lambda weight: weight.mul_(1.5),
        lambda weight: weight.data.mul_(1.5),  # which torch does not count
        lambda weight: setattr(weight, "data", weight.data.clone()),
    )
    for change in changes:
        before = folding.folded(net)
        with torch.no_grad():
            change(net.gx_blocks[0].residual[0].weight)
        after = folding.folded(net)
        assert after is not before
        assert torch.equal(after.branches[1][0].weight, folding.fold(net).branches[1][0].weight)
    with torch.inference_mode():
        inference = random_network(3)
    assert folding.folded(inference) is folding.folded(inference)


def test_protocols_share_the_weights_of_a_network_and_leave_it_alone():
    net = network.load("eresnet-gradients")
    before = net.normalisation.clone()
    fitted = fitting_network(net, AS_RELEASED)
    assert fitted is not net
    assert torch.equal(net.normalisation, before)
    assert not torch.equal(fitted.normalisation, before)
    assert fitted.head[0].weight is net.head[0].weight
    assert folding.folded(fitted) is folding.folded(net)


def test_a_network_is_loaded_where_it_is_to_judge():
    assert network.load(device="auto").normalisation.device.type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert network.load(device="cpu").normalisation.device.type == "cpu"
    for device in ("gpu", *([] if torch.cuda.is_available() else ["cuda", "cuda:1"])):
        with pytest.raises(ValueError, match=f"device: found '{device}'"):
            network.load(device=device)


def test_scores_of_another_precision_are_remembered_apart(real, tmp_path, monkeypatch):
    monkeypatch.setenv("IVFNB_CACHE", str(tmp_path))
    net, visible, infrared = real
    small = visible[:40, :48], infrared[:40, :48]
    memories = {precision: WindowMemory(net, precision) for precision in ("float32", "bfloat16")}
    for _ in range(2):
        for precision, memory in memories.items():
            assert np.array_equal(memory(net, *small, 8), windows.window_scores(net, *small, precision=precision))
    assert len(list(tmp_path.rglob("*.npz"))) == 2

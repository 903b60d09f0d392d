import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from random_networks import random_network, random_pair

from ivfnb.classifier import dense, grid, network, windows
from ivfnb.classifier.network import planes
from ivfnb.images import read_gray, resize

pytestmark = pytest.mark.usefixtures("one_thread")


def loop_over_chosen(net, visible, infrared, stride, windows):
    """Logits (2, n, 2) of the chosen (row, column) windows, one pass per window and order."""
    both = [torch.from_numpy(planes(image)) for image in (visible, infrared)]
    scores = np.empty((2, len(windows), 2), np.float32)
    for n, (row, column) in enumerate(windows):
        cut = [image[:, row * stride :][:, :32, column * stride : column * stride + 32] for image in both]
        with torch.inference_mode():
            for order, pair in enumerate((cut, cut[::-1])):
                scores[order, n] = net(torch.cat(pair, dim=1)[None])[0]
    return scores


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    branches=st.sampled_from(network.BRANCHES),
    shape=st.tuples(st.integers(32, 140), st.integers(32, 140)),
    stride=st.sampled_from([8, 8, 8, 16, 24, 32, 40]),
    tile=st.sampled_from([1, 3000, dense.TILE_PIXELS, 10**6]),
)
def test_equals_the_loop_for_random_weights_and_sizes(seed, branches, shape, stride, tile):
    net = random_network(seed, branches)
    visible, infrared = random_pair(seed, shape)
    found = windows.window_scores(net, visible, infrared, stride, tile)
    rows, columns = grid.grid_shape(shape, stride)
    assert found.shape == (2, rows, columns, 2)
    assert found.dtype == np.float32
    random = np.random.default_rng(seed)
    inner = zip(random.integers(0, rows, 6), random.integers(0, columns, 6), strict=True)
    places = list(dict.fromkeys([(0, 0), (0, columns - 1), (rows - 1, 0), (rows - 1, columns - 1), *inner]))
    chosen = tuple(np.transpose(places))
    np.testing.assert_allclose(found[:, *chosen], loop_over_chosen(net, visible, infrared, stride, places), atol=1e-3, rtol=0)


@pytest.mark.parametrize("branches", network.BRANCHES)
@pytest.mark.parametrize(("shape", "stride"), [((32, 32), 8), ((57, 70), 8), ((64, 49), 16), ((97, 100), 64)])
def test_equals_the_reference_in_every_window(branches, shape, stride):
    net = random_network(7, branches)
    visible, infrared = random_pair(8, shape)
    expected = windows.window_scores_reference(net, visible, infrared, stride)
    np.testing.assert_allclose(windows.window_scores(net, visible, infrared, stride), expected, atol=1e-4, rtol=0)


def test_exchanging_the_images_exchanges_the_orders():
    net, (visible, infrared) = random_network(9), random_pair(10, (60, 60))
    found = windows.window_scores(net, visible, infrared)
    np.testing.assert_allclose(windows.window_scores(net, infrared, visible), found[::-1], atol=1e-4, rtol=0)


def test_tiles_and_threads_change_nothing_and_thread_counts_are_put_back():
    net, (visible, infrared) = random_network(11), random_pair(12, (120, 56))
    expected = windows.window_scores(net, visible, infrared, tile=10**6)
    torch.set_num_threads(2)
    for tile in (1, 56 * 24):  # 15 and 5 runs of strips
        np.testing.assert_allclose(windows.window_scores(net, visible, infrared, tile=tile), expected, atol=1e-4, rtol=0)
    assert torch.get_num_threads() == 2
    counts = []
    newcomer = threading.Thread(target=lambda: counts.append(torch.get_num_threads()))
    newcomer.start()
    newcomer.join()
    assert counts == [2]
    with ThreadPoolExecutor(2) as pool:  # as joblib's threads call it
        found = list(pool.map(lambda pair: windows.window_scores(net, *pair, tile=1), [(visible, infrared)] * 4))
    for scores in found:
        np.testing.assert_array_equal(scores, found[0])


def test_plain_linear_layers_where_onednn_is_missing(monkeypatch):
    net, (visible, infrared) = random_network(13), random_pair(14, (48, 48))
    expected = windows.window_scores(net, visible, infrared)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    np.testing.assert_allclose(windows.window_scores(net, visible, infrared), expected, atol=1e-4, rtol=0)


def test_other_strides_take_batches_and_say_so():
    net, (visible, infrared) = random_network(15), random_pair(16, (40, 40))
    with pytest.warns(UserWarning, match="stride 5 is no multiple of 8"):
        found = windows.window_scores(net, visible, infrared, stride=5)
    np.testing.assert_array_equal(found, windows.window_scores_batched(net, visible, infrared, 5))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        windows.window_scores(net, visible, infrared, stride=8)


def test_the_network_is_left_as_it_was():
    net, (visible, infrared) = random_network(17).train(), random_pair(18, (48, 48))
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    windows.window_scores(net, visible, infrared)
    assert net.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in net.parameters())


def test_changed_weights_are_seen_at_once():
    net, (visible, infrared) = random_network(19), random_pair(20, (48, 48))
    before = windows.window_scores(net, visible, infrared)
    with torch.no_grad():
        net.gx_blocks[0].residual[0].weight.mul_(1.5)
    after = windows.window_scores(net, visible, infrared)
    assert np.abs(after - before).max() > 1e-2
    np.testing.assert_allclose(after, windows.window_scores_reference(net, visible, infrared), atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", ["eresnet-gradients", "eresnet-gray"])
def test_shipped_weights_on_a_real_pair(name, shared_data):
    try:
        net = network.load(name)
    except ValueError as error:
        pytest.skip(str(error))
    visible, infrared = (resize(read_gray(shared_data / "tno21" / kind / "01.png"), (456, 456))[200:280, 180:276] for kind in ("vis", "ir"))
    expected = windows.window_scores_reference(net, visible, infrared)
    found = windows.window_scores(net, visible, infrared)
    np.testing.assert_allclose(found, expected, atol=1e-3, rtol=0)
    sure = np.abs(expected[..., 0] - expected[..., 1]) > 1e-3
    np.testing.assert_array_equal((found.argmax(axis=3) == expected.argmax(axis=3))[sure], True)

"""Pairs that are fused one behind the other come out as they do alone."""

import threading

import numpy as np
import pytest

from ivfnb import fusion, images
from ivfnb.classifier import network, windows
from ivfnb.datasets import ImagePair
from ivfnb.fusion import AS_PAPER, AS_RELEASED, Protocol

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def pairs():
    random = np.random.default_rng(0)
    return [
        ImagePair(str(n), *(random.integers(0, 256, (40 + 8 * n, 48, *more), dtype=np.uint8) for more in ((), (3,) * (n % 2))))
        for n in range(5)
    ]


@pytest.mark.parametrize("protocol", [AS_PAPER, Protocol(classifier="gradient_energy")])
@pytest.mark.parametrize("at_once", [1, 3, 9])
def test_results_are_those_of_fuse_in_order(pairs, protocol, at_once):
    net = network.loaded(protocol.weights) if protocol.weights else None
    found = list(fusion.fuse_each(pairs, net, protocol, at_once=at_once))
    for pair, result in zip(pairs, found, strict=True):
        expected = fusion.fuse(pair.infrared, pair.visible, net, protocol)
        assert np.array_equal(result.fused, expected.fused)
        assert np.array_equal(result.weight_map, expected.weight_map)


def test_no_more_pairs_are_under_way_than_said(pairs):
    """Pairs are taken as results are, so that memory does not grow with their number."""
    taken = []

    def given():
        for pair in pairs:
            taken.append(pair.id)
            yield pair

    results = fusion.fuse_each(given(), protocol=Protocol(classifier="none"), at_once=2)
    next(results)
    assert taken == ["0", "1"]
    results.close()
    assert taken == ["0", "1"]


def test_a_pair_is_judged_while_another_is_finished(pairs):
    """The second pair's windows are judged before the first one's fusion ends: with one thread this would wait for ever."""
    judged = threading.Semaphore(0)

    def scores(net, visible, infrared, stride):
        judged.release()
        if visible.shape[0] == 40:  # the first
            assert judged.acquire(timeout=60)
            assert judged.acquire(timeout=60)
        return windows.window_scores(net, visible, infrared, stride)

    assert len(list(fusion.fuse_each(pairs[:2], window_scores=scores, at_once=2))) == 2


def test_what_does_not_fit_is_named(pairs):
    with pytest.raises(ValueError, match="at_once: found 0"):
        list(fusion.fuse_each(pairs, at_once=0))
    with pytest.raises(ValueError, match="net: found a network with gray branches"):
        list(fusion.fuse_each(pairs, network.load("eresnet-gray"), AS_RELEASED))
    broken = ImagePair("broken", np.full((40, 48), 300.0), np.zeros((40, 48)))
    results = fusion.fuse_each([pairs[0], broken, pairs[1]], protocol=Protocol(classifier="none"))
    assert next(results).fused.shape == (40, 48)
    with pytest.raises(images.ImageError, match="infrared"):
        next(results)

"""Remembered window scores: the same numbers without judging again, and none that another network, image or code would give."""

import time
from dataclasses import replace

import numpy as np
import pytest

from ivfnb.classifier import network, windows
from ivfnb.fusion import AS_PAPER, WindowMemory, fuse

RANDOM = np.random.default_rng(11)
VISIBLE, INFRARED = RANDOM.uniform(0, 255, (2, 40, 48))


@pytest.fixture(scope="module")
def nets():
    return {name: network.load(name, device="cpu") for name in ("eresnet-gradients", "eresnet-gray")}


@pytest.fixture
def judged(tmp_path, monkeypatch):
    """How often windows were judged, each time for at least a hundredth of a second."""
    times, real = [], windows.window_scores

    def counted(*given):
        times.append(given)
        time.sleep(0.01)
        return real(*given)

    monkeypatch.setenv("IVFNB_CACHE", str(tmp_path))
    monkeypatch.setattr(windows, "window_scores", counted)
    return times


def test_what_was_judged_is_not_judged_again(nets, judged):
    net = nets["eresnet-gradients"]
    expected = windows.window_scores(net, VISIBLE, INFRARED, 8)
    judged.clear()
    first, second = WindowMemory(net), WindowMemory(net)
    for memory in (first, first, second):
        np.testing.assert_array_equal(memory(net, VISIBLE, INFRARED, 8), expected)
    assert len(judged) == 1
    assert first.saved == second.saved >= 0.01, "seconds of one judging, saved once by each"


def test_savings_add_up(nets, judged):
    memory = WindowMemory(nets["eresnet-gray"])
    for _ in range(3):
        memory(nets["eresnet-gray"], VISIBLE, INFRARED, 8)
    once = WindowMemory(nets["eresnet-gray"])
    once(nets["eresnet-gray"], VISIBLE, INFRARED, 8)
    assert memory.saved == pytest.approx(2 * once.saved)


def test_another_network_stride_image_or_precision_is_judged(nets, judged):
    net, gray = nets["eresnet-gradients"], nets["eresnet-gray"]
    WindowMemory(net)(net, VISIBLE, INFRARED, 8)
    WindowMemory(gray)(gray, VISIBLE, INFRARED, 8)
    WindowMemory(net)(net, VISIBLE, INFRARED, 16)
    WindowMemory(net)(net, INFRARED, VISIBLE, 8)
    WindowMemory(net, "bfloat16")(net, VISIBLE, INFRARED, 8)
    assert len(judged) == 5
    WindowMemory(net)(net, VISIBLE.copy(), INFRARED.copy(), 8)
    assert len(judged) == 5


def test_other_code_is_judged_anew(nets, judged, monkeypatch):
    net = nets["eresnet-gray"]
    memory = WindowMemory(net)
    memory(net, VISIBLE, INFRARED, 8)
    monkeypatch.setattr("ivfnb.cache.code_hash", lambda module: "other")
    memory(net, VISIBLE, INFRARED, 8)
    assert len(judged) == 2


@pytest.mark.parametrize(
    "stored",
    [
        {"scores": np.zeros((2, 2, 3, 2), np.float64)},
        {"scores": np.zeros((2, 3, 2), np.float32)},
        {"scores": np.full((2, 2, 3, 2), np.nan, np.float32)},
        {"other": np.zeros((2, 2, 3, 2), np.float32)},
        {},
    ],
)
def test_an_entry_that_holds_no_scores_is_made_anew(nets, judged, tmp_path, stored):
    net = nets["eresnet-gray"]
    memory = WindowMemory(net)
    expected = memory(net, VISIBLE, INFRARED, 8)
    (entry,) = tmp_path.rglob("*.npz")
    np.savez(entry, seconds=9.0, **stored)
    np.testing.assert_array_equal(memory(net, VISIBLE, INFRARED, 8), expected)
    assert (len(judged), memory.saved) == (2, 0)


def test_fusion_takes_remembered_scores(nets, judged):
    net = nets["eresnet-gradients"]
    protocol = replace(AS_PAPER, size=None)
    plain = fuse(INFRARED, VISIBLE, net, protocol)
    judged.clear()
    memory = WindowMemory(net)
    for _ in range(2):
        np.testing.assert_array_equal(fuse(INFRARED, VISIBLE, net, protocol, window_scores=memory).fused, plain.fused)
    assert len(judged) == 1

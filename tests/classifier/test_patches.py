"""Samples are the published ones: blurs, gradients, blocks, orders; an index is a matter of its seed alone."""

import pickle

import numpy as np
import pytest
import torch
from scipy import ndimage

from ivfnb import images
from ivfnb.classifier import network, patches
from ivfnb.classifier.patches.batched import taps


@pytest.fixture(scope="module")
def photographs():
    rng = np.random.default_rng(0)
    return [
        ndimage.gaussian_filter(rng.normal(128, 400, shape), 1.5).clip(0, 255).astype(np.uint8)
        for shape in ((100, 140), (64, 64), (97, 33))
    ]


def test_blur_is_a_cut_gaussian(photographs):
    """Against the kernel's definition, by SciPy."""
    for size, blurred in patches.blur_stack(photographs[0].astype(float)).items():
        taps = np.exp(-0.5 * ((np.arange(size) - size // 2) / 9.0) ** 2)
        taps /= taps.sum()
        expected = photographs[0].astype(float)
        for axis in (0, 1):
            expected = ndimage.correlate1d(expected, taps, axis, mode="mirror")
        assert np.abs(blurred - expected).max() < 1e-9


def test_planes_are_sobel_sums(photographs):
    gray = photographs[1].astype(float)
    planes = network.planes(photographs[1])
    assert planes.dtype == np.float32
    assert np.array_equal(planes[0], gray)
    assert np.array_equal(planes[1], ndimage.sobel(gray, axis=1, mode="nearest"))
    assert np.array_equal(planes[2], ndimage.sobel(gray, axis=0, mode="nearest"))
    clipped = network.planes(photographs[1], "clipped")
    assert np.array_equal(clipped[1:], planes[1:].clip(0, 255))
    with pytest.raises(ValueError, match="gradients: found 'both'"):
        network.planes(gray, "both")


def test_a_sample_is_cut_from_the_whole_photograph(photographs):
    """Blurring a block with its halo gives the pixels of the blurred photograph, at borders too."""
    samples = patches.PatchDataset(patches.make_index(photographs, 400, seed=1))
    for i, (photograph, row, column) in enumerate(zip(samples.index.photograph, samples.index.row, samples.index.column, strict=True)):
        cut = np.s_[:, row : row + 32, column : column + 32]
        sharp = network.planes(photographs[photograph])[cut]
        blurred = network.planes(patches.blur_stack(photographs[photograph])[int(samples.index.blur_size[i])])[cut]
        sample, label = samples[i]
        upper, lower = (sharp, blurred) if label == 0 else (blurred, sharp)
        assert np.array_equal(sample.numpy(), np.concatenate([upper, lower], axis=1))


def test_index_covers_everything_once(photographs):
    blocks = 3 * 4 + 2 * 2 + 3 * 1
    index = patches.make_index(photographs, blocks * 8, seed=3)
    rows = set(zip(index.photograph, index.row, index.column, index.blur_size, index.order, strict=True))
    assert len(rows) == blocks * 8, "every block, blur and order once"
    assert np.bincount(index.order).tolist() == [blocks * 4] * 2
    twice = patches.make_index(photographs, blocks * 16, seed=3)
    assert np.array_equal(twice.row[: blocks * 8], index.row), "a longer index begins as the shorter one"


def test_index_depends_on_the_seed_alone(photographs):
    first, again, other = (patches.make_index(photographs, 100, seed) for seed in (5, 5, 6))
    assert all(np.array_equal(getattr(first, name), getattr(again, name)) for name in ("photograph", "row", "column", "blur_size", "order"))
    assert not np.array_equal(first.row, other.row) or not np.array_equal(first.column, other.column)


def test_index_of_paths_equals_index_of_arrays(photographs, tmp_path):
    files = [images.write_image(tmp_path / f"{i}.png", photograph) for i, photograph in enumerate(photographs)]
    by_path, by_array = (patches.PatchDataset(patches.make_index(source, 30, 0)) for source in (files, photographs))
    assert torch.equal(by_path.__getitems__(range(30))[0], by_array.__getitems__(range(30))[0])


def test_released_blur_order():
    """The script's slip: quarters of the list get 15, 11, 13, 15 taps, and 9 is never trained on."""
    index = patches.make_index([np.zeros((32, 32), np.uint8)] * 8, 16, 0, one_blur_per_image=True)
    sizes = {int(p): int(s) for p, s in zip(index.photograph, index.blur_size, strict=True)}
    assert [sizes[p] for p in range(8)] == [15, 15, 11, 11, 13, 13, 15, 15]


def test_jpeg_round_trip_changes_planes(photographs):
    index = patches.make_index(photographs, 20, 0)
    plain = patches.PatchDataset(index, "clipped").__getitems__(range(20))[0]
    stored = patches.PatchDataset(index, "clipped", jpeg_quality=95).__getitems__(range(20))[0]
    difference = (plain - stored).abs()
    assert 0 < difference.mean() < 30
    with pytest.raises(ValueError, match="'signed' with a JPEG round trip"):
        patches.PatchDataset(index, jpeg_quality=95)


def test_a_pickled_dataset_cuts_the_same_samples(photographs):
    """Worker processes that are spawned get it so."""
    samples = patches.PatchDataset(patches.make_index(photographs, 12, 0), "clipped", jpeg_quality=90, cache=2)
    copy = pickle.loads(pickle.dumps(samples))
    assert torch.equal(copy.__getitems__(range(12))[0], samples.__getitems__(range(12))[0])


def test_texture_is_the_sharp_blocks_deviation(photographs):
    samples = patches.PatchDataset(patches.make_index(photographs, 12, 0))
    sharp = [samples.halves(i)[0][0].std() for i in range(12)]
    assert np.allclose(samples.texture(), sharp, rtol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([np.zeros((31, 40), np.uint8)], 4, 0), "no 32x32 block"),
        (([np.zeros((64, 64), np.uint8)], 0, 0), "expected n >= 1"),
        (([np.zeros((64, 64), np.uint8)], 4, 0, (9, 10)), "some of"),
    ],
)
def test_make_index_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        patches.make_index(*arguments)


def test_split_shares_no_photograph(photographs):
    train, test = patches.split(photographs, photographs, seed=0)
    assert len(train) + len(test) == 3
    assert test
    assert not any(np.array_equal(a, b) for a in train for b in test)
    assert patches.split(photographs[:1], photographs[1:], seed=0) == (photographs[:1], photographs[1:])
    with pytest.raises(ValueError, match="at least 2"):
        patches.split(photographs[:1], photographs[:1], seed=0)


@pytest.mark.parametrize("gradients", network.GRADIENTS)
def test_samples_cut_by_batched_operations_are_the_same_bits(photographs, gradients):
    """All blocks, at every border of photographs of several sizes, in every blur and both orders."""
    random = np.random.default_rng(3)
    given = [*photographs, random.integers(0, 256, (32, 33), dtype=np.uint8), (random.integers(0, 2, (70, 64)) * 255).astype(np.uint8)]
    samples = patches.PatchDataset(patches.make_index(given, 300, seed=1), gradients)
    there = patches.DeviceSamples(samples, torch.device("cpu"))
    assert len(there) == len(samples)
    for some in (range(300), [299, 0, 17], np.array([5])):
        for found, expected in zip(there.__getitems__(some), samples.__getitems__(some), strict=True):
            assert found.dtype == expected.dtype
            assert torch.equal(found, expected)


def test_batched_blurs_are_opencv_s_on_whole_photographs(photographs):
    for size in patches.BLUR_SIZES:
        found = taps(size)
        assert found.sum() == 256
        wide = np.pad(photographs[0].astype(np.int64), size // 2, mode="reflect")
        once = sum(tap * wide[:, i : i + photographs[0].shape[1]] for i, tap in enumerate(found))
        twice = sum(tap * once[i : i + photographs[0].shape[0]] for i, tap in enumerate(found))
        assert np.array_equal((twice + 2**15) // 2**16, patches.blur_stack(photographs[0])[size])


def test_what_a_device_cannot_cut_is_named(photographs):
    device = torch.device("cpu")
    for samples, message in (
        (patches.samples_of([photographs[0].astype(float)], 4, 0), "samples: found float64, expected photographs of 8 bits"),
        (patches.PatchDataset(patches.make_index(photographs, 4, 0), "clipped", 75), "samples: found a round trip through JPEG"),
    ):
        with pytest.raises(ValueError, match=message):
            patches.DeviceSamples(samples, device)
        assert patches.on_device(samples, device) is samples

"""MDLatLRR and ConvSR: their parts against slow loops and optimality conditions, and what is learned from photographs."""

import json
import sys

import numpy as np
import pytest
import scripts_read
from skimage import data

from ivfnb import paths
from ivfnb.baselines import BASELINES, convsr, mdlatlrr
from ivfnb.baselines.common import sparse
from ivfnb.baselines.common.convolution import Convolution, Support, wrap_add
from ivfnb.baselines.common.sparse import sparse_code
from ivfnb.baselines.training.convsr import learn_filters
from ivfnb.baselines.training.mdlatlrr import DETAIL, latent_low_rank, sample_patches

WEIGHTS = paths.root() / "data" / "weights"


def gaussian_filters(count=5, side=8, seed=0):
    filters = np.random.default_rng(seed).standard_normal((count, side, side))
    return filters / np.linalg.norm(filters, axis=(1, 2), keepdims=True)


@pytest.mark.parametrize("kind", ["full", "decaying", "rank 1", "rank 3", "tiny"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nuclear_norms_are_the_sums_of_singular_values(kind, dtype):
    random = np.random.default_rng(0)
    patches = random.standard_normal((500, 16, 16))
    if kind == "decaying":
        patches *= np.exp(-np.arange(16) / 2)[:, None]
    elif kind.startswith("rank"):
        rank = int(kind[-1])
        patches = random.standard_normal((500, 16, rank)) @ random.standard_normal((500, rank, 16))
    elif kind == "tiny":
        patches *= 1e-4
    expected = np.linalg.svd(patches, compute_uv=False).sum(axis=1)
    np.testing.assert_allclose(mdlatlrr.nuclear_norms(patches.transpose(1, 2, 0).astype(dtype)), expected, rtol=1e-3)


def test_nuclear_norm_of_nothing_is_zero():
    np.testing.assert_array_equal(mdlatlrr.nuclear_norms(np.zeros((16, 16, 3), np.float32)), 0)


def mdlatlrr_loop(infrared, visible, matrix, levels, accumulated):
    """Patch by patch, singular values by decomposition, in the plainest order."""
    side, shape = mdlatlrr.SIDE, infrared.shape
    pair, fused = [infrared, visible], np.zeros(shape)
    for level in range(levels):
        sums, count = np.zeros((3, *shape)), np.zeros(shape)
        for row in range(shape[0] - side + 1):
            for column in range(shape[1] - side + 1):
                here = slice(row, row + side), slice(column, column + side)
                details = [(matrix @ image[here].ravel()).reshape(side, side) for image in pair]
                norms = [np.linalg.svd(detail, compute_uv=False).sum() for detail in details]
                mixed = (norms[0] * details[0] + norms[1] * details[1]) / sum(norms)
                for total, patch in zip(sums, (*details, mixed), strict=True):
                    total[here] += patch
                count[here] += 1
        sums /= count
        pair = [image - detail for image, detail in zip(pair, sums[:2], strict=True)]
        fused += sums[2] * (levels - level if accumulated else 1)
    return np.clip(fused + (pair[0] + pair[1]) / 2, 0, 255)


@pytest.mark.parametrize("details", ["once", "accumulated"])
def test_mdlatlrr_is_its_loop(details):
    infrared, visible = data.camera()[200:222, 230:255].astype(float), data.coins()[60:82, 40:65].astype(float)
    expected = mdlatlrr_loop(infrared, visible, mdlatlrr.projection().astype(float), 2, details == "accumulated")
    assert np.abs(mdlatlrr.fuse(infrared, visible, 2, details) - expected).max() < 0.02


def test_convolution_is_that_of_the_fourier_domain_and_its_adjoint():
    random = np.random.default_rng(0)
    for shape in ((23, 31), (5, 40), (3, 3)):  # larger and smaller than the filters
        filters, maps, image = gaussian_filters(), random.standard_normal((5, *shape)).astype(np.float32), random.standard_normal(shape)
        operator = Convolution(filters, shape)
        folded = np.stack([wrap_add(each, shape) for each in np.pad(filters, [(0, 0), (0, shape[0]), (0, shape[1])])])
        spectra = np.fft.fft2(folded)
        found, expected = operator.synthesise(maps), np.fft.ifft2(np.sum(spectra * np.fft.fft2(maps), axis=0)).real
        np.testing.assert_allclose(found, expected, atol=1e-4)
        np.testing.assert_allclose(operator.energy, np.sum(np.abs(spectra) ** 2, axis=0)[:, : shape[1] // 2 + 1], atol=1e-9)
        windows = operator.windows(image)
        correlations = np.concatenate([operator.correlate(windows, block) for block in operator.blocks], axis=1)
        assert np.vdot(correlations, maps) == pytest.approx(np.vdot(image, found), rel=1e-3, abs=1e-3)


def test_sparse_code_of_a_single_point_is_soft_thresholding():
    image = np.random.default_rng(0).normal(0, 0.05, (40, 50))
    point = np.zeros((1, 8, 8))
    point[0, 0, 0] = 1
    expected = np.sign(image) * np.maximum(np.abs(image) - 0.03, 0)
    np.testing.assert_allclose(sparse_code(image, point, 0.03, tolerance=1e-5)[0], expected, atol=1e-5)


def test_sparse_code_is_optimal():
    image, filters, sparsity = np.random.default_rng(1).normal(0, 0.1, (48, 40)), gaussian_filters(), 0.05
    code = sparse_code(image, filters, sparsity, tolerance=1e-5, iterations=2000)
    operator = Convolution(filters, image.shape)
    windows = operator.windows(image - operator.synthesise(code))
    correlations = np.concatenate([operator.correlate(windows, block) for block in operator.blocks], axis=1)
    assert 0.01 < np.mean(code != 0) < 0.5
    assert np.abs(correlations).max() < sparsity * 1.01  # the conditions for a minimum: no correlation above the weight,
    np.testing.assert_allclose(correlations[code != 0], sparsity * np.sign(code[code != 0]), rtol=0.01)  # and all of it where used


def plain_sparse_code(image, filters, sparsity, tolerance=1e-3):
    """ADMM in float64 over all coefficients, transforms of whole maps, in the plainest order; the number of iterations too."""
    room = [(0, 0), (0, image.shape[0] - filters.shape[1]), (0, image.shape[1] - filters.shape[2])]
    spectra, spectrum = np.fft.fft2(np.pad(filters, room)), np.fft.fft2(image)
    energy, code, dual, penalty = np.sum(np.abs(spectra) ** 2, axis=0), 0, 0, 100 * sparsity + 0.5
    for iteration in range(1, 501):
        start = np.fft.fft2(np.broadcast_to(code - dual, (len(filters), *image.shape)))
        misfit = (spectrum - np.sum(spectra * start, axis=0)) / (energy + penalty)
        found = np.fft.ifft2(start + np.conj(spectra) * misfit).real
        relaxed = 1.8 * found - 0.8 * code + dual
        before, code = code, np.sign(relaxed) * np.maximum(np.abs(relaxed) - sparsity / penalty, 0)
        dual = relaxed - code
        norm = np.linalg.norm
        residuals = norm(found - code) / max(norm(found), norm(code)), norm(code - before) / norm(dual)
        if max(residuals) <= tolerance:
            return code, iteration
        ratio = residuals[0] / residuals[1] / (1 + 18.3 ** (np.log10(sparsity) + 1))
        factor = 1 if 1 / 1.2 <= ratio <= 1.2 else np.clip(np.sqrt(ratio), 0.01, 100)
        penalty, dual = penalty * factor, dual / factor
    raise AssertionError("no convergence")


@pytest.mark.parametrize("shape", [(40, 48), (37, 29)])
def test_sparse_code_is_that_of_all_coefficients_in_double_precision(shape, monkeypatch):
    image = data.camera()[170 : 170 + shape[0], 210 : 210 + shape[1]] / 255
    detail = image - convsr.base_layer(image)
    filters = convsr.dictionary().astype(float)
    expected, iterations = plain_sparse_code(detail, filters, convsr.SPARSITY)
    taken, step = [], sparse._Iterations.step
    monkeypatch.setattr(sparse._Iterations, "step", lambda self: taken.append(1) or step(self))
    code = sparse_code(detail, filters, convsr.SPARSITY)
    assert abs(len(taken) - iterations) <= 2
    difference = Convolution(filters, shape).synthesise(code - expected.astype(np.float32))
    assert 255 * np.abs(difference).max() < 0.1
    assert np.mean((code != 0) != (expected != 0)) < 1e-3


def test_sparse_code_pauses_change_little(monkeypatch):
    """Coefficients passed over in most iterations: the code is that of looking at all in each."""
    detail = data.coins()[40:88, 60:120] / 255
    detail = detail - convsr.base_layer(detail)
    found = []
    for pause in (1, sparse.PAUSE):
        monkeypatch.setattr(sparse, "PAUSE", pause)
        found.append(Convolution(convsr.dictionary(), detail.shape).synthesise(sparse_code(detail, convsr.dictionary(), convsr.SPARSITY)))
    assert 255 * np.abs(found[0] - found[1]).max() < 0.1


def test_support_leaves_out_all_other_coefficients():
    random, filters, shape = np.random.default_rng(2), gaussian_filters(), (23, 31)
    operator, image = Convolution(filters, shape), random.standard_normal(shape).astype(np.float32)
    operator.blocks = [slice(0, 9), slice(9, 23)]
    maps, canvas = np.where(random.random((5, *shape)) < 0.1, 1, 0).astype(np.float32), operator.canvas()
    windows, runs = operator.windows(image), operator.runs(image)
    for block in operator.blocks:
        part = maps[:, block].ravel()
        support = Support(operator, block, np.flatnonzero(part))
        support.add(canvas, part[support.where])
        everywhere = operator.correlate(windows, block).ravel()
        np.testing.assert_allclose(support.correlate(runs), everywhere[support.where], rtol=1e-4, atol=1e-5)
    dense = sum(np.fft.ifft2(np.fft.fft2(each, shape) * np.fft.fft2(one)).real for each, one in zip(filters, maps, strict=True))
    np.testing.assert_allclose(wrap_add(canvas, shape), dense, atol=1e-5)


def test_sparse_code_of_little_is_zero():
    image = np.full((20, 20), 1e-4)
    assert not sparse_code(image, gaussian_filters(), 0.05).any()


def test_base_layer_solves_its_equation():
    image = data.camera()[:60, :70] / 255
    base = convsr.base_layer(image)
    inner = (slice(1, -1), slice(1, -1))
    differences = 4 * base[inner] - base[:-2, 1:-1] - base[2:, 1:-1] - base[1:-1, :-2] - base[1:-1, 2:]
    np.testing.assert_allclose(base[inner] + convsr.LOWPASS * differences, image[inner], atol=1e-12)


def test_convsr_modes_differ_in_the_base():
    infrared, visible = np.full((64, 64), 50.0), np.full((64, 64), 150.0)
    infrared[:, :32] += 40 * (np.indices((64, 32)).sum(axis=0) // 4 % 2)  # texture on the left of the one,
    visible[:, 32:] += 40 * (np.indices((64, 32)).sum(axis=0) // 4 % 2)  # on the right of the other
    multifocus = convsr.fuse(infrared, visible, "multi-focus")
    assert np.abs(multifocus - np.where(np.arange(64) < 32, infrared, visible))[:, [8, 16, 48, 56]].max() < 8
    multimodal = convsr.fuse(infrared, visible)
    assert np.abs(multimodal.mean() - (infrared.mean() + visible.mean()) / 2) < 1


def test_latent_low_rank_reaches_the_rank_where_nothing_is_an_error():
    random = np.random.default_rng(0)
    low_rank = random.standard_normal((12, 4)) @ random.standard_normal((4, 60))
    projection, error = latent_low_rank(low_rank, weight=100)
    assert not error.any()
    z = np.linalg.lstsq(low_rank, low_rank - projection @ low_rank, rcond=None)[0]
    np.testing.assert_allclose(low_rank @ z + projection @ low_rank, low_rank, atol=1e-5)
    nuclear = sum(np.linalg.svd(matrix, compute_uv=False).sum() for matrix in (z, projection))
    assert nuclear == pytest.approx(4, rel=1e-3)  # the known least value: the rank of the data


def test_latent_low_rank_takes_spikes_for_errors():
    random = np.random.default_rng(0)
    clean = random.standard_normal((20, 2)) @ random.standard_normal((2, 80))
    spikes = np.zeros_like(clean)
    spikes[random.integers(20, size=12), random.integers(80, size=12)] = 25
    _, error = latent_low_rank(clean + spikes, weight=0.02)
    strongest = np.argsort(np.abs(error).ravel())[-12:]
    assert len(set(strongest) & set(np.flatnonzero(spikes))) >= 10


def test_patches_are_of_both_kinds_and_the_seed_decides():
    photographs = [data.camera(), data.coins()]
    patches = sample_patches(photographs, 30, 20, seed=3)
    assert patches.shape == (256, 50)
    norms = np.linalg.norm(patches - patches.mean(axis=0), axis=0)
    assert (norms > DETAIL).sum() == 30
    assert patches.max() <= 1
    np.testing.assert_array_equal(patches, sample_patches(photographs, 30, 20, seed=3))
    assert not np.array_equal(patches, sample_patches(photographs, 30, 20, seed=4))
    with pytest.raises(ValueError, match=r"photographs: found .* smooth patches, expected at least 100000"):
        sample_patches(photographs, 30, 100_000, seed=3)


def test_learned_filters_code_details_better_than_where_they_began():
    photographs = [data.camera(), data.coins()]

    def cost(filters):
        detail = photographs[0][100:164, 200:264] / 255
        detail = detail - convsr.base_layer(detail)
        code = sparse_code(detail, filters, 0.1, tolerance=1e-2)
        return np.sum((detail - Convolution(filters, detail.shape).synthesise(code)) ** 2) / 2 + 0.1 * np.abs(code).sum()

    few = {"count": 6, "crop": 64}
    start, learned = (learn_filters(photographs, 0, steps, **few) for steps in (0, 12))
    np.testing.assert_allclose(np.linalg.norm(learned, axis=(1, 2)), 1, rtol=1e-5)
    assert cost(learned) < 0.95 * cost(start)
    np.testing.assert_array_equal(learned, learn_filters(photographs, 0, 12, **few))
    with pytest.raises(ValueError, match=r"photographs: found \[\(50, 60\)\], expected .* at least 64x64"):
        learn_filters([np.zeros((50, 60))], 0, 1, **few)


def test_committed_results_are_small_and_say_how_they_were_made():
    for name in ("convsr.npz", "mdlatlrr.npz"):
        assert name in {baseline.competitor.weights for baseline in BASELINES.values()}
        assert (WEIGHTS / name).stat().st_size < 1_000_000
        with np.load(WEIGHTS / name) as stored:
            record = json.loads(str(stored["record"]))
        assert {"photographs", "seed", "commit", "versions"} <= set(record)
    assert convsr.dictionary().shape == (32, 8, 8)
    np.testing.assert_allclose(np.linalg.norm(convsr.dictionary(), axis=(1, 2)), 1, rtol=1e-5)
    singular = np.linalg.svd(mdlatlrr.projection(), compute_uv=False)
    assert singular[0] < 1.001  # neither of the two nuclear norms gains by more
    with pytest.raises(ValueError, match="read-only"):
        mdlatlrr.projection()[0, 0] = 1


def test_the_script_learns_from_the_photographs_of_packages(tmp_path, monkeypatch):
    script = scripts_read.script("learn_baselines")
    arguments = ["--photographs", "photos", "--only", "convsr", "--steps", "1", "--folder", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["learn_baselines.py", *arguments])
    script.main()
    with np.load(tmp_path / "convsr.npz") as stored:
        assert stored["filters"].shape == (32, 8, 8)
        assert json.loads(str(stored["record"]))["photographs"] == "13 of photos"
    assert [file.name for file in tmp_path.iterdir()] == ["convsr.npz"]

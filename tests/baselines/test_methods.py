"""The parts of CBF, DCHWT, Structaware and HybridMSD against slow readable loops and what they must give by their definition."""

import itertools

import numpy as np
import pytest

from ivfnb.baselines import cbf, dchwt, hybridmsd, structaware


def image(shape, seed=0):
    return np.random.default_rng(seed).uniform(0, 255, shape)


def cross_bilateral_loop(source, guide):
    radius = cbf.WINDOW // 2
    sources, guides = (np.pad(plane, radius, mode="reflect") for plane in (source, guide))
    result = np.empty_like(source)
    for row in range(source.shape[0]):
        for column in range(source.shape[1]):
            total = norm = 0.0
            for i in range(-radius, radius + 1):
                for j in range(-radius, radius + 1):
                    difference = guides[row + radius + i, column + radius + j] - guide[row, column]
                    weight = np.exp(-(i * i + j * j) / (2 * cbf.SIGMA_SPATIAL**2) - difference**2 / (2 * cbf.SIGMA_RANGE**2))
                    total += weight * sources[row + radius + i, column + radius + j]
                    norm += weight
            result[row, column] = total / norm
    return result


def test_cross_bilateral_is_its_loop():
    source, guide = image((9, 12)), image((9, 12), 1)
    np.testing.assert_allclose(cbf.cross_bilateral(source, guide), cross_bilateral_loop(source, guide), rtol=1e-12)


def test_significance_is_the_sum_of_the_eigenvalues_of_both_covariances():
    detail = image((8, 11)) - 128
    padded, found = np.pad(detail, 2, mode="reflect"), cbf.significance(detail)
    for row in range(8):
        for column in range(11):
            window = padded[row : row + 5, column : column + 5]
            eigenvalues = [np.linalg.eigvalsh(np.cov(window, rowvar=by_rows)) for by_rows in (True, False)]
            assert found[row, column] == pytest.approx(np.sum(eigenvalues), rel=1e-9)


def test_dchwt_reconstructs_and_keeps_energy():
    source = image((72, 104))
    rest, bands = dchwt.forward(source)
    assert rest.shape == (9, 13)
    assert [level.diagonal.shape for level in bands] == [(36, 52), (18, 26), (9, 13)]
    np.testing.assert_allclose(dchwt.inverse(rest, bands), source, atol=1e-9)
    energy = sum(np.sum(band**2) for band in (rest, *(band for level in bands for band in level)))
    assert energy == pytest.approx(np.sum(source**2), rel=1e-12)


@pytest.mark.parametrize(("cycles", "level", "orientation"), [(28, 0, "vertical"), (12, 1, "vertical"), (6, 2, "vertical"), (2, None, "")])
def test_dchwt_puts_a_wave_into_its_band(cycles, level, orientation):
    wave = np.cos(np.pi * 2 * cycles * (np.arange(64) + 0.5) / 64)[:, None] * np.ones(64)
    rest, bands = dchwt.forward(wave)
    found = rest if level is None else getattr(bands[level], orientation)
    assert np.sum(found**2) == pytest.approx(np.sum(wave**2), rel=1e-9)
    other = dchwt.forward(wave.T)[1]
    if level is not None:
        np.testing.assert_allclose(other[level].horizontal, found.T, atol=1e-12)


def test_dchwt_wants_whole_blocks():
    with pytest.raises(ValueError, match=r"image: found shape \(8, 12\), expected sides that are multiples of 8"):
        dchwt.forward(np.zeros((8, 12)))


def test_dchwt_significance_sums_the_descendants():
    _, bands = dchwt.forward(image((32, 40)))
    rest, found = dchwt.significances(bands)
    for orientation in range(3):
        fine, middle, coarse = (level[orientation] for level in bands)
        for row in range(4):
            for column in range(5):
                below = np.abs(middle[2 * row : 2 * row + 2, 2 * column : 2 * column + 2]).sum()
                below += np.abs(fine[4 * row : 4 * row + 4, 4 * column : 4 * column + 4]).sum()
                assert found[2][orientation][row, column] == pytest.approx(abs(coarse[row, column]) + below)
        padded = np.pad(fine**2, 1, mode="reflect")
        assert found[0][orientation][3, 0] == pytest.approx(padded[3:6, 0:3].mean())
    np.testing.assert_allclose(rest, sum(found[2]))


def refine_loop(mask, guide):
    """The recursive filter of the domain transform, one pixel at a time: along the rows there and back, then along the columns."""
    base = np.exp(-np.sqrt(2) / structaware.SIGMA_SPATIAL)
    slope = structaware.SIGMA_SPATIAL / structaware.SIGMA_RANGE
    result = mask.copy()
    for transposed in (False, True):
        plane, by = (result.T, guide.T) if transposed else (result, guide)
        for line, levels in zip(plane, by, strict=True):
            feedback = [base ** (1 + slope * abs(b - a)) for a, b in itertools.pairwise(levels)]
            for i in range(1, len(line)):
                line[i] = (1 - feedback[i - 1]) * line[i] + feedback[i - 1] * line[i - 1]
            for i in range(len(line) - 2, -1, -1):
                line[i] = (1 - feedback[i]) * line[i] + feedback[i] * line[i + 1]
    return result


def test_structaware_refines_as_its_loop():
    guide, mask = image((12, 15)) / 255, (image((12, 15), 1) > 128).astype(float)
    np.testing.assert_allclose(structaware.refine(mask, guide), refine_loop(mask, guide), rtol=1e-12)


def test_structaware_smooths_along_edges_not_across():
    guide = np.repeat([0.0, 1.0], 20) * np.ones((30, 1))
    ragged = (np.arange(40) >= 20 + 3 * (np.arange(30)[:, None] % 2)).astype(float)
    refined = structaware.refine(ragged, guide)
    assert refined[:, :18].max() < 0.05
    assert refined[:, 20:24].min() > 0.4
    assert np.ptp(refined[10:20, 21]) < 0.1  # the teeth are gone


def test_structaware_counts_the_border_as_a_step_to_black():
    strength = structaware.structure(np.full((20, 30), 0.6))
    assert strength[:-1, :-1].max() < 1e-12
    np.testing.assert_allclose([strength[-1, 3], strength[3, -1], strength[-1, -1]], [0.6, 0.6, 1.2])


def test_structaware_chooses_the_structured_source():
    texture = 128 + 100 * np.sign(np.sin(np.arange(60) / 2))[:, None] * np.ones(60)
    flat = np.full((60, 60), 128.0)
    np.testing.assert_allclose(structaware.fuse(texture, flat)[:50, :50], texture[:50, :50], atol=1e-6)
    np.testing.assert_allclose(structaware.fuse(flat, texture)[:50, :50], texture[:50, :50], atol=1e-6)


def bilateral_loop(source, sigma_spatial, sigma_range):
    """Grid of position and level as in the description: fill the nearest cells, smooth twice, read out trilinearly."""
    height, width = source.shape
    least = source.min()
    shape = [int((size - 1) / sigma) + 5 for size, sigma in ((height, sigma_spatial), (width, sigma_spatial))]
    shape.append(int((source.max() - least) / sigma_range) + 5)
    grids = np.zeros((2, *shape))
    for row in range(height):
        for column in range(width):
            place = row / sigma_spatial, column / sigma_spatial, (source[row, column] - least) / sigma_range
            cell = tuple(int(coordinate + 0.5) + 2 for coordinate in place)
            grids[(0, *cell)] += 1
            grids[(1, *cell)] += source[row, column]
    for _ in range(2):
        for axis in (3, 2, 1):
            grids = np.moveaxis(grids, axis, 0)
            smooth = grids.copy()
            smooth[1:-1] = (grids[:-2] + 2 * grids[1:-1] + grids[2:]) / 4
            grids = np.moveaxis(smooth, 0, axis)
    result = np.empty_like(source)
    for row in range(height):
        for column in range(width):
            place = np.array([row / sigma_spatial, column / sigma_spatial, (source[row, column] - least) / sigma_range]) + 2
            corner, share = place.astype(int), place % 1
            values = np.zeros(2)
            for step in np.ndindex(2, 2, 2):
                weight = np.prod(np.where(step, share, 1 - share))
                values += weight * grids[(slice(None), *np.minimum(corner + step, np.array(grids.shape[1:]) - 1))]
            result[row, column] = values[1] / values[0]
    return result


@pytest.mark.parametrize(("sigma_spatial", "sigma_range"), [(2.0, 12.75), (4.0, 6.375)])
def test_hybridmsd_bilateral_is_its_loop(sigma_spatial, sigma_range):
    source = image((14, 19))
    np.testing.assert_allclose(hybridmsd.bilateral(source, sigma_spatial, sigma_range), bilateral_loop(source, sigma_spatial, sigma_range))


def test_hybridmsd_bilateral_smooths_within_and_not_across_an_edge():
    random = np.random.default_rng(0)
    step = np.repeat([50.0, 200.0], 20) * np.ones((40, 1))
    smooth = hybridmsd.bilateral(step + random.normal(0, 3, step.shape), 4.0, 12.75)
    assert np.abs(smooth - step).max() < 4
    assert np.std(smooth[:, :20]) < 1.5


def test_hybridmsd_layers_sum_to_the_image():
    source = image((45, 38))
    base, layers = hybridmsd.decompose(source)
    assert len(layers) == 4
    np.testing.assert_allclose(base + sum(texture + edge for texture, edge in layers), source, atol=1e-9)


def test_hybridmsd_puts_the_hot_target_into_the_visible_image():
    rows, columns = np.indices((96, 96))
    infrared = np.where((rows - 48) ** 2 + (columns - 48) ** 2 < 100, 240.0, 40.0)
    visible = 120 + 10 * np.sin(columns / 3)
    fused = hybridmsd.fuse(infrared, visible)
    assert np.ptp(fused[:8] - visible[:8]) < 4  # far from the target the visible texture stays, on another base
    assert fused[48, 48] - fused[48, 10] > 80

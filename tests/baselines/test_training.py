import json

import numpy as np
import pytest
import torch

from ivfnb import cache
from ivfnb.baselines.networks.nestfuse import AutoEncoder
from ivfnb.baselines.training import ddcgan, loop, material, nestfuse, rfn_nest
from ivfnb.baselines.training.ms_ssim import WEIGHTS, ms_ssim
from ivfnb.datasets.manifest import DatasetError


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def random_images(count, side, seed=0):
    return list(np.random.default_rng(seed).integers(0, 256, (count, side, side)).astype(np.uint8))


def gaussian_mean(image, side):
    taps = np.exp(-((np.arange(side) - side // 2) ** 2) / (2 * 1.5**2))
    taps = np.outer(taps, taps) / taps.sum() ** 2
    rows, columns = image.shape[0] - side + 1, image.shape[1] - side + 1
    return np.array([[(image[i : i + side, j : j + side] * taps).sum() for j in range(columns)] for i in range(rows)])


def looped_ms_ssim(first, second, coarsest):
    """Multi-scale SSIM of one pair in loops, for images of which each level has an even side."""
    result = 1.0
    for level, weight in enumerate(WEIGHTS):
        side = min(11, len(first))
        one, two = gaussian_mean(first, side), gaussian_mean(second, side)
        variances = gaussian_mean(first**2, side) - one**2 + gaussian_mean(second**2, side) - two**2
        covariance = gaussian_mean(first * second, side) - one * two
        contrast = (2 * covariance + 7.65**2) / (variances + 7.65**2)
        similarity = contrast * (2 * one * two + 2.55**2) / (one**2 + two**2 + 2.55**2)
        value = contrast.mean() if level < 4 else similarity.mean()
        result *= ((value + 1) / 2) ** (weight * (coarsest if level == 4 else 1))
        first, second = (image.reshape(len(image) // 2, 2, -1, 2).mean((1, 3)) for image in (first, second)) if level < 4 else (0, 0)
    return result


@pytest.mark.parametrize("coarsest", [1, 4])
def test_ms_ssim_is_that_of_loops(coarsest):
    first, second = (image.astype(float) for image in random_images(2, 32))
    second = (first + second) / 2
    ours = ms_ssim(*(torch.from_numpy(image)[None, None] for image in (first, second)), coarsest).item()
    assert ours == pytest.approx(looped_ms_ssim(first, second, coarsest), abs=2e-5)


def test_ms_ssim_of_equal_images_is_one_and_of_others_less():
    first, second = (torch.from_numpy(image)[None, None].float() for image in random_images(2, 64))
    assert ms_ssim(first, first).item() == pytest.approx(1, abs=1e-5)
    assert ms_ssim(first, second).item() < 0.9


class Stopped(Exception):
    """Stands for a run that is killed."""


def stop_after(monkeypatch, steps):
    """Make a run write its checkpoint after each step and break off after some."""
    saved, count = loop.Run.save, [0]

    def save_and_stop(run):
        saved(run)
        count[0] += 1
        if count[0] == steps:
            raise Stopped

    monkeypatch.setattr(loop.Run, "save", save_and_stop)
    return lambda: monkeypatch.setattr(loop.Run, "save", saved)


def trainings():
    auto_encoder = AutoEncoder()
    pairs = list(zip(random_images(3, 40), random_images(3, 40, 1), strict=True))
    photographs = random_images(4, 32)
    small = {"steps": 4, "minutes": None, "batch": 2, "device": "cpu", "checkpoint_seconds": 0.0}
    return {
        "nestfuse": lambda folder, **more: nestfuse.train(nestfuse.Config(**small, **more), photographs, folder),
        "rfn_nest": lambda folder, **more: rfn_nest.train(
            rfn_nest.Config(**small, side=32, photographs=0.5, **more), auto_encoder, pairs, photographs, folder
        ),
        "ddcgan": lambda folder, **more: ddcgan.train(ddcgan.Config(**small, side=24, repeats=3, **more), pairs, folder),
    }


@pytest.mark.parametrize("method", ["nestfuse", "rfn_nest", "ddcgan"])
def test_a_killed_run_ends_in_the_same_bits(method, monkeypatch, tmp_path):
    train = trainings()[method]
    whole, record = train(None)
    go_on = stop_after(monkeypatch, 2)
    with pytest.raises(Stopped):
        train(tmp_path)
    go_on()
    resumed, again = train(tmp_path)
    assert all(torch.equal(tensor, resumed.state_dict()[name]) for name, tensor in whole.state_dict().items())
    assert again["losses"] == record["losses"]
    (log,) = tmp_path.glob(f"{method}-*.csv")
    assert log.read_text().count("\n") == 5
    json.dumps(record)
    other, _ = train(tmp_path, seed=1)
    assert all(torch.equal(tensor, other.state_dict()[name]) for name, tensor in train(None, seed=1)[0].state_dict().items())
    assert len(list(tmp_path.glob(f"{method}-*.pt"))) == 2, "another run begins anew beside the first"


def test_a_run_goes_on_with_the_data_and_the_code_it_began_with(tmp_path, monkeypatch):
    config = nestfuse.Config(steps=1, minutes=None, batch=2, device="cpu")
    for photographs in (random_images(4, 32), random_images(4, 32, 1), random_images(4, 32)):
        nestfuse.train(config, photographs, tmp_path)
    assert len(list(tmp_path.glob("nestfuse-*.pt"))) == 2
    monkeypatch.setattr(cache, "code_hash", lambda *modules: "of a later commit")
    nestfuse.train(config, random_images(4, 32), tmp_path)
    assert len(list(tmp_path.glob("nestfuse-*.pt"))) == 3


@pytest.mark.parametrize("damage", [lambda stored: stored[: len(stored) // 2], lambda stored: b""])
def test_a_damaged_checkpoint_is_one_line_that_names_it(tmp_path, damage):
    config = nestfuse.Config(steps=1, minutes=None, batch=2, device="cpu")
    nestfuse.train(config, random_images(4, 32), tmp_path)
    (left,) = tmp_path.glob("nestfuse-*.pt")
    left.write_bytes(damage(left.read_bytes()))
    with pytest.raises(ValueError, match="found no checkpoint that reads") as raised:
        nestfuse.train(config, random_images(4, 32), tmp_path)
    assert str(raised.value).startswith(str(left))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("method", ["nestfuse", "rfn_nest", "ddcgan"])
def test_another_seed_gives_other_weights(method):
    first, second = (trainings()[method](None, seed=seed)[0].state_dict() for seed in (0, 1))
    assert any(not torch.equal(tensor, second[name]) for name, tensor in first.items())


def test_training_lowers_the_loss_of_the_auto_encoder():
    config = nestfuse.Config(steps=30, minutes=None, batch=2, device="cpu")
    smooth = [np.add.outer(np.arange(32), step * np.arange(32)).astype(np.uint8) for step in (1, 2)]
    net, _ = nestfuse.train(config, smooth)
    target = torch.from_numpy(np.stack(smooth))[:, None].float()
    start = nestfuse._start(target, 0, torch.device("cpu"))
    with torch.no_grad():
        before, after = (((each(target) - target) ** 2).mean() for each in (start, net))
    assert after < before / 2


def test_a_start_never_is_silent():
    images = torch.from_numpy(np.stack(random_images(2, 32)))[:, None].float()
    for seed in range(6):
        assert nestfuse._start(images, seed, torch.device("cpu"))(images).max() > 0


def test_fusion_blocks_learn_without_touching_the_auto_encoder():
    auto_encoder = AutoEncoder()
    before = {name: tensor.clone() for name, tensor in auto_encoder.state_dict().items()}
    pairs = list(zip(random_images(2, 40), random_images(2, 40, 1), strict=True))
    config = rfn_nest.Config(steps=40, minutes=None, batch=2, side=32, device="cpu", tones=False)
    fusion, record = rfn_nest.train(config, auto_encoder, pairs)
    assert all(torch.equal(tensor, before[name]) for name, tensor in auto_encoder.state_dict().items())
    samples = rfn_nest.Samples(pairs, [], config, torch.device("cpu")).batch(0)
    with torch.no_grad():
        fresh = rfn_nest.losses((auto_encoder, type(fusion)()), *samples, config)[0]
        learned = rfn_nest.losses((auto_encoder, fusion), *samples, config)[0]
    assert learned < fresh / 2
    assert record["pairs"] == 2


def test_pairs_stay_registered_when_they_are_cropped():
    image = random_images(1, 50)[0]
    config = rfn_nest.Config(steps=1, side=32, whole=0.0, tones=False)
    infrared, visible = rfn_nest.Samples([(image, image)], [], config, torch.device("cpu")).batch(7)
    assert torch.equal(infrared, visible)
    assert infrared.shape == (4, 1, 32, 32)
    assert infrared.min() >= 0
    assert infrared.max() <= 255


def test_a_curve_of_tones_stays_in_range():
    ramp = torch.linspace(0, 1, 101)
    for seed in range(20):
        random = np.random.default_rng(seed)
        for result in (rfn_nest._toned(ramp, random, 0.6), rfn_nest._remapped(ramp, random)):
            assert result.min() >= 0
            assert result.max() <= 1


def test_generator_and_discriminators_are_those_of_the_paper():
    generator, discriminator = ddcgan.new_generator(), ddcgan.Discriminator(84)
    convolutions = [2 * 48, 48 * 48, 96 * 48, 144 * 48, 192 * 48, 240 * 240, 240 * 128, 128 * 64, 64 * 32, 32]
    norms = 2 * (5 * 48 + 240 + 128 + 64 + 32)
    biases = 5 * 48 + 240 + 128 + 64 + 32 + 1
    assert sum(parameter.numel() for parameter in generator.parameters()) == 9 * sum(convolutions) + norms + biases
    assert discriminator(torch.rand(2, 1, 84, 84)).shape == (2, 1)
    fused = generator(torch.rand(2, 2, 30, 26))
    assert fused.shape == (2, 1, 30, 26)
    assert fused.min() >= 0
    assert fused.max() <= 1


def test_gradient_is_the_mean_of_neighbours_less_the_pixel():
    image = torch.zeros(1, 1, 5, 5)
    image[..., 2, 2] = 8
    expected = torch.zeros(5, 5)
    expected[1:4, 1:4] = 1
    expected[2, 2] = -8
    assert torch.equal(ddcgan._gradient(image)[0, 0], expected)


def test_lengths_and_sizes_are_checked():
    with pytest.raises(ValueError, match="expected at least one of them"):
        nestfuse.train(nestfuse.Config(steps=None, minutes=None), random_images(1, 32))
    with pytest.raises(ValueError, match="all of one size"):
        nestfuse.train(nestfuse.Config(steps=1), [np.zeros((32, 32), np.uint8), np.zeros((32, 40), np.uint8)])
    with pytest.raises(ValueError, match="pairs: found none"):
        rfn_nest.train(rfn_nest.Config(steps=1), AutoEncoder(), [])
    with pytest.raises(ValueError, match="at least 84x84"):
        ddcgan.train(ddcgan.Config(steps=1, device="cpu"), [(np.zeros((40, 40), np.uint8),) * 2])


def test_the_rate_rises_then_falls():
    rates = [loop.falling(progress, 1.0, 0.1) for progress in (0, 0.01, 0.02, 0.51, 1)]
    assert rates == pytest.approx([0.02, 0.5, 1.0, 0.55, 0.1])


def test_minutes_end_a_run(monkeypatch):
    ticks = iter(range(0, 10_000, 20))  # seconds
    monkeypatch.setattr(loop.time, "perf_counter", lambda: next(ticks))
    config = nestfuse.Config(steps=None, minutes=2.0)
    steps = [progress for _, progress in loop.Run("nestfuse", config, {})]
    assert steps[0] == 0
    assert 2 <= len(steps) <= 6
    assert steps == sorted(steps)


def test_prepared_material_is_read_as_it_was_written(tmp_path):
    images = random_images(5, 30)
    names = ["photograph/1", "pair/vot/36/infrared", "pair/vot/36/visible", "published/NestFuse/01", "pair/llvip/a/infrared"]
    found = material.read(material.write(tmp_path / "material.npz", dict(zip(names, images, strict=True))))
    assert all(np.array_equal(found[name], image) for name, image in zip(names, images, strict=True))
    assert np.array_equal(material.photographs_of(found)[0], images[0])
    infrared, visible = material.pairs_of(found, ["vot"])["vot/36"]
    assert np.array_equal(infrared, images[1])
    assert np.array_equal(visible, images[2])
    assert list(material.published_of(found, "NestFuse")) == ["01"]
    with pytest.raises(DatasetError, match="found no image"):
        material.pairs_of(found, ["tno21"])
    with pytest.raises(DatasetError, match="groups: found 'kaist'"):
        material.pairs_of(found, ["kaist"])
    with pytest.raises(DatasetError, match="--prepare"):
        material.read(tmp_path / "absent.npz")

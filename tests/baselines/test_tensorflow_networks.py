"""What DenseFuse, U2Fusion, PMGI, DDcGAN and MEF-GAN have in common: equal to the plain networks, sizes, sources, parameters."""

from collections.abc import Callable
from types import ModuleType
from typing import NamedTuple

import numpy as np
import plain_networks
import pytest
import torch
from tensor_bundles import DENSEFUSE, convolutions

from ivfnb.baselines.common import layers, weights
from ivfnb.baselines.networks import ddcgan, densefuse, mefgan, pmgi, u2fusion
from ivfnb.images import ImageError

pytestmark = pytest.mark.usefixtures("one_thread")


def norms(sizes: dict[str, int]) -> dict[str, tuple[int, ...]]:
    return {f"{scope}/batch_normalization/{moment}": (size,) for scope, size in sizes.items() for moment in mefgan.MOMENTS}


U2FUSION = convolutions(
    {"Generator/encoder/conv1_1": (2, 44), **{f"Generator/encoder/dense_block_conv{number}": (44 * number, 44) for number in range(1, 6)}}
    | {f"Generator_1/decoder/conv2_{number}": size for number, size in enumerate(((264, 128), (128, 64), (64, 32), (32, 1)), 1)}
)
PMGI = {}
for _name, _shape in {
    "1": (5, 5, 3, 16),
    "2": (3, 3, 16, 16),
    "2_3": (1, 1, 32, 16),
    "3": (3, 3, 48, 16),
    "3_4": (1, 1, 32, 16),
    "4": (3, 3, 64, 16),
}.items():
    for _path in ("", "_vi"):
        PMGI |= {f"fusion_model/layer{_name}{_path}/w{_name}{_path}": _shape, f"fusion_model/layer{_name}{_path}/b{_name}{_path}": (16,)}
PMGI |= {"fusion_model/layer5/w5": (1, 1, 128, 1), "fusion_model/layer5/b5": (1,)}
DDCGAN = convolutions(
    {"Generator/encoder/conv1_1": (2, 48), **{f"Generator/encoder/dense_block_conv{number}": (48 * number, 48) for number in range(1, 5)}}
    | {
        f"Generator_1/decoder/conv2_{name}": size
        for name, size in {"1": (240, 240), "1_1": (240, 128), "2": (128, 64), "3": (64, 32), "4": (32, 1)}.items()
    }
) | norms(
    {f"Generator/encoder/b{number}": 48 for number in range(5)}
    | {f"Generator/decoder/b{number}": size for number, size in enumerate((240, 128, 64, 32))}
)
_MEFGAN = {
    "Local_net/conv1": (0, 6, 40),
    **{f"Local_net/conv{number}": (number - 1, 40 * (number - 1), 40) for number in range(2, 6)},
    "Sa_net/encoder/conv1": (5, 6, 16),
    "Sa_net/encoder/conv2": (6, 16, 32),
    "Sa_net/decoder/conv1": (8, 32, 20),
    "Sa_net/decoder/conv2": (9, 20, 16),
    "Merge_net/conv1": (10, 216, 128),
    "Merge_net/conv3": (11, 128, 64),
    "Merge_net/conv4": (12, 64, 3),
}
_PLAIN = ("Local_net/conv1", "Sa_net/encoder/conv1", "Merge_net/conv4")  # without spectral norm
MEFGAN = (
    convolutions({f"Generator{f'_{number}' if number else ''}/{name}": size for name, (number, *size) in _MEFGAN.items()})
    | norms({f"Generator/{name}/b": size[-1] for name, size in _MEFGAN.items()})
    | {f"Generator/{name}/b/u": (1, size[-1]) for name, size in _MEFGAN.items() if name not in _PLAIN}
    | convolutions({f"Generator_7/self_attention/{name}_conv": (32, size) for name, size in {"f": 8, "g": 8, "h": 32}.items()}, side=1)
    | {f"Generator/self_attention/{name}_conv/{name}_conv/u": (1, size) for name, size in {"f": 8, "g": 8, "h": 32}.items()}
    | {"Generator_7/self_attention/gamma": (1,)}
)


class Case(NamedTuple):
    module: ModuleType
    shapes: dict[str, tuple[int, ...]]
    index: str
    plain: Callable[[np.ndarray, np.ndarray, dict[str, np.ndarray]], np.ndarray]
    levels: Callable[[np.ndarray], np.ndarray]
    parameters: dict[str, str]


CASES = {
    "DenseFuse": Case(densefuse, DENSEFUSE, "DeseFuse.ckpt.index", plain_networks.densefuse, lambda output: output / 2, {}),
    "U2Fusion": Case(u2fusion, U2FUSION, "model.ckpt.index", plain_networks.u2fusion, lambda output: output * 255, {}),
    "PMGI": Case(pmgi, PMGI, "CGAN.model-1.index", plain_networks.pmgi, lambda output: output * 127.5 + 127.5, {}),
    "DDcGAN": Case(ddcgan, DDCGAN, "model.ckpt.index", plain_networks.ddcgan, lambda output: output * 255, {}),
    "MEF-GAN": Case(
        mefgan,
        MEFGAN,
        "model.ckpt.index",
        lambda infrared, visible, values: plain_networks.mefgan(visible, infrared, values),
        lambda output: output * 255,
        {"border": "mirrored"},
    ),
}
every = pytest.mark.parametrize("name", CASES)


@every
@pytest.mark.parametrize("pixels", [100, 1 << 20])  # in many chunks of rows, and whole
def test_the_output_is_that_of_the_plain_network(with_invented, pair, monkeypatch, name, pixels):
    case = CASES[name]
    values = with_invented(case.module, case.shapes, case.index)
    monkeypatch.setattr(case.module, "PIXELS", pixels)
    if name == "MEF-GAN":
        monkeypatch.setattr(case.module, "QUERIES", pixels)
    infrared, visible = pair(48, 40)
    expected = case.plain(infrared, visible, values)
    assert np.ptp(expected) > 1e-3
    plain = np.clip(case.levels(expected), 0, 255)
    np.testing.assert_allclose(case.module.fuse(infrared, visible, stretch="none", device="cpu", **case.parameters), plain, atol=2e-3)
    stretched = (expected - expected.min()) * 255 / np.ptp(expected)
    np.testing.assert_allclose(case.module.fuse(infrared, visible, device="cpu", **case.parameters), stretched, atol=0.05)


@every
@pytest.mark.parametrize("size", [(2, 2), (2, 9), (7, 3), (31, 17), (33, 64)])
def test_any_size_is_kept(with_invented, pair, name, size):
    case = CASES[name]
    with_invented(case.module, case.shapes, case.index)
    fused = case.module.fuse(*pair(*size), **case.parameters)
    assert fused.shape == size
    assert fused.dtype == np.float64
    assert np.isfinite(fused).all()
    assert fused.min() == pytest.approx(0, abs=1e-9)
    assert fused.max() == pytest.approx(255, abs=1e-9)


@every
def test_constant_images_have_no_contrast_to_stretch(with_invented, name):
    case = CASES[name]
    with_invented(case.module, case.shapes, case.index)
    flat = np.full((40, 40), 90, np.uint8)
    fused = case.module.fuse(flat, flat, **case.parameters)
    plain = case.module.fuse(flat, flat, stretch="none", **case.parameters)
    if name == "PMGI":  # whose zero padding shows the border
        assert np.ptp(fused) == pytest.approx(255, abs=1e-9)
        assert np.ptp(fused[12:-12, 12:-12]) < 1
    else:
        np.testing.assert_array_equal(fused, plain)
        assert np.ptp(fused) < 0.05


@every
def test_identical_and_swapped_sources(with_invented, pair, name):
    case = CASES[name]
    with_invented(case.module, case.shapes, case.index)
    infrared, visible = pair(40, 48)
    there, back = (case.module.fuse(*sources, **case.parameters) for sources in ((infrared, visible), (visible, infrared)))
    if name == "DenseFuse":  # a sum knows no order
        np.testing.assert_allclose(there, back, atol=1e-3)
    else:
        assert np.abs(there - back).max() > 1
    same = case.module.fuse(infrared, infrared, **case.parameters)
    assert np.isfinite(same).all()
    np.testing.assert_array_equal(same, case.module.fuse(infrared.astype(float), infrared / 1.0, **case.parameters))


@every
def test_unfit_input_is_told(with_invented, pair, name):
    case = CASES[name]
    with_invented(case.module, case.shapes, case.index)
    infrared, visible = pair(16, 16)
    with pytest.raises(ImageError, match="visible: found shape"):
        case.module.fuse(infrared, visible[:-1])
    with pytest.raises(ImageError, match="expected finite"):
        case.module.fuse(infrared, np.full((16, 16), np.nan))
    with pytest.raises(ValueError, match="stretch: found 'more'"):
        case.module.fuse(infrared, visible, stretch="more")
    with pytest.raises(ValueError, match="device: found 'abacus'"):
        case.module.fuse(infrared, visible, device="abacus")


@every
def test_weights_that_are_not_there_are_named_with_the_command(pair, monkeypatch, tmp_path, name):
    case = CASES[name]
    case.module._network.cache_clear()
    monkeypatch.setenv("IVFNB_DATA", str(tmp_path))
    monkeypatch.setattr(weights.listing, "roots", lambda: [tmp_path, tmp_path / "data", tmp_path / "data" / ".unpacked"])
    with pytest.raises(weights.WeightsError, match=f"python -m ivfnb fetch weights/{name}$") as refused:
        case.module.fuse(*pair(16, 16))
    assert "\n" not in str(refused.value)


@every
def test_a_checkpoint_of_another_network_is_refused(with_invented, pair, name):
    case = CASES[name]
    with_invented(case.module, dict(list(case.shapes.items())[1:]), case.index)
    with pytest.raises(ValueError, match="found no variable"):
        case.module.fuse(*pair(16, 16))


@every
def test_weights_are_read_once_and_no_graph_is_kept(with_invented, pair, monkeypatch, name):
    case = CASES[name]
    with_invented(case.module, case.shapes, case.index)
    infrared, visible = pair(16, 24)
    first = case.module.fuse(infrared, visible)
    monkeypatch.setattr(weights, "files", lambda *_: pytest.fail("the weights were looked for again"))
    threads = torch.get_num_threads()
    np.testing.assert_array_equal(case.module.fuse(infrared, visible), first)
    assert torch.get_num_threads() == threads


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@every
def test_cuda_gives_what_the_cpu_gives(with_invented, pair, name):
    case = CASES[name]
    with_invented(case.module, case.shapes, case.index)
    sources = pair(48, 40)
    on = [case.module.fuse(*sources, stretch="none", device=device, **case.parameters) for device in ("cpu", "cuda")]
    np.testing.assert_allclose(*on, atol=0.02)


def test_u2fusion_takes_the_sources_in_either_order(with_invented, pair):
    with_invented(u2fusion, U2FUSION)
    infrared, visible = pair(20, 20)
    np.testing.assert_array_equal(
        u2fusion.fuse(infrared, visible, order="visible first"), u2fusion.fuse(visible, infrared, order="infrared first")
    )
    by_maximum = u2fusion.fuse(infrared, visible, stretch="maximum")
    assert by_maximum.max() == pytest.approx(255)
    plain = u2fusion.fuse(infrared, visible, stretch="none")
    np.testing.assert_allclose(by_maximum, plain * 255 / plain.max(), atol=1e-6)
    with pytest.raises(ValueError, match="order: found 'none'"):
        u2fusion.fuse(infrared, visible, order="none")


def test_mefgan_crops_to_multiples_of_8(with_invented, pair):
    with_invented(mefgan, MEFGAN)
    infrared, visible = pair(45, 39)
    fused = mefgan.fuse(infrared, visible)
    assert fused.shape == (40, 32)
    np.testing.assert_allclose(fused, mefgan.fuse(infrared[:40, :32], visible[:40, :32]), atol=1e-9)
    np.testing.assert_allclose(
        mefgan.fuse(visible, infrared, order="infrared first"), mefgan.fuse(infrared, visible, order="visible first"), atol=1e-9
    )
    with pytest.raises(ImageError, match="at least 8x8"):
        mefgan.fuse(infrared[:7], visible[:7])
    with pytest.raises(ValueError, match="border: found 'cut'"):
        mefgan.fuse(infrared, visible, border="cut")


def test_ddcgan_generator_can_be_trained_and_gives_what_the_frugal_way_gives(with_invented, pair):
    with_invented(ddcgan, DDCGAN)
    torch.manual_seed(0)
    generator = ddcgan.Generator()
    both = layers.stack(*(plane / 255 for plane in pair(24, 20)), device=torch.device("cpu"))
    output = generator(both)
    output.mean().backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in generator.parameters())
    with torch.no_grad():
        np.testing.assert_allclose(ddcgan.generate(both, generator), generator(both), atol=2e-5)
    assert ddcgan.Generator(8, 2, (24, 16)).forward(torch.rand(3, 2, 12, 12)).shape == (3, 1, 12, 12)
    with pytest.raises(ValueError, match="expected the code's 24"):
        ddcgan.Generator(8, 2, (16, 16))


def test_ddcgan_takes_own_weights_of_half_precision(pair, monkeypatch, tmp_path):
    from safetensors.torch import save_file

    monkeypatch.setattr(ddcgan, "own_weights", lambda: tmp_path / "ddcgan.safetensors")
    ddcgan._network.cache_clear()
    infrared, visible = pair(24, 20)
    with pytest.raises(weights.WeightsError, match=r"found no .*ddcgan\.safetensors"):
        ddcgan.fuse(infrared, visible, trained="here")
    torch.manual_seed(0)
    state = {name: value.half() for name, value in ddcgan.Generator().state_dict().items()}
    save_file(state, tmp_path / "ddcgan.safetensors")
    assert ddcgan.fuse(infrared, visible, trained="here").shape == (24, 20)
    ddcgan._network.cache_clear()
    with pytest.raises(ValueError, match="trained: found 'elsewhere'"):
        ddcgan.fuse(infrared, visible, trained="elsewhere")


@pytest.mark.parametrize(("name", "shapes"), [("DDcGAN", DDCGAN), ("MEF-GAN", MEFGAN)])
def test_the_authors_index_has_the_variables_the_loader_asks_for(shared_data, name, shapes):
    from ivfnb.baselines.common import tensor_bundle

    index = shared_data / "published-weights" / name / "model.ckpt.index"
    if not index.is_file():
        pytest.skip(f"no index of {name} below IVFNB_DATA")
    described = tensor_bundle.entries(index)
    assert {variable: described[variable].shape for variable in shapes} == shapes
    asked = ddcgan.tensorflow_names().values() if name == "DDcGAN" else mefgan.variables()
    assert set(asked) <= set(shapes)

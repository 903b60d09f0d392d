import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from ivfnb import datasets
from ivfnb.baselines.common import own_weights, weights
from ivfnb.baselines.networks import nestfuse, rfn_nest
from ivfnb.datasets.manifest import DatasetError
from ivfnb.images import ImageError


@pytest.fixture(scope="module")
def nets():
    """Both networks with random weights whose outputs have contrast."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        auto_encoder, fusion = nestfuse.AutoEncoder(), rfn_nest.FusionNetwork()
        with torch.no_grad():
            for layer in (auto_encoder.conv_out.conv2d,):
                layer.weight.abs_()
                layer.bias.zero_()
    return auto_encoder.eval(), fusion.eval()


@pytest.fixture(params=["nestfuse", "rfn_nest"])
def fuse(request, nets):
    if request.param == "nestfuse":
        return lambda infrared, visible: nestfuse.fuse_with(nets[0], infrared, visible)
    return lambda infrared, visible: rfn_nest.fuse_with(nets, infrared, visible)


def pair(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (2, height, width)).astype(np.uint8)


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_parameters_are_as_many_as_the_authors(nets):
    assert count(nets[0]) == 2_732_761
    assert count(nets[1]) == 4_791_488


@pytest.mark.parametrize("shape", [(2, 2), (3, 19), (16, 17), (31, 33), (45, 64)])
def test_any_size_gives_whole_levels_over_the_full_range(fuse, shape):
    fused = fuse(*pair(*shape))
    assert fused.shape == shape
    assert fused.dtype == np.float64
    assert np.array_equal(fused, np.floor(fused))
    assert fused.min() == 0
    assert fused.max() == 255


def test_constant_sources_give_their_mean(fuse):
    infrared, visible = np.full((20, 24), 10.0), np.full((20, 24), 91.0)
    assert np.array_equal(fuse(infrared, visible), np.full((20, 24), 50.0))


def test_identical_sources_leave_nestfuse_with_their_reconstruction(nets):
    image = pair(32, 40)[0]
    with torch.inference_mode():
        own = nets[0](torch.from_numpy(image).float()[None, None])[0, 0].double().numpy()
    expected = nestfuse.stretched(own, image, image)
    assert np.abs(nestfuse.fuse_with(nets[0], image, image) - expected).max() <= 1  # truncation at a whole level


def test_swapped_sources_change_rfn_nest_but_not_nestfuse(nets):
    infrared, visible = pair(32, 32)
    swapped = nestfuse.fuse_with(nets[0], visible, infrared)
    assert np.abs(nestfuse.fuse_with(nets[0], infrared, visible) - swapped).max() <= 1
    assert np.abs(rfn_nest.fuse_with(nets, infrared, visible) - rfn_nest.fuse_with(nets, visible, infrared)).max() > 1


def test_other_sizes_and_colour_are_refused(fuse):
    with pytest.raises(ImageError, match="visible: found shape"):
        fuse(np.zeros((20, 20)), np.zeros((20, 21)))
    with pytest.raises(ImageError, match="expected a grey image"):
        fuse(np.zeros((20, 20, 3)), np.zeros((20, 20, 3)))


def test_attention_by_hand():
    infrared, visible = torch.tensor([[[[3.0, 1.0]], [[1.0, 1.0]]]]), torch.tensor([[[[1.0, 1.0]], [[1.0, 3.0]]]])
    channels = [(2, 1), (1, 2)]  # means of the two channels in infrared and visible
    places = [(2.0, 1.0), (1.0, 2.0)]  # means of the two pixels
    expected = np.zeros((2, 2))
    for channel in range(2):
        for pixel in range(2):
            of_channel = np.array(channels[channel]) / (3 + 1e-5)
            of_place = np.exp([places[pixel][0], places[pixel][1]])
            shares = (of_channel + of_place / of_place.sum()) / 2
            expected[channel, pixel] = shares @ [infrared[0, channel, 0, pixel], visible[0, channel, 0, pixel]]
    assert np.allclose(nestfuse.attention(infrared, visible)[0, :, 0].numpy(), expected, atol=1e-6)


def test_attention_stays_finite_at_large_features():
    features = torch.full((1, 4, 3, 3), 1e4)
    assert torch.isfinite(nestfuse.attention(features, features / 2)).all()


@pytest.mark.parametrize(("shape", "number"), [((512, 512), 1), ((513, 512), 4), ((576, 768), 4), ((3, 600), 4), ((2, 513), 4)])
def test_blocks_cover_the_image_and_overlap_by_five(shape, number):
    covered = np.zeros(shape, int)
    for place in nestfuse.blocks(*shape):
        covered[place] += 1
    assert len(nestfuse.blocks(*shape)) == number
    assert covered.min() >= 1
    if number == 4 and min(shape) > 8:
        assert np.count_nonzero(covered[0] == 2) == 5
        assert np.count_nonzero(covered == 4) == 25


def test_overlaps_of_blocks_are_averaged(monkeypatch):
    monkeypatch.setattr(nestfuse, "WHOLE_UP_TO", 40)
    infrared, visible = pair(44, 30).astype(float)
    values = iter([1.0, 3.0, 5.0, 7.0])
    result = nestfuse.in_blocks(infrared, visible, lambda first, second: torch.full_like(first, next(values)), "cpu")
    assert result[0, 0] == 1
    assert result[0, 15] == 2
    assert result[22, 15] == 4
    assert result[43, 29] == 7


@pytest.mark.parametrize("method", ["nestfuse", "rfn_nest"])
def test_own_weights_come_back_within_half_precision(method, nets, tmp_path):
    net = nets[0] if method == "nestfuse" else nets[1]
    file = own_weights.save(net, tmp_path / "weights.safetensors", {"seed": 3, "losses": {"loss": 1.5}})
    assert file.stat().st_size <= 10_000_000
    loaded = own_weights.load(type(net)(), file)
    assert own_weights.record(file) == {"seed": 3, "losses": {"loss": 1.5}}
    for name, tensor in net.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor.half().float())


def authors_names(names, side):
    """Names in the authors' state dict, written out by hand: module, then conv2d, then weight and bias."""
    assert side in ("nestfuse", "rfn_nest")
    return {f"{name}.conv2d.{kind}" for name in names for kind in ("weight", "bias")}


def test_state_dict_names_are_the_authors(nets):
    scales = ["DB1_0", "DB2_0", "DB3_0", "DB4_0", "DB1_1", "DB2_1", "DB3_1", "DB1_2", "DB2_2", "DB1_3"]
    names = ["conv0", "conv_out", *(f"{scale}.denseblock.{layer}" for scale in scales for layer in (0, 1))]
    assert nets[0].state_dict().keys() == authors_names(names, "nestfuse")
    parts = ["conv_fusion", "conv_ir", "conv_vi", "bottelblock.0", "bottelblock.1", "bottelblock.2"]
    names = [f"fusion_block{block}.{part}" for block in (1, 2, 3, 4) for part in parts]
    assert nets[1].state_dict().keys() == authors_names(names, "rfn_nest")


def invented(net, seed=5):
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.rand(tensor.shape, generator=generator) for name, tensor in net.state_dict().items()}


@pytest.fixture
def authors(tmp_path, monkeypatch, nets):
    """Files of invented values where the authors' fetched ones are looked for."""
    folder = tmp_path / "published-weights"
    monkeypatch.setattr(weights, "_fault", lambda *_: None)  # invented values have no pinned hash
    states = invented(nets[0]), invented(nets[1])
    for method, name, state in (("NestFuse", "nestfuse_1e2.model", states[0]), ("RFN-Nest", "RFN_Nest.model", states[1])):
        (folder / method).mkdir(parents=True)
        torch.save(state, folder / method / name)
    monkeypatch.setenv("IVFNB_DATA", str(tmp_path))
    return folder, states


def test_authors_files_are_read(authors):
    _, states = authors
    for net, state in zip(rfn_nest.load("authors"), states, strict=True):
        assert all(torch.equal(net.state_dict()[name], tensor) for name, tensor in state.items())


def test_authors_archive_is_read(authors):
    import zipfile

    folder, states = authors
    file = folder / "RFN-Nest" / "RFN_Nest.model"
    with zipfile.ZipFile(folder / "RFN-Nest" / "rfn_twostage.zip", "w") as archive:
        archive.write(file, f"rfn_twostage/6.0/{rfn_nest.AUTHORS_MEMBER}")
    file.unlink()
    state = rfn_nest.load("authors")[1].state_dict()
    assert all(torch.equal(state[name], tensor) for name, tensor in states[1].items())


def test_wrong_names_shapes_and_files_are_refused(authors):
    folder, (state, _) = authors
    file = folder / "NestFuse" / "nestfuse_1e2.model"
    torch.save({**state, "conv0.conv2d.weight": torch.zeros(16, 1, 3, 3)}, file)
    with pytest.raises(ValueError, match=r"nestfuse_1e2\.model: found conv0\.conv2d\.weight of \(16, 1, 3, 3\) for \(16, 1, 1, 1\)"):
        nestfuse.load("authors")
    torch.save({name: tensor for name, tensor in state.items() if name != "conv0.conv2d.bias"} | {"other": torch.zeros(1)}, file)
    with pytest.raises(ValueError, match=r"found no conv0\.conv2d\.bias; other, which has no place, expected"):
        nestfuse.load("authors")
    file.write_bytes(b"no weights")
    with pytest.raises(ValueError, match="found no readable PyTorch file"):
        nestfuse.load("authors")
    with pytest.raises(ValueError, match="weights: found 'theirs'"):
        nestfuse.load("theirs")


def test_absent_authors_files_say_how_to_get_them(tmp_path, monkeypatch):
    monkeypatch.setenv("IVFNB_DATA", str(tmp_path))
    with pytest.raises(DatasetError, match="ivfnb fetch weights/NestFuse"):
        nestfuse.fuse(*pair(20, 20), weights="authors")


def agreement(method, fuse, ids):
    if not own_weights.path(method).is_file():
        pytest.skip(f"data/weights/{method}.safetensors is not there")
    name = {"nestfuse": "NestFuse", "rfn_nest": "RFN-Nest"}[method]
    try:
        published, sources = datasets.dataset(f"published-tno21/{name}"), datasets.dataset("tno21")
    except DatasetError as error:
        pytest.skip(str(error))
    return [
        structural_similarity(fuse(sources[id].infrared, sources[id].visible).astype(np.uint8), published[id].fused, data_range=255)
        for id in ids
    ]


def test_own_weights_agree_with_published_images():
    assert min(agreement("nestfuse", nestfuse.fuse, ["01", "11"])) > 0.99


def test_own_fusion_blocks_agree_with_published_images():
    assert min(agreement("rfn_nest", rfn_nest.fuse, ["01", "11"])) > 0.9

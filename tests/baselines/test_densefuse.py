"""DenseFuse against the published images, and its four checkpoints."""

import io
import zipfile

import numpy as np
import pytest
import tensor_bundles
from skimage.metrics import structural_similarity
from tensor_bundles import DENSEFUSE

from ivfnb.baselines.common import weights
from ivfnb.baselines.networks import densefuse
from ivfnb.images import to_uint8

STEM = "densefuse_gray/densefuse_model_bs2_epoch4_all_weight_1e{}.ckpt"


def test_published_images_to_a_level(published):
    fused, sources = published("DenseFuse")
    assert len(fused) == 17
    agreement = []
    for id in ("06", "08", "11", "16"):
        own = to_uint8(densefuse.fuse(sources[id].infrared, sources[id].visible))
        assert np.abs(own.astype(int) - fused[id].fused).max() <= 1
        agreement.append(structural_similarity(own, fused[id].fused, data_range=255))
    assert np.mean(agreement) > 0.99999


def test_other_lambdas_are_other_networks_and_not_those_of_the_published_images(published):
    fused, sources = published("DenseFuse")
    if not weights.is_at_hand("DenseFuse", densefuse.ARCHIVE):
        pytest.skip(f"no {densefuse.ARCHIVE} below IVFNB_DATA")
    pair, there = sources["11"], fused["11"].fused
    similar = {
        ssim_weight: structural_similarity(to_uint8(densefuse.fuse(pair.infrared, pair.visible, ssim_weight)), there, data_range=255)
        for ssim_weight in densefuse.LAMBDAS
    }
    assert similar[100] > 0.99999
    assert all(0.99 < value < 0.9999 for ssim_weight, value in similar.items() if ssim_weight != 100)


def test_the_archive_holds_the_redistributed_checkpoint(shared_data):
    if not weights.is_at_hand("DenseFuse") or not weights.is_at_hand("DenseFuse", densefuse.ARCHIVE):
        pytest.skip("not both checkpoints of lambda 100 below IVFNB_DATA")
    one = densefuse.checkpoint(100)
    other = densefuse.of_archive(weights.files("DenseFuse", densefuse.ARCHIVE)[densefuse.ARCHIVE], 100)
    assert len(one) == 16
    assert all(np.array_equal(value, other[name]) for name, value in one.items())


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """An archive of four invented checkpoints, in each of which all values are the logarithm of its lambda."""
    place = tmp_path / densefuse.ARCHIVE
    with zipfile.ZipFile(place, "w") as content:
        for power in range(4):
            written = {name: np.full(shape, power, np.float32) for name, shape in DENSEFUSE.items()}
            pairs, data = tensor_bundles.encoded(written)
            content.writestr(STEM.format(power) + ".index", tensor_bundles.table(pairs))
            content.writestr(STEM.format(power) + ".data-00000-of-00001", data)
    monkeypatch.setattr(weights, "files", lambda *_: {densefuse.ARCHIVE: place})
    monkeypatch.setattr(weights, "is_at_hand", lambda method, *names: names == (densefuse.ARCHIVE,))
    return place


@pytest.mark.parametrize(("ssim_weight", "value"), [(1, 0), (10, 1), (100, 2), (1000, 3)])
def test_each_lambda_has_its_checkpoint_in_the_archive(archive, ssim_weight, value):
    assert all((part == value).all() for part in densefuse.checkpoint(ssim_weight).values())


def test_what_is_wrong_with_an_archive_is_told(archive, monkeypatch):
    with pytest.raises(ValueError, match="ssim_weight: found 5"):
        densefuse.checkpoint(5)
    monkeypatch.setattr(densefuse, "MEMBER_LIMIT", 1000)
    with pytest.raises(ValueError, match=r"densefuse_gray\.zip: found .*expected at most 1000"):
        densefuse.checkpoint(1)
    stream = io.BytesIO()
    zipfile.ZipFile(stream, "w").close()
    archive.write_bytes(stream.getvalue())
    with pytest.raises(ValueError, match=r"densefuse_gray\.zip: found no .*1e1\.ckpt\.index"):
        densefuse.checkpoint(10)
    archive.write_bytes(b"PK")
    with pytest.raises(ValueError, match=r"densefuse_gray\.zip: found"):
        densefuse.checkpoint(10)

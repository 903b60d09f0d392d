"""Images behind URLs: those of a folder in memory, which fsspec serves as it serves a bucket."""

import numpy as np
import pytest

from ivfnb import images
from ivfnb.datasets import DatasetError, ImagePair, dataset, remote

fsspec = pytest.importorskip("fsspec")


@pytest.fixture
def bucket(tmp_path, monkeypatch):
    """Two folders of two images each, and the cache apart."""
    monkeypatch.setenv("IVFNB_CACHE", str(tmp_path / "cache"))
    system = fsspec.filesystem("memory")
    for role in ("ir", "vis"):
        for level, name in enumerate(("one", "two"), start=10 if role == "ir" else 20):
            file = images.write_image(tmp_path / "x.png", np.full((40, 48), level, np.uint8))
            system.pipe_file(f"/bucket/{role}/{name}.png", file.read_bytes())
    yield system
    system.rm("/bucket", recursive=True)


def test_a_folder_behind_a_url_is_a_set_of_pairs(bucket, tmp_path):
    pairs = dataset("folder", infrared="memory://bucket/ir", visible="memory://bucket/vis")
    assert pairs.ids == ["one", "two"]
    assert [(int(pair.infrared[0, 0]), int(pair.visible[0, 0]), pair.infrared.shape) for pair in pairs] == [
        (10, 20, (40, 48)),
        (11, 21, (40, 48)),
    ]
    assert len(list((tmp_path / "cache" / "remote").rglob("*.png"))) == 4


def test_a_copy_is_used_again_until_the_original_changes(bucket, tmp_path):
    url = "memory://bucket/ir/one.png"
    first = remote.local(url)
    assert remote.local(url) == first
    bucket.pipe_file("/bucket/ir/one.png", images.write_image(tmp_path / "x.png", np.full((9, 9), 77, np.uint8)).read_bytes())
    assert images.read_gray(remote.local(url))[0, 0] == 77


def test_what_is_not_there_is_named(bucket):
    with pytest.raises(DatasetError, match=r"memory://bucket/ir/three\.png: found nothing to read"):
        _ = ImagePair("three", "memory://bucket/ir/three.png", "memory://bucket/vis/one.png").infrared
    with pytest.raises(DatasetError, match="infrared: found no folder memory://bucket/thermal"):
        dataset("folder", infrared="memory://bucket/thermal", visible="memory://bucket/vis")
    with pytest.raises(DatasetError, match="found a URL that cannot be opened"):
        remote.local("nosuchscheme://bucket/one.png")
    bucket.rm("/bucket/vis/two.png")
    with pytest.raises(DatasetError, match="found two in one alone, expected images of the same names"):
        dataset("folder", infrared="memory://bucket/ir", visible="memory://bucket/vis")

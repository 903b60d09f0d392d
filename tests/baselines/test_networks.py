"""What the published networks share: strips, devices, and which weights are let in."""

import numpy as np
import pytest
import torch

from ivfnb.baselines.common import layers, networks
from ivfnb.datasets import DatasetError


@pytest.mark.parametrize(
    ("height", "width", "halo", "step"), [(1, 1, 5, 1), (2, 700, 4, 2), (97, 33, 12, 4), (480, 640, 32, 8), (301, 999, 5, 1)]
)
def test_strips_cover_the_image_once_and_read_their_halo(height, width, halo, step):
    found = list(networks.strips((height, width), halo, step, pixels=4096))
    assert np.concatenate([np.arange(rows.start, rows.stop) for rows, _ in found]).tolist() == list(range(height))
    for rows, read in found:
        assert rows.start % step == read.start % step == 0
        assert (read.start, read.stop) == (max(rows.start - halo, 0), min(rows.stop + halo, height))


def test_devices():
    assert layers.choose_device("cpu") == torch.device("cpu")
    assert layers.choose_device() == torch.device("cuda" if torch.cuda.is_available() else "cpu")
    with pytest.raises(ValueError, match="device: found 'abacus', expected 'auto', 'cpu' or 'cuda'"):
        layers.choose_device("abacus")
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="device: found 'cuda', expected 'auto', 'cpu' or, where"):
            layers.choose_device("cuda")


def test_inference_leaves_the_settings_as_they_were():
    before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    with layers.inference():
        assert torch.is_inference_mode_enabled()
        assert not torch.backends.cudnn.allow_tf32
        assert not torch.backends.cuda.matmul.allow_tf32
    assert (torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32) == before


def test_missing_weights_name_the_command(tmp_path, monkeypatch):
    monkeypatch.setenv("IVFNB_DATA", str(tmp_path))
    for name in ("IFCNN-MAX.pth", "IFCNN-SUM.pth"):
        with pytest.raises(DatasetError, match=rf"IFCNN: found no published-weights/IFCNN/{name} below .* ivfnb fetch weights/IFCNN"):
            networks.weight_file("IFCNN", name)
    with pytest.raises(ValueError, match=r"IFCNN: found the file name 'other.pth', expected one of IFCNN-MAX.pth"):
        networks.weight_file("IFCNN", "other.pth")


def test_state_dicts_run_no_code_and_hold_tensors(tmp_path):
    path = tmp_path / "weights.pth"
    for content, found in [(networks.DatasetError, "no readable weights"), ([torch.zeros(1)], "list"), ({"a": 1}, "dict")]:
        torch.save(content, path)
        with pytest.raises(DatasetError, match=f"weights.pth: found {found}"):
            networks.load_state(path)
    path.write_bytes(b"no weights")
    with pytest.raises(DatasetError, match=r"weights.pth: found no readable weights"):
        networks.load_state(path)
    torch.save({"a": torch.ones(2)}, path)
    assert networks.load_state(path)["a"].tolist() == [1, 1]


def test_weights_of_other_names_shapes_and_values_are_refused(tmp_path):
    path, expected = tmp_path / "weights.pth", {"a": (2,), "b": (3, 1)}
    fit = {"a": torch.zeros(2), "b": np.zeros((3, 1))}
    networks.check_weights(fit, expected, path)
    for found, message in [
        ({"a": fit["a"]}, "found no b, expected the weights"),
        ({**fit, "c": fit["a"]}, "found an unknown c, expected the weights"),
        ({**fit, "b": torch.zeros(1, 3)}, r"found b of shape \(1, 3\), expected \(3, 1\)"),
        ({**fit, "a": torch.tensor([1, torch.nan])}, "found a with values that are not finite"),
    ]:
        with pytest.raises(DatasetError, match=f"weights.pth: {message}"):
            networks.check_weights(found, expected, path)

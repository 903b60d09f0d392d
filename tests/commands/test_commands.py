"""The command line: every command has help, bad input ends in a message and code 2, fusing files works."""

import subprocess
import sys

import numpy as np
import pytest

from ivfnb import commands, fusion, images
from ivfnb.baselines import BASELINES
from ivfnb.classifier import network
from ivfnb.datasets import dataset


@pytest.mark.parametrize("command", list(commands.COMMANDS))
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as stopped:
        commands.main([command, "--help"])
    assert stopped.value.code == 0
    assert f"usage: ivfnb {command}" in capsys.readouterr().out


def test_help_does_not_import_torch():
    code = "import sys; from ivfnb import commands\ntry: commands.main(['--help'])\nexcept SystemExit: pass\nprint('torch' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.split()[-1] == "False"


@pytest.fixture
def pair():
    return dataset("sample")[0]


def test_fuse_files(pair, tmp_path, capsys):
    """A pair of files gives what `fuse` gives, and its weight map."""
    infrared, visible = (images.write_image(tmp_path / f"{role}.png", getattr(pair, role)[:96, :104]) for role in ("infrared", "visible"))
    fused, weights = tmp_path / "out" / "fused.png", tmp_path / "out" / "weight.png"
    arguments = ["fuse", "--infrared", infrared, "--visible", visible, "--output", fused, "--weight-map", weights]
    assert commands.main([str(argument) for argument in arguments]) == 0
    expected = fusion.fuse(images.read_gray(infrared), images.read_gray(visible), network.load())
    assert np.array_equal(images.read_gray(fused), expected.fused)
    assert np.array_equal(images.read_gray(weights), images.to_uint8(255 * expected.weight_map))
    assert str(fused) in capsys.readouterr().out


def test_fuse_folders(pair, tmp_path):
    for role in ("infrared", "visible"):
        for name, corner in (("one", 0), ("two", 40)):
            images.write_image(tmp_path / role / f"{name}.png", getattr(pair, role)[corner : corner + 64, :72])
    arguments = ["fuse", "--infrared", tmp_path / "infrared", "--visible", tmp_path / "visible", "--output", tmp_path / "fused"]
    assert commands.main([str(argument) for argument in arguments]) == 0
    assert sorted(path.name for path in (tmp_path / "fused").iterdir()) == ["one.png", "two.png"]


@pytest.mark.parametrize("method", ["CBF", "HybridMSD (exchanged)"])
def test_fuse_by_a_comparison_method(pair, tmp_path, method):
    """Grey as the method gives it; of a coloured visible image the luma is fused and the hue stays."""
    infrared = images.write_image(tmp_path / "infrared.png", pair.infrared[:96, :104])
    gray = pair.visible[:96, :104]
    colour = np.stack([gray, gray // 2, gray // 3], axis=2)
    for name, visible in (("gray", gray), ("colour", colour)):
        file = images.write_image(tmp_path / f"{name}.png", visible)
        arguments = ["fuse", "--infrared", infrared, "--visible", file, "--output", tmp_path / f"{name}_fused.png", "--method", method]
        assert commands.main([str(argument) for argument in arguments]) == 0
    expected = images.to_uint8(BASELINES[method].fuse(pair.infrared[:96, :104], gray))
    assert np.array_equal(images.read_gray(tmp_path / "gray_fused.png"), expected)
    fused = images.read_color(tmp_path / "colour_fused.png").astype(float)
    luma = BASELINES[method].fuse(pair.infrared[:96, :104], images.to_gray(colour))
    inside = ((fused > 0) & (fused < 255)).all(axis=2)
    assert inside.mean() > 0.5
    assert np.abs(images.to_ycbcr(fused)[..., 0] - luma)[inside].max() < 1.5


def test_an_unknown_method_lists_the_known_ones(tmp_path, pair, capsys):
    file = images.write_image(tmp_path / "a.png", pair.infrared)
    arguments = ["fuse", "--infrared", file, "--visible", file, "--output", tmp_path / "out.png", "--method", "Magic"]
    assert commands.main([str(argument) for argument in arguments]) == 2
    assert "found 'Magic', expected one of Mean, Maximum" in capsys.readouterr().err


def test_bad_input_is_named(tmp_path, capsys):
    arguments = ["fuse", "--infrared", tmp_path / "no.png", "--visible", tmp_path / "no.png", "--output", tmp_path / "out.png"]
    assert commands.main([str(argument) for argument in arguments]) == 2
    assert "no.png" in capsys.readouterr().err
    arguments[2] = tmp_path
    assert commands.main([str(argument) for argument in arguments]) == 2
    assert "expected two folders or two files" in capsys.readouterr().err
    assert not (tmp_path / "out.png").exists()

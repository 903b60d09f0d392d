"""How `fuse` fuses: protocols with fields changed, methods with parameters, levels, devices; and how it refuses."""

from pathlib import Path

import numpy as np
import pytest
from doors import command, cut, fuse, put_pair

from ivfnb import fusion
from ivfnb.baselines import BASELINES
from ivfnb.evaluation.recipe import Recipe, recipe
from ivfnb.fusion import AS_RELEASED, Protocol
from ivfnb.images import read_gray, to_gray, to_uint8, write_image


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path, Path]:
    return (*put_pair(tmp_path / "ir.png", tmp_path / "vis.png", size=64), tmp_path / "fused.png")


def test_fields_of_the_protocol_are_set(pair: tuple):
    assert (
        fuse(*pair, "--set", "classifier=gradient_energy", "--set", "size=40,48", "--set", "eight_bit=true", "--set", "ssr_sigma=20") == 0
    )
    protocol = Protocol(classifier="gradient_energy", size=(40, 48), eight_bit=True, ssr_sigma=20.0)
    expected = fusion.fuse(read_gray(pair[0]), read_gray(pair[1]), protocol=protocol)
    assert np.array_equal(read_gray(pair[2]), expected.fused)


def test_parameters_of_a_method_are_set(pair: tuple):
    assert fuse(*pair, "--method", "MDLatLRR", "--set", "levels=1") == 0
    expected = BASELINES["MDLatLRR (level 1)"].fuse(*(read_gray(path) for path in pair[:2]))
    assert np.array_equal(read_gray(pair[2]), to_uint8(expected))


def test_a_recipe_gives_the_stages_and_can_be_sent_elsewhere():
    import pickle

    infrared, visible = cut(size=64)
    chosen = pickle.loads(pickle.dumps(recipe(protocol="released", settings={"classifier": "none"})))
    cooked = chosen.fuse(infrared, visible)
    assert chosen.name == "as released, classifier=none"
    assert cooked.stages is not None
    assert cooked.stages.protocol == chosen.protocol != AS_RELEASED
    assert cooked.weight_map is not None
    assert Recipe("Mean").fuse(infrared, visible).stages is None
    assert chosen.key() != recipe(protocol="released").key()


def test_another_precision_of_the_network_is_another_image(pair: tuple):
    """What is remembered of one precision is not taken for the other."""
    assert fuse(*pair, "--protocol", "paper", "--precision", "bfloat16", "--device", "cpu") == 0
    infrared, visible = (read_gray(path) for path in pair[:2])
    low, full = (recipe(device="cpu", precision=precision) for precision in ("bfloat16", "float32"))
    assert np.array_equal(read_gray(pair[2]), low.fuse(infrared, visible).fused)
    difference = np.abs(low.fuse(infrared, visible).stages.scores - full.fuse(infrared, visible).stages.scores)
    assert 0 < difference.max() < 1
    assert low.key() != full.key()
    assert "precision" not in full.key(), "images made before there was a choice keep their key"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--set", "tie=score"), "field: found 'tie', expected one of size, stride, classifier"),
        (("--set", "ties=nobody"), "ties: found 'nobody', expected one of"),
        (("--set", "stride"), "--set: found 'stride', expected FIELD=VALUE"),
        (("--set", "stride=0"), "stride: found 0, expected whole pixels, 1 to 32"),
        (("--set", "eight_bit=maybe"), "eight_bit: found 'maybe', expected one of (False, True)"),
        (("--method", "CBF", "--set", "magic=1"), "CBF: found the parameter 'magic', expected one of"),
        (("--method", "CBF", "--protocol", "paper"), "--method: found --protocol beside it"),
        (("--method", "CBF", "--weights", "eresnet-gray"), "--method: found --weights beside it"),
        (("--method", "CBF", "--precision", "bfloat16"), "precision: found 'bfloat16' beside the method CBF, expected none"),
        (("--protocol", "paper", "--precision", "tf32", "--device", "cpu"), "precision: found 'tf32' on cpu, expected one of"),
        (("--method", "CBF", "--device", "cuda"), "device: found 'cuda', expected 'auto' or 'cpu': CBF runs on the processor"),
        (("--set", "ssr=none", "--weights", "nothing"), "weights nothing: found no such file"),
        (("--set", "ssr=none", "--device", "abacus"), "device: found 'abacus', expected"),
        (("--method", "DenseFuse"), "ivfnb fetch weights/DenseFuse"),
        (("--levels", "high"), "--levels: found 'high', expected 'full', 'minmax' or LOW:HIGH"),
        (("--levels-infrared", "9:3"), "--levels-infrared: found '9:3'"),
        (("--pattern-infrared", "{id}_T.png"), "found them with two files, expected two folders"),
        (("--left", "infrared"), "expected --infrared and --visible, or --side-by-side and --left"),
        (("--jobs", "0"), "workers: found 0"),
        (("--jobs", "many"), "argument --jobs: invalid int value: 'many' (see ivfnb fuse --help)"),
    ],
)
def test_what_cannot_be_is_one_line(pair: tuple, words: tuple, message: str, capsys, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("IVFNB_DATA", str(tmp_path))  # without any weights of others
    try:
        code = fuse(*pair, *words)
    except SystemExit as stopped:
        code = int(str(stopped.code))
    said = capsys.readouterr().err
    if words == ("--jobs", "0"):  # one pair alone needs no workers
        assert code == 0
        return
    assert code == 2
    assert message in said
    assert said.count("\n") == 1
    assert not pair[2].exists()


def test_the_traceback_is_shown_on_demand(pair: tuple, capsys):
    pair[1].write_bytes(b"no image")
    assert fuse(*pair) == 2
    assert "Traceback" not in (short := capsys.readouterr().err)
    assert fuse(*pair, "--debug") == 2
    said = capsys.readouterr().err
    assert "Traceback (most recent call last)" in said
    assert said.splitlines()[-1] == short.strip()


def test_an_error_of_the_program_is_one_line_too(pair: tuple, monkeypatch: pytest.MonkeyPatch, capsys):
    def broken(*_: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr("ivfnb.commands.fuse._plan", broken)
    assert fuse(*pair) == 70
    assert capsys.readouterr().err == "ivfnb fuse: found an error of the program itself, KeyError: 'x'; --debug shows where\n"


def test_levels_of_a_deep_infrared_image(tmp_path: Path, capsys):
    infrared, visible = cut(size=64)
    write_image(tmp_path / "vis.png", visible)
    import cv2

    cv2.imwrite(str(tmp_path / "deep.png"), 2000 + infrared.astype(np.uint16) * 4)
    target = tmp_path / "fused.png"
    assert fuse(tmp_path / "deep.png", tmp_path / "vis.png", target) == 0
    assert "warning: " in (said := capsys.readouterr().err)
    assert "deep.png" in said
    assert said.count("\n") == 1
    assert fuse(tmp_path / "deep.png", tmp_path / "vis.png", target, "--levels", "2000:3020") == 0
    assert "warning" not in capsys.readouterr().err
    expected = (infrared.astype(float) + to_gray(visible)) / 2
    assert np.abs(read_gray(target) - expected).max() <= 1
    assert fuse(tmp_path / "deep.png", tmp_path / "vis.png", target, "--levels", "2000:3020") == 0
    assert fuse(tmp_path / "deep.png", tmp_path / "vis.png", target, "--levels-infrared", "2000:4000") == 0
    assert "1 fused" in capsys.readouterr().out.splitlines()[-1]


def test_the_command_alone_says_what_it_needs(capsys):
    with pytest.raises(SystemExit) as stopped:
        command("fuse")
    assert stopped.value.code == 2
    assert capsys.readouterr().err == "ivfnb fuse: the following arguments are required: --output (see ivfnb fuse --help)\n"

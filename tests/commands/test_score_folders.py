"""`score` of folders: sources found as `fuse` finds them, several methods, means with intervals and ranks, what is left out is said."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from doors import command, cut, fuse, put_pair

from ivfnb import paths
from ivfnb.datasets import dataset
from ivfnb.evaluation import evaluate, method
from ivfnb.images import matlab_imresize, read_color, read_gray, to_gray, write_image
from ivfnb.metrics import score
from ivfnb.report import bounds

IDS = ("astronaut", "camera", "chelsea", "coffee")


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Four pairs, and two methods' images of them."""
    for id in IDS:
        put_pair(tmp_path / "ir" / f"{id}.png", tmp_path / "vis" / f"{id}.png", id)
    for name in ("Mean", "Maximum"):
        assert fuse(tmp_path / "ir", tmp_path / "vis", tmp_path / name, "--method", name) == 0
    return tmp_path


def scored(*words: object) -> int:
    return command("score", *words, "--names", "EN,SSIM")


def sources(folder: Path) -> tuple:
    return "--infrared", folder / "ir", "--visible", folder / "vis"


def expected(folder: Path, name: str, id: str) -> dict[str, float]:
    read = [read_gray(folder / place / f"{id}.png") for place in (name, "ir", "vis")]
    return score(*read, ["EN", "SSIM"])


def test_several_methods_with_means_intervals_and_ranks(folders: Path, capsys):
    capsys.readouterr()
    assert scored("--fused", f"A={folders / 'Mean'}", f"B={folders / 'Maximum'}", *sources(folders), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    for label, name in (("A", "Mean"), ("B", "Maximum")):
        values = {id: expected(folders, name, id) for id in IDS}
        assert found["methods"][label]["images"] == values
        assert found["methods"][label]["pairs"] == 4
        for metric in ("EN", "SSIM"):
            column = [values[id][metric] for id in IDS]
            assert found["methods"][label]["means"][metric] == pytest.approx(np.mean(column), rel=1e-14)
            assert found["methods"][label]["intervals"][metric] == pytest.approx(bounds(column))
    wins = [expected(folders, "Mean", id)["SSIM"] > expected(folders, "Maximum", id)["SSIM"] for id in IDS]
    assert found["methods"]["A"]["ranks"]["SSIM"] == pytest.approx(2 - np.mean(wins))
    assert {"commit", "versions", "time"} <= set(found["provenance"])


def test_tables_for_the_terminal_a_paper_and_a_spreadsheet(folders: Path, capsys):
    both = ("--fused", folders / "Mean", folders / "Maximum", *sources(folders))
    places = {option: folders / "out" / f"scores.{option}" for option in ("csv", "markdown", "latex", "json")}
    capsys.readouterr()
    assert scored(*both, *(word for option, place in places.items() for word in (f"--{option}", place))) == 0
    assert capsys.readouterr().out == ""
    assert scored(*both) == 0
    out = capsys.readouterr().out
    for heading in ("means\n", "means and 95 % bootstrap intervals", "average ranks over 4 common images, 1 is best"):
        assert heading in out
    rows = list(csv.DictReader(io.StringIO(places["csv"].read_text())))
    assert [(row["method"], row["id"]) for row in rows] == [(name, id) for name in ("Mean", "Maximum") for id in (*IDS, "mean")]
    assert float(rows[1]["SSIM"]) == expected(folders, "Mean", "camera")["SSIM"]
    markdown, latex = places["markdown"].read_text(), places["latex"].read_text()
    assert markdown.count("| method") == 3
    assert "**" in markdown
    assert latex.count(r"\begin{tabular}") == 4
    assert json.loads(places["json"].read_text())["convention"] == "standard"
    assert scored(*both, "--markdown") == 0
    assert capsys.readouterr().out == markdown


@pytest.mark.parametrize("way", ["same", "relative", "link"])
def test_one_folder_for_both_sources_as_fuse_takes_it(tmp_path: Path, way: str, capsys):
    folder = tmp_path / "all"
    infrared, visible = put_pair(folder / "Camp_IR.png", folder / "Camp_Vis.png")
    (tmp_path / "link").symlink_to(folder)
    other = {"same": folder, "relative": Path(os.path.relpath(folder)), "link": tmp_path / "link"}[way]
    fused = write_image(tmp_path / "fused" / "Camp.png", cut("coffee")[0])
    assert scored("--fused", tmp_path / "fused", "--infrared", folder, "--visible", other, "--csv") == 0
    row = next(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert row["id"] == "Camp"
    assert float(row["SSIM"]) == score(read_gray(fused), read_gray(infrared), read_gray(visible), ["SSIM"])["SSIM"]


def test_fused_images_with_their_method_in_the_name(folders: Path, capsys):
    for path in (folders / "Mean").iterdir():
        path.rename(path.with_stem(f"{path.stem}_U2Fusion"))
    capsys.readouterr()
    assert scored("--fused", folders / "Mean", *sources(folders), "--csv") == 0
    assert [line.partition(",")[0] for line in capsys.readouterr().out.splitlines()] == ["id", *IDS, "mean"]


def test_what_a_mean_leaves_out_is_said(folders: Path, capsys):
    (folders / "Mean" / "camera.png").unlink()
    (folders / "Mean" / "notes.txt").write_text("x")
    (folders / "Maximum" / "coffee.png").write_bytes(b"no image")
    capsys.readouterr()
    assert scored("--fused", folders / "Mean", folders / "Maximum", *sources(folders)) == 1
    out, err = capsys.readouterr()
    assert "Mean: 3 of 4 pairs have a fused image, means are over those; without: camera" in err
    assert "1 unused, no part of a pair by name or suffix: notes.txt" in err
    assert "Maximum/coffee.png: found" in err
    assert "average ranks over 2 common images" in out


def test_sizes_that_differ_are_fitted_and_told(folders: Path, capsys):
    small = matlab_imresize(read_gray(folders / "Mean" / "camera.png"), (24, 24))
    write_image(folders / "Mean" / "camera.png", small)
    write_image(folders / "Mean" / "coffee.png", np.zeros((48, 20)))
    capsys.readouterr()
    assert scored("--fused", folders / "Mean", *sources(folders)) == 1
    out, err = capsys.readouterr()
    assert "coffee.png: found 20x48 pixels (distorted), expected the sources' 48x48" in err
    assert "resized" in next(line for line in out.splitlines() if line.startswith("camera"))


def test_colours_by_the_mean_of_channels(folders: Path, capsys):
    infrared, visible = cut("coffee")
    fused = write_image(folders / "c.png", np.roll(visible, 1, axis=0))
    words = ("--infrared", folders / "ir" / "coffee.png", "--visible", folders / "vis" / "coffee.png", "--channels", "mean", "--csv")
    capsys.readouterr()
    assert scored("--fused", fused, *words) == 0
    row = next(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert float(row["SSIM"]) == score(read_color(fused), infrared, visible, ["SSIM"], channels="mean")["SSIM"]
    assert visible.ndim == 3


def test_levels_give_the_values_of_the_8_bit_pair_and_their_absence_a_warning(tmp_path: Path, capsys):
    infrared, visible = cut(size=96)
    fused = write_image(tmp_path / "fused.png", (infrared.astype(float) + to_gray(visible)) / 2)
    write_image(tmp_path / "ir8.png", infrared)
    write_image(tmp_path / "vis.png", visible)
    cv2.imwrite(str(tmp_path / "ir14.png"), infrared.astype(np.uint16) * 64)

    def values(name: str, *more: str) -> tuple[np.ndarray, str]:
        capsys.readouterr()
        words = ("--fused", fused, "--infrared", tmp_path / name, "--visible", tmp_path / "vis.png", "--csv", "--names", "SSIM,VIF,VIFF,MI")
        assert command("score", *words, *more) == 0
        out, err = capsys.readouterr()
        return np.array(out.splitlines()[1].split(",")[1:], float), err

    right, said = values("ir8.png")
    assert said == ""
    wrong, said = values("ir14.png")
    assert "ir14.png" in said
    assert said.startswith("ivfnb score: warning: ")
    assert np.abs(wrong / right - 1).max() > 0.05
    for option in ("--levels", "--levels-infrared"):
        mended, said = values("ir14.png", option, "0:16320")
        assert said == ""
        assert np.abs(mended / right - 1).max() < 0.01


def test_a_known_set_beside_the_comparison_methods(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setenv("IVFNB_CACHE", str(tmp_path / "cache"))
    sample = dataset("sample")[:1]
    write_image(tmp_path / "mine" / "astronaut.png", (sample[0].infrared.astype(float) + sample[0].visible) / 2)
    words = ("--fused", f"mine={tmp_path / 'mine'}", "--data", "sample", "--against", "CBF", "DenseFuse", "--names", "EN", "--json")
    monkeypatch.setattr("ivfnb.evaluation.folders.dataset", lambda name: sample)
    monkeypatch.setattr("ivfnb.baselines.registry.weights.is_at_hand", lambda *_: False)
    assert command("score", *words) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)["methods"]
    assert list(found) == ["mine", "CBF"]
    assert "no row of DenseFuse: needs its authors' weights: ivfnb fetch weights/DenseFuse" in err
    assert "1 of 5 pairs have a fused image" in err
    assert found["CBF"]["images"]["astronaut"]["EN"] == evaluate(sample, [method("CBF")], ["EN"])["value"][0]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--fused", "A=no/such", "B=no/other"], "--fused: no/such: found no such file"),
        (["--fused", "{0}/Mean", "{0}/x/../Mean"], "--fused: found two methods called 'Mean'"),
        (["--fused", "{0}/Mean", "--data", "tno22"], "found 'tno22', expected"),
        (["--fused", "{0}/Mean", "--against"], "--against: expected --data SET with it"),
        (["--fused", "{0}/Mean", "--data", "sample", "--infrared", "{0}/ir", "--visible", "{0}/vis"], "expected either"),
        (["--fused", "{0}/Mean", "--data", "sample", "--against", "Magic"], "against: found 'Magic', expected some of CBF"),
        (["--fused", "{0}/Mean", "--infrared", "{0}/ir", "--visible", "{0}/no"], "--visible: "),
        (["--fused", "{0}/Mean", "--csv", "{0}/Mean/camera.png"], "found a source"),
        (["--fused", "{0}/Mean", "--csv", "{0}"], "found a folder, expected a file to write"),
        (["--fused", "{0}/ir", "--infrared", "{0}/empty", "--visible", "{0}/empty"], "found no images in"),
    ],
)
def test_what_cannot_be_is_one_line(folders: Path, words: list[str], message: str, capsys):
    (folders / "empty").mkdir()
    capsys.readouterr()
    assert scored(*(word.format(folders) for word in words)) == 2
    out, err = capsys.readouterr()
    assert message in err
    assert (out, err.count("\n")) == ("", 1)


def test_values_arrive_in_every_encoding(folders: Path):
    name = os.fsdecode("红外".encode("gbk") + b".png")
    (folders / "Mean" / "camera.png").rename(folders / "Mean" / name)
    words = ["score", "--fused", folders / "Mean", "--names", "EN"]
    assert command(*words, "--csv", folders / "s.csv") == 0
    assert rb"\xba\xec" in (folders / "s.csv").read_bytes()
    environment = {
        **os.environ,
        "PYTHONIOENCODING": "cp1252",
        "PYTHONPATH": str(paths.PACKAGE.parent) + os.pathsep + os.environ.get("PYTHONPATH", ""),
    }
    done = subprocess.run([sys.executable, "-m", "ivfnb", *map(str, words)], env=environment, capture_output=True, check=True)
    assert b"EN ^" in done.stdout
    assert b"astronaut" in done.stdout
    assert rb"\xba\xec" in done.stdout

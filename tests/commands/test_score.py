"""`python -m ivfnb score`: files, folders, CSV, and what it refuses."""

import csv

import numpy as np
import pytest

from ivfnb.commands import main
from ivfnb.images import read_gray, write_image
from ivfnb.metrics import ELEVEN, METRICS, score


@pytest.fixture
def folders(tmp_path):
    """Three folders of two grey triples, named as the authors' archives name them."""
    random = np.random.default_rng(3)
    for i in (1, 10):
        for folder, name in (("fused", "enh_ssr"), ("ir", "IR"), ("vis", "VIS")):
            write_image(tmp_path / folder / f"{name}{i}.png", random.integers(0, 256, (45, 50)).astype(np.uint8))
    return tmp_path


def one(folder, *more):
    return [
        "score",
        "--fused",
        f"{folder}/fused/enh_ssr1.png",
        "--infrared",
        f"{folder}/ir/IR1.png",
        "--visible",
        f"{folder}/vis/VIS1.png",
        *more,
    ]


def whole(folder, *more):
    return ["score", "--fused", f"{folder}/fused", "--infrared", f"{folder}/ir", "--visible", f"{folder}/vis", *more]


def images(folder, i):
    return [read_gray(folder / name / f"{mark}{i}.png") for name, mark in (("fused", "enh_ssr"), ("ir", "IR"), ("vis", "VIS"))]


def test_one_triple_is_listed_with_directions_and_units(folders, capsys):
    assert main(one(folders)) == 0
    lines = capsys.readouterr().out.splitlines()[2:]
    expected = score(*images(folders, 1))
    assert [line.split()[0] for line in lines] == list(ELEVEN)
    for line in lines:
        name, value, arrow, *unit = line.split()
        assert float(value) == pytest.approx(expected[name], rel=1e-5)
        assert (arrow, " ".join(unit)) == (METRICS[name].arrow, METRICS[name].unit)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_folders_to_csv_with_all_digits_and_means(folders, jobs):
    target = folders / "scores.csv"
    assert main(whole(folders, "--csv", str(target), "--convention", "as_released", "--jobs", jobs)) == 0
    with open(target, newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == ["1", "10", "mean"]
    scores = [score(*images(folders, i), convention="as_released") for i in (1, 10)]
    for name in ELEVEN:
        assert [float(row[name]) for row in rows[:2]] == [values[name] for values in scores]
        assert float(rows[2][name]) == pytest.approx(np.mean([values[name] for values in scores]), rel=1e-14)
    assert sorted(file.name for file in folders.iterdir()) == ["fused", "ir", "scores.csv", "vis"]


def test_csv_to_standard_output_and_named_metrics(folders, capsys):
    assert main(whole(folders, "--csv", "--names", "SSIM, EN")) == 0
    assert capsys.readouterr().out.splitlines()[0] == "id,EN,SSIM"


def test_fused_images_alone(folders, capsys):
    assert main(["score", "--fused", str(folders / "fused")]) == 0
    heading = capsys.readouterr().out.splitlines()[0]
    assert heading.split() == ["id", "EI", "↑", "SF", "↑", "EN", "↑", "SD", "↑", "DF", "↑"]


def test_vifb_reads_colour(folders, capsys):
    random = np.random.default_rng(4)
    colour = random.integers(0, 256, (45, 50, 3)).astype(np.uint8)
    write_image(folders / "fused" / "enh_ssr1.png", colour)
    assert main(one(folders, "--convention", "vifb", "--csv")) == 0
    name, values = (line.split(",") for line in capsys.readouterr().out.splitlines())
    expected = score(colour, *images(folders, 1)[1:], convention="vifb")
    assert dict(zip(name[1:], map(float, values[1:]), strict=True)) == expected


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: one(f)[:-2], "found --fused and --infrared alone, expected both sources or none"),
        (lambda f: [*one(f)[:-1], f"{f}/vis"], "(a folder); expected all folders or all files"),
        (lambda f: one(f, "--names", "XY"), "names: found ['XY'], expected names among"),
        (lambda f: [*one(f)[:-1], f"{f}/vis/none.png"], "none.png: found no such file, expected an image"),
    ],
)
def test_refusals(folders, capsys, change, message):
    assert main(change(folders)) == 2
    assert message in capsys.readouterr().err


def test_a_wrong_size_or_a_lonely_fused_image_is_named_and_the_rest_scored(folders, capsys):
    write_image(folders / "ir" / "IR10.png", np.zeros((44, 50)))
    write_image(folders / "fused" / "enh_ssr7.png", np.zeros((45, 50)))
    assert main(whole(folders, "--csv")) == 1
    out, err = capsys.readouterr()
    assert "enh_ssr10.png: infrared, visible: found 50x44 and 50x45 pixels, expected one size" in err
    assert "7: found" in err
    assert "enh_ssr7.png without sources" in err
    assert [line.partition(",")[0] for line in out.splitlines()] == ["id", "1"]

"""Which files are a pair: the usual marks, patterns, Unicode, folders that are one, and what is left over."""

import os
import unicodedata
from pathlib import Path

import pytest

from ivfnb.datasets import DatasetError, dataset
from ivfnb.datasets.matching import attached, match, together
from ivfnb.datasets.naming import Pattern, suggested, unmarked


def touch(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


@pytest.mark.parametrize(
    ("infrared", "visible", "id"),
    [
        ("DJI_0001_T.JPG", "DJI_0001_W.JPG", "DJI_0001"),
        ("DJI_0001_T.JPG", "DJI_0001_V.JPG", "DJI_0001"),
        ("FLIR_00002_PreviewData.jpeg", "FLIR_00002_RGB.jpg", "FLIR_00002"),
        ("0003_nir.tiff", "0003_rgb.tiff", "0003"),
        ("TIR_0004.png", "RGB_0004.png", "0004"),
        ("1_i.png", "1_v.png", "1"),
        ("00001i.jpg", "00001v.jpg", "00001"),
        ("7IR.bmp", "7VIS.bmp", "7"),
        ("set01_lwir_I0021.jpg", "set01_visible_I0021.jpg", "set01_I0021"),
        ("Athena-thermal.png", "Athena-visual.png", "Athena"),
    ],
)
@pytest.mark.parametrize("shared", [False, True])
def test_the_usual_marks_are_known_in_two_folders_and_in_one(tmp_path: Path, infrared: str, visible: str, id: str, shared: bool):
    folders = {"infrared": tmp_path / "a", "visible": tmp_path / ("a" if shared else "b")}
    touch(folders["infrared"], infrared)
    touch(folders["visible"], visible)
    items = match("folder", folders)
    assert {key: {role: file.name for role, file in roles.items()} for key, roles in items.items()} == {
        id: {"infrared": infrared, "visible": visible}
    }


@pytest.mark.parametrize("name", ["cart", "draw", "bow_tie", "x_that", "first", "wi", "vow", "air1", "shiver"])
def test_letters_inside_words_are_no_marks(name: str):
    assert unmarked(name, "infrared") == unmarked(name, "visible") == name


def spellings(folder: Path) -> dict[str, Path]:
    """One folder, written in five ways."""
    link = folder.with_name("link")
    link.symlink_to(folder)
    return {
        "relative": Path(os.path.relpath(folder)), "absolute": folder, "link": link,
        "up": folder / ".." / folder.name, "slash": Path(f"{folder}/."),
    }  # fmt: skip


def test_one_folder_is_one_however_it_is_written(tmp_path: Path):
    folder = touch(tmp_path / "all", "Camp_IR.png", "Camp_Vis.png", "Camp.png")
    ways = spellings(folder)
    for infrared in ways.values():
        for visible in ways.values():
            found = together({"infrared": infrared, "visible": visible})
            assert {id: {role: file.name for role, file in roles.items()} for id, roles in found.items.items()} == {
                "Camp": {"infrared": "Camp_IR.png", "visible": "Camp_Vis.png"}
            }
            assert {file.name for file in found.unused} == {"Camp.png"}
            assert not found.faults


def test_patterns_say_how_files_are_named(tmp_path: Path):
    folder = touch(tmp_path / "all", "a_hot.png", "a_day.jpg", "b_hot.png", "b_day.jpg", "a_hot_day.txt", "notes.md")
    with pytest.raises(DatasetError, match="found no image"):
        dataset("folder", infrared=folder, visible=folder)
    found = together({"infrared": folder, "visible": folder}, patterns={"infrared": "{id}_hot.png", "visible": "{id}_day"})
    assert list(found.items) == ["a", "b"]
    assert dataset("folder", infrared=folder, visible=folder, patterns={"infrared": "{id}_hot", "visible": "{id}_day"}).ids == ["a", "b"]
    assert sorted(file.name for file in found.unused) == ["a_hot_day.txt", "notes.md"]


def test_of_two_patterns_of_one_folder_the_longer_one_claims_a_file(tmp_path: Path):
    folder = touch(tmp_path / "all", "a.jpg", "a_T.jpg", "b.jpg", "b_T.jpg")
    items = match("all", {"infrared": folder, "visible": folder}, patterns={"infrared": "{id}_t.jpg", "visible": "{id}.jpg"})
    assert {id: roles["visible"].name for id, roles in items.items()} == {"a": "a.jpg", "b": "b.jpg"}


@pytest.mark.parametrize("text", ["_T.jpg", "{id}_{id}.jpg", "ir/{id}.jpg"])
def test_a_pattern_without_one_id_is_refused(text: str):
    with pytest.raises(DatasetError, match=r"expected a file name with \{id\} once"):
        Pattern(text, "infrared")


def test_names_are_compared_as_they_look(tmp_path: Path):
    composed, apart = (unicodedata.normalize(form, "Zürich") for form in ("NFC", "NFD"))
    assert composed != apart
    infrared, visible = touch(tmp_path / "ir", f"{composed}.png"), touch(tmp_path / "vis", f"{apart}.png")
    assert list(match("folder", {"infrared": infrared, "visible": visible})) == [composed]
    touch(infrared, f"{apart}.png")
    assert "expected one file" in together({"infrared": infrared, "visible": visible}).wrong[composed]


def test_what_belongs_to_no_pair_is_told(tmp_path: Path):
    infrared = touch(tmp_path / "ir", "1.png", "2.png", "3.png", "3.bmp", "4.svg", "Thumbs.db", ".hidden.png")
    visible = touch(tmp_path / "vis", "1.webp", "3.png", "4.svg")
    found = together({"infrared": infrared, "visible": visible})
    assert {id: roles["visible"].name for id, roles in found.items.items()} == {"1": "1.webp", "3": "3.png"}
    assert set(found.wrong) == {"2", "3"}
    assert "without a partner" in found.wrong["2"]
    assert sorted(str(file.relative_to(tmp_path)) for file in found.unused) == ["ir/4.svg", "ir/Thumbs.db", "vis/4.svg"]


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        (["fight.png", "man.png"], None),
        (["fight_U2Fusion.png", "man_U2Fusion.png"], None),
        (["U2Fusion-fight.jpg", "U2Fusion-man.jpg"], None),
        (["fused_fight.png", "fused_man.png"], None),
        (["fight_fusion.png", "man_fusion.png"], None),
        (["fight_7.png", "man_7.png"], "{id}_7.png"),
    ],
)
def test_fused_images_find_their_pair(tmp_path: Path, names: list[str], pattern: str | None):
    sources = {role: touch(tmp_path / role, "fight.png", "man.png") for role in ("infrared", "visible")}
    found = attached(touch(tmp_path / "fused", *names, "extra.txt"), match("folder", sources), pattern)
    assert {id: roles["fused"].name for id, roles in found.items.items()} == dict(zip(["fight", "man"], names, strict=True))
    assert ([file.name for file in found.unused], dict(found.wrong)) == (["extra.txt"], {})


def test_a_fused_image_of_no_pair_and_one_of_two_methods_are_named(tmp_path: Path):
    sources = {role: touch(tmp_path / role, "fight.png", "man.png") for role in ("infrared", "visible")}
    items = match("folder", sources)
    found = attached(touch(tmp_path / "fused", "man.png", "dog.png"), items)
    assert (list(found.items), list(found.wrong)) == (["man"], ["dog"])
    mixed = attached(touch(tmp_path / "mixed", "man_CBF.png", "man_CNN.png"), items)
    assert (list(mixed.items), sorted(mixed.wrong)) == ([], ["man_CBF", "man_CNN"])


def test_fused_images_may_lie_with_their_sources(tmp_path: Path):
    folder = touch(tmp_path / "all", "Camp_IR.png", "Camp_Vis.png", "Camp_fused.png", "Camp.png")
    items = match("all", {"infrared": folder, "visible": folder})
    found = attached(folder, items)
    assert found.items["Camp"]["fused"].name == "Camp_fused.png"
    assert [file.name for file in found.unused] == ["Camp.png"]


def test_an_example_is_made_of_the_files_at_hand():
    assert suggested("fight_hot.png", "fight_day.png") == ("{id}_hot.png", "{id}_day.png")
    assert suggested("hot7.png", "day7.jpg") == ("hot{id}.png", "day{id}.jpg")
    for infrared, visible in (("a-12.png", "b-12.png"), ("x_1_T.jpg", "x_1_W.jpg")):
        patterns = suggested(infrared, visible)
        assert Pattern(patterns[0], "infrared").id(infrared) == Pattern(patterns[1], "visible").id(visible)

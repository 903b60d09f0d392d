"""Names to images: what `dataset` gives of the real sets, of one's own folders and of layouts made by hand, and when it reads."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from ivfnb import datasets, images, paths
from ivfnb.datasets import DatasetError, FusedImage, ImagePair, dataset, listing
from ivfnb.datasets.fetch import fetch

COVERAGE = {
    "CBF": 21, "VggML": 21, "RFN-Nest": 21, "ConvSR": 21, "IFCNN": 18, "DenseFuse": 17, "PMGI": 16, "U2Fusion": 16, "DDcGAN": 14,
    "NestFuse": 9, "CNN": 8, "HybridMSD": 8, "MDLatLRR": 8, "MEF-GAN": 8, "Structaware": 8, "ResNet-ZCA": 1,
}  # fmt: skip


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty checkout with the real manifest, so that nothing is unpacked into the real one; its data/ is the data root."""
    folder = tmp_path / "checkout"
    (folder / "data").mkdir(parents=True)
    shutil.copy(paths.root() / "data" / "manifest.yaml", folder / "data")
    monkeypatch.setattr(paths, "root", lambda: folder)
    monkeypatch.delenv("IVFNB_DATA", raising=False)
    return folder


@pytest.fixture
def real(checkout: Path, shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same checkout with IVFNB_DATA at the real data."""
    monkeypatch.setenv("IVFNB_DATA", str(shared_data))
    return shared_data


def put(file: Path, level: int = 100, shape: tuple[int, ...] = (6, 8)) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.fromarray(np.full(shape, level, np.uint8)).save(file)
    return file


def pair_folders(root: Path, infrared: list[str], visible: list[str]) -> dict[str, Path]:
    for level, names, role in ((10, infrared, "ir"), (20, visible, "vis")):
        (root / role).mkdir(parents=True)
        for number, name in enumerate(names):
            put(root / role / name, level + number)
    return {"infrared": root / "ir", "visible": root / "vis"}


@pytest.mark.parametrize(
    ("name", "count"),
    [("tno21", 21), ("tno21-released", 21), ("tno21-released-enhanced", 21), ("authors-tno21", 21), ("authors-vot40", 40), ("vot40", 39),
     ("llvip", 13), ("llvip-train", 32), ("vifb21", 21), ("coco", 400), ("bsds500", 200), ("photos", 13),
     *((f"published-tno21/{method}", count) for method, count in COVERAGE.items()), ("published-vifb21/GTF", 21)],
)  # fmt: skip
def test_real_sets_have_the_counts_of_the_facts(real: Path, name: str, count: int):
    assert len(dataset(name)) == count


def test_partial_sets_say_how_much_is_there(real: Path):
    assert repr(dataset("llvip")) == "Dataset('llvip', 13 of 100 pairs)"
    assert dataset("vot40").summary == "39 of 40 pairs"
    assert dataset("vot40").missing == ["22"]
    assert dataset("tno21").summary == "21 pairs"


def test_archives_are_unpacked_beside_the_checkout_and_never_into_the_data_root(real: Path, checkout: Path):
    before = {file for file in real.rglob("*")}
    assert dataset("authors-tno21")["07"].fused.shape == (456, 456)
    assert (checkout / "data" / ".unpacked" / "authors-tno21" / "21-enh_ssr" / "enh_ssr7.jpg").is_file()
    assert {file for file in real.rglob("*")} == before


def test_the_ids_of_all_tno21_sets_agree(real: Path):
    ids = [f"{number:02d}" for number in range(1, 22)]
    for name in ("tno21", "tno21-released", "authors-tno21", "published-tno21/CBF"):
        assert dataset(name).ids == ids
    lossless, released = dataset("tno21")["17"].infrared, dataset("tno21-released")["17"].infrared
    assert np.corrcoef(lossless.ravel(), images.resize(released, lossless.shape).ravel())[0, 1] > 0.99


def test_a_method_nobody_published_images_of_says_so(real: Path):
    with pytest.raises(DatasetError, match="no fused image of this method"):
        dataset("published-tno21/DCHWT")


def test_colour_is_given_only_where_asked_for_and_present(real: Path):
    assert dataset("llvip")[0].visible.shape == (1024, 1280)
    pair = dataset("llvip", color=True)[0]
    assert pair.visible.shape == (1024, 1280, 3)
    assert pair.infrared.shape == (1024, 1280)
    assert dataset("tno21", color=True)[0].visible.ndim == 2


def test_the_overview_counts_every_set_and_reads_sizes_and_bits(real: Path):
    table = datasets.overview().set_index("set")
    assert list(table.index) == datasets.names()
    assert table.loc["tno21", ["found", "expected", "state", "size", "bits"]].tolist() == [21, 21, "present", "280x280 to 768x576", "8"]
    assert table.loc["llvip", "state"] == "partial"
    assert table.loc["vot40-original", "state"] == "absent"
    assert set(datasets.available()) == set(table.index[table["state"] != "absent"])


def test_the_sample_set_has_five_pairs_and_truth_for_the_simulated_ones(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("IVFNB_DATA", raising=False)
    sample = dataset("sample", color=True)
    assert len(sample) == 5
    assert sample["sentinel2"].truth is None
    simulated = [pair for pair in sample if pair.id != "sentinel2"]
    assert all(pair.truth.shape == pair.infrared.shape == pair.visible.shape[:2] for pair in simulated)
    assert all(set(np.unique(pair.truth)) == {0, 255} for pair in simulated)


def test_photographs_of_installed_packages_need_no_data_folder(checkout: Path):
    photos = dataset("photos")
    assert len(photos) == 13
    assert photos["astronaut"].gray.shape == (512, 512)
    assert all(photo.gray.ndim == 2 for photo in photos)


def test_a_set_slices_iterates_and_is_indexed_by_id(tmp_path: Path):
    names = [f"{number}.png" for number in (1, 2, 3, 10)]
    data = dataset("folder", **pair_folders(tmp_path, names, names))
    assert data.ids == ["1", "2", "3", "10"]
    assert [pair.id for pair in data] == data.ids
    assert data[1:3].ids == ["2", "3"]
    assert len(data[::2]) == 2
    assert data[-1].id == data["10"].id == "10"
    assert data["10"].visible[0, 0] == 23
    with pytest.raises(DatasetError, match="'11'"):
        data["11"]
    with pytest.raises(IndexError):
        data[4]


@pytest.mark.parametrize(
    ("infrared", "visible"),
    [("IR1.png", "VIS1.png"), ("ORG_IR1.bmp", "ORG_VIS1.BMP"), ("ir_1.PNG", "vi-1.tif"), ("1.jpeg", "001.png"), ("1i.jpg", "1v.jpg"),
     ("1_ir.png", "1_vis.png"), ("thermal1.tiff", "RGB_1.Jpg")],
)  # fmt: skip
def test_partners_are_found_whatever_the_suffix_and_the_usual_marks(tmp_path: Path, infrared: str, visible: str):
    data = dataset("folder", **pair_folders(tmp_path, [infrared], [visible]))
    assert [int(id) for id in data.ids] == [1]


@pytest.mark.parametrize("name", ["irises.png", "vista.png", "video-i.png", "rgb1.png", "ir_2.png", "frame.v2.png"])
def test_words_that_only_look_like_marks_stay(tmp_path: Path, name: str):
    assert dataset("folder", **pair_folders(tmp_path, [name], [name])).ids == [Path(name).stem]


def test_one_folder_may_hold_both_images(tmp_path: Path):
    for name in ("IR1.png", "VIS1.png", "IR2.png", "VIS2.png", "readme.png"):
        put(tmp_path / name, 50 if name.startswith("IR") else 60)
    data = dataset("folder", infrared=tmp_path, visible=tmp_path)
    assert data.ids == ["1", "2"]
    assert (data[0].infrared[0, 0], data[0].visible[0, 0]) == (50, 60)


def test_files_that_are_no_images_and_hidden_files_are_passed_over(tmp_path: Path):
    folders = pair_folders(tmp_path, ["1.png"], ["1.png"])
    for name in ("notes.txt", ".hidden.png", "Thumbs.db"):
        (folders["infrared"] / name).write_text("x")
    assert dataset("folder", **folders).ids == ["1"]


def test_a_missing_partner_names_the_file_and_what_was_expected(tmp_path: Path):
    with pytest.raises(DatasetError, match=r"found .*ir/2\.png without a partner, expected .*vis/2\.\* \(visible\)"):
        dataset("folder", **pair_folders(tmp_path, ["1.png", "2.png"], ["1.png"]))


def test_two_files_of_one_id_are_refused_by_name(tmp_path: Path):
    with pytest.raises(DatasetError, match=r"1\.bmp and .*1\.png for infrared"):
        dataset("folder", **pair_folders(tmp_path, ["1.png", "1.bmp"], ["1.png"]))


def test_an_empty_or_absent_folder_is_named(tmp_path: Path):
    folders = pair_folders(tmp_path, [], [])
    with pytest.raises(DatasetError, match=rf"no image in {folders['infrared']} and {folders['visible']}"):
        dataset("folder", **folders)
    with pytest.raises(DatasetError, match=r"visible: found no folder .*nowhere"):
        dataset("folder", infrared=folders["infrared"], visible=tmp_path / "nowhere")
    with pytest.raises(DatasetError, match="expected two folders"):
        dataset("folder", infrared=folders["infrared"])


def test_unknown_and_absent_sets_say_what_to_do(checkout: Path):
    with pytest.raises(DatasetError, match=r"found 'tno22', expected 'folder' or one of sample, tno21"):
        dataset("tno22")
    with pytest.raises(DatasetError, match=r"tno21/ir.*python -m ivfnb fetch tno21"):
        dataset("tno21")
    with pytest.raises(DatasetError, match=r"drive\.google\.com"):
        fetch("llvip-train", manifest=_only_by_hand(checkout))


def _only_by_hand(checkout: Path) -> Path:
    path = checkout / "by_hand.yaml"
    path.write_text((checkout / "data" / "manifest.yaml").read_text().partition("# Pins, made by")[0])
    return path


def test_the_data_root_comes_first_and_the_fuller_copy_wins(checkout: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    elsewhere = tmp_path / "elsewhere"
    monkeypatch.setenv("IVFNB_DATA", str(elsewhere))
    for root, level, count in ((elsewhere, 1, 2), (checkout / "data", 2, 2)):
        for number in range(1, count + 1):
            put(root / "tno21" / "ir" / f"{number:02d}.png", level)
            put(root / "tno21" / "vis" / f"{number:02d}.png", level)
    assert dataset("tno21")[0].visible[0, 0] == 1
    put(checkout / "data" / "tno21" / "ir" / "03.png", 2)
    put(checkout / "data" / "tno21" / "vis" / "03.png", 2)
    assert dataset("tno21")[0].visible[0, 0] == 2
    assert dataset("tno21").summary == "3 of 21 pairs"


@pytest.mark.parametrize("below", ["", "sequences"])
@pytest.mark.parametrize("names", [("{:08d}.jpg", "{:08d}.png"), ("{:05d}v.jpg", "{:05d}i.tif")])
def test_sequences_in_the_toolkit_layout(checkout: Path, names: tuple[str, str], below: str):
    base = checkout / "data" / "vot-rgbt" / below
    for sequence, frames in (("car10", 7), ("man4", 3)):
        for number in range(1, frames + 1):
            put(base / sequence / "color" / names[0].format(number), number)
            put(base / sequence / "ir" / names[1].format(number), 100 + number)
        (base / sequence / "groundtruth.txt").write_text("0,0,1,1")
    (base / "list.txt").write_text("car10\nman4")
    data = dataset("vot-rgbt")
    assert len(data) == 10
    third = dataset("vot-rgbt", every=3)
    assert [int(id.rpartition("/")[2]) for id in third.ids] == [1, 4, 7, 1]
    assert [id.partition("/")[0] for id in third.ids] == ["car10"] * 3 + ["man4"]
    assert third[1].infrared[0, 0] == 104
    with pytest.raises(DatasetError, match="every"):
        dataset("photos", every=2)
    with pytest.raises(DatasetError, match="every"):
        dataset("vot-rgbt", every=0)


def test_llvip_takes_the_first_hundred_names(checkout: Path):
    for number in range(120, 0, -1):
        for role in ("infrared", "visible"):
            (file := checkout / "data" / "LLVIP" / role / "test" / f"19{number:04d}.JPG").parent.mkdir(parents=True, exist_ok=True)
            file.touch()
    data = dataset("llvip")
    assert data.ids == [f"19{number:04d}" for number in range(1, 101)]
    assert data.summary == "100 pairs"
    assert dataset("llvip-test").summary == "120 of 3463 pairs"


def test_ids_and_lengths_open_no_image_and_reading_waits_for_its_use(tmp_path: Path):
    folders = pair_folders(tmp_path, ["1.png", "2.png"], ["1.png", "2.png"])
    (folders["visible"] / "2.png").write_text("no image")
    data = dataset("folder", **folders)
    assert (len(data), data.ids, data[1].id) == (2, ["1", "2"], "2")
    assert data[0].visible.shape == (6, 8)
    with pytest.raises(DatasetError, match=r"vis/2\.png"):
        _ = data[1].infrared


def test_headers_come_without_the_pixels(tmp_path: Path):
    folders = pair_folders(tmp_path, ["1.png", "2.png"], ["1.png", "2.png"])
    big = put(folders["visible"] / "2.png", shape=(500, 400))
    big.write_bytes(big.read_bytes()[:60])  # the header and no pixels
    headers = dataset("folder", **folders).headers()
    assert headers[["id", "role", "width", "height"]].values.tolist()[-1] == ["2", "visible", 400, 500]
    assert len(dataset("folder", **folders).headers(at_most=2)) == 2


def test_pairs_and_fused_images_can_be_made_of_arrays():
    infrared, visible = np.zeros((4, 5), np.uint8), np.ones((4, 5, 3), np.uint8)
    pair = ImagePair("x", infrared, visible)
    assert pair.infrared is infrared
    assert pair.visible is visible
    assert pair.truth is None
    assert FusedImage("x", infrared).fused is infrared
    with pytest.raises(DatasetError, match=r"infrared array of 5x4 and visible array of 4x4"):
        _ = ImagePair("x", infrared, visible[:, :4]).visible


def test_a_broken_archive_at_hand_is_named_and_leaves_nothing(checkout: Path):
    archive = checkout / "data" / "archives" / "21-TNO.rar"
    archive.parent.mkdir()
    archive.write_bytes(b"Rar!")
    with pytest.raises(DatasetError, match=r"21-TNO\.rar: changed: found 4 bytes, expected 749022"):
        dataset("authors-tno21")
    assert not (checkout / "data" / ".unpacked").exists()


def test_importing_and_listing_need_no_torch():
    code = "import sys, ivfnb.datasets as d; d.available(); print([m for m in ('torch', 'pandas', 'requests') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"


def test_all_suffixes_of_the_listing_are_readable(tmp_path: Path):
    for suffix in listing.SUFFIXES:
        assert images.read_gray(put(tmp_path / f"x{suffix}")).shape == (6, 8)

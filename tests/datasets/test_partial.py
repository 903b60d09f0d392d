"""Sets of which something is gone or too much: named, partial, and no hindrance to any other set or command."""

import argparse
import hashlib
import json
import shutil
from pathlib import Path

import pytest
from loopback import FUSED, Server, left, png, zipped

from ivfnb import datasets, paths
from ivfnb.commands import fetch as door
from ivfnb.datasets import DatasetError, DatasetWarning, dataset, listing
from ivfnb.datasets.fetch import fetch
from ivfnb.datasets.manifest import load
from ivfnb.datasets.verify import verify

PAIRS = {f"{role}/{number:02d}.png": png(10 * number + len(role)) for role in ("ir", "vis") for number in (1, 2, 3)}


def pairs(checkout: Path, server: Server, packed: bool, **keys: object) -> Path:
    """A manifest of the set `duo` of three pairs, single files or an archive, and of the set `other` of single files; both are fetched."""
    sets = {
        "duo": {"kind": "pairs", "title": "Duo", "folders": {"infrared": "duo/ir", "visible": "duo/vis"}, "ids": 3, **keys},
        "other": {"kind": "fused", "title": "Other", "folders": {"fused": "other"}, "ids": 1},
    }
    pins = [["other/01.png", len(FUSED["inner/fused1.png"]), hashlib.sha256(FUSED["inner/fused1.png"]).hexdigest(), "local", "1.png"]]
    server.files["/1.png"] = FUSED["inner/fused1.png"]
    if packed:
        archive = server.files["/duo.zip"] = zipped(PAIRS)
        sets["duo"] |= {"unpack": "duo"}
        known = {"bytes": len(archive), "digest": f"sha256:{hashlib.sha256(archive).hexdigest()}", "limit": 1_000_000}
        sets["duo"]["archives"] = [{"file": "archives/duo.zip", "url": f"{server.url}/duo.zip", **known}]
    else:
        for name, content in PAIRS.items():
            server.files[f"/{name}"] = content
            pins.append([f"duo/{name}", len(content), hashlib.sha256(content).hexdigest(), "local", name])
    path = checkout / "data" / "manifest.yaml"
    path.write_text(json.dumps({"sets": sets, "sources": {"local": server.url}, "pins": pins}))
    fetch("duo")
    fetch("other")
    return path


def command(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    parser = argparse.ArgumentParser()
    door.configure(parser)
    code = door.run(parser.parse_args(words))
    printed = capsys.readouterr()
    return code, printed.out + printed.err


@pytest.mark.parametrize("packed", [False, True], ids=["files", "archive"])
@pytest.mark.parametrize("gone", ["vis/02.png", "ir/03.png", "vis"])
def test_a_missing_partner_makes_its_set_partial_and_fetch_repairs_it(
    checkout: Path, server: Server, packed: bool, gone: str, capsys: pytest.CaptureFixture[str]
):
    pairs(checkout, server, packed)
    before, data = left(checkout), checkout / "data" / "duo"
    shutil.rmtree(data / gone) if gone == "vis" else (data / gone).unlink()
    found = {"vis/02.png": 2, "ir/03.png": 2, "vis": 0}[gone]
    assert listing.state(load()["duo"]) == (("packed", 3) if packed and not found else ("partial", found))
    assert listing.state(load()["other"]) == ("present", 1)
    assert datasets.available() == (["duo", "other"] if found or packed else ["other"])
    lonely = {"vis/02.png": data / "ir" / "02.png", "ir/03.png": data / "vis" / "03.png", "vis": data / "ir" / "01.png"}[gone]
    lacking = {"vis/02.png": "vis/02", "ir/03.png": "ir/03", "vis": "vis/01"}[gone]
    code, text = command(capsys, "--list")
    assert code == 0
    assert f"duo: found {lonely} without a partner, expected {data / lacking}.*" in text
    table = datasets.overview().set_index("set")
    assert table.loc["other", ["found", "state"]].tolist() == [1, "present"]
    assert table.loc["duo", "note"].startswith(f"found {lonely} without a partner")
    if packed and not found:  # the overview unpacked the archive on its way: a whole copy is at hand again
        assert listing.state(load()["duo"]) == ("present", 3)
        assert command(capsys, "--verify")[0] == 0
        return
    code, text = command(capsys, "--verify")
    assert code == 1
    missing = data / ("vis/01.png" if gone == "vis" else gone)
    assert f"{missing}: missing" in text
    assert "other: 1 fused image, nothing wrong" in text
    server.asked.clear()
    assert command(capsys, "duo") == (0, f"duo: in {checkout / 'data'}\n")
    assert len(server.asked) == (0 if packed else 3 if gone == "vis" else 1)
    assert [file for file in left(checkout) if not file.startswith(".unpacked")] == before
    assert command(capsys, "--verify")[0] == 0
    assert listing.state(load()["duo"]) == ("present", 3)


def test_the_images_of_a_partial_set_come_with_a_warning_that_names_the_lonely_file(checkout: Path, server: Server):
    pairs(checkout, server, packed=False)
    (checkout / "data" / "duo" / "vis" / "02.png").unlink()
    with pytest.warns(DatasetWarning, match=r"duo: found .*ir/02\.png without a partner, .*2 of 3 pairs are given; get them with"):
        data = dataset("duo")
    assert (data.ids, data.missing, data.summary) == (["01", "03"], ["02"], "2 of 3 pairs")
    shutil.rmtree(checkout / "data" / "duo" / "vis")
    with pytest.raises(DatasetError, match=r"duo: found .*ir/01\.png without a partner, .*\(and 2 more\); get them with"):
        dataset("duo")


def test_the_first_images_stay_the_first_where_one_of_them_lacks_its_partner(checkout: Path, server: Server):
    pairs(checkout, server, packed=False, first=2, ids=None, expected=2)
    assert dataset("duo").ids == ["01", "02"]
    (checkout / "data" / "duo" / "ir" / "01.png").unlink()
    with pytest.warns(DatasetWarning, match="without a partner"):
        assert dataset("duo").ids == ["02"]  # 03 does not slip in
    (checkout / "data" / "duo" / "ir" / "01.png").write_bytes(PAIRS["ir/01.png"])
    (checkout / "data" / "duo" / "ir" / "03.png").unlink()
    assert dataset("duo").ids == ["01", "02"]


def test_two_files_of_one_id_are_refused_of_their_set_and_hinder_no_other(
    checkout: Path, server: Server, capsys: pytest.CaptureFixture[str]
):
    pairs(checkout, server, packed=False)
    (checkout / "data" / "duo" / "ir" / "2.jpg").write_bytes(PAIRS["ir/02.png"])
    with pytest.raises(DatasetError, match=r"duo: found .*ir/02\.png and .*ir/2\.jpg for infrared"):
        dataset("duo")
    assert dataset("other").ids == ["01"]
    assert command(capsys, "--list")[0] == 0
    assert listing.state(load()["duo"]) == ("partial", 3)
    assert verify("duo") == [f"{checkout / 'data' / 'duo' / 'ir' / '2.jpg'}: surplus"]


def test_a_broken_image_and_a_broken_archive_hinder_the_overview_of_no_other_set(checkout: Path, server: Server):
    pairs(checkout, server, packed=True)
    (checkout / "data" / "duo" / "ir" / "01.png").write_bytes(b"no image")
    table = datasets.overview().set_index("set")
    assert table.loc["duo", "state"] == "partial"
    assert "ir/01.png: found no image header" in table.loc["duo", "note"]
    shutil.rmtree(checkout / "data" / "duo")
    (checkout / "data" / "archives" / "duo.zip").write_bytes(b"x")
    table = datasets.overview().set_index("set")
    assert "duo.zip: changed" in table.loc["duo", "note"]
    assert table.loc["other", "size"] == "300x200"


def test_fetch_repairs_a_changed_image_of_an_archive_and_leaves_a_whole_copy_alone(checkout: Path, server: Server):
    pairs(checkout, server, packed=True)
    image = checkout / "data" / "duo" / "ir" / "01.png"
    image.write_bytes(PAIRS["ir/01.png"][:-1] + b"?")
    fetch("duo")
    assert image.read_bytes() == PAIRS["ir/01.png"]
    assert len(server.asked) == 2
    stamp = image.stat().st_ino
    fetch("duo")
    assert image.stat().st_ino == stamp


def test_a_part_of_what_was_unpacked_on_the_way_is_unpacked_again(checkout: Path, server: Server):
    pairs(checkout, server, packed=True)
    shutil.rmtree(checkout / "data" / "duo")
    assert len(dataset("duo")) == 3
    (checkout / "data" / ".unpacked" / "duo" / "ir" / "02.png").unlink()
    assert len(dataset("duo")) == 3


def test_one_file_gone_of_the_real_manifest_hinders_nothing(checkout: Path, capsys: pytest.CaptureFixture[str]):
    real = Path(datasets.__file__).parents[2] / "data"
    shutil.copy(real / "manifest.yaml", checkout / "data")
    for role in ("infrared", "visible", "truth"):
        shutil.copytree(real / "sample" / role, checkout / "data" / "sample" / role)
    (checkout / "data" / "sample" / "visible" / "camera.png").unlink()
    for role in ("ir", "vis"):
        for number in range(1, 22):
            (file := checkout / "data" / "tno21" / role / f"{number:02d}.png").parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(PAIRS["ir/01.png"])
    (checkout / "data" / "tno21" / "vis" / "07.png").unlink()
    assert {"sample", "tno21"} <= set(datasets.available())
    code, text = command(capsys, "--list")
    assert code == 0
    assert "20 of 21 pairs" in text
    assert f"tno21: found {checkout}/data/tno21/ir/07.png without a partner" in text
    assert datasets.overview().set_index("set").loc[["sample", "tno21"], "state"].tolist() == ["partial", "partial"]
    assert command(capsys, "--verify")[0] == 1
    with pytest.raises(DatasetError, match="git checkout -- data/sample"):
        fetch("sample")
    assert paths.root() == checkout


def test_weights_are_fetched_and_verified_but_are_no_images(checkout: Path, server: Server, capsys: pytest.CaptureFixture[str]):
    files = {"net.index": b"index", "net.data": b"data" * 1000}
    server.files = {f"/{name}": content for name, content in files.items()}
    described = [
        {"file": name, "url": f"{server.url}/{name}", "digest": f"sha256:{hashlib.sha256(content).hexdigest()}"}
        for name, content in files.items()
    ]
    described[1] |= {"optional": True, "bytes": 4000}
    keys = {"kind": "weights", "title": "Net", "licence": "CC0", "citation": "nobody", "folders": {"weights": "learned/Net"}}
    (checkout / "data" / "manifest.yaml").write_text(json.dumps({"sets": {"weights/Net": {**keys, "files": described}}}))
    code, text = command(capsys, "weights/Net")
    assert (code, text.splitlines()[1]) == (0, "weights/Net: licence: CC0; cite nobody")
    assert left(checkout) == ["learned/Net/net.data", "learned/Net/net.index"]
    assert command(capsys, "--verify") == (0, "weights/Net: 2 files, nothing wrong\n")
    (checkout / "data" / "learned" / "Net" / "net.data").unlink()
    assert verify("weights/Net") == []
    (checkout / "data" / "learned" / "Net" / "net.index").unlink()
    assert verify("weights/Net") == ["weights/Net: absent"]
    assert datasets.names() == []
    with pytest.raises(DatasetError, match="found 'weights/Net'"):
        dataset("weights/Net")

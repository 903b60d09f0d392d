"""Fetching over HTTP from a real server on loopback, unpacking, verifying, and the command that does it."""

import argparse
import hashlib
import io
import shutil
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import PIL.Image
import pytest
from loopback import FUSED, WHOLE, Server, came, git_digest, left, manifest, pinned, png, rarred, tarred, zipped

from ivfnb.commands import fetch as door
from ivfnb.datasets import DatasetError, dataset, fetch, listing
from ivfnb.datasets import download as downloading
from ivfnb.datasets.manifest import load
from ivfnb.datasets.verify import verify


@pytest.mark.parametrize("pack", [zipped, tarred, rarred])
@pytest.mark.parametrize("way", ["whole", "slow", "cut", "cut-without-range"])
def test_an_archive_arrives_whole_whatever_the_line(checkout: Path, server: Server, way: str, pack):
    archive = pack(FUSED)
    path = manifest(checkout, server, archive)
    server.ways["/tiny archive.bin"] = [way, "no-range" if way == "cut-without-range" else "whole"]
    assert fetch.fetch("tiny", manifest=path) == checkout / "data"
    assert left(checkout) == WHOLE
    data = dataset("tiny")
    assert data.ids == ["01", "02", "03"]
    np.testing.assert_array_equal(data[1].fused, np.asarray(PIL.Image.open(io.BytesIO(FUSED["inner/fused2.png"]))))
    ranges = [wanted for _, wanted in server.asked]
    half = f"bytes={came(archive)}-"
    assert ranges == [None, half] if way.startswith("cut") else ranges == [None]


def test_a_complete_set_is_not_asked_for_again(checkout: Path, server: Server):
    path = manifest(checkout, server, zipped(FUSED))
    fetch.fetch("tiny", manifest=path)
    asked = len(server.asked)
    fetch.fetch("tiny", manifest=path)
    assert len(server.asked) == asked
    shutil.rmtree(checkout / "data" / "tiny")  # the archive is still there and as pinned
    fetch.fetch("tiny", manifest=path)
    assert len(server.asked) == asked
    assert left(checkout) == WHOLE


def test_a_download_goes_on_in_a_later_run(checkout: Path, server: Server, monkeypatch: pytest.MonkeyPatch):
    archive = zipped(FUSED)
    path = manifest(checkout, server, archive)
    monkeypatch.setattr(downloading, "TRIES", 1)
    server.ways["/tiny archive.bin"] = ["cut"]
    with pytest.raises(DatasetError, match=rf"tiny%20archive\.bin: .*expected {len(archive)} bytes; {came(archive)} bytes are kept"):
        fetch.fetch("tiny", manifest=path)
    assert left(checkout) == ["archives/.tiny.bin.part"]
    fetch.fetch("tiny", manifest=path)
    assert server.asked[-1][1] == f"bytes={came(archive)}-"
    assert left(checkout) == WHOLE


@pytest.mark.parametrize("stale", [b"of another version", b"x" * 100_000, None])
def test_a_stale_part_does_not_stand_in_the_way(checkout: Path, server: Server, stale: bytes | None):
    archive = zipped(FUSED)
    part = checkout / "data" / "archives" / ".tiny.bin.part"
    part.parent.mkdir()
    part.write_bytes(b"y" * len(archive) if stale is None else stale)
    fetch.fetch("tiny", manifest=manifest(checkout, server, archive))
    assert left(checkout) == WHOLE


def test_a_stalled_line_is_given_up_and_gone_on_with(checkout: Path, server: Server):
    archive = zipped(FUSED)
    path = manifest(checkout, server, archive)
    server.ways["/tiny archive.bin"] = ["stall"]
    started = time.monotonic()
    fetch.fetch("tiny", manifest=path, timeout=0.3)
    assert time.monotonic() - started < 10
    assert left(checkout) == WHOLE


@pytest.mark.parametrize("digest", ["sha256", "md5", "git"])
def test_a_wrong_hash_is_told_and_nothing_kept(checkout: Path, server: Server, digest: str):
    archive = zipped(FUSED)
    value = git_digest(archive) if digest == "git" else f"{digest}:{hashlib.new(digest, archive).hexdigest()}"
    path = manifest(checkout, server, archive, digest=value)
    server.ways["/tiny archive.bin"] = ["wrong"]
    with pytest.raises(DatasetError, match=rf"tiny%20archive\.bin: .*{value.partition(':')[2]}"):
        fetch.fetch("tiny", manifest=path)
    assert left(checkout) == []
    fetch.fetch("tiny", manifest=path)
    assert left(checkout) == WHOLE


def test_a_404_is_told_at_once(checkout: Path, server: Server):
    path = manifest(checkout, server, zipped(FUSED))
    server.files.clear()
    with pytest.raises(DatasetError, match=r"tiny%20archive\.bin: found HTTP status 404"):
        fetch.fetch("tiny", manifest=path)
    assert len(server.asked) == 1
    assert left(checkout) == []


def test_no_server_at_all_is_told(checkout: Path, server: Server):
    path = manifest(checkout, server, zipped(FUSED), url="http://127.0.0.1:9/tiny.bin")
    with pytest.raises(DatasetError, match=r"http://127\.0\.0\.1:9/tiny\.bin: found .* at try 5"):
        fetch.fetch("tiny", manifest=path)
    assert left(checkout) == []


def test_more_bytes_than_pinned_are_not_taken(checkout: Path, server: Server):
    path = manifest(checkout, server, zipped(FUSED), bytes=100, digest=None)
    with pytest.raises(DatasetError, match="found more than 100 bytes"):
        fetch.fetch("tiny", manifest=path)
    assert left(checkout) == []


BAD_ARCHIVES = {
    "zip climbing out": (zipped({**FUSED, "../evil.png": b"x"}), "'../evil.png', expected only paths that stay inside"),
    "zip climbing out deep down": (zipped({**FUSED, "inner/../../evil.png": b"x"}), "evil.png"),
    "zip absolute": (zipped({**FUSED, "/tmp/ivfnb-evil.png": b"x"}), "'/tmp/ivfnb-evil.png'"),
    "zip with a drive": (zipped({**FUSED, "C:\\evil.png": b"x"}), "C:"),
    "zip with backslashes": (zipped({**FUSED, "..\\evil.png": b"x"}), "evil.png"),
    "tar climbing out": (tarred({**FUSED, "../evil.png": b"x"}), "'../evil.png'"),
    "tar absolute": (tarred({**FUSED, "/tmp/ivfnb-evil.png": b"x"}, "w"), "'/tmp/ivfnb-evil.png'"),
    "tar with a link out": (tarred(FUSED, "w:xz", link="/etc"), "link or device 'link'"),
    "rar with a link": (rarred(FUSED, "/etc/hosts"), "link or device 'inner/link'"),
    "zip too large": (zipped({**FUSED, "inner/zeros": bytes(2_000_000)}), "more than 1000000 bytes"),
    "tar too large": (tarred({**FUSED, "inner/zeros": bytes(2_000_000)}), "more than 1000000 bytes"),
    "rar too large": (rarred({**FUSED, "inner/zeros": bytes(2_000_000)}), "more than 1000000 bytes"),
    "zip cut": (zipped(FUSED)[:-40], "cannot be read"),
    "tar cut": (tarred(FUSED, "w")[:2000], "cannot be read"),
    "rar cut": (rarred(FUSED)[:-900], "cannot be read"),
    "zip with a changed byte": (zipped(FUSED).replace(FUSED["inner/fused2.png"][60:90], b"\0" * 30), "cannot be read"),
    "no archive": (b"<html>Please sign in</html>", "cannot be read"),
    "empty": (b"", "cannot be read"),
}


@pytest.mark.parametrize("kind", BAD_ARCHIVES)
def test_bad_archives_are_refused_and_nothing_is_left_half_unpacked(checkout: Path, server: Server, kind: str):
    archive, found = BAD_ARCHIVES[kind]
    with pytest.raises(DatasetError) as error:
        fetch.fetch("tiny", manifest=manifest(checkout, server, archive))
    assert found in str(error.value)
    assert "tiny.bin" in str(error.value)
    assert left(checkout) == ["archives/tiny.bin"]
    assert not list(checkout.rglob("evil*"))
    assert not Path("/tmp/ivfnb-evil.png").exists()
    assert [file.name for file in (checkout / "data").rglob(".*")] == [".locks"]


def test_a_zip_with_a_symbolic_link_is_refused(checkout: Path, server: Server):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        info = zipfile.ZipInfo("inner/link")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc")
    with pytest.raises(DatasetError, match="link or device"):
        fetch.fetch("tiny", manifest=manifest(checkout, server, stream.getvalue()))


def test_an_older_copy_is_replaced_as_a_whole_and_kept_when_the_new_one_is_bad(checkout: Path, server: Server):
    old = checkout / "data" / "tiny" / "inner" / "fused1.png"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"old")
    with pytest.raises(DatasetError):
        fetch.fetch("tiny", manifest=manifest(checkout, server, BAD_ARCHIVES["zip cut"][0]))
    assert old.read_bytes() == b"old"
    (old.parent / "surplus.png").write_bytes(b"old")
    fetch.fetch("tiny", manifest=manifest(checkout, server, zipped(FUSED)))
    assert left(checkout) == WHOLE
    assert old.read_bytes() == FUSED["inner/fused1.png"]


def test_single_files_arrive_and_a_changed_one_is_brought_again(checkout: Path, server: Server):
    path = manifest(checkout, server, pins=pinned(server))
    server.ways["/inner/fused2.png"] = ["cut"]
    fetch.fetch("tiny", manifest=path)
    assert left(checkout) == WHOLE[1:]
    changed = checkout / "data" / "tiny" / "inner" / "fused3.png"
    changed.write_bytes(b"changed")
    server.asked.clear()
    fetch.fetch("tiny", manifest=path)
    assert [asked for asked, _ in server.asked] == ["/inner/fused3.png"]
    assert verify("tiny", path) == []


def test_one_missing_file_leaves_the_others_and_no_stump(checkout: Path, server: Server):
    path = manifest(checkout, server, pins=pinned(server))
    del server.files["/inner/fused2.png"]
    with pytest.raises(DatasetError, match=r"fused2\.png: found HTTP status 404"):
        fetch.fetch("tiny", manifest=path)
    assert left(checkout) == ["tiny/inner/fused1.png"]


def test_members_of_an_archive_are_checked_one_by_one(checkout: Path, server: Server):
    pins = [[*pin[:4], f"results.zip!{pin[4]}"] for pin in pinned(server)]
    path = manifest(checkout, server, pins=pins)
    server.files["/results.zip"] = zipped({**FUSED, "inner/other.png": b"not asked for"})
    fetch.fetch("tiny", manifest=path)
    assert left(checkout) == WHOLE[1:]
    assert len(server.asked) == 1
    shutil.rmtree(checkout / "data" / "tiny")
    server.files["/results.zip"] = zipped({**FUSED, "inner/fused1.png": png(9)})
    with pytest.raises(DatasetError, match=r"results\.zip: inner/fused1\.png changed"):
        fetch.fetch("tiny", manifest=path)
    assert left(checkout) == []


def test_unpacking_at_the_same_time_gives_one_whole_copy(checkout: Path, server: Server):
    archive = rarred(FUSED)
    path = manifest(checkout, server, archive)
    (checkout / "data" / "archives").mkdir()
    (checkout / "data" / "archives" / "tiny.bin").write_bytes(archive)
    entry = load(path)["tiny"]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: list(listing.unpacked(entry).items), range(16)))
    assert found == [["01", "02", "03"]] * 16
    assert [file.name for file in (checkout / "data" / ".unpacked" / "tiny").iterdir()] == ["inner"]


def test_what_is_at_hand_in_the_data_root_is_used_and_not_written_to(
    checkout: Path, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    archive = zipped(FUSED)
    path = manifest(checkout, server, archive)
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "archives").mkdir(parents=True)
    (elsewhere / "archives" / "tiny.bin").write_bytes(archive)
    monkeypatch.setenv("IVFNB_DATA", str(elsewhere))
    assert listing.state(load(path)["tiny"]) == ("packed", 3)
    fetch.fetch("tiny", manifest=path)
    assert server.asked == []
    assert [file.name for file in elsewhere.rglob("*")] == ["archives", "tiny.bin"]
    assert left(checkout) == WHOLE[1:]
    assert fetch.fetch("tiny", into=tmp_path / "third", manifest=path) == checkout / "data"


def test_verify_names_every_missing_changed_and_surplus_file(checkout: Path, server: Server):
    path = manifest(checkout, server, pins=pinned(server))
    assert verify("tiny", path) == ["tiny: absent"]
    fetch.fetch("tiny", manifest=path)
    assert verify("tiny", path) == []
    inner = checkout / "data" / "tiny" / "inner"
    (inner / "fused1.png").unlink()
    (inner / "fused2.png").write_bytes(FUSED["inner/fused2.png"][:-1] + b"?")
    (inner / "fused4.png").write_bytes(png(4))
    lines = verify("tiny", path)
    assert [line.partition(":")[0] for line in lines] == [str(inner / f"fused{number}.png") for number in (1, 2, 4)]
    assert [line.split(": ")[1].split()[0] for line in lines] == ["missing", "changed", "surplus"]


@pytest.mark.parametrize("pack", [zipped, rarred])
def test_verify_compares_unpacked_files_with_their_archive(checkout: Path, server: Server, pack):
    path = manifest(checkout, server, pack(FUSED))
    fetch.fetch("tiny", manifest=path)
    assert verify("tiny", path) == []
    inner = checkout / "data" / "tiny" / "inner"
    (inner / "fused1.png").unlink()
    (inner / "fused2.png").write_bytes(FUSED["inner/fused2.png"][:-1] + b"?")
    (inner / "notes.txt").write_text("surplus")
    found = {line.partition(":")[0].rpartition("/")[2]: line.split(": ")[1].split()[0] for line in verify("tiny", path)[:3]}
    assert found == {"fused1.png": "missing", "fused2.png": "changed", "notes.txt": "surplus"}
    (checkout / "data" / "archives" / "tiny.bin").write_bytes(b"x")
    assert "expected" in verify("tiny", path)[0]


def test_the_command_fetches_lists_and_verifies(checkout: Path, server: Server, capsys: pytest.CaptureFixture[str]):
    manifest(checkout, server, pins=pinned(server))
    parser = argparse.ArgumentParser()
    door.configure(parser)

    def command(*words: str) -> tuple[int, str]:
        code = door.run(parser.parse_args(words))
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    with pytest.raises(DatasetError, match="expected sets to fetch"):
        command()
    code, text = command("--list")
    assert code == 0
    assert "tiny" in text
    assert "0 of 3 fused images" in text
    assert "absent" in text
    assert f"tiny: in {checkout / 'data'}\n" in command("--all")[1]
    assert "present" in command("--list")[1]
    assert command("--verify") == (0, "tiny: 3 fused images, nothing wrong\n")
    (checkout / "data" / "tiny" / "inner" / "fused1.png").unlink()
    assert command("--verify", "tiny")[0] == 1
    code, text = command("tiny", "nonsense")
    assert code == 1
    assert "nonsense" in text
    assert left(checkout) == WHOLE[1:]


def test_listing_opens_no_image(checkout: Path, server: Server):
    manifest(checkout, server, pins=pinned(server))
    inner = checkout / "data" / "tiny" / "inner"
    inner.mkdir(parents=True)
    for name in FUSED:
        (inner.parent / name).symlink_to("/nowhere/at/all")  # to open it would fail
    assert "3 fused images" in door.table()


@pytest.mark.parametrize(
    "name", ["tno21", "tno21-released", "authors-tno21", "authors-vot40", "published-tno21/ResNet-ZCA", "published-vifb21/GTF"]
)
def test_the_real_manifest_brings_the_real_sets(
    checkout: Path, server: Server, shared_data: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    real = Path(fetch.__file__).parents[2] / "data" / "manifest.yaml"
    copy = checkout / "data" / "manifest.yaml"
    copy.write_text(real.read_text().replace("https://raw.githubusercontent.com", server.url))
    entry = load(copy)[name]
    for pin in [*entry.pins, *entry.archives]:
        server.files[unquote(pin.url.removeprefix(server.url))] = (shared_data / pin.path).read_bytes()
    fetch.fetch(name, manifest=copy)
    assert verify(name, copy) == []
    assert len(dataset(name)) == entry.expected

"""Fetching over HTTP from a real server on loopback that is whole, cut off, slow, stalled, wrong or empty-handed; unpacking; verifying."""

import argparse
import contextlib
import hashlib
import http.server
import io
import json
import shutil
import tarfile
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import PIL.Image
import pytest
import rars

from ivfnb import paths
from ivfnb.commands import fetch as door
from ivfnb.datasets import DatasetError, dataset, fetch, listing
from ivfnb.datasets import download as downloading
from ivfnb.datasets.manifest import load


class Server(http.server.ThreadingHTTPServer):
    """Serves `files` (path -> content). `ways` says how: cut, cut-without-range, wrong, slow, stall, endless; a way is used up once."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.ways: dict[str, list[str]] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.stop = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self):
        path, wanted = unquote(self.path), self.headers.get("Range")
        self.server.asked.append((path, wanted))
        content = self.server.files.get(path)
        way = self.server.ways[path].pop(0) if self.server.ways.get(path) else "whole"
        if content is None:
            self.send_error(404)
            return
        start = 0
        if wanted and way != "cut-without-range" and "no-range" not in way:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if start >= len(content):
                self.send_error(416)
                return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        body = content[start:]
        if way == "wrong":
            body = bytes([body[0] ^ 1]) + body[1:]
        with contextlib.suppress(ConnectionError):
            if way.startswith("cut"):
                self.wfile.write(body[: len(body) // 2])
                self.close_connection = True
            elif way == "stall":
                self.wfile.write(body[: len(body) // 2])
                self.wfile.flush()
                self.server.stop.wait(20)
                self.close_connection = True
            elif way == "slow":
                for at in range(0, len(body), -(-len(body) // 8)):
                    self.wfile.write(body[at : at - (-len(body) // 8)])
                    self.wfile.flush()
                    time.sleep(0.03)
            else:
                self.wfile.write(body)

    def log_message(self, *_):
        """Keep the test's output clean."""


@pytest.fixture
def server():
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.stop.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty checkout whose data/ is the data root; new tries come at once."""
    folder = tmp_path / "checkout"
    (folder / "data").mkdir(parents=True)
    monkeypatch.setattr(paths, "root", lambda: folder)
    monkeypatch.delenv("IVFNB_DATA", raising=False)
    monkeypatch.setattr(downloading, "PAUSE", 0.01)
    return folder


def png(level: int) -> bytes:
    stream = io.BytesIO()
    noise = np.random.default_rng(level).integers(0, 256, (200, 300), dtype=np.uint8)
    PIL.Image.fromarray(noise).save(stream, "PNG")
    return stream.getvalue()


FUSED = {f"inner/fused{number}.png": png(number) for number in (1, 2, 3)}


def zipped(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def tarred(members: dict[str, bytes], mode: str = "w:gz", **special: object) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for name, target in special.items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, str(target)
            archive.addfile(info)
    return stream.getvalue()


def rarred(members: dict[str, bytes], link: str | None = None) -> bytes:
    builder = rars.RarBuilder()
    for name, content in members.items():
        builder.add_bytes(content, name)
    if link:
        builder.add_unix_symlink("inner/link", link)
    return builder.to_bytes()


def git_digest(content: bytes) -> str:
    return "git:" + hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def manifest(checkout: Path, server: Server, archive: bytes | None = None, pins: list | None = None, **archive_keys: object) -> Path:
    """A manifest of one set `tiny`: three fused images, in an archive on the server, or as pinned files."""
    keys = {"kind": "fused", "title": "Tiny", "folders": {"fused": "tiny/inner"}, "ids": 3}
    if archive is not None:
        server.files["/tiny archive.bin"] = archive
        known = {"bytes": len(archive), "digest": "sha256:" + hashlib.sha256(archive).hexdigest()}
        place = {"file": "archives/tiny.bin", "url": f"{server.url}/tiny%20archive.bin", "limit": 1_000_000}
        keys |= {"unpack": "tiny", "archives": [{**known, **place, **archive_keys}]}
    path = checkout / "data" / "manifest.yaml"
    path.write_text(json.dumps({"sets": {"tiny": keys}, "sources": {"local": server.url}, "pins": pins or []}))  # JSON is YAML
    return path


def pinned(server: Server, names: dict[str, str] | None = None) -> list:
    """Pins of the three images, each served at its own path."""
    pins = []
    for name, content in FUSED.items():
        server.files[f"/{name}"] = content
        pins.append([f"tiny/{name}", len(content), hashlib.sha256(content).hexdigest(), "local", name])
    return pins


def left(checkout: Path) -> list[str]:
    """Files below data/, but for the manifest."""
    data = checkout / "data"
    return sorted(str(file.relative_to(data)) for file in data.rglob("*") if file.is_file() and file.name != "manifest.yaml")


def came(content: bytes) -> int:
    """Bytes on disk when the line broke half-way: whole blocks."""
    return len(content) // 2 // downloading.BLOCK * downloading.BLOCK


WHOLE = ["archives/tiny.bin", *(f"tiny/{name}" for name in FUSED)]


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
    assert [file.name for file in (checkout / "data").rglob(".*")] == []


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
    assert fetch.verify("tiny", path) == []


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
        found = list(pool.map(lambda _: list(listing.unpacked(entry)), range(16)))
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
    assert fetch.verify("tiny", path) == ["tiny: absent"]
    fetch.fetch("tiny", manifest=path)
    assert fetch.verify("tiny", path) == []
    inner = checkout / "data" / "tiny" / "inner"
    (inner / "fused1.png").unlink()
    (inner / "fused2.png").write_bytes(FUSED["inner/fused2.png"][:-1] + b"?")
    (inner / "fused4.png").write_bytes(png(4))
    lines = fetch.verify("tiny", path)
    assert [line.partition(":")[0] for line in lines] == [str(inner / f"fused{number}.png") for number in (1, 2, 4)]
    assert [line.split(": ")[1].split()[0] for line in lines] == ["missing", "changed", "surplus"]


@pytest.mark.parametrize("pack", [zipped, rarred])
def test_verify_compares_unpacked_files_with_their_archive(checkout: Path, server: Server, pack):
    path = manifest(checkout, server, pack(FUSED))
    fetch.fetch("tiny", manifest=path)
    assert fetch.verify("tiny", path) == []
    inner = checkout / "data" / "tiny" / "inner"
    (inner / "fused1.png").unlink()
    (inner / "fused2.png").write_bytes(FUSED["inner/fused2.png"][:-1] + b"?")
    (inner / "notes.txt").write_text("surplus")
    found = {line.partition(":")[0].rpartition("/")[2]: line.split(": ")[1].split()[0] for line in fetch.verify("tiny", path)[:3]}
    assert found == {"fused1.png": "missing", "fused2.png": "changed", "notes.txt": "surplus"}
    (checkout / "data" / "archives" / "tiny.bin").write_bytes(b"x")
    assert "expected" in fetch.verify("tiny", path)[0]


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
    assert fetch.verify(name, copy) == []
    assert len(dataset(name)) == entry.expected

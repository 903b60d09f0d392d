"""Processes that meet in one set, and processes that are killed: real ones, with a real SIGKILL."""

import signal
import time
from pathlib import Path

import pytest
from loopback import FUSED, WHOLE, Server, child, left, manifest, pinned, rarred, until, zipped

from ivfnb.datasets import DatasetError, archives, fetch, listing, locks
from ivfnb.datasets.manifest import load
from ivfnb.datasets.verify import verify

FETCH = "locks.PATIENCE = 0; print(fetch('tiny'))"


def hidden(checkout: Path) -> list[str]:
    """Hidden files and folders below data/, but for the locks."""
    return sorted(file.name for file in (checkout / "data").rglob(".*") if file.name != ".locks")


@pytest.mark.parametrize("kind", ["archive", "files", "members"])
def test_the_second_of_two_fetches_waits_says_so_once_and_downloads_nothing(checkout: Path, server: Server, kind: str):
    if kind == "archive":
        path, slow = manifest(checkout, server, zipped(FUSED)), "/tiny archive.bin"
    elif kind == "files":
        path, slow = manifest(checkout, server, pins=pinned(server)), "/inner/fused2.png"
    else:
        path, slow = manifest(checkout, server, pins=[[*pin[:4], f"all.zip!{pin[4]}"] for pin in pinned(server)]), "/all.zip"
        server.files["/all.zip"] = zipped(FUSED)
    server.ways[slow] = ["held"]
    first = child(checkout, FETCH)
    until(lambda: slow in [asked for asked, _ in server.asked])
    second = child(checkout, FETCH)
    said = second.stderr.readline()
    assert f"{checkout / 'data' / 'tiny'}: another process fetches or unpacks it" in said
    server.go.set()
    for process in (first, second):
        out, error = process.communicate(timeout=60)
        assert (process.returncode, out, error) == (0, f"{checkout / 'data'}\n", "")
    asked = [asked for asked, _ in server.asked]
    assert len(asked) == len(set(asked))
    assert left(checkout) == (WHOLE if kind == "archive" else WHOLE[1:])
    assert hidden(checkout) == []
    assert verify("tiny", path) == []


def test_who_will_not_wait_that_long_is_told_of_the_lock(checkout: Path, server: Server, caplog: pytest.LogCaptureFixture):
    path = manifest(checkout, server, zipped(FUSED))
    with locks.held(checkout / "data", "tiny"):
        started = time.monotonic()
        with pytest.raises(DatasetError, match=r"\.locks/tiny\.lock: found it held by another process for 0\.3 s"):
            fetch.fetch("tiny", manifest=path, wait=0.3)
        assert time.monotonic() - started < 5
        with locks.held(checkout / "data", "another"):
            pass
    assert server.asked == []
    assert caplog.messages == []
    fetch.fetch("tiny", manifest=path, wait=0)
    assert left(checkout) == WHOLE


def test_the_lock_of_a_killed_fetch_is_free_and_its_part_is_gone_on_with(checkout: Path, server: Server):
    path = manifest(checkout, server, zipped(FUSED))
    server.ways["/tiny archive.bin"] = ["held"]
    first = child(checkout, FETCH)
    part = checkout / "data" / "archives" / ".tiny.bin.part"
    until(lambda: part.exists() and part.stat().st_size)
    first.kill()
    assert first.wait() == -signal.SIGKILL
    assert left(checkout) == ["archives/.tiny.bin.part"]
    fetch.fetch("tiny", manifest=path, wait=0)
    assert server.asked[-1][1].startswith("bytes=")
    assert left(checkout) == WHOLE
    assert hidden(checkout) == []


def test_a_killed_fetch_of_members_leaves_nothing_visible_and_the_next_one_sweeps(checkout: Path, server: Server):
    path = manifest(checkout, server, pins=[[*pin[:4], f"all.zip!{pin[4]}"] for pin in pinned(server)])
    server.files["/all.zip"] = zipped(FUSED)
    server.ways["/all.zip"] = ["held"]
    first = child(checkout, FETCH)
    until(lambda: server.asked and hidden(checkout))
    first.kill()
    first.wait()
    assert all(any(part.startswith(".") for part in Path(file).parts) for file in left(checkout))
    assert [file.name for file in (checkout / "data" / "tiny").iterdir() if not file.name.startswith(".")] == []
    fetch.fetch("tiny", manifest=path, wait=0)
    assert left(checkout) == WHOLE[1:]
    assert hidden(checkout) == []


@pytest.mark.parametrize("renames", [1, 2])
def test_a_kill_between_two_renames_is_put_right_at_the_next_run(checkout: Path, server: Server, renames: int):
    path = manifest(checkout, server, rarred(FUSED))
    inner = checkout / "data" / "tiny" / "inner"
    inner.mkdir(parents=True)
    (inner / "fused1.png").write_bytes(FUSED["inner/fused1.png"])  # the earlier copy, of one image
    killed = child(
        checkout,
        f"""
rename, done = os.rename, []
def killing(*places):
    rename(*places)
    done.append(places)
    if len(done) == {renames}:
        os.kill(os.getpid(), signal.SIGKILL)
os.rename = killing
fetch("tiny")
""",
    )
    assert killed.wait(60) == -signal.SIGKILL
    assert inner.exists() == (renames == 2)
    assert [name.partition("-")[0] for name in hidden(checkout)] == [".unpacking"]
    if renames == 1:  # and without the server the earlier copy comes back
        archive = checkout / "data" / "archives" / "tiny.bin"
        archive.rename(checkout / "kept")
        server.files.clear()
        with pytest.raises(DatasetError, match="HTTP status 404"):
            fetch.fetch("tiny", manifest=path)
        assert left(checkout) == ["tiny/inner/fused1.png"]
        (checkout / "kept").rename(archive)
    fetch.fetch("tiny", manifest=path)
    assert left(checkout) == WHOLE
    assert hidden(checkout) == []


def test_kills_at_any_moment_leave_nothing_visible_but_whole_files_and_the_next_run_is_right(checkout: Path, server: Server):
    archive = zipped(FUSED)
    path = manifest(checkout, server, archive)
    for moment in range(1, 9):  # the moments at which something is opened, made or renamed below data/
        server.ways["/tiny archive.bin"] = ["slow"]
        killed = child(
            checkout,
            f"""
moments = 0
def hook(event, arguments):
    global moments
    if event in ("open", "os.mkdir", "os.rename", "os.remove") and str(arguments[0]).startswith(str(checkout / "data")):
        writes = event != "open" or (arguments[1] and set(arguments[1]) & set("wax")) or arguments[2] & (os.O_WRONLY | os.O_RDWR)
        moments += bool(writes)
        if moments == {moment}:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
fetch("tiny")
""",
        )
        assert killed.wait(60) == -signal.SIGKILL, moment
        visible = [file for file in left(checkout) if not any(part.startswith(".") for part in Path(file).parts)]
        assert set(visible) <= set(WHOLE), moment
        assert not list((checkout / "data").rglob("tmp*")), moment
    fetch.fetch("tiny", manifest=path, wait=0)
    assert left(checkout) == WHOLE
    assert hidden(checkout) == []
    assert verify("tiny", path) == []


def test_a_killed_unpacking_on_the_way_to_an_image_is_done_again(checkout: Path, server: Server):
    archive = rarred({**FUSED, "other/notes.txt": b"x"})
    path = manifest(checkout, server, archive)
    (checkout / "data" / "archives").mkdir()
    (checkout / "data" / "archives" / "tiny.bin").write_bytes(archive)
    killed = child(checkout, "os.rename = lambda *_: os.kill(os.getpid(), signal.SIGKILL); dataset('tiny')")
    assert killed.wait(60) == -signal.SIGKILL
    cache = checkout / "data" / ".unpacked" / "tiny"
    assert [name.name.partition("-")[0] for name in cache.iterdir()] == [".unpacking"]
    assert list(listing.unpacked(load(path)["tiny"]).items) == ["01", "02", "03"]
    assert sorted(name.name for name in cache.iterdir()) == ["inner", "other"]


def test_sweeping_keeps_what_stands_in_its_place(tmp_path: Path):
    for folder in ("top", ".unpacking-x/old-top", ".unpacking-x/new/top", ".unpacking-x/old-gone"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "file").write_text(folder)
    archives.sweep(tmp_path)
    found = {str(file.relative_to(tmp_path)): file.read_text() for file in tmp_path.rglob("*") if file.is_file()}
    assert found == {"top/file": "top", "gone/file": ".unpacking-x/old-gone"}

"""The parts of the page that need no browser: limits and their line, uploads, switches, downloads, settings of the server."""

import asyncio
import io
import threading
import time
import warnings
import zipfile

import cv2
import numpy as np
import pytest

from ivfnb import commands, images
from ivfnb.commands import app
from ivfnb.commands.app import uploads
from ivfnb.commands.app.computing import Choice, fuse, listening, ours, score
from ivfnb.commands.app.downloads import everything
from ivfnb.commands.app.limits import Limits, Turns
from ivfnb.commands.app.uploads import Given, Pair
from ivfnb.fusion.protocol import AS_PAPER, AS_RELEASED, Protocol
from ivfnb.images import ImageError

SMALL = Limits(megabytes=1, megapixels=0.01, pairs=3, windows=50)


def image(seed, shape=(40, 56)):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def given(name, pixels):
    return Given(name, cv2.imencode(name[name.rindex(".") :], pixels)[1].tobytes())


def pair(shape=(40, 56), color=False):
    visible = image(2, (*shape, 3) if color else shape)
    return Pair("noise", image(1, shape), visible, {"infrared": given("a.png", image(1, shape)), "visible": given("b.png", visible)})


def test_turns_are_kept_in_order_and_never_shared():
    turns, running, seen, done = Turns(2), [], [], []
    first = threading.Event()

    def work(number):
        with turns.turn(every=0.01):
            running.append(number)
            seen.append(len(running))
            first.wait(10)
            running.remove(number)
        done.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for number, thread in enumerate(threads):
        thread.start()
        while turns.length <= number:
            time.sleep(0.001)
    assert turns.length == 6
    first.set()
    for thread in threads:
        thread.join(10)
    assert max(seen) == 2
    assert sorted(done) == list(range(6))
    assert turns.length == 0


def test_who_waits_is_told_and_may_leave():
    turns, told = Turns(1), []

    def leave(before):
        told.append(before)
        raise KeyboardInterrupt

    with turns.turn():
        with pytest.raises(KeyboardInterrupt), turns.turn(leave):
            raise AssertionError("it was not its turn")
        assert turns.length == 1
    assert told == [1]


def test_a_line_that_is_too_long_is_refused():
    turns = Turns(1, at_most=0)
    with turns.turn(), pytest.raises(ValueError, match="expected at most 1: try again"), turns.turn():
        raise AssertionError("it was not its turn")


@pytest.mark.parametrize("name", ["megabytes", "megapixels", "pairs", "windows", "jobs"])
def test_limits_are_above_nothing(name, capsys):
    with pytest.raises(ValueError, match=f"--{name}: found 0"):
        Limits(**{name: 0})
    if name == "jobs":
        assert commands.main(["app", "--jobs", "0"]) == 2
        assert "ivfnb app: --jobs: found 0" in capsys.readouterr().err


def test_a_pair_is_read_as_from_files():
    deep = image(3).astype(np.uint16) * 257
    read = uploads.read_pair("p", given("a.tif", deep), given("b.png", np.dstack([image(4)] * 3)), SMALL)
    np.testing.assert_allclose(read.infrared, image(3))
    assert read.visible.dtype == np.uint8
    np.testing.assert_array_equal(read.visible, image(4))
    assert read.size == (56, 40)


@pytest.mark.parametrize(
    ("name", "stored", "said"),
    [
        ("a.png", given("a.png", image(1, (101, 101))).stored, r"a\.png: found 101x101 pixels .* expected at most 0\.01 megapixels"),
        ("a.png", bytes(1_000_001), r"a\.png: found 1\.0 MB, expected at most 1"),
        ("a.png", b"", "found no image header"),
        ("a.png", given("a.png", image(1)).stored[:300], "no whole image"),
        ("a.png", given("a.png", image(1, (40, 40))).stored, r"found a\.png of 40x40 and b\.png of 56x40 pixels, expected one size"),
    ],
)
def test_bad_files_are_refused_by_name(name, stored, said):
    with pytest.raises(ImageError, match=said):
        uploads.read_pair("p", Given(name, stored), given("b.png", image(2)), SMALL)


def zipped(members):
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, stored in members.items():
            archive.writestr(name, stored)
    return Given("pairs.zip", whole.getvalue())


def test_a_zip_is_looked_at_by_names_and_bounded_when_unpacked():
    bomb = zipped({"ir/1.png": bytes(50_000_000), "vis/1.png": b"", "vis/2.png": b"", "../ir/x.txt": b""})
    assert len(bomb.stored) < 100_000
    pairs, faults = uploads.pairs_of_zip(bomb, SMALL)
    assert pairs == {"1": {"infrared": "ir/1.png", "visible": "vis/1.png"}}
    assert faults == ("vis/2.png without a partner",)
    with pytest.raises(ImageError, match=r"more than 1 MB in ir/1\.png"):
        uploads.member_of_zip(bomb, "ir/1.png", SMALL)


@pytest.mark.parametrize(
    ("zip_file", "said"),
    [
        (Given("p.zip", b"PK\x03\x04 and no more"), "no zip, or a broken one"),
        (zipped({"readme.txt": b"", "photo.png": b""}), "found 2 files and no pair among them"),
        (zipped({f"{role}/{n}.png": b"" for role in ("ir", "vis") for n in range(4)}), "found 4 pairs, expected at most 3"),
        (Given("p.zip", bytes(5_000_001)), r"found 5\.0 MB, expected at most 5"),
    ],
)
def test_bad_zips_are_refused(zip_file, said):
    with pytest.raises(ImageError, match=said):
        uploads.pairs_of_zip(zip_file, SMALL)


def test_a_damaged_member_is_refused():
    whole = zipped({"ir/1.png": image(1).tobytes(), "vis/1.png": b""})
    stored = bytearray(whole.stored)
    stored[60:90] = bytes(30)
    with pytest.raises(ImageError, match=r"ir/1\.png cannot be unpacked"):
        uploads.member_of_zip(Given("p.zip", bytes(stored)), "ir/1.png", SMALL)


def test_warnings_reach_the_thread_that_listens_alone():
    heard = {}

    def work(name, wait):
        with listening() as mine:
            wait.wait(5)
            warnings.warn(f"of {name}", UserWarning, stacklevel=1)
            heard[name] = list(mine)

    both = threading.Barrier(2)
    threads = [threading.Thread(target=work, args=(name, both)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == {"a": ["of a"], "b": ["of b"]}


@pytest.mark.parametrize("color", [False, True])
def test_an_outcome_holds_every_stage_in_8_bits_and_its_metrics(color):
    protocol = Protocol(classifier="gradient_energy", size=(44, 50), stretch=True)
    noise = pair((48, 64), color)
    outcome = fuse(ours(protocol), noise, SMALL)
    assert list(outcome.stages)[2:] == [
        "Enhanced infrared",
        "Enhanced visible",
        "Weight of the visible image",
        "Weighted mean",
        "Stretched mean",
        "Fused",
    ]
    assert {stage.dtype for stage in outcome.stages.values()} == {np.dtype(np.uint8)}
    assert len(score(outcome, noise, "standard")) == 11
    assert outcome.fitted == {"standard": "resized"}
    assert zipfile.ZipFile(io.BytesIO(everything(noise, [outcome], "standard"))).testzip() is None


def test_work_is_bounded():
    slow = Protocol(stride=3)
    with pytest.raises(ValueError, match=r"stride: found 3, with which 54 windows .* expected at most 50"):
        fuse(ours(slow), pair(), SMALL)
    with pytest.raises(ValueError, match=r"size: found 200x200 pixels, expected at most 0\.01 megapixels"):
        fuse(ours(Protocol(classifier="none", size=(200, 200))), pair(), SMALL)


def test_names_of_choices():
    names = [ours(protocol).name for protocol in (AS_PAPER, AS_RELEASED, Protocol(stride=16))]
    assert names == ["Qi et al. 2024, as the paper says", "Qi et al. 2024, as released", "Qi et al. 2024, own switches"]
    assert Choice("ConvSR (multi-focus)").slug == "convsr-multi-focus"


def test_every_switch_has_a_place_and_a_documentation():
    pytest.importorskip("streamlit", reason="Streamlit is not installed: pip install 'ivfnb[app]'")
    from ivfnb.commands.app import switches

    placed = [name for group in switches.GROUPS.values() for name in group]
    assert sorted(placed) == sorted(vars(AS_PAPER))
    assert all(len(switches.documented()[name]) > 20 for name in placed)


def test_uploads_above_a_megabyte_stay_in_memory(monkeypatch):
    parsers = pytest.importorskip("starlette.formparsers", reason="Streamlit is not installed: pip install 'ivfnb[app]'")
    from starlette.datastructures import Headers

    monkeypatch.setattr(parsers.MultiPartParser, "spool_max_size", parsers.MultiPartParser.spool_max_size)
    app._keep_uploads_in_memory(SMALL)
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'

    async def stream():
        yield head + bytes(2_000_000) + b"\r\n--x--\r\n"

    form = asyncio.run(parsers.MultiPartParser(Headers({"content-type": "multipart/form-data; boundary=x"}), stream()).parse())
    file = form["file"].file
    assert not file._rolled, "it would have been written to the disk"
    assert len(file.read()) == 2_000_000


def test_the_server_is_told_to_keep_to_itself():
    said = app.flags("127.0.0.1", 8501, Limits())
    assert {"--server.address=127.0.0.1", "--browser.gatherUsageStats=false", "--server.allowedHosts=localhost"} <= set(said)
    assert not [flag for flag in app.flags("0.0.0.0", 8501, Limits()) if "allowedHosts" in flag]


def test_a_port_that_is_taken_is_told(capsys):
    pytest.importorskip("streamlit", reason="Streamlit is not installed: pip install 'ivfnb[app]'")
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert commands.main(["app", "--port", str(taken.getsockname()[1])]) == 2
    assert "expected a free port" in capsys.readouterr().err


def test_a_colourful_infrared_image_is_warned_of():
    colourful = np.zeros((40, 56, 3), np.uint8)
    colourful[..., 0] = image(5)
    with listening() as heard:
        read = uploads.read_pair("p", given("palette.png", colourful), given("b.png", image(2)), SMALL)
    assert read.infrared.shape == (40, 56)
    assert "palette.png: found a coloured infrared image" in heard[0]
    assert images.is_coloured(colourful)

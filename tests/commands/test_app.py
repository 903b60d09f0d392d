"""The page, driven in a headless Chromium as a user would: one server and one browser for all tests of this file."""

import io
import json
import os
import resource
import socket
import struct
import subprocess
import sys
import time
import urllib.request
import zipfile
import zlib

import cv2
import numpy as np
import pytest

import ivfnb
from ivfnb.metrics import ELEVEN

pytestmark = pytest.mark.xdist_group("app")  # one server, one browser
PATIENCE = 180_000  # milliseconds: the machine may be busy
WRITES = 1 << 16  # bytes of the largest file that the server may write: an upload that went to the disk would fail
LIMITS = ["--megabytes=1", "--megapixels=0.2", "--windows=500"]


def picture(seed, shape=(48, 64)):
    """A smooth image of random blobs, 8 bits."""
    noise = np.random.default_rng(seed).integers(0, 256, (6, 8, *shape[2:]), np.uint8)
    return cv2.resize(noise, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)


def encoded(image, suffix=".png"):
    return cv2.imencode(suffix, image if image.ndim == 2 else image[..., ::-1])[1].tobytes()


def decoded(stored):
    image = cv2.imdecode(np.frombuffer(stored, np.uint8), cv2.IMREAD_UNCHANGED)
    return image if image.ndim == 2 else image[..., ::-1]


def uploaded(name, stored):
    return {"name": name, "mimeType": "application/octet-stream", "buffer": stored}


def huge_header(width=30000, height=30000):
    """A PNG of a few bytes whose header says very many pixels."""
    chunks = (b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0), b"IDAT" + zlib.compress(b"\0"))
    return b"\x89PNG\r\n\x1a\n" + b"".join(struct.pack(">I", len(each) - 4) + each + struct.pack(">I", zlib.crc32(each)) for each in chunks)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Address of a served page; the server may write no file above 64 KB."""
    pytest.importorskip("streamlit", reason="Streamlit is not installed: pip install 'ivfnb[app]'")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("app")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TMPDIR": str(folder), "HOME": str(folder)}
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "ivfnb", "app", f"--port={port}", *LIMITS],
            stdout=log,
            stderr=log,
            cwd=folder,
            env=environment,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (WRITES, WRITES)),
        )
    try:
        for _ in range(300):
            assert server.poll() is None, (folder / "log").read_text()
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=10).close()
                break
            except OSError:
                time.sleep(0.5)
        yield f"http://127.0.0.1:{port}"
        assert "Traceback" not in (folder / "log").read_text()
    finally:
        server.terminate()
        server.wait(30)


class Visitor:
    """A user with a browser of their own."""

    def __init__(self, browser, address):
        from playwright.sync_api import TimeoutError

        self.asked, self.timeout = [], TimeoutError
        self.page = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce").new_page()
        self.page.set_default_timeout(PATIENCE)
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(address)
        self.rest()

    def rest(self):
        """Wait until the page has been drawn anew."""
        time.sleep(0.3)  # a click takes its time to the server
        self.page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')

    def choose(self, label, option):
        offered = self.page.get_by_role("option", name=option, exact=True)
        for _ in range(10):  # a list closes by itself where the page is drawn anew meanwhile
            self.page.get_by_role("combobox", name=label).first.click()
            try:
                offered.wait_for(timeout=PATIENCE / 20)
                break
            except self.timeout:
                self.page.keyboard.press("Escape")
        offered.click()
        self.rest()

    def source(self, name):
        self.page.get_by_test_id("stSidebar").get_by_role("radio", name=name, exact=True).click()
        self.rest()

    def upload(self, label, name, stored):
        widget = self.page.locator(f'[data-testid="stFileUploader"]:has-text("{label}")')
        widget.locator("input[type=file]").set_input_files(uploaded(name, stored))
        self.rest()

    def upload_pair(self, infrared, visible):
        self.source("Two images")
        self.upload("Infrared image", "ir.png", encoded(infrared))
        self.upload("Visible image", "vis.png", encoded(visible))

    def open(self, group):
        self.page.get_by_test_id("stExpander").filter(has_text=group).locator("summary").click()

    def text(self):
        return self.page.inner_text("body")

    def see(self, text):
        self.page.get_by_text(text).first.wait_for()

    def errors(self):
        return [each.inner_text() for each in self.page.get_by_test_id("stAlert").all() if "found" in each.inner_text()]

    def download(self):
        self.rest()
        with self.page.expect_download() as waiting:
            self.page.get_by_role("button", name="Download everything").click()
        return zipfile.ZipFile(io.BytesIO(waiting.value.path().read_bytes()))


@pytest.fixture(scope="module")
def visitor(browser, address):
    return Visitor(browser, address)


def test_sample_pair_with_everything_the_page_promises(visitor, address):
    visitor.see("sentinel2, 300 x 300 pixels")
    visitor.page.get_by_role("button", name="Download everything").wait_for()
    visitor.rest()
    said = visitor.text()
    assert all(f"{name} {'↓' if name in ('CE', 'Nabf') else '↑'}" in said for name in ELEVEN)
    assert all(stage in said for stage in ("Enhanced infrared", "Enhanced visible", "Weight of the visible image", "Weighted mean"))
    assert "fused in" in said
    assert "Nothing is sent anywhere else" in said
    line = visitor.page.get_by_label("Boundary between Visible and Fused")
    line.focus()
    before = line.input_value()
    line.press("ArrowLeft")
    assert int(line.input_value()) < int(before)
    for tab, shown in {
        "Weight map": "mean weight of the visible image",
        "Histograms": "pixels, %",
        "What the metrics": "Edge intensity",
    }.items():
        visitor.page.get_by_role("tab", name=tab).click()
        visitor.see(shown)
    outside = [url for url in visitor.asked if not url.startswith((address, address.replace("http", "ws"), "data:", "blob:"))]
    assert not outside, "the page asks nothing of anybody else"


def test_it_listens_on_this_machine_alone(address):
    port = int(address.rpartition(":")[2])
    with socket.socket() as other, pytest.raises(ConnectionRefusedError):
        other.connect(("127.0.0.2", port))  # a server that listens everywhere answers here as well


def test_upload_switch_and_download(visitor):
    infrared, visible = picture(1), picture(2, (48, 64, 3))
    visitor.upload_pair(infrared, visible)
    visitor.see("ir, 64 x 48 pixels")
    visitor.open("Who judges sharpness")
    visitor.choose("classifier", "gradient_energy")
    visitor.choose("weighting", "votes")
    visitor.see("Qi et al. 2024, own switches")
    visitor.see("Differs from the paper's text in")
    protocol = ivfnb.Protocol(classifier="gradient_energy", weighting="votes")
    expected = ivfnb.fuse(infrared, visible, protocol=protocol)
    archive = visitor.download()
    folder = "qi-et-al-2024-own-switches/"
    np.testing.assert_array_equal(decoded(archive.read(folder + "fused.png")), expected.fused)
    weights = ivfnb.images.to_uint8(255 * expected.weight_map)
    np.testing.assert_array_equal(decoded(archive.read(folder + "weight_of_the_visible_image.png")), weights)
    assert archive.read("inputs/infrared.png") == encoded(infrared)
    record = json.loads(archive.read("provenance.json"))
    assert record["methods"][0]["protocol"]["weighting"] == "votes"
    assert record["methods"][0]["weights"] == {}
    assert record["inputs"]["visible"]["name"] == "vis.png"
    metrics = {line.split(",")[0]: float(line.split(",")[-1]) for line in archive.read("metrics.csv").decode().splitlines()[1:]}
    assert metrics == pytest.approx(ivfnb.score(expected.fused, infrared, visible))
    assert archive.read("histograms.csv").count(b"\n") == 1 + 64 * 7
    visitor.choose("Convention", "as_released")
    visitor.see("convention as_released")


def test_another_method_and_two_side_by_side(visitor):
    visitor.choose("Method", "Maximum")
    visitor.choose("Beside it", "Laplacian pyramid")
    visitor.page.get_by_role("tab", name="Side by side").wait_for()
    visitor.see("Laplacian pyramid: fused in")
    visitor.page.get_by_role("tab", name="Weight map").click()
    visitor.see("Maximum and Laplacian pyramid: no weight map")
    archive = visitor.download()
    fused = decoded(archive.read("maximum/fused.png"))
    np.testing.assert_array_equal(fused, ivfnb.BASELINES["Maximum"].image(picture(1), picture(2, (48, 64, 3))))
    assert "laplacian-pyramid/fused.png" in archive.namelist()


BAD = {
    "text": (uploaded("ir.png", b"this is no image"), "found no image header"),
    "cut short": (uploaded("ir.png", encoded(picture(1))[:200]), "no whole image"),
    "huge header": (uploaded("ir.png", huge_header()), "30000x30000 pixels"),
    "other size": (uploaded("ir.png", encoded(picture(1, (40, 40)))), "expected one size"),
    "two pixels": (uploaded("ir.png", encoded(picture(1, (2, 2)))), "expected one size"),
}


def test_bad_uploads_are_told_and_the_page_lives_on(visitor):
    visitor.source("Two images")
    for kind, (file, said) in BAD.items():
        visitor.upload("Infrared image", file["name"], file["buffer"])
        visitor.see(said)
        assert "Infrared and visible image fusion" in visitor.text(), kind
    visitor.upload("Infrared image", "good.png", encoded(picture(1)))
    visitor.see("good, 64 x 48 pixels")
    assert not visitor.errors()


def test_a_zip_of_pairs(visitor):
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for number in (3, 4):
            archive.writestr(f"set/infrared/{number}.png", encoded(picture(number)))
            archive.writestr(f"set/visible/{number}.png", encoded(picture(10 + number)))
        archive.writestr("set/infrared/9.png", encoded(picture(9)))
    visitor.source("Zip")
    visitor.upload("Zip of pairs", "broken.zip", whole.getvalue()[:-40])
    visitor.see("found a file that is no zip, or a broken one")
    visitor.upload("Zip of pairs", "pairs.zip", whole.getvalue())
    visitor.see("Left out: set/infrared/9.png without a partner")
    visitor.choose("Pair (2 in the zip)", "set/4")
    visitor.see("set/4, 64 x 48 pixels")
    fused = decoded(visitor.download().read("maximum/fused.png"))
    np.testing.assert_array_equal(fused, ivfnb.BASELINES["Maximum"].image(picture(4), picture(14)))


def test_two_users_at_once_do_not_mix(visitor, browser, address):
    users = {20: visitor, 30: Visitor(browser, address)}
    for seed, user in users.items():
        user.choose("Method", "Maximum")
        user.upload_pair(picture(seed), picture(seed + 1))
    for seed, user in users.items():
        user.see("ir, 64 x 48 pixels")
        archive = user.download()
        assert archive.read("inputs/infrared.png") == encoded(picture(seed))
        expected = ivfnb.BASELINES["Maximum"].image(picture(seed), picture(seed + 1))
        np.testing.assert_array_equal(decoded(archive.read("maximum/fused.png")), expected)


def test_on_a_telephone_nothing_is_wider_than_the_screen(visitor):
    visitor.page.set_viewport_size({"width": 390, "height": 844})
    visitor.page.get_by_role("button", name="Download everything").wait_for()
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 390

"""A server on loopback that is whole, cut off, slow, stalled, wrong or empty-handed, and the small set that it serves."""

import contextlib
import hashlib
import http.server
import io
import json
import os
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import PIL.Image
import rars

from ivfnb.datasets import download as downloading


class Server(http.server.ThreadingHTTPServer):
    """Serves `files` (path -> content). `ways` says how: cut, cut-without-range, wrong, slow, stall, held (half of it,
    the rest when `go` is set); a way is used up once."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.ways: dict[str, list[str]] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.stop, self.go = threading.Event(), threading.Event()

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
            elif way == "held":
                self.wfile.write(body[: len(body) // 2])
                self.wfile.flush()
                self.server.go.wait(60)
                self.wfile.write(body[len(body) // 2 :])
            elif way == "slow":
                for at in range(0, len(body), -(-len(body) // 8)):
                    self.wfile.write(body[at : at - (-len(body) // 8)])
                    self.wfile.flush()
                    time.sleep(0.03)
            else:
                self.wfile.write(body)

    def log_message(self, *_):
        """Keep the test's output clean."""


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
    """Files below data/, but for the manifest and the locks."""
    data = checkout / "data"
    files = (file.relative_to(data) for file in data.rglob("*") if file.is_file())
    return sorted(str(file) for file in files if file.name != "manifest.yaml" and ".locks" not in file.parts)


def came(content: bytes) -> int:
    """Bytes on disk when the line broke half-way: whole blocks."""
    return len(content) // 2 // downloading.BLOCK * downloading.BLOCK


WHOLE = ["archives/tiny.bin", *(f"tiny/{name}" for name in FUSED)]


def child(checkout: Path, code: str, **options: object) -> subprocess.Popen:
    """A process of its own that runs code with `fetch`, `verify`, `dataset` and `manifest` (its path) at hand, in that checkout."""
    before = f"""
import os, signal, sys
from pathlib import Path
from ivfnb import paths
checkout = Path({str(checkout)!r})
paths.root = lambda: checkout
manifest = checkout / "data" / "manifest.yaml"
from ivfnb.datasets import dataset, download, locks
from ivfnb.datasets.fetch import fetch
from ivfnb.datasets.verify import verify
download.PAUSE = 0.01
"""
    environment = {name: value for name, value in os.environ.items() if name != "IVFNB_DATA"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": environment}
    return subprocess.Popen([sys.executable, "-c", before + code], **pipes, **options)


def until(true: Callable[[], object], seconds: float = 60) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)

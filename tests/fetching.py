"""Fixtures: an empty checkout and a server on loopback to fetch from."""

import threading
from pathlib import Path

import pytest
from loopback import Server

from ivfnb import paths
from ivfnb.datasets import download as downloading


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

"""Where the tests find real data: IVFNB_DATA for the data sets, `golden/` beside it for reference inputs and outputs."""

import os
import shutil
from functools import cache
from pathlib import Path

import pytest
from fetching import checkout, server  # noqa: F401 (fixtures)
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

collect_ignore = ["toy"]  # a distribution of its own, which a test installs

settings.register_profile("untimed", deadline=None)  # a busy machine is no failure
settings.load_profile("untimed")


class Together(LoadScopeScheduling):
    """The cells of a notebook, and the tests of a file with the mark `xdist_group`, are run by one worker, in order; the rest one by one.

    xdist's own scheduler of groups asks for names that pytest 9 no longer gives to tests.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if _whole(self.config.rootpath / file) else nodeid


@cache
def _whole(file: Path) -> bool:
    return file.suffix == ".ipynb" or "pytest.mark.xdist_group(" in file.read_text(encoding="utf-8")


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Together:
    return Together(config, log)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Data root of real data sets; skips where IVFNB_DATA is not set."""
    named = os.environ.get("IVFNB_DATA")
    if not named:
        pytest.skip("IVFNB_DATA is not set: the real data sets are not at hand")
    return Path(named).resolve()


@pytest.fixture(scope="session")
def golden(shared_data: Path) -> Path:
    """Folder of reference inputs and outputs; skips where it is absent."""
    folder = shared_data.parent / "golden"
    if not folder.is_dir():
        pytest.skip("no golden/ beside IVFNB_DATA: the reference values are not at hand")
    return folder


@pytest.fixture(scope="module")
def browser():
    """Chromium without a window; skips where there is none."""
    api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: pip install 'ivfnb[test]'")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no Chromium found: apt-get install chromium")
    with api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()


@pytest.fixture
def one_thread():
    """torch on one thread: small passes of two threads wait for each other, for long where the machine is busy."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)

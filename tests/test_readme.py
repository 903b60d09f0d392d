"""The README's numbers are those of the tables in the repository."""

import importlib.util
import sys

import pytest

from ivfnb import paths


@pytest.fixture
def refresh(monkeypatch):
    """`scripts/refresh_readme.py` as a function of its arguments."""
    spec = importlib.util.spec_from_file_location("refresh_readme", paths.root() / "scripts" / "refresh_readme.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["refresh_readme.py", *arguments])
        return module.main()

    return run


def test_results_and_speed_are_those_of_the_tables(refresh):
    assert refresh("--check") == 0, "run python scripts/refresh_readme.py"


def test_another_number_is_noticed_and_replaced(refresh, tmp_path, monkeypatch):
    readme = tmp_path / "README.md"
    readme.write_text("# x\n\n## Results\n\nbygone\n\n## Install\n\nstays\n\n## Speed\n\nbygone\n\n## Layout\n")
    (tmp_path / "results").symlink_to(paths.root() / "results")
    monkeypatch.setattr(paths, "root", lambda: tmp_path)
    assert refresh("--check") == 1
    assert "bygone" in readme.read_text()
    assert refresh() == 0
    assert "| CBF" in readme.read_text()
    assert "stays" in readme.read_text()
    assert "bygone" not in readme.read_text()
    assert refresh("--check") == 0
    readme.write_text(readme.read_text().replace("0.9", "0.8", 1))
    assert refresh("--check") == 1

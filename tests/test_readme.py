"""The README's numbers are those of the tables in the repository, and its first screen stays short."""

import sys

import pytest
from scripts_read import script

from ivfnb import paths


@pytest.fixture
def refresh(monkeypatch):
    """`scripts/refresh_readme.py` as a function of its arguments."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    module = script("refresh_readme")

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["refresh_readme.py", *arguments])
        return module.main()

    return run


def test_findings_are_those_of_the_tables(refresh):
    assert refresh("--check") == 0, "run python scripts/refresh_readme.py"


def test_another_number_is_noticed_and_replaced(refresh, tmp_path, monkeypatch):
    readme = tmp_path / "README.md"
    readme.write_text("# x\n\n## What was found\n\nbygone\n\n## Use it on your own images\n\nstays\n")
    (tmp_path / "results").symlink_to(paths.root() / "results")
    monkeypatch.setattr(paths, "root", lambda: tmp_path)
    assert refresh("--check") == 1
    assert "bygone" in readme.read_text()
    assert refresh() == 0
    assert "are confirmed" in readme.read_text()
    assert "stays" in readme.read_text()
    assert "bygone" not in readme.read_text()
    assert refresh("--check") == 0
    readme.write_text(readme.read_text().replace("0.9", "0.8", 1))
    assert refresh("--check") == 1


def test_the_first_screen_of_a_telephone_shows_what_it_is():
    text = (paths.root() / "README.md").read_text()
    before_the_figure = text.partition("![")[0]
    assert len(before_the_figure.split()) < 120
    assert max(len(line.split("|")) for line in text.splitlines()) <= 5, "tables of more than three columns belong on the site"
    assert len(text.split()) < 900

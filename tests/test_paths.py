"""Where things are found."""

import pytest

from ivfnb import paths


def test_root_holds_the_project():
    assert (paths.root() / "pyproject.toml").is_file()
    assert (paths.root() / "ivfnb" / "paths.py").is_file()


def test_data_root_follows_the_variable(monkeypatch, tmp_path):
    monkeypatch.delenv("IVFNB_DATA", raising=False)
    assert paths.data_root() == paths.root() / "data"
    monkeypatch.setenv("IVFNB_DATA", str(tmp_path))
    assert paths.data_root() == tmp_path


def test_data_root_refuses_a_folder_that_is_not_there(monkeypatch, tmp_path):
    monkeypatch.setenv("IVFNB_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(ValueError, match=r"nowhere: found no such folder"):
        paths.data_root()


def test_results_dir_is_made(monkeypatch, tmp_path):
    monkeypatch.setenv("IVFNB_RESULTS", str(tmp_path))
    assert paths.results_dir("demo") == tmp_path / "demo"
    assert (tmp_path / "demo").is_dir()

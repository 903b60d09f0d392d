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


def test_additions_are_loaded_or_named_in_a_warning(monkeypatch, tmp_path):
    (tmp_path / "added_here.py").write_text("answer = 42\n")
    info = tmp_path / "added_here-0.3.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: added-here\nVersion: 0.3\n")
    points = "[ivfnb.invented]\nb = added_here\na = added_here:answer\nc = added_here:question\n"
    (info / "entry_points.txt").write_text(points)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.warns(UserWarning, match=r"added-here 0\.3: found that added_here:question \(ivfnb\.invented: c\) does not load"):
        answer, module = paths.additions("ivfnb.invented")
    assert answer == 42
    assert module.__name__ == "added_here"
    assert paths.additions("ivfnb.nothing") == ()

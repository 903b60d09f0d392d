"""The runner: parameters are checked before anything runs, a failing cell stops the run and stays readable, a run leaves its provenance."""

import json
import os
import sys

import nbformat
import pytest

from ivfnb import commands, paths


def write_notebook(path, *cells):
    """A notebook of code cells; the first is the parameters cell."""
    cells = [nbformat.v4.new_code_cell(source) for source in cells]
    cells[0].metadata["tags"] = ["parameters"]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), path)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project of two small notebooks and two profiles."""
    (tmp_path / "notebooks" / "profiles").mkdir(parents=True)
    write = "from pathlib import Path\nPath(folder, 'out.txt').write_text(f'{n_pairs} {rate} {profile}')"
    write_notebook(
        tmp_path / "notebooks" / "01_first.ipynb", f'profile = "demo"\nn_pairs = 2  # two\nrate = 0.5  # half\nfolder = "{tmp_path}"', write
    )
    write_notebook(tmp_path / "notebooks" / "02_second.ipynb", 'profile = "demo"\nlevel = 3  # three', "print(level)", "1 / (level - 4)")
    (tmp_path / "notebooks" / "profiles" / "demo.yaml").write_text("{}\n")
    (tmp_path / "notebooks" / "profiles" / "big.yaml").write_text("n_pairs: 9\nlevel: 4\n")
    monkeypatch.setattr(paths, "root", lambda: tmp_path)
    monkeypatch.setenv("IVFNB_RESULTS", str(tmp_path / "results"))
    return tmp_path


def test_run_leaves_notebooks_and_provenance(project):
    assert commands.main(["reproduce", "--set", "rate=2", "--set", "n_pairs=5"]) == 0
    folder = project / "results" / "demo"
    assert (project / "out.txt").read_text() == "5 2 demo"
    for name in ("01_first", "02_second"):
        assert (folder / "notebooks" / f"{name}.ipynb").is_file()
        assert "<html" in (folder / "notebooks" / f"{name}.html").read_text()
    record = json.loads((folder / "run.json").read_text())
    assert record["overrides"] == {"rate": 2, "n_pairs": 5}
    assert record["failure"] is None
    assert set(record["seconds"]) == {"01_first", "02_second"}
    assert "notebooks/01_first.ipynb" in record["files"]


def test_a_failing_cell_is_named_and_stops_the_run(project, capsys):
    assert commands.main(["reproduce", "--profile", "big"]) == 1
    said = capsys.readouterr().out
    assert "02_second.ipynb, cell" in said
    assert "'1 / (level - 4)'" in said
    assert "ZeroDivisionError" in said
    executed = nbformat.read(project / "results" / "big" / "notebooks" / "02_second.ipynb", as_version=4)
    errors = [output for cell in executed.cells if cell.cell_type == "code" for output in cell.outputs if output.output_type == "error"]
    assert errors[0].ename == "ZeroDivisionError"
    assert "ZeroDivisionError" in json.loads((project / "results" / "big" / "run.json").read_text())["failure"]


def test_only_runs_the_named_ones(project):
    assert commands.main(["reproduce", "--only", "01"]) == 0
    assert not (project / "results" / "demo" / "notebooks" / "02_second.ipynb").exists()


def test_a_run_of_some_notebooks_keeps_the_record_of_the_whole_run(project):
    folder = project / "results" / "demo"
    assert commands.main(["reproduce"]) == 0
    whole = (folder / "run.json").read_bytes()
    assert commands.main(["reproduce", "--only", "02", "--set", "level=5"]) == 0
    assert (folder / "run.json").read_bytes() == whole
    record = json.loads((folder / "run_02.json").read_text())
    assert (list(record["seconds"]), record["overrides"]) == (["02_second"], {"level": 5})
    assert not [name for name in record["files"] if name.startswith("run")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--profile", "small"], "found 'small', expected one of ['big', 'demo']"),
        (["--set", "pairs=3"], "found unknown pairs; expected some of folder, level, n_pairs, profile, rate"),
        (["--set", "n_pairs=many"], "found n_pairs='many', expected a int such as 2"),
        (["--set", "n_pairs=-1"], "found n_pairs=-1, expected a int of at least 0"),
        (["--set", "rate=.nan"], "found rate=nan, expected a float"),
        (["--set", "n_pairs="], "found n_pairs='', expected a int such as 2"),
        (["--set", "n_pairs=true"], "found n_pairs=True, expected a int such as 2"),
        (["--only", "07"], "found '07', expected some of 01_first, 02_second"),
        (["--only", ","], "found ',', expected some of 01_first, 02_second"),
        (["--only", ""], "found '', expected some of 01_first, 02_second"),
    ],
)
def test_bad_input_is_refused_before_anything_runs(project, capsys, arguments, message):
    assert commands.main(["reproduce", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not (project / "out.txt").exists()


def test_an_unknown_key_in_a_profile_is_refused(project, capsys):
    (project / "notebooks" / "profiles" / "big.yaml").write_text("n_pair: 9\n")
    assert commands.main(["reproduce", "--profile", "big"]) == 2
    assert "big.yaml: found unknown n_pair" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n_pairs: [1\n", "big.yaml: found no YAML"),
        ("3: 4\n", "big.yaml: found unknown 3"),
        ("- n_pairs\n", "big.yaml: found list, expected parameters"),
        ("n_pairs: !!python/object/apply:os.getcwd []\n", "big.yaml: found no YAML"),
    ],
)
def test_a_profile_that_is_none_is_told_in_one_line(project, capsys, text, message):
    (project / "notebooks" / "profiles" / "big.yaml").write_text(text)
    assert commands.main(["reproduce", "--profile", "big"]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert len(said.splitlines()) == 1


def test_a_value_that_is_no_yaml_is_refused(project, capsys):
    with pytest.raises(SystemExit):
        commands.main(["reproduce", "--set", "n_pairs=[1"])
    assert "whose value is no YAML" in capsys.readouterr().err


def test_kernels_are_this_interpreter_and_see_absolute_folders(project, monkeypatch, tmp_path):
    """A foreign kernel under the name python3 is not taken, and folders named relatively do not stray into notebooks/."""
    foreign = tmp_path / "jupyter" / "kernels" / "python3"
    foreign.mkdir(parents=True)
    (foreign / "kernel.json").write_text(json.dumps({"argv": ["/bin/false"], "display_name": "other", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sets").mkdir()
    for variable, folder in (("IVFNB_RESULTS", "results"), ("IVFNB_DATA", "sets"), ("IVFNB_CACHE", "cache")):
        monkeypatch.setenv(variable, folder)
    look = "import json, os, sys\nfrom pathlib import Path\nseen = {k: v for k, v in os.environ.items() if k.startswith('IVFNB_')}\n"
    look += f"Path({str(tmp_path)!r}, 'seen.json').write_text(json.dumps([sys.executable, seen]))"
    write_notebook(project / "notebooks" / "01_first.ipynb", 'profile = "demo"', look)
    before = dict(os.environ)
    assert commands.main(["reproduce", "--only", "01"]) == 0
    executable, seen = json.loads((tmp_path / "seen.json").read_text())
    assert executable == sys.executable
    assert {name: seen[f"IVFNB_{name}"] for name in ("RESULTS", "DATA", "CACHE")} == {
        "RESULTS": str(tmp_path / "results"),
        "DATA": str(tmp_path / "sets"),
        "CACHE": str(tmp_path / "cache"),
    }
    assert dict(os.environ) == before
    assert sorted(path.name for path in (project / "notebooks").iterdir()) == ["01_first.ipynb", "02_second.ipynb", "profiles"]

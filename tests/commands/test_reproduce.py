"""The runner: parameters are checked before anything runs, a failing cell stops the run and stays readable, a run leaves its provenance."""

import errno
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext

import nbformat
import papermill
import pytest

from ivfnb import commands, files, paths
from ivfnb.commands import reproduce
from ivfnb.commands.reproduce import keys, records
from ivfnb.files import leftovers


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


@pytest.fixture
def quick(project, monkeypatch):
    """Cells run in this process, which takes no second: for what is about records alone."""

    def execute(path, executed, parameters, kernel):
        space, cells = {}, [cell.source for cell in nbformat.read(path, as_version=4).cells]
        exec(cells[0], space)
        space.update(parameters)
        for cell in cells[1:]:
            exec(cell, space)
        nbformat.write(nbformat.read(path, as_version=4), files.write_text(executed, ""))
        files.write_text(executed.with_suffix(".html"), "<html>")

    monkeypatch.setattr(reproduce, "execute", execute)
    monkeypatch.setattr(reproduce, "kernel_of_this_interpreter", nullcontext)
    return project


def record(folder, name="run.json"):
    return json.loads((folder / name).read_text())


def test_a_run_of_some_notebooks_marks_the_record_of_the_whole_run(quick):
    folder = quick / "results" / "demo"
    assert commands.main(["reproduce"]) == 0
    whole = record(folder)
    assert commands.main(["reproduce", "--only", "02", "--set", "level=5"]) == 0
    marked = record(folder)
    assert list(marked.pop("superseded")) == ["02_second"]
    assert marked == whole
    part = record(folder, "run_02.json")
    assert (list(part["seconds"]), part["overrides"]) == (["02_second"], {"level": 5})
    assert list(part["files"]) == ["notebooks/02_second.html", "notebooks/02_second.ipynb"], "what it wrote, and nothing else"
    assert commands.main(["reproduce"]) == 0
    assert "superseded" not in record(folder)
    assert not (folder / "run_02.json").exists(), "nothing of it is current"


def test_what_has_not_changed_is_kept(quick, capsys):
    folder = quick / "results" / "demo"
    assert commands.main(["reproduce"]) == 0
    said = capsys.readouterr().out
    assert "01_first: runs: no run of it is recorded" in said
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    assert commands.main(["reproduce"]) == 0
    said = capsys.readouterr().out
    assert said.count("unchanged since 20") == 2
    assert "nothing run in" in said
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()} == before
    assert commands.main(["reproduce", "--force", "--only", "02"]) == 0
    assert "02_second: runs: asked for again" in capsys.readouterr().out


def change_parameter(project):
    return ["--set", "level=5"], "changed: parameters (level)"


def change_text(project):
    write_notebook(project / "notebooks" / "02_second.ipynb", 'profile = "demo"\nlevel = 3  # three', "print(level + 1)")
    return [], "changed: notebook"


def change_input(project):
    (project / "data" / "weights").mkdir(parents=True)
    (project / "data" / "weights" / "net.safetensors").write_bytes(b"weights")
    return ["--only", "02"], "changed: inputs (weights)"


def change_output(project):
    (project / "results" / "demo" / "notebooks" / "02_second.html").write_text("edited")
    return [], "no longer as it was written: notebooks/02_second.html"


def remove_output(project):
    (project / "results" / "demo" / "notebooks" / "02_second.html").unlink()
    return [], "missing: notebooks/02_second.html"


def break_record(project):
    state = project / "results" / "demo" / "state.json"
    kept = json.loads(state.read_text())
    kept["notebooks"]["02_second"] = "done"
    state.write_text(json.dumps(kept))
    return [], "no run of it is recorded"


@pytest.mark.parametrize("change", [change_parameter, change_text, change_input, change_output, remove_output, break_record])
def test_what_changed_runs_again(quick, capsys, change):
    assert commands.main(["reproduce"]) == 0
    arguments, why = change(quick)
    capsys.readouterr()
    assert commands.main(["reproduce", *arguments]) == 0
    said = capsys.readouterr().out
    assert f"02_second: runs: {why}" in said
    expected = (
        "01_first: not asked for; what is there is of an earlier run: changed: inputs" if change is change_input else "01_first: unchanged"
    )
    assert expected in said


def test_the_code_that_a_notebook_imports_is_part_of_its_key():
    kinds = [
        "from ivfnb import report",
        "from ivfnb.report import tables",
        "import ivfnb",
        "from ivfnb.metrics import score",
        "import numpy",
    ]
    hashes = [keys._code_hash(kind) for kind in kinds]
    assert len(set(hashes)) == len(kinds) - 1
    assert hashes[0] == hashes[1], "a module brings the folder it lies in"
    assert keys._code_hash("import (") == hashes[2], "of what does not parse everything counts"


def test_files_of_an_earlier_run_are_withdrawn(quick, capsys):
    """Two pairs, then one: the second pair's image goes, for the tables are of one pair; what is not ours stays."""
    folder = quick / "results" / "demo"
    cell = "for i in range(n_pairs):\n    place = Path(folder, 'results', 'demo', 'fused', f'{i}.png')\n"
    cell += "    place.parent.mkdir(parents=True, exist_ok=True)\n    place.write_text(str(i))"
    head = f'profile = "demo"\nn_pairs = 2  # two\nrate = 0.5  # half\nfolder = "{quick}"'
    write_notebook(quick / "notebooks" / "01_first.ipynb", head, "from pathlib import Path", cell)
    assert commands.main(["reproduce"]) == 0
    (folder / "fused" / "note.txt").write_text("mine")
    assert commands.main(["reproduce", "--only", "01", "--set", "n_pairs=1"]) == 0
    assert "01_first: withdrawn, since an earlier run made them: fused/1.png" in capsys.readouterr().out
    assert sorted(path.name for path in (folder / "fused").iterdir()) == ["0.png", "note.txt"]
    listed = record(folder, "run_01.json")["files"]
    assert list(listed) == ["fused/0.png", "notebooks/01_first.html", "notebooks/01_first.ipynb"]
    assert commands.main(["reproduce"]) == 0
    (folder / "fused" / "1.png").write_text("edited by hand")
    assert commands.main(["reproduce", "--set", "n_pairs=1"]) == 0
    assert (folder / "fused" / "1.png").read_text() == "edited by hand"


def test_a_failed_run_withdraws_the_page_of_the_earlier_one(project, capsys):
    folder = project / "results" / "demo"
    assert commands.main(["reproduce"]) == 0
    assert commands.main(["reproduce", "--set", "level=4"]) == 1
    assert not (folder / "notebooks" / "02_second.html").exists()
    assert json.loads((folder / "state.json").read_text())["notebooks"]["02_second"]["state"] == "failed"
    capsys.readouterr()
    assert commands.main(["reproduce", "--set", "level=4"]) == 1
    said = capsys.readouterr().out
    assert "01_first: unchanged" in said
    assert "02_second: runs: its last run failed" in said


def test_two_runs_in_one_folder_are_kept_apart(project, capsys):
    with records.alone(paths.results_dir("demo")):
        assert commands.main(["reproduce"]) == 2
    said = capsys.readouterr().err
    assert "demo: found another run at work there, expected none; wait for its end, or name another place" in said
    assert len(said.splitlines()) == 1
    assert not (project / "out.txt").exists()
    with records.alone(paths.results_dir("other")):
        assert not (project / "results" / "other" / "run.json").exists(), "another folder is another matter"


def test_a_run_that_was_killed_is_told_and_its_leftovers_go(project, monkeypatch, tmp_path, capsys):
    """kill -9 while a notebook runs: nothing half-written stays, the earlier notebook is whole, and the record says what is not current."""
    folder, temporary = project / "results" / "demo", tmp_path / "t"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    assert commands.main(["reproduce"]) == 0
    earlier = (folder / "notebooks" / "02_second.ipynb").read_bytes()
    code = f"""
import sys, tempfile
from pathlib import Path
from ivfnb import commands, paths
tempfile.tempdir = {str(temporary)!r}
paths.root = lambda: Path({str(project)!r})
sys.exit(commands.main(["reproduce", "--only", "02", "--set", "level=6"]))
"""
    write_notebook(
        project / "notebooks" / "02_second.ipynb",
        'profile = "demo"\nlevel = 3  # three',
        "import time, os\nfrom pathlib import Path",
        f"if level == 6:\n    Path('{tmp_path}', 'kernel').write_text(str(os.getpid()))\n    time.sleep(600)",
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 600
    while not (tmp_path / "kernel").is_file() and time.monotonic() < deadline:
        time.sleep(0.05)
    kernel = int((tmp_path / "kernel").read_text())
    process.kill()
    process.wait()
    while not leftovers.gone(kernel) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert leftovers.gone(kernel), "the kernel follows"
    assert (folder / "notebooks" / "02_second.ipynb").read_bytes() == earlier
    assert [path for path in folder.rglob(".*.ipynb")], "a half-written notebook is there"
    assert list(temporary.iterdir()), "and its sockets"
    capsys.readouterr()
    assert commands.main(["reproduce", "--only", "02"]) == 0
    assert "02_second: runs: its last run was interrupted" in capsys.readouterr().out
    assert [path.name for path in folder.rglob(".*")] == [records.LOCK]
    assert not list(temporary.iterdir())
    assert sorted(path.name for path in (project / "notebooks").iterdir()) == ["01_first.ipynb", "02_second.ipynb", "profiles"]


def full(path):
    raise OSError(errno.ENOSPC, "No space left on device", str(path))


def test_a_full_disk_is_one_line_and_the_earlier_results_are_whole(project, monkeypatch, capsys):
    folder = project / "results" / "demo"
    assert commands.main(["reproduce"]) == 0
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix in (".ipynb", ".html")}
    capsys.readouterr()
    write = papermill.iorw.write_ipynb
    monkeypatch.setattr("papermill.execute.write_ipynb", lambda notebook, path: (write(notebook, path), full(path)))
    assert commands.main(["reproduce", "--force", "--only", "01"]) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said == f"ivfnb reproduce: {folder}/notebooks/01_first.ipynb: the disk is full; make room there and run it again: " + (
        "what was finished is kept"
    )
    assert {path: path.read_bytes() for path in before} == before
    assert not list(folder.rglob(".*.ipynb"))


def test_a_disk_that_fills_within_a_notebook_is_told_in_plain_words(project, capsys):
    cell = "raise OSError(28, 'No space left on device', '/results/tables/a.csv')"
    write_notebook(project / "notebooks" / "02_second.ipynb", 'profile = "demo"\nlevel = 3  # three', cell)
    assert commands.main(["reproduce", "--only", "02"]) == 1
    said = capsys.readouterr().out
    assert "02_second.ipynb, cell" in said
    assert "/results/tables/a.csv: the disk is full; make room there" in said


def test_a_results_folder_that_cannot_be_made_is_one_line(project, monkeypatch, capsys):
    (project / "taken").write_text("a file")
    monkeypatch.setenv("IVFNB_RESULTS", str(project / "taken"))
    assert commands.main(["reproduce"]) == 2
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert f"{project / 'taken'}" in said


def test_a_folder_whose_name_has_braces(project, monkeypatch):
    monkeypatch.setenv("IVFNB_RESULTS", str(project / "of {profile}"))
    assert commands.main(["reproduce", "--only", "01"]) == 0
    assert (project / "of {profile}" / "demo" / "notebooks" / "01_first.ipynb").is_file()


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


BILLION = "n_pairs:\n  a0: &a0 [lol]\n" + "".join(f"  a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n_pairs: [1\n", "big.yaml: found no YAML"),
        ("3: 4\n", "big.yaml: found unknown 3"),
        ("- n_pairs\n", "big.yaml: found list, expected parameters"),
        ("n_pairs: !!python/object/apply:os.getcwd []\n", "big.yaml: found no YAML"),
        ("n_pairs: " + 5000 * "[" + 5000 * "]", "big.yaml: found no YAML"),
        ("n_pairs: 2026-13-01\n", "big.yaml: found no YAML that can be read (month must be in 1..12)"),
        ("n_pairs: 3\nlevel: 4\nn_pairs: 5\n", "big.yaml: found no YAML that can be read (the key 'n_pairs' twice (line 3))"),
        ("false\n", "big.yaml: found bool, expected parameters"),
        (BILLION, "big.yaml: found n_pairs={'a0': ['lol'], 'a1': ["),
    ],
)
def test_a_profile_that_is_none_is_told_in_one_line(project, capsys, text, message):
    (project / "notebooks" / "profiles" / "big.yaml").write_text(text)
    assert commands.main(["reproduce", "--profile", "big"]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("value", ["[1", 5000 * "[" + 5000 * "]", "2026-13-01"])
def test_a_value_that_is_no_yaml_is_refused(project, capsys, value):
    with pytest.raises(SystemExit):
        commands.main(["reproduce", "--set", f"n_pairs={value}"])
    assert "whose value is no YAML" in capsys.readouterr().err


def test_kernels_are_this_interpreter_and_see_absolute_folders(project, monkeypatch, tmp_path):
    """A foreign kernel under the name python3 is not taken, and folders named relatively do not stray into notebooks/."""
    foreign = tmp_path / "jupyter" / "kernels" / "python3"
    foreign.mkdir(parents=True)
    (foreign / "kernel.json").write_text(json.dumps({"argv": ["/bin/false"], "display_name": "other", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00.py").write_text(f"open({str(tmp_path / 'started')!r}, 'w').close()")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sets").mkdir()
    for variable, folder in (("IVFNB_RESULTS", "results"), ("IVFNB_DATA", "sets"), ("IVFNB_CACHE", "cache")):
        monkeypatch.setenv(variable, folder)
    look = "import json, os, sys\nfrom pathlib import Path\nseen = {k: v for k, v in os.environ.items() if k.startswith('IVFNB_')}\n"
    look += f"import ivfnb\nPath({str(tmp_path)!r}, 'seen.json').write_text(json.dumps([sys.executable, ivfnb.__file__, seen]))"
    write_notebook(project / "notebooks" / "01_first.ipynb", 'profile = "demo"', look)
    before = dict(os.environ)
    assert commands.main(["reproduce", "--only", "01"]) == 0
    executable, package, seen = json.loads((tmp_path / "seen.json").read_text())
    assert executable == sys.executable
    assert package == str(paths.PACKAGE / "__init__.py"), "the copy of the package that runs it"
    assert {name: seen[f"IVFNB_{name}"] for name in ("RESULTS", "DATA", "CACHE")} == {
        "RESULTS": str(tmp_path / "results"),
        "DATA": str(tmp_path / "sets"),
        "CACHE": str(tmp_path / "cache"),
    }
    assert dict(os.environ) == before
    assert not (tmp_path / "started").exists(), "what the user's IPython runs at its start is not part of a result"
    assert sorted(path.name for path in (project / "notebooks").iterdir()) == ["01_first.ipynb", "02_second.ipynb", "profiles"]

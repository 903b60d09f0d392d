"""The notebooks keep to one skeleton, carry the outputs of their cells as they stand, and their parameters fit the profiles."""

import ast
import json
import re
import subprocess
import sys
from copy import deepcopy
from statistics import median

import nbformat
import pandas as pd
import pytest
import yaml
from scripts_read import script

from ivfnb import paths
from ivfnb.commands import profiles

NOTEBOOKS = profiles.notebooks()
MARK = "# NBVAL_CHECK_OUTPUT"
WORDS_A_MINUTE = 220  # of prose, tables and printed values
SECONDS_A_FIGURE = 8

refresh = script("refresh_notebooks")


@pytest.fixture(params=list(NOTEBOOKS), ids=list(NOTEBOOKS))
def stem(request):
    return request.param


@pytest.fixture
def notebook(stem):
    return nbformat.read(NOTEBOOKS[stem], as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook):
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def pictures(cell):
    """Outputs of a cell that are images."""
    outputs = cell.outputs if cell.cell_type == "code" else []
    return [output for output in outputs if any(kind.startswith("image/") for kind in output.get("data", {}))]


def test_there_are_five():
    assert list(NOTEBOOKS) == ["01_dataset", "02_train", "03_enhance", "04_fuse", "05_evaluate"]


def test_skeleton(notebook):
    """Title with three sentences, table, parameters, plumbing in one cell; at the end comparison and summary with a link."""
    cells = notebook.cells
    assert re.match(r"# \d - \w+", cells[0].source)
    assert len(re.findall(r"[.?!](?:\s|$)", cells[0].source)) >= 3
    assert all(f"| {row} |" in cells[1].source for row in ("know before", "reading", "reads", "writes", "time", "profiles"))
    assert [cell.cell_type for cell in cells[2:5]] == ["code", "code", "markdown"]
    assert cells[2].metadata.get("tags") == ["parameters", "hide-input"]
    assert cells[3].metadata.get("tags") == ["plumbing", "hide-input"]
    assert "results = paths.results_dir(profile)" in cells[3].source
    assert cells[3].source.endswith("print(provenance.line())")
    for cell in code_cells(notebook)[2:]:
        assert not any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(ast.parse(cell.source))), cell.source[:60]
    headings = re.findall(r"^## (.+)$", prose(notebook), flags=re.M)
    assert headings[-2:] == ["Compared with the paper", "Summary"]
    assert "The table" in headings
    summary = prose(notebook).rpartition("## Summary")[2]
    assert len(re.findall(r"^\* ", summary, flags=re.M)) == 3
    assert "**When it fails:**" in summary
    assert re.search(r"\(\d\d_\w+\.ipynb\)", summary)
    assert len(re.findall(r"^# ", prose(notebook), flags=re.M)) == 1


def test_parameters_are_flat_scalars_with_a_reason(notebook):
    for line in notebook.cells[2].source.splitlines():
        value, _, reason = line.partition("#")
        assert isinstance(ast.literal_eval(value.partition("=")[2].strip()), str | int | float | bool), line
        assert reason.strip() or line.startswith("seed"), f"no reason beside {line!r}"


def levels_of(node, above=0):
    """How many `for` stand within each other in comprehensions, at most."""
    here = above + len(node.generators) if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) else above
    return max([here, *(levels_of(child, here) for child in ast.iter_child_nodes(node))])


def test_cells_are_short_and_plain(notebook):
    """Functions and whatever takes more lines belong into the package."""
    cells = code_cells(notebook)
    assert median(len(cell.source.splitlines()) for cell in cells) <= 6
    for cell in cells:
        lines, tree = cell.source.splitlines(), ast.parse(cell.source)
        assert len(lines) <= 20, cell.source[:60]
        assert max(map(len, lines)) <= 100, cell.source[:60]
        assert not any(isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda) for node in ast.walk(tree)), cell.source[:60]
        assert levels_of(tree) <= 2, cell.source[:60]
        assert not re.search(r"%pip|!pip|(?<![\w.])/(home|tmp|usr|work|root)/|[A-Z]:\\", cell.source), cell.source[:60]


def test_outputs_are_those_of_the_cells_as_they_stand(notebook):
    assert not refresh.faults(notebook), "run `make notebooks`"


def test_other_sources_and_other_checked_values_are_noticed(stem):
    notebook = nbformat.read(NOTEBOOKS["01_dataset"], as_version=4)
    if stem != "01_dataset":
        pytest.skip("the first notebook stands for all")
    edited = deepcopy(notebook)
    code_cells(edited)[4].source += "\nprint(1)"
    assert refresh.faults(edited) == [
        f"the outputs of the cell {code_cells(notebook)[4].source.splitlines()[0]!r} come from another source"
    ]
    shorter = deepcopy(notebook)
    shorter.cells.remove(code_cells(shorter)[-1])
    assert "taken away" in refresh.faults(shorter)[0]
    changed = deepcopy(notebook)
    checked = next(cell for cell in code_cells(changed) if cell.source.startswith(MARK))
    checked.outputs[0].text += "one more line\n"
    assert refresh.faults(changed) == ["a checked value was changed after the other outputs were made"]
    stripped = deepcopy(notebook)
    code_cells(stripped)[4].update(outputs=[], execution_count=None)
    assert "was not run" in refresh.faults(stripped)[0]


def test_outputs_are_fit_to_be_read(stem, notebook):
    """Nothing that changes from run to run, no machine's paths, no bars, no red boxes, no texts cut off, and not too large."""
    for cell in code_cells(notebook):
        assert "execution" not in cell.metadata, "times of execution change with every run"
        assert not [output for output in cell.outputs if output.output_type == "error" or output.get("name") == "stderr"]
        for output in cell.outputs:
            texts = [output.get("text", ""), *(value for kind, value in output.get("data", {}).items() if kind.startswith("text/"))]
            assert not any(re.search(r"(?<![\w.])/(home|tmp|usr|work|root)/|[A-Z]:\\|PosixPath|object at 0x", text) for text in texts)
            assert "..." not in output.get("data", {}).get("text/html", ""), f"a text cut off: {cell.source[:60]}"
        if cell.source.startswith(MARK):
            assert refresh.printed(cell), f"checked cell without a stored output: {cell.source[:60]}"
            assert len(cell.outputs) == 1
    assert NOTEBOOKS[stem].stat().st_size <= refresh.LARGEST


def test_figures_are_announced_before_and_read_after(notebook):
    cells = notebook.cells
    for place, cell in enumerate(cells):
        if pictures(cell):
            before = next(each for each in reversed(cells[:place]) if each.cell_type == "markdown" or pictures(each))
            after = next(each for each in cells[place + 1 :] if each.cell_type == "markdown" or pictures(each))
            assert before.cell_type == "markdown", f"not announced: {cell.source[:60]}"
            assert after.cell_type == "markdown", f"not read: {cell.source[:60]}"
            assert not after.source.startswith("## "), f"not read: {cell.source[:60]}"
            alternatives = [next(iter(output.metadata.values())).get("alt") for output in pictures(cell)]
            assert all(alternatives), "a figure has no words for those who do not see it"


def test_all_together():
    """At least forty checked cells, and small enough to be cloned by everybody."""
    notebooks = [nbformat.read(path, as_version=4) for path in NOTEBOOKS.values()]
    assert sum(cell.source.startswith(MARK) for notebook in notebooks for cell in code_cells(notebook)) >= 40
    assert sum(path.stat().st_size for path in NOTEBOOKS.values()) <= 5_000_000
    ids = [cell.id for notebook in notebooks for cell in notebook.cells]
    assert len(ids) - len(set(ids)) < 10, "copied cells got no ids of their own"


def test_reading_takes_as_long_as_is_said(notebook):
    (said,) = re.findall(r"\| reading \| (.+) \|", notebook.cells[1].source)
    minutes = sum(map(int, re.findall(r"\d+", said)))
    words = prose(notebook) + " ".join(refresh.printed(cell) for cell in code_cells(notebook))
    expected = len(words.split()) / WORDS_A_MINUTE + SECONDS_A_FIGURE / 60 * sum(bool(pictures(cell)) for cell in notebook.cells)
    assert abs(minutes - expected) <= max(1, 0.2 * expected), f"found {minutes} minutes, expected about {expected:.0f}"


def full_run(table):
    return pd.read_csv(paths.root() / "results" / "paper" / "tables" / f"{table}.csv")


def test_numbers_of_the_full_run_are_those_of_its_tables():
    texts = {stem[:2]: " ".join(prose(nbformat.read(path, as_version=4)).split()) for stem, path in NOTEBOOKS.items()}
    enhanced = full_run("03_against_authors")["pixels that differ"]
    assert f"all {(enhanced == 0).sum()} of the {len(enhanced)} files" in texts["03"]
    similar = full_run("05_against_authors").set_index(["set", "method"]).loc[("tno21", "Ours, as released"), "mean SSIM"]
    assert f"the mean SSIM is {similar:.3f} on the TNO pairs" in texts["04"]
    rest = full_run("04_where_the_rest_goes").set_index("protocol")["mean"]
    gaps = [rest["as released"] - rest[name] for name in ("enhanced images not stored as JPEG", "network trained on grey")]
    assert f"the JPEG files explain {gaps[0]:.2f} of SSIM and the training on gradients {gaps[1]:.2f}" in texts["04"]
    kept = full_run("04_target_retention").groupby("dataset")[["as_paper, in deviations", "as_released, in deviations"]].mean().loc["tno21"]
    text, released = (100 * kept).round().astype(int)
    assert f"keeps {text} % of their contrast and the released code {released} %" in texts["04"]
    verdicts = full_run("05_findings")["verdict"].value_counts()
    said = f"{verdicts['confirmed']} of the {verdicts.sum()} claims are confirmed, {verdicts['not confirmed']} are not, "
    assert said + f"and {verdicts['not testable']} cannot be tested" in texts["05"]


def test_a_changed_value_fails(tmp_path):
    """nbval compares checked cells with what is stored: here one cell as it is, and again with another stored value."""
    notebook = nbformat.read(NOTEBOOKS["03_enhance"], as_version=4)
    checked = next(cell for cell in code_cells(notebook) if "stretched by" in refresh.printed(cell))
    changed = deepcopy(checked)
    changed.id, changed.outputs[0].text = "changed", re.sub(r"\d\.\d\d", "3.14", checked.outputs[0].text, count=1)
    notebook.cells = [*notebook.cells[2:4], checked, changed]
    nbformat.write(notebook, tmp_path / "some.ipynb")
    command = [sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider", "--nbval-lax", "--nbval-current-env", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    outcomes = re.findall(r"^(PASSED|FAILED) some.ipynb::Cell (\d)", done.stdout, flags=re.M)
    expected = [("PASSED", "0"), ("PASSED", "1"), ("PASSED", "2"), ("FAILED", "3")]
    assert sorted(outcomes, key=lambda each: each[1]) == expected, done.stdout[-3000:]


def test_a_diff_can_leave_outputs_out():
    """What .gitattributes and CONTRIBUTING.md offer: nbstripout as a text converter of `git diff`."""
    assert "notebooks/*.ipynb diff=ipynb" in (paths.root() / ".gitattributes").read_text()
    command = [sys.executable, "-m", "nbstripout", "-t", str(NOTEBOOKS["01_dataset"])]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True).stdout
    assert "blur_stack" in shown
    assert "image/jpeg" not in shown


def test_demo_profile_is_the_defaults():
    assert yaml.safe_load(profiles.profiles()["demo"].read_text()) == {}


@pytest.mark.parametrize("profile", list(profiles.profiles()))
def test_profiles_fit_the_parameters(profile):
    known = {stem: profiles.declared(path) for stem, path in NOTEBOOKS.items()}
    assert profiles.settings(profile, {}, known)["profile"] == profile


def test_outputs_are_json_without_anything_of_a_kernel(notebook):
    assert set(notebook.metadata) == {"kernelspec", "language_info", refresh.KEY}
    assert "widgets" not in json.dumps(notebook.metadata)


@pytest.mark.parametrize("profile", [name for name in profiles.profiles() if name != "demo"])
def test_a_profile_names_its_own_folder_of_results(profile):
    """Who hands the file to papermill writes into the same folder as `ivfnb reproduce --profile`."""
    assert yaml.safe_load(profiles.profiles()[profile].read_text())["profile"] == profile


@pytest.mark.parametrize("profile", ["demo", "tno"])
def test_plain_papermill_from_anywhere(profile, tmp_path, monkeypatch, request):
    """Papermill's own command takes a notebook and a profile from a folder that knows neither; all up to the first result runs there."""
    if profile == "tno":
        request.getfixturevalue("shared_data")
    monkeypatch.setenv("IVFNB_RESULTS", str(tmp_path / "results"))
    given = [str(NOTEBOOKS["04_fuse"]), "out.ipynb", "-f", str(profiles.profiles()[profile]), "--prepare-only"]
    subprocess.run([sys.executable, "-m", "papermill", *given], cwd=tmp_path, check=True, capture_output=True)
    cells = [cell.source for cell in code_cells(nbformat.read(tmp_path / "out.ipynb", as_version=4))]
    resolved = next(number for number, source in enumerate(cells) if "\nresults = " in source)
    script = "\n".join([*cells[: resolved + 1], "print(results, [pairs.name for pairs in pair_sets])"])
    script = f"import matplotlib\nmatplotlib.use('agg')\n{script}"
    said = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert said.splitlines()[-1] == f"{tmp_path / 'results' / profile} {[{'demo': 'sample', 'tno': 'tno21'}[profile]]}"

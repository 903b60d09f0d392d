"""The notebooks keep to one skeleton, carry no stray outputs, and their parameters fit the profiles."""

import ast
import re

import nbformat
import pytest
import yaml

from ivfnb.commands import profiles

NOTEBOOKS = profiles.notebooks()
MARK = "# NBVAL_CHECK_OUTPUT"


@pytest.fixture(params=list(NOTEBOOKS), ids=list(NOTEBOOKS))
def notebook(request):
    return nbformat.read(NOTEBOOKS[request.param], as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_are_five():
    assert list(NOTEBOOKS) == ["01_dataset", "02_train", "03_enhance", "04_fuse", "05_evaluate"]


def test_skeleton(notebook):
    """Title with three sentences, table, parameters, imports, resolve, provenance; at the end comparison and summary with a link."""
    cells = notebook.cells
    assert re.match(r"# \d - \w+", cells[0].source)
    assert len(re.findall(r"[.?!](?:\s|$)", cells[0].source)) >= 3
    assert all(f"| {row} |" in cells[1].source for row in ("reads", "writes", "time", "profiles"))
    assert [cell.cell_type for cell in cells[2:6]] == ["code"] * 4
    assert cells[2].metadata.get("tags") == ["parameters"]
    assert all(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.parse(cells[3].source).body)
    assert "results = paths.results_dir(profile)" in cells[4].source
    assert cells[5].source.startswith("print(provenance.line())")
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    headings = re.findall(r"^## (.+)$", text, flags=re.M)
    assert headings[-3:] == ["The table", "Compared with the paper", "Summary"] or headings[-2:] == ["Compared with the paper", "Summary"]
    assert "The table" in headings
    summary = text.rpartition("## Summary")[2]
    assert len(re.findall(r"^\* ", summary, flags=re.M)) == 3
    assert "**When it fails:**" in summary
    assert re.search(r"\(\d\d_\w+\.ipynb\)", summary)
    assert len(re.findall(r"^# ", text, flags=re.M)) == 1


def test_parameters_are_flat_scalars_with_a_reason(notebook):
    for line in notebook.cells[2].source.splitlines():
        value, _, reason = line.partition("#")
        assert isinstance(ast.literal_eval(value.partition("=")[2].strip()), str | int | float | bool), line
        assert reason.strip() or line.startswith("seed"), f"no reason beside {line!r}"


def test_cells(notebook):
    for cell in code_cells(notebook):
        assert len(cell.source.splitlines()) <= 25, cell.source[:60]
        assert not re.search(r"%pip|!pip|(?<![\w.])/(home|tmp|usr|work|root)/|[A-Z]:\\", cell.source), cell.source[:60]
        if cell.source.startswith(MARK):
            assert cell.outputs, f"checked cell without a stored output: {cell.source[:60]}"
            assert cell.execution_count is not None, "nbval needs the count of a cell with outputs"
        else:
            assert not cell.outputs, f"stray output: {cell.source[:60]}"
            assert cell.execution_count is None, f"stray execution count: {cell.source[:60]}"


def test_something_is_checked(notebook):
    assert any(cell.source.startswith(MARK) for cell in code_cells(notebook))


def test_demo_profile_is_the_defaults():
    assert yaml.safe_load(profiles.profiles()["demo"].read_text()) == {}


@pytest.mark.parametrize("profile", list(profiles.profiles()))
def test_profiles_fit_the_parameters(profile):
    known = {stem: profiles.declared(path) for stem, path in NOTEBOOKS.items()}
    assert profiles.settings(profile, {}, known)["profile"] == profile

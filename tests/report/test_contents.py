"""Pages of a run: nothing is loaded from elsewhere, every link leads somewhere, names cannot carry markup."""

import html
import re
from pathlib import Path
from urllib.parse import unquote

import nbformat
import numpy as np
import pytest

from ivfnb import files
from ivfnb.images import write_image
from ivfnb.report import contents

LOADED = re.compile(
    r"""<(?:script|link|img|iframe|source)\b[^>]*?(?:src|href)=["'](?!data:)([^"']+)|url\(["']?(?!data:)([^)"']+)|@import"""
)


def notebook(path: Path, *sources: str) -> Path:
    cells = [nbformat.v4.new_markdown_cell(source) for source in sources]
    cells.append(
        nbformat.v4.new_code_cell("1 + 1", outputs=[nbformat.v4.new_output("execute_result", {"text/plain": "2"})], execution_count=1)
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


@pytest.fixture
def page(tmp_path):
    pytest.importorskip("ziamath", reason="ziamath, which draws formulas, is not installed (extra notebooks)")
    return contents.executed(
        notebook(tmp_path / "04_x.ipynb", "# 4 - Fuse: one image\n\nOf $a_b$: [next](05_evaluate.ipynb).\n\n$$\\frac{1}{2}$$")
    )


def test_a_notebooks_page_loads_nothing_from_elsewhere(page):
    assert "<h1" in page
    assert not [found for found in LOADED.finditer(page) if found[1] or found[2] or "@import" in found[0]]
    assert "cdnjs" not in page
    assert "mermaid.min" not in page
    assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]*"|<pre.*?</pre>|/\*.*?\*/', "", page.partition("<main>")[2], flags=re.S)


def test_formulas_of_a_notebooks_page_are_drawn(page):
    assert page.count("<svg") == 2
    assert "$" not in page.partition("<main>")[2]


def test_links_between_notebooks_lead_to_their_pages(page):
    assert 'href="05_evaluate.html"' in page


NASTY = "<img src=x onerror=alert(1)> & 50 %#?"


@pytest.fixture
def run(tmp_path):
    """A folder of results with the most unpleasant names that a file system takes."""
    folder = tmp_path / "demo"
    heading = '<html><h1 id=\'a\'>no</h1><h1 id="4-Fuse">4 - Fuse &amp; <em>more</em><a>¶</a></h1><h2 id="A-part">A part</h2></html>'
    files.write_text(folder / "notebooks" / "04_fuse.html", heading)
    files.write_text(folder / "notebooks" / "04_fuse.ipynb", "{}")
    files.write_text(folder / "tables" / "04_maps.csv", "a")
    files.write_text(folder / "tables" / "04_maps.html", "<title>Maps &lt;b&gt;</title>")
    files.write_text(folder / "tables" / f"{NASTY}.csv", "a")
    for path in ("figures/04_maps.png", f"figures/{NASTY}.png", f"fused/{NASTY}/sample/1.png", "fused/as_paper/sample/1.png"):
        write_image(folder / path, np.zeros((4, 4), np.uint8))
    files.write_json(folder / "run.json", {"profile": "demo"})
    return folder


def test_every_link_of_the_contents_leads_somewhere(run):
    text = contents.index(run, {"profile": "demo", "seconds": {"04_fuse": 12.3}}).read_text()
    targets = [html.unescape(found) for found in re.findall(r'(?:href|src)="([^"]*)"', text)]
    assert len(targets) > 12
    for target in targets:
        path, _, anchor = target.partition("#")
        assert not path or (run / unquote(path)).exists(), target
        if anchor and not path:
            assert f'id="{anchor}"' in text
    assert "notebooks/04_fuse.html#A-part" in targets


def test_names_carry_no_markup(run):
    text = contents.index(run, {"profile": "<b>", "parameters": {"datasets": "<script>alert(1)</script>"}, "commit": None}).read_text()
    assert "<script" not in text
    assert "<img src=x" not in text
    assert "<b>" not in text
    assert "Maps &lt;b&gt;" in text
    assert text.count("4 - Fuse &amp; more") == 1


def test_it_says_what_made_the_results(run):
    record = {
        "profile": "demo",
        "commit": "abc",
        "dirty": True,
        "time": "today",
        "python": "3.11",
        "versions": {"numpy": "2", "torch": None},
    }
    text = contents.index(run, {**record, "seconds": {"04_fuse": 12.3}, "failure": "cell 3"}).read_text()
    for words in ("abc with local changes", "today", "numpy 2", ", 12 s)", "cell 3", 'href="run.json"'):
        assert words in text, words
    assert "None" not in text.partition("How it was made")[2].partition("machine")[0]


def test_an_empty_run_has_a_page_too(tmp_path):
    text = contents.index(tmp_path, {}).read_text()
    assert "<h2>Tables" not in text
    assert tmp_path.name in text

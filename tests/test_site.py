"""The site's sources: every metric and method has its page, every mark names something, links are rewritten and faults are found."""

import re
import sys

import pytest

from ivfnb import paths
from ivfnb.baselines import rows_of_paper
from ivfnb.metrics import METRICS

ROOT = paths.PACKAGE.parent
sys.path.insert(0, str(ROOT / "docs"))
from _make import findings, links, methods, metrics, results, stage  # noqa: E402

OWN = [name for name, each in METRICS.items() if each.function.__module__.startswith("ivfnb.")]


def written(page: str) -> str:
    return (ROOT / "docs" / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", OWN)
def test_every_metric_has_a_formula_and_says_why_implementations_disagree(name):
    text = written(f"metrics/{name}.md")
    headings = re.findall(r"^## (.+)$", text, flags=re.M)
    assert headings == ["Formula", "What it rewards", "Why implementations disagree"]
    assert "$$" in text or "As [FMI_pixel]" in text
    assert text.count("$$") % 2 == 0
    page = metrics.page(name, text)
    for words in ("| better |", "| range |", "## Values to compare with", "| real |", ".. autofunction:: ivfnb.metrics", "doi.org/"):
        assert words in page, words


@pytest.mark.parametrize(
    "title", ["Qcb: Chen and Blum's metric", "Qy: Yang's similarity", "FMI_dct: FMI of the 2-D discrete", "EN: entropy"]
)
def test_names_keep_their_capitals_in_titles(title):
    name = title.partition(":")[0]
    assert f"# {title}" in metrics.page(name, written(f"metrics/{name}.md"))


def test_a_metric_without_a_text_has_a_page_too():
    assert "| smallest image | 41×41 pixels |" in metrics.page("VIFF", "")
    assert "twice the entropy of F" not in metrics.page("VIFF", "")
    assert "mutual_information_released" in metrics.page("MI", "")


def test_every_method_of_the_paper_has_a_text():
    for competitor in rows_of_paper():
        assert len(written(f"methods/{methods.slug(competitor.name)}.md").split()) > 20, competitor.name
    page = methods.page(rows_of_paper()[0], written("methods/CBF.md"))
    for words in (
        "# CBF",
        "| row of the paper's tables | 1 |",
        "doi.org/10.1007/s11760-013-0556-9",
        "own implementation",
        ".. autofunction::",
    ):
        assert words in page, words


def test_marks_of_the_pages_name_tables_and_figures_that_exist():
    placed = []
    for path in sorted((ROOT / "docs").rglob("*.md")):
        for kind, given in stage._MARK.findall(path.read_text(encoding="utf-8")):
            if kind == "table":
                placed.append(given)
                assert results.stem(given)
            if kind == "figure":
                name, _, words = given.partition(" | ")
                assert (results.PAPER / "figures" / f"{name}.png").is_file(), name
                assert len(words.split()) > 2, f"{name}: words for those who do not see it"
    assert len(placed) == len(set(placed)), "a table has one place, to which links lead"
    with pytest.raises(ValueError, match="found no such table"):
        results.stem("99_none")


def test_tables_sort_and_keep_their_marks():
    block = results.table(results.stem("05_table2_standard"), "results/methods.md")
    assert block.startswith("(table-05-table2-standard)=")
    assert '<table class="sortable" aria-label="Table 2' in block
    assert "<caption>" not in block
    assert 'href="../_static/tables/05_table2_standard.csv"' in block
    assert block.count("<tr>") > 25
    plain = results.table(results.stem("05_correlations_standard"), "results/statistics.md")
    assert '<td class="number">' in plain


def test_links_of_files_lead_to_pages():
    text = "[a](data/README.md#what-can-go-wrong) [b](notebooks/01_dataset.ipynb) [c](results/paper/tables/05_findings.md) [d](LICENSE) [e](https://x.org)"
    assert links.rewrite(text, "README.md", "index.md") == (
        "[a](howto/data.md#what-can-go-wrong) [b](notebooks/01_dataset.ipynb) [c](#table-05-findings) `d` [e](https://x.org)"
    )
    assert links.rewrite("[a](../../CONTRIBUTING.md)", "docs/howto/fuse.md", "howto/fuse.md") == "[a](../contributing.md)"


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "data/README.md", "results/README.md", "CHANGELOG.md"])
def test_links_between_files_of_the_repository_lead_somewhere(page):
    for _, link in links._LINK.findall((ROOT / page).read_text(encoding="utf-8")):
        assert ((ROOT / page).parent / link.partition("#")[0]).exists(), link


@pytest.mark.parametrize("path", sorted((ROOT / "docs").rglob("*.md")), ids=lambda path: path.relative_to(ROOT / "docs").as_posix())
def test_links_of_pages_lead_somewhere_in_the_repository_too(path):
    for _, link in links._LINK.findall(path.read_text(encoding="utf-8")):
        assert (path.parent / link.partition("#")[0]).exists(), link


GOOD = '<a href="b.html#here">x</a><img src="i.png"><a href="https://elsewhere.org">y</a><svg><path d="M 0 0"/></svg>'


@pytest.fixture
def site(tmp_path):
    (tmp_path / "a.html").write_text(GOOD)
    (tmp_path / "b.html").write_text('<h2 id="here">h</h2>')
    (tmp_path / "i.png").touch()
    return tmp_path


def test_a_whole_site_has_no_fault(site):
    assert links.faults(site) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('<a href="c.html">x</a>', "a.html: c.html leads nowhere"),
        ('<a href="b.html#there">x</a>', "a.html: b.html#there names no place of that page"),
        ('<img src="https://x.org/i.png">', "a.html: loads https://x.org/i.png"),
        ('<script src="//cdn.org/m.js"></script>', "a.html: loads //cdn.org/m.js"),
        ('<link rel="stylesheet" href="https://x.org/f.css">', "a.html: loads https://x.org/f.css"),
        ('<p style="background:url(https://x.org/i.png)">', "a.html: loads https://x.org/i.png"),
        ("<p>| set | title | |:—–|:——-| | a | b |</p>", "a.html: shows the markup of a table"),
    ],
)
def test_faults_are_found(site, text, said):
    (site / "a.html").write_text(GOOD + text)
    assert links.faults(site) == [said]


def test_fonts_from_elsewhere_are_found(site):
    (site / "s.css").write_text("@font-face { src: url('https://fonts.org/f.woff2') }")
    assert links.faults(site) == ["s.css: loads something from elsewhere"]


def test_findings_follow_the_tables(monkeypatch):
    changed = findings.table("05_findings").assign(verdict="confirmed")
    monkeypatch.setattr(findings, "table", lambda name, before=findings.table: changed if name == "05_findings" else before(name))
    assert f"{len(changed)} are confirmed, 0 are not confirmed" in findings.findings()

"""No format of a table takes a name for markup, a command or a formula."""

import csv
import re
from html.parser import HTMLParser

import nbconvert.filters
import pandas as pd
import pytest

from ivfnb import report
from ivfnb.report import escaping

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "a|b||c",
    "`code` **bold** [link](javascript:alert(1)) ![image](https://example.org/x.png) ~~gone~~",
    "line\n\n# heading\r\n| cell |",
    "&lt;script&gt; & &amp;",
    r"$\href{javascript:alert(1)}{x}$ \(x\) \[y\] $$z$$",
    r"\input{/etc/passwd} {group} x^2 50 % #1 ~ a_b",
    "_emphasis_ __init__",
    '=HYPERLINK("https://example.org";"x")',
    "</td></tr></table><script>alert(1)</script>",
    "--> \\| x",
]


@pytest.fixture
def written(tmp_path):
    """A table whose cells, headings, caption and note are all hostile."""
    frame = pd.DataFrame({"method": HOSTILE, HOSTILE[0]: HOSTILE, "EN": [float(i) for i in range(len(HOSTILE))]})
    report.table(frame, tmp_path / "table", " ".join(HOSTILE), note=" ".join(HOSTILE))
    return tmp_path / "table"


class Page(HTMLParser):
    """Tags of a page, with what they hold, and the text of its cells."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.cells = set(), set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag == "td":
            self.cells.append("")

    def handle_data(self, data):
        if self.cells:
            self.cells[-1] += data


def words(text):
    return " ".join(text.split())


def test_markdown_in_a_report(written):
    """As nbconvert shows it: only the table's own elements, each name letter by letter, no formula; an address links to itself."""
    shown = nbconvert.filters.markdown2html(report.show(written).data)
    page = Page(shown)
    assert page.tags == {"p", "table", "thead", "tbody", "tr", "th", "td", "strong", "ins", "span", "a"}
    assert page.attributes == {"href", "style"}, "the style says left or right"
    assert all(address.startswith("https://example.org") for address in re.findall(r"href=\"([^\"]*)", shown))
    assert [words(cell) for cell in page.cells[:-1:3]] == [words(name) for name in HOSTILE]
    pieces = re.split(r"<[^>]*>", shown)  # a formula is found within one piece of text
    assert not any(re.search(r"\$.*\$|&#36;|\\[(\[b]|\\href", piece) for piece in pieces)


def test_page(written):
    page = Page(written.with_suffix(".html").read_bytes().decode())
    assert page.tags == {
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "table",
        "caption",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "b",
        "u",
        "p",
    }
    assert page.attributes == {"lang", "charset", "class"}
    assert page.cells[: 3 * len(HOSTILE) : 3] == HOSTILE


def test_latex_has_only_its_own_commands(written):
    text = written.with_suffix(".tex").read_text()
    commands = set(re.findall(r"\\([a-zA-Z]+)", re.sub(r"\\textbackslash\{\}\w*", "", text.split("\\end{table}")[0])))
    symbols = {"textbackslash", "textasciitilde", "textasciicircum", "textasciigrave", "textless", "textgreater", "textbar", "uparrow"}
    assert commands <= symbols | {"begin", "end", "caption", "toprule", "midrule", "bottomrule", "textbf", "underline"}
    assert len(text.splitlines()) == 6 + len(HOSTILE) + 4, "a row is one line, and so is the note"
    assert text.splitlines()[-1].startswith("% <img")
    assert escaping.latex(r"\input{x}") == r"\textbackslash{}input\{x\}"
    assert escaping.latex("a~b^c$d") == r"a\textasciitilde{}b\textasciicircum{}c\$d"


def test_csv_calculates_nothing(written, tmp_path):
    with written.with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert [row[0].replace("'", "") for row in rows[1:]] == [name.replace("'", "") for name in HOSTILE]
    assert not any(cell[:1] and cell[0] in "=+-@\t\r\n" for row in rows for cell in row)
    frame = pd.DataFrame({"@x": ["+1+1", "a;=1+1", "\t=1", None], "y": [-1.5, 2, 3, 4]}, index=["-a", "b", "c", "d"])
    path = report.save_csv(frame.rename_axis("method"), tmp_path / "new" / "scores.csv", index=True)
    lines = ["method,'@x,y", "'-a,'+1+1,-1.5", "b,a;'=1+1,2.0", "c,'\t'=1,3.0", "d,,4.0"]
    assert path.read_text() == "\n".join(lines) + "\n"
    assert [entry.name for entry in path.parent.iterdir()] == ["scores.csv"], "nothing else is left"


@pytest.mark.parametrize("text", ["-1", "+0.5", "-1.2e-05", "-0.5 (-1 to 0.2)", "a-b", "1.6e-45", "", "Ours, as paper"])
def test_numbers_and_common_names_stay_in_csv(text):
    assert escaping.csv_cell(text) == text


@pytest.mark.parametrize("text", ["-", "-1+cmd|'/C calc'!A0", "=1", "@SUM(1)", "＝1", "-1 (x to 2)", "\rx"])
def test_formulas_get_an_apostrophe(text):
    assert escaping.csv_cell(text).startswith("'")

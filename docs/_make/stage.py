"""The sources of the site, put together in one folder: written pages, notebooks, pages of the registries, results."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat

from ivfnb import paths

from . import findings, links, methods, metrics, results

DOCS = paths.root() / "docs"
# Files of the repository outside docs/ that are pages too; notebooks are copied beside them.
COPIED = {origin: page for origin, page in links.PAGES.items() if (paths.root() / origin).is_file() and origin != "README.md"}
FIRST = ("fuse", "score", "conformance", "data", "reproduce")  # how-tos in the order in which they are wanted
_MARK = re.compile(r"^<!-- (table|figure|run|rest|metrics|methods|toc|image|findings|speed|growth)\b:?\s*(.*?) -->$", re.M)


def _pages() -> Iterator[tuple[Path, str]]:
    """Written pages of docs/ and where they stand; those of metrics and methods are parts of pages, put together elsewhere."""
    for path in sorted(DOCS.rglob("*.md")):
        page = path.relative_to(DOCS).as_posix()
        if not page.startswith("_") and (path.parent.name not in ("metrics", "methods") or path.stem == "index"):
            yield path, page if path.parent != DOCS or path.name in links.ALONE else f"howto/{page}"


class _Results:
    """Fills the marks of a page, and remembers which tables have found a place."""

    def __init__(self) -> None:
        self.placed: set[str] = set()
        self.lists: dict[str, list[str]] = {}

    def fill(self, text: str, page: str) -> str:
        """Page in which each mark, a comment on a line of its own, is what it names."""
        return _MARK.sub(lambda found: self._of(found[1], found[2].strip(), page), text)

    def _of(self, kind: str, given: str, page: str) -> str:
        if kind == "table":
            self.placed.add(given)
            return results.table(results.stem(given), page)
        if kind == "rest":
            rest = [name for name in results.names() if name not in self.placed]
            return "\n".join(f"## {name}\n\n{results.table(results.stem(name), page)}" for name in rest)
        if kind == "toc":
            return "\n".join(self.lists[given])
        if kind == "image":  # one that may not be there
            name, _, words = given.partition(" | ")
            return f"![{words}]({name})\n" if (DOCS / page).parent.joinpath(name).is_file() else ""
        name, _, words = given.partition(" | ")
        if kind == "figure":
            return results.figure(name, words, page)
        if kind == "findings":
            return links.rewrite(findings.findings(), "README.md", page)
        made = {
            "run": results.run_facts,
            "metrics": metrics.overview,
            "methods": methods.overview,
            "speed": findings.speed,
            "growth": findings.growth,
        }
        return made[kind]()


def _notebook(path: Path) -> nbformat.NotebookNode:
    """The notebook with outputs: as committed, or as the demo ran it where its cells are the same and more of them have any."""
    committed = nbformat.read(path, as_version=4)
    executed = paths.root() / "results" / "demo" / "notebooks" / path.name
    if not executed.is_file():
        return committed
    ran = nbformat.read(executed, as_version=4)
    ran.cells = [cell for cell in ran.cells if "injected-parameters" not in cell.metadata.get("tags", [])]
    same = [cell.source for cell in ran.cells] == [cell.source for cell in committed.cells]

    def outputs(notebook: nbformat.NotebookNode) -> int:
        return sum(bool(cell.get("outputs")) for cell in notebook.cells)

    return ran if same and outputs(ran) > outputs(committed) else committed


def _write_notebooks(into: Path) -> list[str]:
    """Notebooks as pages of the site; their names."""
    names = []
    for path in sorted((paths.root() / "notebooks").glob("*.ipynb")):
        notebook = _notebook(path)
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = links.rewrite(cell.source, f"notebooks/{path.name}", f"notebooks/{path.name}")
            else:  # bars and warnings of the machine that ran it are no part of the story
                cell.outputs = [each for each in cell.outputs if each.get("name") != "stderr"]
                cell.source = cell.source.removeprefix("# NBVAL_CHECK_OUTPUT\n")  # a word to the tests
        nbformat.write(notebook, into / path.name)
        names.append(path.stem)
    return names


def stage(into: Path) -> None:
    """Put the sources of the site together in an empty folder."""
    shutil.copytree(DOCS / "_static", into / "_static")
    shutil.copy2(DOCS / "conf.py", into / "conf.py")
    for folder in ("metrics", "methods", "notebooks", "results", "howto", "figures"):
        (into / folder).mkdir()
    (into / "_static" / "tables").mkdir()
    for path in [*(results.PAPER / "tables").iterdir(), *results.PAPER.glob("*.csv")]:
        if path.suffix in results.FORMATS:
            shutil.copy2(path, into / "_static" / "tables" / path.name)
    results.write_figures(into / "figures")
    if (DOCS / "images").is_dir():
        shutil.copytree(DOCS / "images", into / "images")
    texts = {page: (path.read_text(encoding="utf-8"), path.relative_to(paths.root()).as_posix()) for path, page in _pages()}
    texts |= {page: ((paths.root() / origin).read_text(encoding="utf-8"), origin) for origin, page in COPIED.items()}
    filler = _Results()
    filler.lists = {
        "notebooks": [f"notebooks/{name}" for name in _write_notebooks(into / "notebooks")],
        "metrics": metrics.stage(DOCS, into),
        "methods": methods.stage(DOCS, into),
        "howto": sorted(
            (page.removesuffix(".md") for page in texts if page.startswith("howto/")),
            key=lambda page: (FIRST.index(name) if (name := page.partition("/")[2]) in FIRST else len(FIRST), page),
        ),
    }
    for page in sorted(texts, key=lambda page: page == "results/other.md"):  # what is left over is known at the end
        text, origin = texts[page]
        there = into / page
        there.parent.mkdir(parents=True, exist_ok=True)
        there.write_text(filler.fill(links.rewrite(text, origin, page), page), encoding="utf-8")

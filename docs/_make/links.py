"""Links between files of the repository, as they are between pages of the site, and the check of the finished pages."""

import posixpath
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Where files of the repository that are pages of the site too stand there.
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "data/README.md": "howto/data.md",
    "data/sample/README.md": "sample.md",
    "results/README.md": "results/files.md",
    "results/paper": "results/index.md",
}
ALONE = ("index.md", "method.md", "paper-and-code.md", "security.md")  # pages of docs/ itself; any other one there is a how-to
PREFIXES = {"notebooks/": "notebooks/", "docs/": ""}
_TABLE = re.compile(r"results/paper/(?:tables/)?(\w+)\.(?:md|csv|tex|html)")
_RULE = re.compile(r"\|\s*:?[-\u2013\u2014]{3,}:?\s*\|")  # below the head of a table in Markdown; Sphinx makes dashes of hyphens
_LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\((?!https?:|mailto:|#)([^)\s]+)\)")


def on_site(path: str) -> str | None:
    """Page of the site that shows a file of the repository; None where none does."""
    if path in PAGES:
        return PAGES[path]
    if path.startswith("docs/") and path.count("/") == 1 and path.removeprefix("docs/") not in ALONE:
        return f"howto/{path.removeprefix('docs/')}"
    for prefix, there in PREFIXES.items():
        if path.startswith(prefix):
            return there + path.removeprefix(prefix)
    return None


def label(table: str) -> str:
    """Label under which a table of the full run is found, whatever page it stands on."""
    return f"table-{table.replace('_', '-').lower()}"


def rewrite(text: str, origin: str, page: str) -> str:
    """Markdown of a file of the repository, `origin`, as the page of the site that shows it: links to other pages lead there.

    What is on no page of the site is named, in code, without a link.
    """

    def target(found: re.Match) -> str:
        words, link = found[1], found[2]
        path, sign, anchor = link.partition("#")
        place = posixpath.normpath(posixpath.join(posixpath.dirname(origin), path)).rstrip("/")
        if table := _TABLE.fullmatch(place):
            return f"[{words}](#{label(table[1])})"
        there = on_site(place)
        if there is None:
            return words if "`" in words else f"`{words}`"
        return f"[{words}]({posixpath.relpath(there, posixpath.dirname(page) or '.')}{sign}{anchor})"

    return _LINK.sub(target, text)


class _Page(HTMLParser):
    """Anchors of a page, what it links to, what it loads, and whether it shows a table's markup instead of the table."""

    def __init__(self) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.raw_table = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.anchors |= {value for name in ("id", "name") if (value := given.get(name))}
        if (link := given.get("href")) is not None:
            (self.links if tag == "a" or given.get("rel") in ("next", "prev", "index", "search", "canonical") else self.loaded).append(link)
        self.loaded += [value for name in ("src", "poster", "data", "srcset", "action") if (value := given.get(name))]
        self.loaded += re.findall(r"url\(['\"]?([^)'\"]+)", given.get("style") or "")

    handle_startendtag = handle_starttag

    def handle_data(self, data: str) -> None:
        self.raw_table |= bool(_RULE.search(data))


def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def _elsewhere(link: str) -> bool:
    return bool(urlsplit(link).scheme or urlsplit(link).netloc)


def faults(folder: Path) -> list[str]:
    """What is wrong in the finished pages of a folder, a line each: links that lead nowhere, what is loaded from elsewhere, raw tables."""
    pages = {path.resolve(): _read(path) for path in sorted(folder.rglob("*.html"))}
    found = []
    for path, page in pages.items():
        name = path.relative_to(folder.resolve())
        found += [f"{name}: shows the markup of a table"] * page.raw_table
        found += [f"{name}: loads {link}" for link in page.loaded if _elsewhere(link) and not link.startswith("data:")]
        for link in (link for link in page.links + page.loaded if not _elsewhere(link)):
            file, _, anchor = link.partition("#")
            there = (path.parent / unquote(file.partition("?")[0])).resolve() if file else path
            if not there.exists():
                found.append(f"{name}: {link} leads nowhere")
            elif anchor and there in pages and unquote(anchor) not in pages[there].anchors:
                found.append(f"{name}: {link} names no place of that page")
    for path in sorted(folder.rglob("*.css")):
        loads = re.findall(r"(?:url\(\s*['\"]?|@import\s+['\"])(https?:)?//[^)'\"]+", path.read_text(encoding="utf-8"))
        found += [f"{path.relative_to(folder)}: loads something from elsewhere"] * bool(loads)
    return found

"""Pages of a run: executed notebooks as HTML, and `index.html`, the table of contents of a folder of results.

All of them are read from the file system, without a network: nothing is loaded from elsewhere, formulas are drawings.
"""

import re
from collections.abc import Iterable, Mapping
from html import escape, unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ivfnb import files
from ivfnb.report import formulas

TEMPLATE = """{%- extends 'lab/index.html.j2' -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
"""
STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:70rem;padding:1rem}
h1{font-size:1.6rem}h2{border-bottom:1px solid;margin-top:2.5rem}h3{margin-bottom:.3rem}
nav ul,#notebooks ul{columns:16rem;padding-left:1.2rem}
table{border-collapse:collapse}.wide{overflow-x:auto}
th,td{text-align:left;padding:.15rem .9rem .15rem 0;vertical-align:top;overflow-wrap:anywhere}th{white-space:nowrap}
.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:1rem}
figure{margin:0}figure img{width:100%;height:11rem;object-fit:contain;background:#fff}figcaption{font-size:.85rem;overflow-wrap:anywhere}
"""
IMAGES = (".png", ".jpg", ".jpeg")
_SIBLING = re.compile(r'href="(\d\d_\w+)\.ipynb')
_TITLE = re.compile(r"<title>(.*?)</title>", re.S)
_HEADING = re.compile(r'<h([12])[^>]*\bid="([^"]*)"[^>]*>(.*?)</h\1>', re.S)


def executed(notebook: str | Path) -> str:
    """An executed notebook as one HTML page that needs nothing beside it.

    Parameters
    ----------
    notebook : str or Path
        File of the notebook, with its outputs.

    Returns
    -------
    str
        The page. Images lie in it, formulas are drawn, links to other notebooks lead to their pages, and neither MathJax nor another
        script is loaded from elsewhere.

    Raises
    ------
    ModuleNotFoundError
        Without the extra `notebooks`.
    """
    from jinja2 import DictLoader
    from nbconvert import HTMLExporter
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    class Renderer(IPythonRenderer):
        def inline_math(self, body: str) -> str:
            return formulas.svg(body)

        def block_math(self, body: str) -> str:
            return f'<div style="overflow-x:auto">{formulas.svg(body, display=True)}</div>'

    def markdown(source: str) -> str:
        return str(MarkdownWithMath(renderer=Renderer(escape=False)).render(source))

    # not embed_images: it would empty the <ins> of the second best, and outputs are embedded anyway
    exporter = HTMLExporter(extra_loaders=[DictLoader({"offline.html.j2": TEMPLATE})], template_file="offline.html.j2")
    exporter.register_filter("markdown2html", markdown)
    return _SIBLING.sub(r'href="\1.html', str(exporter.from_filename(str(notebook))[0]))


def _link(path: Path, folder: Path, words: str) -> str:
    """Link to a file below a folder; its name may hold any sign."""
    return f'<a href="{quote(path.relative_to(folder).as_posix())}">{escape(words)}</a>'


def _headings(page: Path) -> list[tuple[str, str]]:
    """Anchor and words of the headings of a notebook's page, its title first."""
    found = _HEADING.findall(page.read_text(encoding="utf-8"))
    return [(unescape(anchor), unescape(re.sub(r"<[^>]*>|¶", "", words)).strip()) for _, anchor, words in found]


def _notebook(page: Path, folder: Path, seconds: Mapping[str, float]) -> str:
    """A notebook in the table of contents: title, links, its sections."""
    (_, title), *sections = _headings(page) or [("", page.stem)]
    took = f", {seconds[page.stem]:.0f} s" if page.stem in seconds else ""
    source = page.with_suffix(".ipynb")
    also = f" ({_link(source, folder, 'notebook')}{took})" if source.is_file() else took
    where = quote(page.relative_to(folder).as_posix())
    items = "".join(f'<li><a href="{where}#{quote(anchor)}">{escape(words)}</a></li>' for anchor, words in sections)
    return f"<h3>{_link(page, folder, title)}{also}</h3><ul>{items}</ul>"


def _table(stem: str, found: Mapping[str, Path], folder: Path) -> str:
    """Row of a table: its title and its formats."""
    title = ""
    if ".html" in found and (said := _TITLE.search(found[".html"].read_text(encoding="utf-8"))):
        title = unescape(said[1])
    links = " ".join(_link(path, folder, suffix[1:]) for suffix, path in sorted(found.items()))
    return f"<tr><td>{escape(stem)}</td><td>{escape(title)}</td><td>{links}</td></tr>"


def _tables(folder: Path) -> str:
    by_stem: dict[str, dict[str, Path]] = {}
    for path in sorted((folder / "tables").glob("[!.]*.*")):
        by_stem.setdefault(path.stem, {})[path.suffix] = path
    rows = "".join(_table(stem, found, folder) for stem, found in by_stem.items())
    return f'<div class="wide"><table><tr><th>table</th><th>what</th><th>files</th></tr>{rows}</table></div>' if rows else ""


def _figures(folder: Path) -> str:
    shown = [path for path in sorted((folder / "figures").glob("[!.]*")) if path.suffix.lower() in IMAGES]
    return "".join(
        f'<figure><a href="{(where := quote(path.relative_to(folder).as_posix()))}"><img src="{where}" decoding="async" alt=""></a>'
        f"<figcaption>{escape(path.stem)}</figcaption></figure>"
        for path in shown
    )


def _folders(folder: Path, names: Iterable[str]) -> str:
    """Folders of images, with how many lie in each."""
    items = []
    for name in names:
        for inner in sorted({path.parent for path in (folder / name).rglob("*") if path.suffix.lower() in IMAGES}):
            count = sum(path.suffix.lower() in IMAGES for path in inner.iterdir())
            items.append(f"<li>{_link(inner, folder, inner.relative_to(folder).as_posix())}: {count}</li>")
    return f"<ul>{''.join(items)}</ul>" if items else ""


def _record(folder: Path, record: Mapping[str, Any]) -> str:
    """What made the results: the lines of the run's record that a reader asks for first, and links to the records themselves."""
    commit = record.get("commit") or "no commit"
    told = {
        "commit": f"{commit}{' with local changes' if record.get('dirty') else ''}",
        "time": record.get("time"),
        "Python": record.get("python"),
        "packages": ", ".join(f"{name} {version}" for name, version in record.get("versions", {}).items() if version),
        "machine": f"{record.get('machine')}, {record.get('cores')} cores",
        "parameters": ", ".join(f"{name}={value}" for name, value in record.get("parameters", {}).items()),
        "failure": record.get("failure"),
    }
    rows = "".join(f"<tr><th>{name}</th><td>{escape(str(value))}</td></tr>" for name, value in told.items() if value)
    links = ", ".join(_link(path, folder, path.name) for path in sorted(folder.glob("run*.json")))
    return f"<table>{rows}</table><p>{links}</p>"


def index(folder: str | Path, record: Mapping[str, Any]) -> Path:
    """Write the table of contents of a run: `index.html`, which links its notebooks, tables, figures and images.

    Parameters
    ----------
    folder : str or Path
        Folder of the results of one profile.
    record : dict
        The run's record, as `ivfnb.provenance.stamp` makes it; `profile` and `seconds` are looked for in it as well.

    Returns
    -------
    Path
        `index.html` in the folder, written whole or not at all.

    Notes
    -----
    Links are relative, and names of files are quoted and escaped, whatever they hold.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as run:
    ...     _ = files.write_text(f"{run}/tables/a.csv", "x")
    ...     'href="tables/a.csv"' in index(run, {"profile": "demo"}).read_text()
    True
    """
    folder = Path(folder)
    notebooks = sorted((folder / "notebooks").glob("[!.]*.html"))
    parts = {
        "Notebooks": "".join(_notebook(page, folder, record.get("seconds", {})) for page in notebooks),
        "Tables": _tables(folder),
        "Figures": f'<div class="figures">{figures}</div>' if (figures := _figures(folder)) else "",
        "Fused images and weight maps": _folders(folder, ("fused", "weight_maps")),
        "How it was made": _record(folder, record),
    }
    title = f"Results of the profile {record.get('profile', folder.name)}"
    there = {name: (name.lower().replace(" ", "-"), text) for name, text in parts.items() if text}
    contents = "".join(f'<li><a href="#{anchor}">{name}</a></li>' for name, (anchor, _) in there.items())
    body = "".join(f'<section id="{anchor}"><h2>{name}</h2>{text}</section>' for name, (anchor, text) in there.items())
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>{escape(title)}</title>'
    page = f'<!doctype html>\n<html lang="en"><head>{head}<style>{STYLE}</style></head><body>\n'
    return files.write_text(folder / "index.html", f"{page}<h1>{escape(title)}</h1><nav><ul>{contents}</ul></nav>{body}</body></html>\n")
